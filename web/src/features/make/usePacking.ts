// Packing a lot: one command a case. What is loose is asked for anew each time it starts, so a page that was closed, a stop or an error
// leaves nothing half done and nothing doubled.
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api, capture, type Job } from '../../api/client';
import { newKey } from '../../components/useJob';

export function usePacking(gtin: string, lot: string, party: string) {
  const queries = useQueryClient();
  const [progress, setProgress] = useState<{ done: number; total: number }>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [refused, setRefused] = useState<Job>();
  const stopped = useRef(false);

  /** pack sends one case and waits until every answer shows it; it returns the container, or undefined when the ledger refused. */
  const pack = async (children: string[]): Promise<string | undefined> => {
    let job = await capture.command('pack', { children }, newKey());
    while (job.state !== 'indexed') job = await capture.job(job.captureID, 'indexed');
    if (!job.success) {
      setRefused(job);
      return undefined;
    }
    return (job.result as { parent?: string } | undefined)?.parent;
  };

  const start = async (per: number, cases: number, perPallet: number) => {
    stopped.current = false;
    setBusy(true);
    setError(undefined);
    setRefused(undefined);
    const pallets = perPallet > 0 ? Math.ceil(cases / perPallet) : 0;
    setProgress({ done: 0, total: cases + pallets });
    try {
      const units = await api.units(gtin, lot, { holder: party, state: 'on_hand', loose: 'true', limit: String(per * cases) });
      let done = 0;
      const made: string[] = [];
      // A few at a time: the service answers when a case is certified, which takes some hundred milliseconds.
      const atOnce = 4;
      for (let i = 0; i < cases && !stopped.current; i += atOnce) {
        const some = Array.from({ length: Math.min(atOnce, cases - i) }, (_, k) =>
          units.slice((i + k) * per, (i + k + 1) * per).map((u) => u.digitalLink),
        ).filter((c) => c.length === per);
        const parents = await Promise.all(some.map(pack));
        for (const parent of parents) {
          if (parent === undefined) return;
          made.push(parent);
          setProgress({ done: ++done, total: cases + pallets });
        }
      }
      for (let i = 0; i < pallets && !stopped.current; i++) {
        const cases = made.slice(i * perPallet, (i + 1) * perPallet);
        if (cases.length === 0 || (await pack(cases)) === undefined) break;
        setProgress({ done: ++done, total: made.length + pallets });
      }
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ predicate: (q) => ['lot', 'containers'].includes(String(q.queryKey[0])) });
    }
  };
  return {
    start,
    stop: () => {
      stopped.current = true;
    },
    progress,
    busy,
    error,
    refused,
  };
}

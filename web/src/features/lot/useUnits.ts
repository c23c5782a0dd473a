// The packages of a lot as they stream in: the first are on the screen while the rest is still coming.
import { useEffect, useState } from 'react';
import { api, type LotUnit } from '../../lib/api/client';

/** What a page keeps at most; the files have all. */
export const most = 50_000;

export interface Units {
  list: LotUnit[];
  done: boolean;
  more: boolean;
  error?: unknown;
}

const nothing: Units = { list: [], done: false, more: false };

export function useUnits(gtin: string, lot: string, holder: string, state: string, open: boolean): Units & { again: () => void } {
  const [turn, setTurn] = useState(0);
  const asked = open ? JSON.stringify([gtin, lot, holder, state, turn]) : '';
  const [got, setGot] = useState({ asked: '', units: nothing });
  useEffect(() => {
    if (asked === '') return;
    const stop = new AbortController();
    const list: LotUnit[] = [];
    const show = (u: Partial<Units>) =>
      !stop.signal.aborted && setGot({ asked, units: { list: [...list], done: false, more: false, ...u } });
    void (async () => {
      let shown = 0;
      try {
        for await (const u of api.unitStream(gtin, lot, { ...(holder ? { holder } : {}), ...(state ? { state } : {}) }, stop.signal)) {
          if (list.length === most) return show({ done: true, more: true });
          list.push(u);
          // The first hundred at once, then now and then: drawing each row as it comes would take longer than the stream.
          if (list.length === 100 || performance.now() - shown > 250) {
            shown = performance.now();
            show({});
          }
        }
        show({ done: true });
      } catch (error) {
        show({ done: true, error });
      }
    })();
    return () => stop.abort();
  }, [asked, gtin, lot, holder, state]);
  return { ...(got.asked === asked ? got.units : nothing), again: () => setTurn((n) => n + 1) };
}

// The packing of a lot as a page shows it. It runs beside the pages: somebody may look at something else and come back.
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useSyncExternalStore } from 'react';
import { api, capture, Problem, type Job } from '../../lib/api/client';
import { newKey } from '../../lib/api/job';
import { hold } from '../../lib/held';
import { pack, type Io, type Memory, type Plan, type Progress } from './packing';

interface State {
  busy: boolean;
  /** Another window of this browser packs this lot: two would take the same packages. */
  elsewhere?: boolean;
  stopping?: boolean;
  progress?: Progress;
  error?: unknown;
  refused?: Job;
  /** What was left of the last time. */
  left?: Memory;
}

const states = new Map<string, State>();
const listeners = new Set<() => void>();

const kept = (name: string): Memory | undefined => {
  try {
    const text = localStorage.getItem(name);
    return text === null ? undefined : (JSON.parse(text) as Memory);
  } catch {
    return undefined; // Storage may be forbidden: then a plan lasts as long as the page.
  }
};
const keep = (name: string, m: Memory | undefined) => {
  try {
    if (m) localStorage.setItem(name, JSON.stringify(m));
    else localStorage.removeItem(name);
  } catch {
    // See kept.
  }
};

function state(name: string): State {
  let s = states.get(name);
  if (!s) states.set(name, (s = { busy: false, left: kept(name) }));
  return s;
}

function change(name: string, part: Partial<State>) {
  states.set(name, { ...state(name), ...part });
  listeners.forEach((l) => l());
}

/** patient asks again when a service does not answer; what it refuses, it refuses. */
async function patient<T>(ask: () => Promise<T>): Promise<T> {
  for (let pause = 500; ; pause *= 2) {
    try {
      return await ask();
    } catch (e) {
      if ((e instanceof Problem && e.status < 500) || pause > 8000) throw e;
      await new Promise((r) => setTimeout(r, pause));
    }
  }
}

const nothingCaptured = (e: unknown) => e instanceof Problem && e.status >= 400 && e.status < 500;

export function usePacking(gtin: string, lot: string, party: string) {
  const queries = useQueryClient();
  const name = `verilot.packing.${party}.${gtin}.${lot}`;
  const now = useSyncExternalStore(
    useCallback((l: () => void) => {
      listeners.add(l);
      return () => listeners.delete(l);
    }, []),
    () => state(name),
  );
  const refresh = () =>
    void queries.invalidateQueries({ predicate: (q) => ['lot', 'containers', 'label'].includes(String(q.queryKey[0])) });

  const io: Io<Job> = {
    loose: async (most) =>
      (await patient(() => api.units(gtin, lot, { holder: party, state: 'on_hand', loose: 'true', limit: String(most) }))).map(
        (u) => u.digitalLink,
      ),
    boxes: async () => {
      const found = (await patient(() => api.containers(gtin, lot, { holder: party, limit: 1000 }))).data;
      const list = found.containers ?? [];
      return {
        list: list.filter((b) => b.state === 'on_hand').map((b) => ({ id: b.digitalLink ?? b.key, units: b.units, contents: b.contents })),
        more: found.total > list.length,
      };
    },
    pack: async (children, key) => {
      let job = await patient(() => capture.command('pack', { children }, key));
      while (job.state !== 'indexed') {
        const id = job.captureID;
        job = await patient(() => capture.job(id, 'indexed'));
      }
      return job.success ? {} : { refused: job };
    },
    nothingCaptured,
    newKey,
    kept: () => state(name).left,
    keep: (m) => {
      keep(name, m);
      states.set(name, { ...state(name), left: m && { ...m } });
    },
  };

  const run = async (plan: Plan, resume: boolean) => {
    let heard = Date.now();
    const release = hold();
    change(name, { busy: true, elsewhere: false, stopping: false, error: undefined, refused: undefined, progress: undefined });
    try {
      const refused = await pack(plan, io, {
        resume,
        stopped: () => state(name).stopping === true,
        hear: (progress) => {
          change(name, { progress });
          if (Date.now() - heard > 2000) {
            heard = Date.now();
            refresh();
          }
        },
      });
      change(name, { refused });
    } catch (error) {
      change(name, { error });
    } finally {
      release();
      change(name, { busy: false, stopping: false });
      refresh();
    }
  };
  // One window at a time; browsers offer locks on secure addresses, of which this machine's own is one.
  const alone = (plan: Plan, resume: boolean) => {
    if (!navigator.locks) return void run(plan, resume);
    void navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (!lock) return change(name, { elsewhere: true });
      states.set(name, { ...state(name), left: kept(name) }); // as the other window left it
      await run(plan, resume);
    });
  };
  return {
    ...now,
    start: (plan: Plan) => alone(plan, false),
    goOn: () => now.left && alone({ perCase: now.left.perCase, cases: now.left.left, perPallet: now.left.perPallet }, true),
    stop: () => change(name, { stopping: true }),
    /** forget drops what is left of a plan; what was sent already is still settled before anything else. */
    forget: () => {
      io.keep(now.left && now.left.sent.length > 0 ? { ...now.left, left: 0, perPallet: 0 } : undefined);
      change(name, {});
    },
  };
}

// What was checked since this page was loaded: in memory only, as a counter is no place for lists of who got what.
import { useSyncExternalStore } from 'react';
import type { Job } from '../../lib/api/client';
import type { Kind } from './verdict';

export type Outcome = Kind | 'silent' | 'unreadable';
export type Act = 'dispense' | 'partial' | 'quarantine' | 'return' | 'release' | 'unpack';

export interface Past {
  text: string;
  outcome: Outcome;
  at: number;
  name?: string;
  /** What was done with it then: it goes on though the next package was scanned. */
  act?: { name: Act; job: Job };
}

const kept = 20;

/** seen puts a check first; the same text again takes the place of the one before, and keeps what was done. */
export function seen(list: readonly Past[], p: Past): Past[] {
  const before = list.find((x) => x.text === p.text);
  return [{ ...before, ...p, name: p.name ?? before?.name }, ...list.filter((x) => x !== before)].slice(0, kept);
}

/** acted says what was done with a package that was checked. */
export const acted = (list: readonly Past[], text: string, name: Act, job: Job): Past[] =>
  list.map((x) => (x.text === text ? { ...x, act: { name, job } } : x));

let list: Past[] = [];
const listeners = new Set<() => void>();
function set(next: Past[]) {
  list = next;
  listeners.forEach((l) => l());
}

export const remember = (p: Past): void => set(seen(list, p));
export const rememberAct = (text: string, name: Act, job: Job): void => set(acted(list, text, name, job));

export const usePast = (): readonly Past[] =>
  useSyncExternalStore(
    (l) => {
      listeners.add(l);
      return () => listeners.delete(l);
    },
    () => list,
  );

// What was done last at a place, until somebody dismisses it or does the next thing there. It lives beside the pages: who looks at
// something else and comes back still finds it.
import { useSyncExternalStore } from 'react';
import type { Job } from './api/client';

/** Something that was done, and where it can be seen. */
export interface Done {
  job: Job;
  text: string;
  links: { to: string; text: string }[];
}

/** lotPlace is where something was done with a lot. */
export const lotPlace = (l: { gtin: string; lot: string }, act: 'ship' | 'recall'): string => `lot/${l.gtin}/${l.lot}/${act}`;

let all: ReadonlyMap<string, Done> = new Map();
const listeners = new Set<() => void>();
const set = (next: ReadonlyMap<string, Done>) => {
  all = next;
  listeners.forEach((l) => l());
};

/** say remembers what was done at a place. */
export const say = (place: string, done: Done): void => set(new Map(all).set(place, done));

/** dismiss forgets what was done at a place. */
export function dismiss(place: string): void {
  if (!all.has(place)) return;
  set(new Map([...all].filter(([p]) => p !== place)));
}

/** useDone is what was done at a place. */
export const useDone = (place: string): Done | undefined =>
  useSyncExternalStore(
    (l) => {
      listeners.add(l);
      return () => listeners.delete(l);
    },
    () => all.get(place),
  );

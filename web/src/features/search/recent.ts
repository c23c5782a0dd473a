// What was asked, newest first. In memory only: what a regulator looks into is nobody's business who opens this browser next.
import { useSyncExternalStore } from 'react';

const kept = 8;
let list: readonly string[] = [];
const listeners = new Set<() => void>();

/** added is a list with a question in front, each once, and not more than are kept. */
export const added = (to: readonly string[], question: string): readonly string[] =>
  question.trim() === '' ? to : [question.trim(), ...to.filter((q) => q !== question.trim())].slice(0, kept);

export function remember(question: string): void {
  list = added(list, question);
  listeners.forEach((l) => l());
}

export const useRecent = (): readonly string[] =>
  useSyncExternalStore(
    (l) => {
      listeners.add(l);
      return () => listeners.delete(l);
    },
    () => list,
  );

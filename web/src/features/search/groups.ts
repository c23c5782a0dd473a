import type { Schemas } from '../../lib/api/client';

type Hit = Schemas['Hit'];

/** groups puts hits of a kind together. The service tells the best first, so the kind of the best hit comes first. */
export function groups(hits: Hit[]): { kind: Hit['kind']; hits: Hit[] }[] {
  const by = new Map<Hit['kind'], Hit[]>();
  for (const h of hits) by.set(h.kind, [...(by.get(h.kind) ?? []), h]);
  return [...by].map(([kind, hits]) => ({ kind, hits }));
}

/** moved is which of so many hits has the keyboard after an arrow key: -1 is the field above them. */
export function moved(key: string, at: number, count: number): number | undefined {
  if (count === 0) return undefined;
  if (key === 'ArrowDown') return Math.min(at + 1, count - 1);
  if (key === 'ArrowUp') return at < 0 ? undefined : at - 1;
  if (key === 'Home' && at >= 0) return 0;
  if (key === 'End' && at >= 0) return count - 1;
  if (key === 'Escape' && at >= 0) return -1;
  return undefined;
}

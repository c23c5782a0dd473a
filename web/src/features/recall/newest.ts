import type { Schemas } from '../../lib/api/client';

/** newestByNumber is one line per recall number, the newest first; it is open while any part of it is. */
export function newestByNumber(list: Schemas['RecallView'][]): Schemas['RecallView'][] {
  const by = new Map<string, Map<string, Schemas['RecallView']>>();
  for (const r of list) {
    const parts = by.get(r.recallNumber) ?? new Map<string, Schemas['RecallView']>();
    parts.set(JSON.stringify([r.party, r.gtin, r.lot, r.units]), r); // later ones change the status of earlier ones
    by.delete(r.recallNumber);
    by.set(r.recallNumber, parts);
  }
  return [...by.values()].reverse().map((parts) => {
    const all = [...parts.values()];
    return { ...all[0]!, status: all.some((r) => r.status === 'open') ? 'open' : 'ended' };
  });
}

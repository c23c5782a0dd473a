import type { Schemas } from '../../lib/api/client';

/** holdersOf is who has packages of a lot, most first; what was dispensed or destroyed is with nobody. */
export function holdersOf(totals: Schemas['LotTotal'][]): { party: string; name: string; units: number }[] {
  const by = new Map<string, { party: string; name: string; units: number }>();
  for (const x of totals) {
    if (['dispensed', 'destroyed', 'decommissioned'].includes(x.state)) continue;
    const h = by.get(x.party) ?? { party: x.party, name: x.name ?? x.party, units: 0 };
    by.set(x.party, { ...h, units: h.units + x.units });
  }
  return [...by.values()].sort((a, b) => b.units - a.units);
}

import type { Schemas } from '../../lib/api/client';

const usedUp = ['dispensed', 'destroyed', 'decommissioned', 'lost', 'stolen'];

/** goneOf tells what left a party apart from what ended there: destroyed is not shipped on. */
export function goneOf(commissioned: number, totals: Schemas['LotTotal'][], party: string): { shipped: number; ended: number } {
  const sum = (of: (x: Schemas['LotTotal']) => boolean) =>
    totals.filter((x) => x.party === party && of(x)).reduce((n, x) => n + x.units, 0);
  const ended = sum((x) => usedUp.includes(x.state));
  return { shipped: commissioned - sum((x) => x.state === 'on_hand') - ended, ended };
}

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

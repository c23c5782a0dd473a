import type { Schemas } from '../../lib/api/client';

type Row = Schemas['LotTotal'];

/** A holder of a lot: its rows, most first. */
export interface Holder {
  party: string;
  name: string;
  units: number;
  rows: Row[];
}

/** holdersOf groups totals by who holds, those who have most first. */
export function holdersOf(rows: Row[]): Holder[] {
  const by = new Map<string, Holder>();
  for (const r of rows) {
    const h = by.get(r.party) ?? { party: r.party, name: r.name || r.party, units: 0, rows: [] };
    h.units += r.units;
    h.rows.push(r);
    by.set(r.party, h);
  }
  for (const h of by.values()) h.rows.sort((a, b) => b.units - a.units);
  return [...by.values()].sort((a, b) => b.units - a.units || a.name.localeCompare(b.name));
}

/** byState sums totals over holders, most first. */
export function byState(rows: Row[]): { state: string; units: number }[] {
  const by = new Map<string, number>();
  for (const r of rows) by.set(r.state, (by.get(r.state) ?? 0) + r.units);
  return [...by].map(([state, units]) => ({ state, units })).sort((a, b) => b.units - a.units);
}

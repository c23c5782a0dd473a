import type { Schemas } from '../../lib/api/client';

/**
 * accounted is how many recalled units are where a recall wants them or beyond its reach: set aside, back with the maker, destroyed,
 * dispensed. Not those that are lost, on their way, or with somebody who has not acted. Of no units there is no share.
 */
export function accounted(e: Pick<Schemas['Effectiveness'], 'units' | 'outcomes'>): { units: number; share?: number } {
  const o = e.outcomes;
  const units = o.quarantined + o.withMaker + o.destroyed + o.dispensed;
  // Rounded down: 100 % is said only when nothing is left.
  return e.units === 0 ? { units } : { units, share: Math.floor((100 * units) / e.units) };
}

/** openParts are the parts of a recall that are not ended. */
export const openParts = (scope: Schemas['RecallView'][] | null | undefined) => (scope ?? []).filter((s) => s.status === 'open');

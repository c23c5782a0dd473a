import type { Schemas } from '../../lib/api/client';
import { mustStay, type Check } from '../../lib/guard';

/** unsure are the reasons why a thing that may be shipped is not called ready: nobody can see into it, or the answer is old. */
export const unsure = (check?: Check): Check['reasons'] => (check?.colour === 'amber' ? (check.reasons ?? []) : []);

export type Hindrance = 'unknown' | 'elsewhere' | 'moving' | 'inside' | 'gone' | 'aside' | 'fault';

/** hindrance says why a thing cannot be shipped by this party now; undefined when nothing speaks against it. */
export function hindrance(x: Schemas['Trace'], party: string, check?: Check): Hindrance | undefined {
  if (!x.known) return 'unknown';
  if (x.state !== 'active') return 'gone';
  if (x.phase === 'in_transit') return 'moving';
  if (x.holder?.id !== party) return 'elsewhere';
  if ((x.containers ?? []).length > 0) return 'inside';
  if (mustStay(check)) return 'fault';
  if ((x.overlays ?? []).some((o) => o !== 'returned')) return 'aside';
  return undefined;
}

import type { Tone } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { setBy, theftOf } from '../../lib/steps';

/** The kinds of answer about a package. One that did not come is none of them. */
export type Kind = 'dispense' | 'elsewhere' | 'recalled' | 'unverified' | 'unfit' | 'stale' | 'case' | 'stolen' | 'contents';

export const tones: Record<Kind, Tone> = {
  dispense: 'good',
  elsewhere: 'warn',
  recalled: 'bad',
  unverified: 'bad',
  unfit: 'bad',
  stale: 'warn',
  case: 'warn',
  stolen: 'bad',
  contents: 'warn',
};

/** From this age on of the newest block an answer is not called certain. The server says the same when it is asked. */
const stale = 60;

/** moving reports whether a thing is on its way between two parties. */
export const moving = (trace?: Schemas['Trace']): boolean => trace?.phase === 'in_transit' || trace?.phase === 'in-transit';

/**
 * kindOf says what an answer comes down to: what is recalled is told as such, however well it verifies; what the ledger has with
 * somebody else is no package to dispense, however genuine. party is whose counter this is, if it is anybody's.
 */
export function kindOf(check: Schemas['Check'], ageSeconds: number, party: string, trace?: Schemas['Trace']): Kind {
  const codes = (check.reasons ?? []).map((r) => r.code);
  if (codes.includes('Recalled')) return 'recalled';
  if (codes.includes('Contents_unknown') && check.colour === 'amber') return 'contents';
  if (codes.some((c) => c.startsWith('No_match')) || (!check.verified && !codes.includes('Case_differs') && !isBox(check, trace)))
    return 'unverified';
  if (check.state === 'stolen' || theftOf(trace)) return 'stolen';
  if (check.colour === 'amber' && codes.includes('Case_differs')) return 'case';
  if (check.colour === 'amber') return 'stale';
  if (check.colour !== 'green') return 'unfit';
  if (ageSeconds > stale) return 'stale';
  return party !== '' && (check.holder?.id !== party || moving(trace)) ? 'elsewhere' : 'dispense';
}

/** isBox reports whether what was scanned holds other things, by what is known of it or of its product. */
export const isBox = (check: Schemas['Check'], trace?: Schemas['Trace']): boolean =>
  check.id.kind === 'sscc' ||
  (check.contents?.units ?? 0) > 0 ||
  (trace !== undefined && ((trace.contents ?? 0) > 0 || (trace.product?.containsGtin ?? '') !== ''));

/** sellerOf finds whom the unit was received from, for a return. */
export function sellerOf(steps: Schemas['Step'][], party: string): string | null {
  for (const s of [...steps].reverse())
    if (s.bizStep === 'receiving' && s.destination?.id === party && s.source && (s.verdict === 'accepted' || s.verdict === 'flagged'))
      return s.source.id;
  return null;
}

/** What is on the package, and what the maker recorded. */
export interface Pair {
  printed?: string;
  recorded?: string;
  differ: boolean;
}

/** comes reports whether a thing that speaks against itself is on its way to this party: it is set aside when it is received. */
export const comes = (kind: Kind, party: string, trace?: Schemas['Trace']): boolean =>
  (kind === 'unfit' || kind === 'recalled') && party !== '' && moving(trace) && trace?.to?.id === party;

/** pair holds what is printed against what is recorded; what one of them does not say is no difference. */
export const pair = (printed?: string, recorded?: string): Pair => ({
  printed: printed || undefined,
  recorded: recorded || undefined,
  differ: Boolean(printed && recorded && printed !== recorded),
});

const asideBy = ['quarantined', 'suspect', 'damaged', 'recalled', 'expired', 'returned', 'hold'];

/** isAside reports whether somebody put a thing aside, so that it can be released. */
export const isAside = (trace?: Schemas['Trace']): boolean => (trace?.overlays ?? []).some((o) => asideBy.includes(o));

/** isGone reports whether a package was used up: it must not turn up again. */
const isGone = (state?: string): boolean => state === 'dispensed' || state === 'destroyed' || state === 'decommissioned';

/** goneHere reports whether it was this party that used a package up: then it was scanned twice, or the record is a mistake. */
export const goneHere = (trace: Schemas['Trace'] | undefined, party: string): boolean =>
  party !== '' && isGone(trace?.state) && setBy(trace?.steps, trace?.state)?.publisher.id === party;

/**
 * isSuspect reports whether an answer is a reason to believe that the package in hand is counterfeit, diverted or stolen, so that the
 * law asks for more than setting it aside. What is only on its way to this counter is not.
 */
export function isSuspect(kind: Kind, check: Schemas['Check'], party: string, trace?: Schemas['Trace']): boolean {
  if (kind === 'unverified' || kind === 'stolen' || (check.reasons ?? []).some((r) => r.fault === 'suspect')) return true;
  if (isGone(check.state)) return !goneHere(trace, party);
  if ((trace?.overlays ?? []).some((o) => o === 'suspect' || o === 'illegitimate')) return true;
  return kind === 'elsewhere' && trace?.to?.id !== party && trace?.holder?.id !== party;
}

/** inHand reports whether a thing that by the ledger is not here can be set aside here. What comes here is received first. */
export const inHand = (kind: Kind | undefined, party: string, trace?: Schemas['Trace']): boolean =>
  party !== '' && kind !== 'case' && kind !== 'stale' && !(moving(trace) && (trace?.to?.id === party || trace?.holder?.id === party));

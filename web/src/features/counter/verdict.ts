import type { Schemas } from '../../api/client';

/** The kinds of answer at the counter. One that did not come is none of the others. */
export type Kind = 'dispense' | 'recalled' | 'unverified' | 'unfit' | 'stale';

/** kindOf says what an answer comes down to: what is recalled is told as such, however well it verifies. */
export function kindOf(check: Schemas['Check']): Kind {
  const codes = (check.reasons ?? []).map((r) => r.code);
  if (codes.includes('Recalled')) return 'recalled';
  if (!check.verified) return 'unverified';
  if (check.colour === 'green') return 'dispense';
  return check.colour === 'amber' ? 'stale' : 'unfit';
}

/** sellerOf finds whom the unit was received from, for a return. */
export function sellerOf(steps: Schemas['Step'][], party: string): string | null {
  for (const s of [...steps].reverse())
    if (s.bizStep === 'receiving' && s.destination?.id === party && s.source && (s.verdict === 'accepted' || s.verdict === 'flagged'))
      return s.source.id;
  return null;
}

// Who may close a finding, as the ledger's rules have it (docs/custody.md). The ledger decides; this only offers. Pure.
import type { Schemas } from '../../lib/api/client';

export type Finding = Schemas['FindingView'];

/** Thing is what findings are about, with the name by which a service knows it. */
export interface Thing {
  key: string;
  name: string;
  holder?: Schemas['PartyRef'];
}

/** owns reports whether a company prefix of a party is in the number of a unit or container. */
const owns = (p: Schemas['Party'] | undefined, key: string): boolean =>
  (p?.companyPrefixes ?? []).some((prefix) => /^0[01]/.test(key) && key.slice(3).startsWith(prefix));

/**
 * mayClose lists the outcomes with which a party may close a finding about a thing; none: it may not. What holds goods is never closed
 * by the party whose event raised it, and only the maker or a regulator calls a thing illegitimate.
 */
export function mayClose(f: Finding, thing: Pick<Thing, 'key' | 'holder'>, party: string, parties: readonly Schemas['Party'][]): string[] {
  const self = parties.find((p) => p.id === party);
  const closers = f.closers ?? [];
  if (party === '' || f.state === 'closed' || self?.suspended) return [];
  const holds = f.severity === 'hold' || f.state === 'held';
  if (f.author?.id === party && (holds || !closers.includes('author'))) return [];
  const is: Record<string, boolean> = {
    author: f.author?.id === party,
    'other side': f.otherSide?.id === party,
    holder: thing.holder?.id === party,
    maker: owns(self, f.via ?? thing.key),
    regulator: self?.roles?.includes('regulator') ?? false,
    authority: self?.roles?.includes('authority') ?? false,
  };
  const mine = closers.filter((c) => is[c]);
  if (mine.length === 0) return [];
  const strict = mine.some((c) => c === 'maker' || c === 'regulator');
  return (f.outcomes ?? []).filter((o) => o !== 'illegitimate' || strict);
}

/** closedBy is how a party closed a finding; undefined: it is open, or a record closed it last. */
export function closedBy(f: Finding): Schemas['FindingChange'] | undefined {
  const last = f.changes?.at(-1);
  return f.state === 'closed' && last?.by !== undefined ? last : undefined;
}

// What the steps of a history mean to people, where that is more than their business step. Pure.
import type { Schemas } from './api/client';

type Step = Schemas['Step'];

/** counts reports whether a step has an effect: the ledger took it, nobody took it back, and it takes nothing back itself. */
const counts = (s: Step): boolean => (s.verdict === 'accepted' || s.verdict === 'flagged') && !s.takenBack && !s.declaration;

/** Named is what a step's name depends on. */
type Named = Partial<Pick<Step, 'bizStep' | 'disposition' | 'declaration'>>;

/** isPart reports whether only part of a package was dispensed. */
export const isPart = (s: Named): boolean => s.bizStep === 'dispensing' && s.disposition === 'partially_dispensed';

/** stepName is the key of a step's name under "step" in the texts. */
export function stepName(s: Named): string {
  if (s.declaration) return 'declared';
  if (isPart(s)) return 'partially_dispensed';
  return s.bizStep === 'holding' && s.disposition === 'stolen' ? 'stolen' : (s.bizStep ?? '');
}

const sets: Record<string, (s: Step) => boolean> = {
  dispensed: (s) => s.bizStep === 'dispensing' && !isPart(s),
  destroyed: (s) => s.bizStep === 'destroying',
  decommissioned: (s) => s.bizStep === 'decommissioning',
  stolen: (s) => s.disposition === 'stolen',
  lost: (s) => s.disposition === 'lost' || s.disposition === 'unknown',
};

/** setBy finds the newest step that brought a thing into a state; undefined when no step on the list did. */
export const setBy = (steps: readonly Step[] | null | undefined, state: string | undefined): Step | undefined =>
  [...(steps ?? [])].reverse().find((s) => counts(s) && (sets[state ?? '']?.(s) ?? false));

/** partBy finds the newest step that dispensed part of a package. */
export const partBy = (steps: readonly Step[] | null | undefined): Step | undefined =>
  [...(steps ?? [])].reverse().find((s) => counts(s) && isPart(s));

/**
 * theftOf finds the report that a thing was stolen: while that is its state, and while the finding is open that it turned up again.
 */
export function theftOf(trace: Pick<Schemas['Trace'], 'state' | 'steps' | 'findings'> | undefined): Step | undefined {
  const again = (trace?.findings ?? []).some((f) => f.code === 'THEFT_REAPPEARS' && f.state !== 'closed');
  return trace?.state === 'stolen' || again ? setBy(trace?.steps, 'stolen') : undefined;
}

/** dispensedBy finds the step by which a party dispensed a package, or part of it, as long as that is the last word about it. */
export function dispensedBy(trace: Schemas['Trace'], party: string): Step | undefined {
  const step = trace.state === 'dispensed' ? setBy(trace.steps, 'dispensed') : trace.state === 'active' ? partBy(trace.steps) : undefined;
  return party !== '' && step?.publisher.id === party ? step : undefined;
}

/** placeOf writes where an item stands on the ledger, as height/entry/item. */
export const placeOf = (s: Pick<Step, 'position'>): string => `${s.position.height}/${s.position.entry}/${s.position.item}`;

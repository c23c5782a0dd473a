// What became of something that a person did, in the words of that act. Pure.
import type { Job, Verdict } from './api/client';

/** The acts that have words of their own under "outcome" in the texts. */
export type Act =
  'ship' | 'receive' | 'return' | 'quarantine' | 'release' | 'unpack' | 'dispense' | 'partial' | 'recall' | 'resolve' | 'takeBack';

/**
 * How an act ended: done; done with a remark; done and on hold; done in part; not at all. Some ends have words of their own: of a
 * receipt that not all has come, or that the ledger has set some of it aside; of a quarantine that the ledger knows the thing from this report only, has it with somebody else, or has
 * it as used up.
 */
export type How = 'good' | 'flag' | 'hold' | 'part' | 'bad' | Told;

/** Told are the ends that one sentence tells in full, without a list of findings. */
export type Told = 'short' | 'aside' | 'asideShort' | 'unknown' | 'notOurs' | 'used';

const told: readonly string[] = ['short', 'aside', 'asideShort', 'unknown', 'notOurs', 'used'] satisfies Told[];

/** isTold reports whether a sentence under "outcomeHelp" in the texts says all of an end. */
export const isTold = (how: How): how is Told => told.includes(how);

const failed = (v: Verdict): boolean => v.verdict === 'rejected' || v.verdict === 'refused';
const codesOf = (list: Verdict[]): string[] => list.flatMap((v) => [...(v.findings ?? []).map((f) => f.code), ...(v.code ? [v.code] : [])]);

/** howOf says how an act ended, from the verdicts of its job. */
export function howOf(job: Pick<Job, 'verdicts' | 'success'>, act?: Act): How {
  const verdicts = (job.verdicts ?? []).filter((v) => v.kind !== 'document_header');
  const bad = verdicts.filter(failed);
  const codes = codesOf(verdicts);
  const only = (...wanted: string[]) => codes.length > 0 && codes.every((c) => wanted.includes(c));
  if (bad.length > 0 || !job.success) {
    if (act === 'quarantine' && only('DECOM_THEN_USED', 'DESTROYED_THEN_USED')) return 'used';
    return bad.length > 0 && bad.length < verdicts.length && verdicts.some((v) => v.verdict === 'accepted' || v.verdict === 'flagged')
      ? 'part'
      : 'bad';
  }
  if (verdicts.some((v) => (v.findings ?? []).some((f) => f.severity === 'hold'))) return 'hold';
  if (!verdicts.some((v) => v.verdict === 'flagged')) return 'good';
  if (act === 'receive' && only('QTY_SHORT')) return 'short';
  if (act === 'receive' && only('RECEIVE_RECALLED', 'RECEIVE_EXPIRED')) return 'aside';
  if (act === 'receive' && only('RECEIVE_RECALLED', 'RECEIVE_EXPIRED', 'QTY_SHORT')) return 'asideShort';
  // Nothing is undone as long as later events build upon what was to be taken back.
  if (act === 'takeBack' && codes.includes('ERRDECL_BREAKS_CHAIN')) return 'bad';
  if (act === 'quarantine' && only('HOLD_BY_NON_HOLDER')) return 'notOurs';
  if (act === 'quarantine' && only('NOT_COMMISSIONED')) return 'unknown';
  return 'flag';
}

/** setAsideBy is how many of the things that a receipt names the ledger has put into quarantine with it. */
export const setAsideBy = (job: Pick<Job, 'verdicts'>): number =>
  (job.verdicts ?? [])
    .flatMap((v) => v.findings ?? [])
    .filter((f) => f.code === 'RECEIVE_RECALLED' || f.code === 'RECEIVE_EXPIRED')
    .reduce((n, f) => Math.max(n, f.count), 0);

/** toneOf is the colour of an end. */
export const toneOf = (how: How): 'good' | 'warn' | 'bad' =>
  how === 'good' || how === 'unknown' ? 'good' : how === 'bad' || how === 'part' ? 'bad' : 'warn';

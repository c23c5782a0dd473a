// Reads the golden vectors that the Go tests read. They are not copied: a vector that is not found is a failed test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (path: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, '../..', path), 'utf8'));

/** A file of ledger/testdata/vectors. */
export const vectors = <T>(name: string): T => read(`ledger/testdata/vectors/${name}.json`) as T;

/** The codes of verdicts and findings, as Go lists them (ledger/verdict). */
export const codes = (): string[] => some((read('ledger/testdata/codes.json') as { codes: { code: string }[] }).codes).map((c) => c.code);

/** A file of epcis/gs1/testdata. */
export const gs1Vectors = <T>(name: string): T => read(`epcis/gs1/testdata/${name}.json`) as T;

/** some refuses an empty list: a test over no vectors proves nothing. */
export function some<T>(list: T[] | undefined, atLeast = 1): T[] {
  if (!list || list.length < atLeast) throw new Error(`${list?.length ?? 0} vectors where at least ${atLeast} were expected`);
  return list;
}

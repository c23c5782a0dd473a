// Reading JSON of which one spelling is accepted: every value is taken with its type, then the whole is written again
// and compared. Go escapes U+2028 and U+2029, JSON.stringify does not; in all else they agree.
import { Refused } from './bytes';

export type Json = Record<string, unknown>;

export const canonical = (value: unknown): string =>
  JSON.stringify(value).replace(/[\u2028\u2029]/g, (c) => (c === '\u2028' ? '\\u2028' : '\\u2029'));

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused('not JSON');
  }
}

export function object(v: unknown, what: string): Json {
  if (typeof v !== 'object' || v === null || Array.isArray(v)) throw new Refused(`${what} is not an object`);
  return v as Json;
}

export function list<T>(v: unknown, what: string, read: (v: unknown, i: number) => T): T[] {
  if (!Array.isArray(v)) throw new Refused(`${what} is not a list`);
  return v.map(read);
}

export function text(v: unknown, what: string): string {
  if (typeof v !== 'string') throw new Refused(`${what} is not a text`);
  return v;
}

export function uint(v: unknown, what: string, max: number): number {
  if (typeof v !== 'number' || !Number.isInteger(v) || v < 0 || v > max) throw new Refused(`${what} is not a whole number up to ${max}`);
  return v;
}

/** compact takes the white space between tokens away. */
export function compact(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|[ \t\n\r]+/g, (_, string?: string) => string ?? '');
}

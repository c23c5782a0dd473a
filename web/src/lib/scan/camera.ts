// What the camera's reader found, and whether it is what packages and cases carry. Pure.
import { GS } from './wedge';

/** The symbologies that hold GS1 element strings, by the identifiers of ISO/IEC 15424: DataMatrix, Code 128, QR. */
const gs1 = [']d2', ']C1', ']Q3'];

/**
 * coded is the text of a barcode that may name a unit or container, undefined for any other: boxes carry addresses of web pages and
 * numbers for the post too. text separates fields with GS.
 */
export function coded(symbology: string, text: string): string | undefined {
  const plain = text.startsWith(GS) ? text.slice(1) : text;
  if (plain === '') return undefined;
  if (gs1.includes(symbology)) return plain;
  const link = /^https?:\/\/[^?#]*\/(00|01)\/\d+/i.test(plain);
  const epc = /^urn:epc:id:/i.test(plain);
  const brackets = /^\((00|01)\)\d/.test(plain);
  return link || epc || brackets ? plain : undefined;
}

/** Look is what the camera saw last, and when. */
export interface Look {
  text: string;
  at: number;
}

const gone = 2000; // ms out of sight, after which the same code counts again

/** isNew reports whether a code is not just still in view. */
export const isNew = (last: Look | undefined, text: string, at: number): boolean =>
  last === undefined || last.text !== text || at - last.at > gone;

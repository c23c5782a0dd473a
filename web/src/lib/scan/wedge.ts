// What a barcode scanner types when it pretends to be a keyboard. Pure: times are arguments.
//
// Scanners type a code in a burst, some milliseconds a key, and most end it with Enter. The separator between fields (GS, U+001D)
// comes as Ctrl+], or not at all: Chromium puts nothing into a field for it. In the field it is shown as ¦.

/** shownGS stands for GS where people look. */
export const shownGS = '¦';
export const GS = '\u001d';

/** A key as the page hears it. */
export interface Key {
  key: string;
  ctrl: boolean;
  alt: boolean;
  meta: boolean;
}

/** typed is what a key adds to the text; undefined for one that adds nothing. */
export function typed(k: Key): string | undefined {
  if (k.key === GS || (k.ctrl && !k.alt && !k.meta && k.key === ']')) return shownGS;
  if (k.ctrl || k.alt || k.meta || [...k.key].length !== 1) return undefined;
  return k.key;
}

/** meant is a text as it was scanned, from what the field shows. */
export const meant = (shown: string): string => shown.trim().replaceAll(shownGS, GS);

/** shown is a scanned text as the field shows it. */
export const shown = (text: string): string => text.replaceAll(GS, shownGS);

const fastest = 35; // ms between two keys: people type slower, scanners faster
const least = 8; // characters: no code on a package is shorter

/** fast reports whether keys at these times came from a scanner. */
export function fast(times: readonly number[]): boolean {
  if (times.length < least) return false;
  const gaps = times
    .slice(1)
    .map((t, i) => t - times[i]!)
    .sort((a, b) => a - b);
  return gaps[Math.floor(gaps.length / 2)]! <= fastest;
}

/** pause is how long nothing must come before a scanner without Enter has ended, in ms. */
export const pause = 180;

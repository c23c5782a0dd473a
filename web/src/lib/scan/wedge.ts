// What a barcode scanner types when it pretends to be a keyboard. Pure: keys and times are arguments, so that a scan can be replayed in a test.
//
// Scanners type a code in a burst, some milliseconds a key, and most end it with Enter or Tab. The separator between fields (GS, U+001D)
// cannot be typed: it comes as Ctrl+], as F8 or as Alt with the digits 029, depending on how the scanner was set up, and Chromium puts
// nothing into a field for any of them. What a burst holds is kept here, key by key, and not read from the field: there the caret may
// stand anywhere, and a key that is lost or out of order makes another serial number.

/** shownGS stands for GS where people look: ␝ is what it is called, but few fonts have it. */
export const shownGS = '¦';
export const GS = '\u001d';

/** meant is a text as it was scanned, from what a field shows. */
export const meant = (shown: string): string => shown.trim().replace(/[¦␝]/g, GS);

/** shown is a scanned text as a field shows it. */
export const shown = (text: string): string => text.replaceAll(GS, shownGS);

/** A key as the page hears it, at a time in milliseconds. */
export interface Key {
  key: string;
  code: string;
  ctrl: boolean;
  alt: boolean;
  meta: boolean;
  /** AltGr makes characters on many keyboards, though it is told as Ctrl with Alt. */
  altGraph: boolean;
  /** The key is held down: nobody scans that way. */
  repeat: boolean;
  at: number;
}

/** Wedge is what was heard so far. */
export interface Wedge {
  readonly text: string;
  readonly gaps: readonly number[];
  readonly last: number;
  /** The digits that were pressed while Alt is held. */
  readonly alt: string;
  /** This scanner has ended a scan with Enter or Tab before, so a pause of its is no end. */
  readonly ends: boolean;
}

export const idle: Wedge = { text: '', gaps: [], last: 0, alt: '', ends: false };

/** Step is what a key leads to. */
export interface Step {
  next: Wedge;
  /** What the key adds to the text; GS for any form of the separator. */
  added?: string;
  /** The key is a scanner's, not for whatever has the focus. */
  burst: boolean;
  /** The scan that this key ended. */
  scan?: string;
}

const fastest = 35; // ms between two keys, in the middle: people type slower, scanners faster
const least = 8; // characters: no code on a package is shorter
const evident = 4; // keys without a pause after which nobody is thought to type
const pause = 250; // ms without a key after which a scanner that sends no Enter has ended
const stumble = 1000; // ms that one which does send Enter may take for a key: radio links repeat what was lost

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Infinity;

const isScan = (w: Wedge): boolean => w.text.length >= least && median(w.gaps) <= fastest;
const isBurst = (w: Wedge): boolean => w.gaps.length >= evident - 1 && median(w.gaps) <= fastest;

/** patience is how long to wait for the next key before what was heard is over. */
export const patience = (w: Wedge): number => (w.ends ? stumble : pause);

const nothing = (w: Wedge): Wedge => ({ ...idle, ends: w.ends });

/** press hears a key. */
export function press(before: Wedge, k: Key): Step {
  // Keys that only change others come between the characters of a scan.
  if (/^(Shift|Control|Alt|AltGraph|Meta|CapsLock|NumLock)$/.test(k.key)) return { next: before, burst: isBurst(before) };
  if (k.repeat) return { next: nothing(before), burst: false };
  let w = k.at - before.last > patience(before) ? nothing(before) : before;
  if (w.alt !== '' && !k.alt) w = { ...w, alt: '', text: /^0?29$/.test(w.alt) ? w.text + GS : w.text };
  const gap = w.text === '' ? [] : [k.at - w.last];
  const add = (text: string): Step => {
    const next = { ...w, text: w.text + text, gaps: [...w.gaps, ...gap], last: k.at };
    return { next, added: text, burst: isBurst(next) };
  };
  if (k.key === 'Enter' || k.key === 'Tab') {
    if (isScan(w)) return { next: { ...idle, ends: true }, burst: true, scan: w.text };
    return { next: nothing(w), burst: false };
  }
  const digit = /^Numpad(\d)$/.exec(k.code);
  if (k.alt && !k.ctrl && digit) return { next: { ...w, alt: w.alt + digit[1], last: k.at }, burst: isBurst(w) };
  if (k.key === GS || (k.ctrl && !k.alt && !k.meta && k.key === ']')) return add(GS);
  // The same key where ] stands elsewhere, and F8: meant by a scanner only, Ctrl++ is for making things bigger.
  if (isBurst(w) && (k.key === 'F8' || (k.ctrl && !k.alt && !k.meta && k.code === 'BracketRight'))) return add(GS);
  if ([...k.key].length === 1 && !k.meta && (k.altGraph || (!k.ctrl && !k.alt))) return add(k.key);
  return { next: nothing(w), burst: false };
}

/** elapse says what silence until at means: the scan of a scanner that ends with nothing. */
export function elapse(w: Wedge, at: number): Step {
  if (at - w.last < patience(w)) return { next: w, burst: isBurst(w) };
  return isScan(w) ? { next: nothing(w), burst: true, scan: w.text } : { next: nothing(w), burst: false };
}

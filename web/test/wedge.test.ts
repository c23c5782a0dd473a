import { expect, test } from 'vitest';
import { fast, GS, meant, shown, typed } from '../src/lib/scan/wedge';

const key = (key: string, over = {}) => ({ key, ctrl: false, alt: false, meta: false, ...over });

test.each([
  ['a letter', key('A'), 'A'],
  ['a letter, with shift', key('a'), 'a'],
  ['the separator as Ctrl+]', key(']', { ctrl: true }), '¦'],
  ['the separator as it is', key(GS), '¦'],
  ['Enter', key('Enter'), undefined],
  ['an arrow', key('ArrowLeft'), undefined],
  ['copy', key('c', { ctrl: true }), undefined],
  ['a menu', key('f', { alt: true }), undefined],
  ['AltGr+] on some keyboards', key(']', { ctrl: true, alt: true }), undefined],
  ['a character outside the plane', key('😀'), '😀'],
])('%s', (_, k, want) => expect(typed(k)).toBe(want));

test('the separator goes in and comes out as it was', () => {
  const scan = `0100399990012347${GS}21A1${GS}10L`;
  expect(meant(` ${shown(scan)} `)).toBe(scan);
  expect(shown(scan)).not.toContain(GS);
});

const every = (ms: number, n: number) => Array.from({ length: n }, (_, i) => i * ms);
test.each([
  ['a scanner', every(5, 30), true],
  ['a slow scanner', every(30, 20), true],
  ['a fast typist', every(90, 30), false],
  ['a few keys', every(5, 7), false],
  ['a scanner that stumbles once', [...every(5, 20), 400, ...every(5, 20).map((t) => t + 405)], true],
  ['nobody', [], false],
])('%s', (_, times, want) => expect(fast(times)).toBe(want));

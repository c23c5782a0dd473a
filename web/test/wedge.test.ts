import { expect, test } from 'vitest';
import { coded, isNew } from '../src/lib/scan/camera';
import { elapse, GS, idle, meant, patience, press, shown, type Key, type Step, type Wedge } from '../src/lib/scan/wedge';

const key = (key: string, at: number, over: Partial<Key> = {}): Key => ({
  key,
  code: '',
  ctrl: false,
  alt: false,
  meta: false,
  altGraph: false,
  repeat: false,
  at,
  ...over,
});
const separator = (at: number) => key(']', at, { code: 'BracketRight', ctrl: true });

/** type hears a text, a key every so many milliseconds, and tells the last step. */
function type(w: Wedge, text: string, every: number, from = 10_000): Step & { at: number } {
  let step: Step = { next: w, burst: false };
  let at = from - every;
  for (const c of text) step = press(step.next, c === GS ? separator((at += every)) : key(c, (at += every)));
  return { ...step, at };
}

const label = `0100399990012347217QX4M81K2${GS}1728033110AB4471`;

test('a scan ends with Enter, and holds its separators', () => {
  const { next, at, burst } = type(idle, label, 5);
  expect(burst).toBe(true);
  const end = press(next, key('Enter', at + 5));
  expect(end.scan).toBe(label);
  expect(end.next.text).toBe('');
});

test('a scan may end with Tab', () => {
  const { next, at } = type(idle, label, 5);
  expect(press(next, key('Tab', at + 5)).scan).toBe(label);
});

test('a scanner that ends with nothing has ended after a pause', () => {
  const { next, at } = type(idle, label, 20);
  expect(elapse(next, at + 100).scan).toBeUndefined();
  const over = elapse(next, at + patience(next));
  expect(over.scan).toBe(label);
  expect(elapse(over.next, at + 9000).scan).toBeUndefined();
});

test('a scanner that ends with Enter may stumble: half a serial number is never taken for a whole one', () => {
  const first = type(idle, label, 5);
  const known = press(first.next, key('Enter', first.at + 5)).next;
  const half = type(known, label.slice(0, 22), 5, 20_000);
  expect(elapse(half.next, half.at + 400).scan).toBeUndefined();
  const rest = type(half.next, label.slice(22), 5, half.at + 600);
  expect(press(rest.next, key('Enter', rest.at + 5)).scan).toBe(label);
});

test('a typist is none, and neither is a typist before a scan', () => {
  const slow = type(idle, label, 90);
  expect(slow.burst).toBe(false);
  expect(press(slow.next, key('Enter', slow.at + 90)).scan).toBeUndefined();
  expect(elapse(slow.next, slow.at + 5000).scan).toBeUndefined();
  const { next, at } = type(slow.next, label, 5, slow.at + 400);
  expect(press(next, key('Enter', at + 5)).scan).toBe(label);
});

test('a few keys are no scan, however fast', () => {
  const { next, at } = type(idle, '0100399', 5);
  expect(press(next, key('Enter', at + 5)).scan).toBeUndefined();
});

test('a key that is held down is no scanner', () => {
  let w = press(idle, key('a', 0)).next;
  for (let i = 1; i < 40; i++) w = press(w, key('a', 30 * i, { repeat: true })).next;
  expect(press(w, key('Enter', 1230)).scan).toBeUndefined();
});

test('shift between the characters is no character', () => {
  let step: Step = { next: idle, burst: false };
  let at = 0;
  for (const c of '01003999900123472' + '1aBcDeF') {
    if (c !== c.toLowerCase()) step = press(step.next, key('Shift', (at += 3)));
    step = press(step.next, key(c, (at += 3)));
  }
  expect(press(step.next, key('Enter', at + 3)).scan).toBe('010039999001234721aBcDeF');
});

test.each([
  ['Ctrl+]', [{ key: ']', ctrl: true }]],
  ['the key of ] on another keyboard', [{ key: '+', code: 'BracketRight', ctrl: true }]],
  ['the character itself', [{ key: GS }]],
  ['F8', [{ key: 'F8' }]],
  [
    'Alt with 029',
    [
      { key: 'Alt', alt: true },
      { key: '0', code: 'Numpad0', alt: true },
      { key: '2', code: 'Numpad2', alt: true },
      { key: '9', code: 'Numpad9', alt: true },
    ],
  ],
])('the separator as %s', (_, keys: Partial<Key>[]) => {
  let { next, at } = type(idle, '010039999001234721A1', 5) as { next: Wedge; at: number };
  for (const k of keys) next = press(next, key(k.key!, (at += 5), k)).next;
  const rest = type(next, '10L1', 5, at + 5);
  expect(press(rest.next, key('Enter', rest.at + 5)).scan).toBe(`010039999001234721A1${GS}10L1`);
});

test.each([
  ['bigger', { key: '+', code: 'BracketRight', ctrl: true }],
  ['F8', { key: 'F8' }],
  ['copy', { key: 'c', ctrl: true }],
  ['a menu', { key: 'f', alt: true }],
  ['an arrow', { key: 'ArrowLeft' }],
])('%s, from a person, adds nothing', (_, k) => expect(press(idle, key(k.key, 5, k)).added).toBeUndefined());

test('AltGr makes characters', () => expect(press(idle, key('@', 5, { ctrl: true, alt: true, altGraph: true })).added).toBe('@'));

test('the separator goes into a field and comes out as it was', () => {
  expect(meant(` ${shown(label)} `)).toBe(label);
  expect(shown(label)).not.toContain(GS);
});

test.each([
  ['DataMatrix', ']d2', label, label],
  ['Code 128 of a pallet', ']C1', '00503999900000000011', '00503999900000000011'],
  ['a leading separator', ']d2', GS + label, label],
  ['a Digital Link', ']Q1', 'https://id.gs1.org/01/00399990012347/21/7Q', 'https://id.gs1.org/01/00399990012347/21/7Q'],
  ['brackets in a plain code', ']C0', '(00)503999900000000011', '(00)503999900000000011'],
  ['an address of a web page', ']Q1', 'https://example.org/about', undefined],
  ['a parcel number', ']C0', '1Z999AA10123456784', undefined],
  ['a DataMatrix of somebody else', ']d1', '0100399990012347', undefined],
  ['nothing', ']d2', '', undefined],
])('the camera sees %s', (_, symbology, text, want) => expect(coded(symbology, text)).toBe(want));

test('a code that stays in view is seen once', () => {
  expect(isNew(undefined, 'A', 0)).toBe(true);
  expect(isNew({ text: 'A', at: 0 }, 'A', 100)).toBe(false);
  expect(isNew({ text: 'A', at: 0 }, 'B', 100)).toBe(true);
  expect(isNew({ text: 'A', at: 0 }, 'A', 2500)).toBe(true);
});

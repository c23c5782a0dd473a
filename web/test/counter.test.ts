import { expect, test } from 'vitest';
import type { Job, Schemas } from '../src/lib/api/client';
import { acted, seen, type Past } from '../src/features/counter/past';
import { comes, isBox, kindOf, pair, sellerOf } from '../src/features/counter/verdict';
import { finds, isRight, match } from '../src/features/receive/match';

const check = (over: Partial<Schemas['Check']> = {}) =>
  ({
    id: { key: 'k', kind: 'sgtin' },
    colour: 'green',
    verified: true,
    fit: true,
    reasons: [],
    nextStep: '',
    holder: { id: 'us' },
    ...over,
  }) as Schemas['Check'];
const because = (...codes: string[]) => codes.map((code) => ({ code, detail: '' }));
const trace = (over: Partial<Schemas['Trace']> = {}) =>
  ({ id: { key: 'k', kind: 'sgtin' }, known: true, answer: '', phase: 'held', steps: [], ...over }) as Schemas['Trace'];

test.each([
  ['green and ours', check(), 5, 'us', trace(), 'dispense'],
  ['green, asked by somebody who holds nothing', check(), 5, '', trace(), 'dispense'],
  ['green, but with somebody else', check({ holder: { id: 'them' } }), 5, 'us', trace(), 'elsewhere'],
  ['green, but sent back already', check(), 5, 'us', trace({ phase: 'in_transit' }), 'elsewhere'],
  ['green when it was asked, an hour ago', check(), 3600, 'us', trace(), 'stale'],
  ['amber', check({ colour: 'amber', fit: false, reasons: because('Stale') }), 70, 'us', trace(), 'stale'],
  ['recalled, though it verifies', check({ colour: 'red', fit: false, reasons: because('Recalled') }), 5, 'us', trace(), 'recalled'],
  [
    'recalled, and does not verify',
    check({ colour: 'red', verified: false, reasons: because('No_match_GTIN_Serial_Lot', 'Recalled') }),
    5,
    'us',
    trace(),
    'recalled',
  ],
  ['unknown', check({ colour: 'red', verified: false, fit: false, holder: undefined }), 5, 'us', undefined, 'unverified'],
  [
    'a pallet of recalled packages',
    check({ id: { key: 'k', kind: 'sscc' } as Schemas['ID'], colour: 'red', reasons: because('Recalled') }),
    5,
    'us',
    trace(),
    'recalled',
  ],
  [
    'a pallet that nobody packed',
    check({ id: { key: 'k', kind: 'sscc' } as Schemas['ID'], colour: 'amber', verified: false, reasons: because('Contents_unknown') }),
    5,
    'us',
    undefined,
    'contents',
  ],
  [
    'a pallet with fakes in it',
    check({ id: { key: 'k', kind: 'sscc' } as Schemas['ID'], colour: 'red', verified: false, reasons: because('No_match_GTIN_Serial') }),
    5,
    'us',
    trace(),
    'unverified',
  ],
  ['a sound pallet', check({ id: { key: 'k', kind: 'sscc' } as Schemas['ID'] }), 5, 'us', trace(), 'dispense'],
  ['used up', check({ colour: 'red', fit: false, reasons: because('Not_active') }), 5, 'us', trace(), 'unfit'],
  ['used up, told late', check({ colour: 'red', fit: false, reasons: because('Not_active') }), 900, 'us', trace(), 'unfit'],
])('%s', (_, c, age, party, t, want) => expect(kindOf(c, age, party, t)).toBe(want));

test('a pallet is a box, and so is a case with a serial number of its own', () => {
  expect(isBox(check(), trace())).toBe(false);
  expect(isBox(check({ id: { key: 'k', kind: 'sscc' } as Schemas['ID'] }))).toBe(true);
  expect(isBox(check({ contents: { units: 24, lots: [] } }))).toBe(true);
  expect(isBox(check(), trace({ contents: 24 }))).toBe(true);
  expect(isBox(check(), trace({ product: { gtin: '1', name: 'Case', containsGtin: '2' } }))).toBe(true);
  expect(isBox(check(), undefined)).toBe(false);
});

test('what is not printed, or not recorded, is no difference', () => {
  expect(pair('A', 'B').differ).toBe(true);
  expect(pair('A', 'A').differ).toBe(false);
  expect(pair('', 'B')).toEqual({ printed: undefined, recorded: 'B', differ: false });
  expect(pair('A', undefined).differ).toBe(false);
});

test('goods go back to whom they were received from last', () => {
  const step = (source: string, destination: string, verdict = 'accepted', bizStep = 'receiving') =>
    ({ bizStep, source: { id: source }, destination: { id: destination }, verdict }) as Schemas['Step'];
  const steps = [
    step('maker', 'seller'),
    step('seller', 'us'),
    step('other', 'us', 'rejected'),
    step('us', 'them', 'accepted', 'shipping'),
  ];
  expect(sellerOf(steps, 'us')).toBe('seller');
  expect(sellerOf(steps, 'nobody')).toBeNull();
});

test('twenty checks are kept, the newest first, each once, with what was done', () => {
  let list: Past[] = [];
  for (let i = 0; i < 25; i++) list = seen(list, { text: `t${i}`, outcome: 'dispense', at: i, name: 'Pills' });
  expect(list.length).toBe(20);
  list = acted(list, 't10', 'dispense', { captureID: '1' } as Job);
  list = seen(list, { text: 't10', outcome: 'unfit', at: 99 });
  expect(list[0]).toMatchObject({ text: 't10', outcome: 'unfit', at: 99, name: 'Pills', act: { name: 'dispense' } });
  expect(list.filter((p) => p.text === 't10').length).toBe(1);
  expect(list.length).toBe(20);
});

const item = (key: string, open = true) => ({ key, kind: 'container', open }) as Schemas['ShippedItem'];
const of = (key: string, over: Partial<Schemas['Trace']> = {}) => trace({ id: { key, kind: 'sscc' } as Schemas['ID'], ...over });
const items = [item('A'), item('B'), item('C', false)];

test.each([
  ['a case of it', of('A'), { kind: 'expected', key: 'A' }, true],
  ['one that is scanned already', of('B'), { kind: 'again', key: 'B' }, true],
  ['one that was received', of('C'), { kind: 'received', key: 'C' }, false],
  [
    'one under a recall',
    of('A', { recalls: [{ recallNumber: 'R1' } as Schemas['RecallView']] }),
    {
      kind: 'expected',
      key: 'A',
      against: [{ code: 'Recalled', detail: '', fault: 'recalled', where: 'itself', recall: { number: 'R1' } }],
    },
    false,
  ],
  ['a package out of a case', of('u', { containers: ['x', 'A'] }), { kind: 'inside', key: 'u', container: 'A' }, false],
  ['what nobody made', of('z', { known: false }), { kind: 'extra', key: 'z', why: 'unknown' }, false],
  ['what is ours already', of('z', { holder: { id: 'us', name: 'Us' } }), { kind: 'extra', key: 'z', why: 'ours' }, false],
  ['what others have', of('z', { holder: { id: 'o', name: 'Other' } }), { kind: 'extra', key: 'z', why: 'held', who: 'Other' }, false],
  [
    'what goes elsewhere',
    of('z', { phase: 'in_transit', to: { id: 'o', name: 'Other' } }),
    { kind: 'extra', key: 'z', why: 'elsewhere', who: 'Other' },
    false,
  ],
])('at the dock: %s', (_, t, want, right) => {
  const got = match(t, items, new Set(['B']), 'us');
  expect(got).toEqual(want);
  expect(isRight(got)).toBe(right);
});

test('a scan finds its shipment, by the case or what is in it, as long as it is on its way', () => {
  const shipments = [
    { id: '1', items: [item('C', false)] },
    { id: '2', items: [item('A')] },
  ] as Schemas['Shipment'][];
  expect(finds(of('A'), shipments)?.id).toBe('2');
  expect(finds(of('u', { containers: ['A'] }), shipments)?.id).toBe('2');
  expect(finds(of('C'), shipments)).toBeUndefined();
});

test('what speaks against itself and comes here is set aside on receipt', () => {
  const coming = { phase: 'in_transit', to: { id: 'corner' } } as Schemas['Trace'];
  expect(comes('unfit', 'corner', coming)).toBe(true);
  expect(comes('recalled', 'corner', coming)).toBe(true);
  expect(comes('unfit', 'other', coming)).toBe(false);
  expect(comes('unfit', 'corner', { ...coming, phase: 'held' })).toBe(false);
  expect(comes('dispense', 'corner', coming)).toBe(false);
});

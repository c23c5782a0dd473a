import { describe, expect, test } from 'vitest';
import type { Schemas } from '../src/lib/api/client';
import { compare, keyOfText } from '../src/features/trace/compare';
import { fieldName } from '../src/features/trace/fields';
import { decoded, read, tracePath } from '../src/lib/router/address';
import { age, at } from '../src/lib/time';
import type { Report } from '../src/lib/proof';

const unit = '010039999001234721A1';
const box = '00003999900000000016';
const proven = (over: object, fields: Record<string, string>) => ({
  position: { height: 2n, entry: 0, item: 0 },
  sequence: 5n,
  block: 'aa',
  time: 1000n,
  createdAt: 900n,
  party: 'acme',
  kind: 11,
  verdict: 'accepted',
  code: '',
  findings: [],
  units: [{ key: unit, list: 'epcList', form: '' }],
  fields: Object.entries({
    'field(1)': 'ObjectEvent',
    'field(2)': '1970-01-01T00:00:00Z',
    'field(10)': 'urn:epcglobal:cbv:bizstep:commissioning',
    ...fields,
  }).map(([path, text]) => ({ path, text, sealed: false })),
  ...over,
});
const shown = (over: object): Schemas['Step'] => ({
  position: { height: '2', entry: 0, item: 0 },
  sequence: '5',
  blockTime: '1970-01-01T00:00:01Z',
  eventTime: '1970-01-01T00:00:00Z',
  type: 'ObjectEvent',
  bizStep: 'commissioning',
  publisher: { id: 'acme' },
  observed: true,
  verdict: 'accepted',
  units: 1,
  blockHash: 'aa',
  ...over,
});
const report = (...steps: object[]) => ({ steps, amendments: [] }) as unknown as Report;
const one = (s: object, p = proven({}, {})) => compare(unit, [shown(s)], report(p)).steps.get('2/0/0');

describe('what the server shows is held against the proof', () => {
  test('the same', () => expect(one({})?.status).toBe('verified'));
  test.each([
    ['another step', { bizStep: 'dispensing' }, 'bizStep'],
    ['another time', { eventTime: '1970-01-01T00:00:09Z' }, 'eventTime'],
    ['another party', { publisher: { id: 'other' } }, 'publisher'],
    ['another verdict', { verdict: 'flagged' }, 'verdict'],
    ['another block', { blockHash: 'bb' }, 'blockHash'],
    ['a lot that nobody signed', { lot: 'L' }, 'lot'],
    ['a place that nobody signed', { readPoint: { key: '4140399990000016' } }, 'readPoint'],
    [
      'an invented finding',
      { findings: [{ code: 'X', severity: 'hold', state: 'open', position: { height: '2', entry: 0, item: 0 } }] },
      'findings',
    ],
  ])('%s', (_, over, what) => expect(one(over)).toMatchObject({ status: 'differs', what: [what] }));
  test('a finding that is kept back', () => {
    const p = proven({ findings: [{ code: 'QTY_SHORT', severity: 'flag', count: 1, subjects: [unit] }] }, {});
    expect(one({}, p)).toMatchObject({ status: 'differs', what: ['findings'] });
  });
  test('a step about another unit', () => {
    expect(one({}, proven({ units: [{ key: unit + '9', list: 'epcList', form: '' }] }, {}))).toMatchObject({ what: ['unit'] });
  });
  test('a step of a container counts only after a proven packing into it', () => {
    const pack = proven(
      {
        units: [
          { key: box, list: 'parentID', form: '' },
          { key: unit, list: 'childEPCs', form: '' },
        ],
      },
      { 'field(1)': 'AggregationEvent', 'field(8)': 'ADD', 'field(10)': 'packing' },
    );
    const ship = proven({ position: { height: 3n, entry: 0, item: 0 }, units: [{ key: box, list: 'epcList', form: '' }] }, {});
    const s = shown({ position: { height: '3', entry: 0, item: 0 }, via: [box] });
    expect(compare(unit, [s], report(pack, ship)).steps.get('3/0/0')?.status).toBe('verified');
    expect(compare(unit, [s], report(ship)).steps.get('3/0/0')).toMatchObject({ what: ['unit'] });
  });
  test('a step without proof, and a proof without step', () => {
    expect(compare(unit, [shown({})], report()).steps.get('2/0/0')?.status).toBe('missing');
    expect(compare(unit, [], report(proven({}, {}))).unshown).toBe(1);
  });
});

describe('sources and destinations', () => {
  const parties = [{ id: 'acme', name: 'Acme', roles: [], keys: [], glns: ['0614141000012'] }];
  const p = proven({}, { 'field(21)/index(0)/field(1)': 'owning_party', 'field(21)/index(0)/field(2)': 'urn:epc:id:pgln:0614141.00001' });
  const to = (id: string) => compare(unit, [shown({ destination: { id } })], report(p), parties).steps.get('2/0/0');
  test('the party of the genesis file', () => expect(to('acme')?.status).toBe('verified'));
  test('another than the GLN says', () => expect(to('other')).toMatchObject({ what: ['destination'] }));
  test('one where nobody signed any', () => expect(one({ destination: { id: 'acme' } })).toMatchObject({ what: ['destination'] }));
});

test('what was asked for is read here where only one reading is possible', () => {
  const key = '0100399990012347219ANRPMMDX6NAYF';
  expect(keyOfText('urn:epc:id:sgtin:0399990.001234.9ANRPMMDX6NAYF')).toBe(key);
  expect(keyOfText('(01)00399990012347(21)9ANRPMMDX6NAYF')).toBe(key);
  expect(keyOfText('https://id.gs1.org/01/00399990012347/21/9ANRPMMDX6NAYF')).toBe(key);
  expect(keyOfText(box)).toBe(box);
  expect(keyOfText('(00)003999900000000016')).toBe(box);
  expect(keyOfText(key + '17281128')).toBeUndefined();
  expect(keyOfText('foo')).toBeUndefined();
});

test('fields have the names of EPCIS', () => {
  expect(fieldName('field(10)')).toBe('bizStep');
  expect(fieldName('field(15)/index(0)/field(2)')).toBe('bizTransaction 1: value');
  expect(fieldName('field(23)/index(1)/name("urn:epcglobal:cbv:mda","lotNumber")')).toBe('ilmd: lotNumber');
  expect(fieldName('count')).toBe('count');
});

test('an address holds anything scannable', () => {
  for (const id of [
    '(01)00399990012347(21)A%1',
    'https://id.gs1.org/01/00399990012347/21/A',
    '0100399990012347\u001d21A/b?c#d',
    'urn:epc:id:sgtin:0399990.001234.9',
  ]) {
    const { page, rest } = read(tracePath(id));
    expect([page, decoded(rest)]).toEqual(['trace', id]);
  }
  expect(decoded(read('/trace/%').rest)).toBe('%');
  expect(read('/nothing').page).toBe('nothing');
  expect(read('/').page).toBe('');
});

test('times show their offset', () => {
  expect(at('2026-03-02T14:30:00Z', 'en', '-05:00')).toBe('Mar 2, 2026, 9:30:00 AM -05:00');
  expect(at(0, 'en')).toContain('+00:00');
  expect(age(119)).toEqual({ unit: 'seconds', count: 119 });
  expect(age(3600)).toEqual({ unit: 'minutes', count: 60 });
});

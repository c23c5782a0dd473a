// What speaks against goods, on them, around them and inside; who may close a finding; what can be taken back.
import i18next from 'i18next';
import { beforeAll, expect, test } from 'vitest';
import { reasonText } from '../src/components/Reasons';
import { match } from '../src/features/receive/match';
import { hindrance } from '../src/features/ship/hindrance';
import { closedBy, mayClose, type Finding } from '../src/features/trace/closing';
import en from '../src/i18n/en.json';
import es from '../src/i18n/es.json';
import type { Job, Schemas } from '../src/lib/api/client';
import { licencesIn, marksOf, mayGoBack, mustStay, onReceipt, pieces, type Check, type Reason } from '../src/lib/guard';
import { howOf, toneOf } from '../src/lib/outcome';
import { dispensedBy, setBy, stepName } from '../src/lib/steps';

beforeAll(() =>
  i18next.init({ lng: 'en', resources: { en: { translation: en }, es: { translation: es } }, interpolation: { escapeValue: false } }),
);

const reason = (over: Partial<Reason>): Reason => ({ code: 'Recalled', detail: 'said by the service', ...over });
const recalled = reason({
  fault: 'recalled',
  where: 'inside',
  units: 24,
  of: 24,
  gtin: '1',
  lot: 'A',
  recall: { number: 'D-0001-2026', classification: 'I' },
});
const check = (over: Partial<Check> = {}) =>
  ({
    id: { key: 'k', kind: 'sscc' },
    colour: 'red',
    verified: true,
    fit: false,
    sellable: false,
    reasons: [recalled],
    nextStep: '',
    ...over,
  }) as Check;

test.each([
  ['en', recalled, '24 of 24 inside are recalled (recall D-0001-2026, class I, lot A)'],
  ['es', recalled, '24 de 24 dentro están retirados (retirada D-0001-2026, clase I, lote A)'],
  ['en', reason({ code: 'Overlay_suspect', fault: 'suspect', where: 'inside', units: 1, of: 24 }), '1 of 24 inside is under suspicion'],
  [
    'en',
    reason({ code: 'Expired', fault: 'expired', where: 'itself', expiry: '2026-01-31' }),
    'It is past its expiry date. (expiry 2026-01-31)',
  ],
  [
    'en',
    reason({ code: 'Overlay_quarantined', fault: 'held', where: 'around', key: '00003999900000000009' }),
    'It is in quarantine. This is said of the container around it, (00)003999900000000009.',
  ],
  ['en', reason({ code: 'Something_new', where: 'inside' }), 'said by the service'],
])('a reason in words: %s', (language, r, want) => {
  expect(reasonText(i18next.getFixedT(language), r)).toBe(want);
});

test('every reason inside a container has words for one and for many, in both languages', () => {
  for (const texts of [en, es]) {
    const inside = Object.keys(texts.guard.inside).filter((k) => k.endsWith('_other'));
    expect(inside.length).toBeGreaterThan(8);
    for (const k of inside) expect(texts.guard.itself).toHaveProperty(k.replace('_other', ''));
  }
});

test('what is inside is told lot by lot: a recall of the lot counts for all of it, and a mark for what bears it', () => {
  const lot = (l: string, marked?: Record<string, number>) => ({ gtin: '1', lot: l, units: 24, ...(marked ? { marked } : {}) });
  expect(marksOf(lot('A'), [recalled])).toEqual([{ mark: 'recalled', units: 24 }]);
  expect(marksOf(lot('A', { recalled: 3, suspect: 1, damaged: 2 }), [recalled])).toEqual([
    { mark: 'recalled', units: 24 },
    { mark: 'damaged', units: 2 },
    { mark: 'suspect', units: 1 },
  ]);
  expect(marksOf(lot('B'), [recalled])).toEqual([]);
});

const here = { id: { key: 'k', kind: 'sscc' }, known: true, state: 'active', phase: 'held', holder: { id: 'us' } } as Schemas['Trace'];

test('what must not be sold is red before it is shipped, and may go back to its seller', () => {
  expect(hindrance(here, 'us', check())).toBe('fault');
  expect(hindrance(here, 'us', check({ sellable: true, colour: 'green', reasons: [] }))).toBeUndefined();
  expect(hindrance(here, 'us', check({ sellable: true, colour: 'amber', reasons: [reason({ code: 'Stale' })] }))).toBeUndefined();
  expect(mustStay(check({ colour: 'amber', reasons: [reason({ code: 'Contents_unknown' })] }))).toBe(false);
  expect(mayGoBack(check())).toBe(true);
  expect(mayGoBack(check({ reasons: [recalled, reason({ code: 'No_match_GTIN_Serial', where: 'inside' })] }))).toBe(false);
});

test('what comes in is looked into; that a return was not released is no news', () => {
  const items = [{ key: 'k', open: true }] as Schemas['ShippedItem'][];
  expect(match(here, items, new Set(), 'us', check())).toEqual({ kind: 'expected', key: 'k', against: [recalled] });
  expect(onReceipt(check({ reasons: [reason({ code: 'Overlay_returned', fault: 'unreleased' })] }))).toEqual([]);
});

const job = (success: boolean, ...codes: string[]) =>
  ({
    success,
    verdicts: [{ kind: 'event', verdict: 'flagged', findings: codes.map((code) => ({ code, severity: 'flag', count: 1 })) }],
  }) as unknown as Job;

test('a receipt that the ledger sets aside ends in its own words, and not in an alarm', () => {
  expect(howOf(job(true, 'RECEIVE_RECALLED'), 'receive')).toBe('aside');
  expect(howOf(job(true, 'RECEIVE_EXPIRED', 'QTY_SHORT'), 'receive')).toBe('asideShort');
  expect(howOf(job(true, 'RECEIVE_RECALLED', 'QTY_OVER'), 'receive')).toBe('flag');
  expect(toneOf('aside')).toBe('warn');
  expect(howOf(job(true, 'ERRDECL_BREAKS_CHAIN'), 'takeBack')).toBe('bad');
});

test('a refusal for want of a licence names which, in words', () => {
  const text = 'has no state_wholesale or federal_wholesale licence on the ledger, and has no fda_annual_report licence on the ledger';
  expect(licencesIn(text)).toEqual(['state_wholesale', 'federal_wholesale', 'fda_annual_report']);
  for (const texts of [en, es]) for (const l of licencesIn(text)) expect(texts.licence).toHaveProperty(l);
});

test('a text of the ledger leads to each item that it names', () => {
  expect(pieces('declare first: 15/0/0, 14/0/2')).toEqual([
    { text: 'declare first: ' },
    { position: '15/0/0', height: '15' },
    { text: ', ' },
    { position: '14/0/2', height: '14' },
  ]);
  expect(pieces('nothing to see')).toEqual([{ text: 'nothing to see' }]);
});

const finding = (over: Partial<Finding>): Finding => ({
  code: 'DOUBLE_SHIP',
  severity: 'hold',
  state: 'open',
  position: { height: '5', entry: 0, item: 0 } as unknown as Finding['position'],
  author: { id: 'author' },
  otherSide: { id: 'other' },
  closers: ['other side', 'holder', 'regulator'],
  outcomes: ['cleared', 'data_corrected'],
  ...over,
});
const parties = [
  { id: 'maker', name: 'M', roles: ['manufacturer'], companyPrefixes: ['0399999'] },
  { id: 'fda', name: 'F', roles: ['regulator'] },
] as Schemas['Party'][];
const unit = { key: '0110399999000018211', holder: { id: 'author' } };

test.each<[string, Finding, string, string[]]>([
  ['the other side closes a hold', finding({}), 'other', ['cleared', 'data_corrected']],
  ['a hold is never closed by the party that raised it, though it has the goods', finding({}), 'author', []],
  ['nor a flag that turned into a hold', finding({ severity: 'flag', state: 'held', closers: ['author'] }), 'author', []],
  ['its author closes a flag', finding({ severity: 'flag', closers: ['author'] }), 'author', ['cleared', 'data_corrected']],
  ['a regulator closes', finding({}), 'fda', ['cleared', 'data_corrected']],
  ['a stranger does not', finding({}), 'stranger', []],
  ['nobody closes it twice', finding({ state: 'closed' }), 'other', []],
  [
    'the maker calls it illegitimate',
    finding({ closers: ['maker'], outcomes: ['cleared', 'illegitimate'] }),
    'maker',
    ['cleared', 'illegitimate'],
  ],
  ['others do not', finding({ outcomes: ['cleared', 'illegitimate'] }), 'other', ['cleared']],
  ['the maker of something else is a stranger', finding({ closers: ['maker'], via: '00003888880000000009' }), 'maker', []],
])('closing: %s', (_, f, party, want) => {
  expect(mayClose(f, unit, party, parties)).toEqual(want);
});

test('who closed a finding is told; what a record closed names nobody', () => {
  const change = { state: 'closed', height: '9', by: { id: 'fda' }, outcome: 'cleared' } as Schemas['FindingChange'];
  expect(closedBy(finding({ state: 'closed', changes: [change] }))).toBe(change);
  expect(closedBy(finding({ state: 'closed', changes: [{ state: 'closed', height: '9' }] }))).toBeUndefined();
  expect(closedBy(finding({ changes: [change] }))).toBeUndefined();
  const again = [change, { state: 'open', height: '10' }, { state: 'closed', height: '11' }] as Schemas['FindingChange'][];
  expect(closedBy(finding({ state: 'closed', changes: again }))).toBeUndefined(); // taken back, then closed by a record
});

test('a dispensing can be taken back by whom recorded it, once', () => {
  const step = (over: Partial<Schemas['Step']> = {}) =>
    ({ bizStep: 'dispensing', verdict: 'accepted', publisher: { id: 'us' }, ...over }) as Schemas['Step'];
  const trace = (state: string, ...steps: Schemas['Step'][]) => ({ ...here, state, steps }) as Schemas['Trace'];
  const [plain, part] = [step(), step({ disposition: 'partially_dispensed' })];
  expect(dispensedBy(trace('dispensed', plain), 'us')).toBe(plain);
  expect(dispensedBy(trace('active', part), 'us')).toBe(part);
  expect(dispensedBy(trace('dispensed', plain), 'them')).toBeUndefined();
  const back = { height: '9', entry: 0, item: 0 } as unknown as Schemas['Position'];
  const history = [step({ takenBack: back }), step({ declaration: true })];
  expect(dispensedBy(trace('active', ...history), 'us')).toBeUndefined();
  expect(setBy(history, 'dispensed')).toBeUndefined();
  expect(stepName(history[1]!)).toBe('declared');
});

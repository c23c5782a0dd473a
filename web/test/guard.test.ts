// @vitest-environment jsdom
// What became of an act in words, what was kept over a reload, and which answers call a package suspect.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadsOf } from '../src/components/ShipReview';
import { goneHere, inHand, isSuspect, kindOf } from '../src/features/counter/verdict';
import { isRight, match } from '../src/features/receive/match';
import { remembered as delivery } from '../src/features/receive/remembered';
import { remembered as shipment } from '../src/features/ship/remembered';
import type { Job, Schemas } from '../src/lib/api/client';
import { hold, isHeld } from '../src/lib/held';
import { forgetAll, keep, kept } from '../src/lib/kept';
import { howOf, toneOf, type Act } from '../src/lib/outcome';
import { partBy, setBy, stepName, theftOf } from '../src/lib/steps';
import { entryOf, mayReload, reload, why } from '../src/lib/version';

type Finding = Schemas['Finding'];
const verdict = (v: string, ...findings: [string, Finding['severity']][]) => ({
  kind: 'event',
  verdict: v,
  findings: findings.map(([code, severity]) => ({ code, severity, count: 1 })),
});
const job = (success: boolean, ...verdicts: object[]) => ({ success, verdicts }) as unknown as Job;

test.each<[string, Job, Act | undefined, string, string]>([
  ['all accepted', job(true, verdict('accepted')), 'receive', 'good', 'good'],
  ['a remark', job(true, verdict('flagged', ['QTY_OVER', 'flag'])), 'receive', 'flag', 'warn'],
  ['not all has come', job(true, verdict('flagged', ['QTY_SHORT', 'flag'])), 'receive', 'short', 'warn'],
  [
    'not all has come, and it is on hold',
    job(true, verdict('flagged', ['QTY_SHORT', 'flag'], ['WRONG_RECEIVER', 'hold'])),
    'receive',
    'hold',
    'warn',
  ],
  ['refused', job(false, verdict('rejected', ['SHIP_TERMINAL', 'reject'])), 'ship', 'bad', 'bad'],
  ['one of two refused', job(false, verdict('accepted'), verdict('rejected', ['SHIP_TERMINAL', 'reject'])), 'ship', 'part', 'bad'],
  ['a fake set aside', job(true, verdict('flagged', ['NOT_COMMISSIONED', 'flag'])), 'quarantine', 'unknown', 'good'],
  ['somebody else has it', job(true, verdict('flagged', ['HOLD_BY_NON_HOLDER', 'flag'])), 'quarantine', 'notOurs', 'warn'],
  ['dispensed elsewhere', job(false, verdict('rejected', ['DECOM_THEN_USED', 'reject'])), 'quarantine', 'used', 'warn'],
  [
    'a refusal with another beside it',
    job(false, verdict('rejected', ['DECOM_THEN_USED', 'reject'], ['FMT_EPC', 'reject'])),
    'quarantine',
    'bad',
    'bad',
  ],
  ['the same in another act', job(true, verdict('flagged', ['NOT_COMMISSIONED', 'flag'])), 'receive', 'flag', 'warn'],
  ['a document, which is no act', job(true, verdict('flagged', ['QTY_SHORT', 'flag'])), undefined, 'flag', 'warn'],
])('an act ends in its own words: %s', (_, j, act, how, tone) => {
  expect(howOf(j, act)).toBe(how);
  expect(toneOf(howOf(j, act))).toBe(tone);
});

const step = (bizStep: string, disposition: string, who: string, v = 'accepted') =>
  ({ bizStep, disposition, verdict: v, publisher: { id: who, name: who }, eventTime: '', position: {} }) as unknown as Schemas['Step'];
const trace = (over: Partial<Schemas['Trace']> = {}) =>
  ({ id: { key: 'k', kind: 'sgtin' }, known: true, answer: '', phase: 'held', state: 'active', steps: [], ...over }) as Schemas['Trace'];

test('a step is named for what it did, and the newest one that the ledger took set the state', () => {
  expect(stepName({ bizStep: 'dispensing', disposition: 'partially_dispensed' })).toBe('partially_dispensed');
  expect(stepName({ bizStep: 'dispensing', disposition: 'dispensed' })).toBe('dispensing');
  expect(stepName({ bizStep: 'holding', disposition: 'partially_dispensed' })).toBe('holding');
  expect(stepName({ bizStep: 'holding', disposition: 'stolen' })).toBe('stolen');
  const steps = [
    step('dispensing', 'partially_dispensed', 'a'),
    step('dispensing', 'dispensed', 'b'),
    step('dispensing', 'dispensed', 'c', 'rejected'),
    step('holding', 'stolen', 'd'),
  ];
  expect(setBy(steps, 'dispensed')?.publisher.id).toBe('b');
  expect(partBy(steps)?.publisher.id).toBe('a');
  expect(setBy(steps, 'active')).toBeUndefined();
  expect(theftOf(trace({ state: 'stolen', steps }))?.publisher.id).toBe('d');
  expect(theftOf(trace({ steps })), 'it was found in order since').toBeUndefined();
  const again = { code: 'THEFT_REAPPEARS', severity: 'hold', state: 'open' } as Schemas['FindingView'];
  expect(theftOf(trace({ steps, findings: [again] }))?.publisher.id).toBe('d');
  expect(theftOf(trace({ steps, findings: [{ ...again, state: 'closed' }] }))).toBeUndefined();
});

const check = (over: Partial<Schemas['Check']> = {}) =>
  ({
    id: { key: 'k' },
    colour: 'red',
    verified: true,
    fit: false,
    reasons: [],
    state: 'active',
    holder: { id: 'them' },
    ...over,
  }) as Schemas['Check'];
const because = (...codes: string[]) => codes.map((code) => ({ code, detail: '' }));

test('Caps Lock is amber, never suspect; with anything else against it, that counts', () => {
  const caps = check({ colour: 'amber', verified: false, reasons: because('Case_differs') });
  expect(kindOf(caps, 5, 'us', trace())).toBe('case');
  expect(isSuspect('case', caps, 'us', trace())).toBe(false);
  expect(inHand('case', 'us', trace())).toBe(false);
  expect(kindOf(check({ verified: false, reasons: because('Case_differs', 'Recalled') }), 5, 'us')).toBe('recalled');
  expect(kindOf(check({ verified: false, reasons: because('Case_differs', 'Expired') }), 5, 'us')).toBe('unfit');
  expect(kindOf(check({ verified: false, reasons: because('Case_differs', 'No_match_GTIN_Serial_Expiry') }), 5, 'us')).toBe('unverified');
});

test('a fake, stolen, elsewhere-dispensed or wrongly addressed package is suspect and can be set aside by whoever has it', () => {
  expect(isSuspect('unverified', check({ state: undefined }), 'us')).toBe(true);
  const stolen = trace({ state: 'stolen', steps: [step('holding', 'stolen', 'them')] });
  expect(kindOf(check({ state: 'stolen', reasons: because('Not_active') }), 5, 'us', stolen)).toBe('stolen');
  const dispensed = (by: string) => trace({ state: 'dispensed', steps: [step('dispensing', 'dispensed', by)] });
  const gone = check({ state: 'dispensed', reasons: because('Not_active') });
  expect(isSuspect('unfit', gone, 'us', dispensed('them'))).toBe(true);
  expect(isSuspect('unfit', gone, 'us', dispensed('us')), 'scanned twice').toBe(false);
  expect(goneHere(dispensed('us'), 'us')).toBe(true);
  const wrong = trace({ phase: 'in_transit', holder: { id: 'them' }, to: { id: 'others' } });
  expect(isSuspect('elsewhere', check(), 'us', wrong)).toBe(true);
  expect(inHand('elsewhere', 'us', wrong)).toBe(true);
  const coming = trace({ phase: 'in_transit', holder: { id: 'them' }, to: { id: 'us' } });
  expect(isSuspect('elsewhere', check(), 'us', coming)).toBe(false);
  expect(inHand('elsewhere', 'us', coming), 'it is received first').toBe(false);
  expect(inHand('unverified', '', undefined), 'a service without a party records nothing').toBe(false);
});

test('at the dock the same things are told apart', () => {
  const at = (t: Schemas['Trace']) => match(t, [], new Set(), 'us');
  expect(at(trace({ known: false, otherCase: { key: 'K', kind: 'sgtin', serial: 'ABC' } }))).toEqual({
    kind: 'case',
    key: 'k',
    other: 'ABC',
  });
  expect(isRight(at(trace({ known: false, otherCase: { key: 'K', kind: 'sgtin' } })))).toBe(false);
  expect(at(trace({ state: 'stolen', steps: [step('holding', 'stolen', 'them')] }))).toMatchObject({
    kind: 'extra',
    why: 'stolen',
    who: 'them',
  });
  expect(at(trace({ state: 'dispensed', steps: [step('dispensing', 'dispensed', 'x')] }))).toMatchObject({ why: 'used', who: 'x' });
});

test('a shipment is looked over by product and lot', () => {
  expect(
    loadsOf([
      { name: 'A', lot: '1', things: 1, inside: 10 },
      { name: 'B', things: 1, inside: 0 },
      { name: 'A', lot: '1', things: 1, inside: 12 },
      { name: 'A', lot: '2', things: 1, inside: 1 },
    ]),
  ).toEqual([
    { name: 'A', lot: '1', things: 2, inside: 22 },
    { name: 'B', things: 1, inside: 0 },
    { name: 'A', lot: '2', things: 1, inside: 1 },
  ]);
});

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.head.innerHTML = '';
});

test('scans outlive a reload, for a day, until they are cleared or somebody signs out; whatever storage holds', () => {
  keep('ship.us', { things: ['b', 'a'], to: 'them', po: 'PO', desadv: '' });
  expect(shipment('ship.us')).toMatchObject({ things: ['b', 'a'], to: 'them', po: 'PO', desadv: '' });
  expect(shipment('ship.them'), 'another party has its own').toMatchObject({ things: [] });
  keep('receive.us.1', {
    scanned: ['a'],
    extras: [{ kind: 'extra', key: 'x', why: 'stolen', who: 'w' }, { key: 1 }, { key: 'y', why: 'no' }],
    rma: '',
  });
  expect(delivery('receive.us.1')).toMatchObject({
    scanned: ['a'],
    extras: [{ kind: 'extra', key: 'x', why: 'stolen', who: 'w' }],
    rma: '',
  });
  keep('receive.us.2', 'nonsense');
  localStorage.setItem('verilot.kept.receive.us.3', '{');
  for (const n of [2, 3, 4]) expect(delivery(`receive.us.${n}`)).toEqual({ scanned: [], extras: [], rma: '' });
  keep('ship.us', undefined);
  expect(kept('ship.us')).toBeUndefined();
  localStorage.setItem('verilot.language', 'es');
  forgetAll();
  expect(kept('receive.us.1')).toBeUndefined();
  expect(localStorage.getItem('verilot.language'), 'what is no work stays').toBe('es');
  vi.useFakeTimers({ now: 0 });
  keep('old', 1);
  vi.setSystemTime(3600 * 1000);
  keep('old', 1);
  expect(kept('old')?.at, 'a page that is loaded anew makes nothing younger').toBe(0);
  vi.setSystemTime(25 * 3600 * 1000);
  expect(kept('old')).toBeUndefined();
});

test('a tab is loaded anew once for each build, whoever disagrees about it', async () => {
  const page = (script: string) => `<html><script type="module" crossorigin src="${script}"></script></html>`;
  expect(entryOf(page('/assets/index-1.js'))).toBe('/assets/index-1.js');
  expect(entryOf('<html></html>')).toBeUndefined();
  document.head.innerHTML = '<script type="module" src="/assets/index-1.js"></script>';
  const serve = (body: string, status = 200) => vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status })));
  serve(page('/assets/index-1.js'));
  expect(await why()).toEqual({ kind: 'broken' });
  serve(page('/assets/index-2.js'));
  expect(await why()).toEqual({ kind: 'newer', build: '/assets/index-2.js' });
  serve('', 503);
  expect(await why()).toEqual({ kind: 'silent' });
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  expect(await why()).toEqual({ kind: 'silent' });
  const loaded = vi.fn();
  vi.stubGlobal('location', { ...window.location, reload: loaded });
  expect(mayReload('/assets/index-2.js')).toBe(true);
  reload('/assets/index-2.js');
  expect(loaded).toHaveBeenCalledTimes(1);
  expect(mayReload('/assets/index-2.js')).toBe(false);
  expect(mayReload('/assets/index-1.js'), 'nor back to the build it came from').toBe(false);
  expect(mayReload('/assets/index-3.js'), 'the next build is another matter').toBe(true);
  vi.stubGlobal('sessionStorage', undefined);
  expect(mayReload('/assets/index-4.js'), 'what cannot be remembered is not done').toBe(false);
});

test('a tab is held until the last of what holds it has ended', () => {
  const [a, b] = [hold(), hold()];
  a();
  a();
  expect(isHeld()).toBe(true);
  b();
  expect(isHeld()).toBe(false);
});

import { expect, test } from 'vitest';
import { byState, holdersOf } from '../src/features/lot/totals';
import { goneOf } from '../src/features/make/holders';
import { accounted, openParts } from '../src/features/recall/progress';
import { lines, windowOf } from '../src/lib/rows';

const row = (party: string, state: string, units: number) => ({ party, state, units, name: party.toUpperCase() });

test('holders stand in the order of what they have, each state of one beside the other', () => {
  const rows = [row('a', 'on_hand', 5), row('b', 'on_hand', 4), row('b', 'dispensed', 6)];
  expect(holdersOf(rows).map((h) => [h.name, h.units, h.rows.map((r) => r.state)])).toEqual([
    ['B', 10, ['dispensed', 'on_hand']],
    ['A', 5, ['on_hand']],
  ]);
  expect(byState(rows)).toEqual([
    { state: 'on_hand', units: 9 },
    { state: 'dispensed', units: 6 },
  ]);
});

test('what is lost, on its way, or left is not accounted for', () => {
  const none = { dispensed: 0, destroyed: 0, lost: 0, inTransit: 0, withMaker: 0, quarantined: 0, remaining: 0 };
  const of = (outcomes: Partial<typeof none>) => {
    const all = { ...none, ...outcomes };
    return accounted({ units: Object.values(all).reduce((a, b) => a + b, 0), outcomes: all });
  };
  expect(of({ remaining: 50, quarantined: 18, dispensed: 2, lost: 10 })).toEqual({ units: 20, share: 25 });
  expect(of({ quarantined: 999, inTransit: 1 }).share, 'rounded down').toBe(99);
  expect(of({ withMaker: 1, destroyed: 1 }).share).toBe(100);
  expect(of({}).share, 'of nothing there is no share').toBeUndefined();
});

test('a recall is ended part by part', () => {
  const part = (lot: string, status: string) => ({
    recallNumber: 'R',
    party: 'a',
    lot,
    status,
    position: { height: '1', entry: 0, item: 0 },
  });
  expect(openParts([part('x', 'ended'), part('y', 'open')]).map((p) => p.lot)).toEqual(['y']);
  expect(openParts(null)).toEqual([]);
});

test('lines are whole however their bytes arrive', async () => {
  const bytes = new TextEncoder().encode('{"a":"é"}\n\n{"b":"日本"}\n{"c":1}');
  for (let size = 1; size < 9; size++) {
    const pieces = new ReadableStream<Uint8Array>({
      start(c) {
        for (let i = 0; i < bytes.length; i += size) c.enqueue(bytes.slice(i, i + size));
        c.close();
      },
    });
    const got: unknown[] = [];
    for await (const line of lines(pieces)) got.push(JSON.parse(line));
    expect(got, `pieces of ${size}`).toEqual([{ a: 'é' }, { b: '日本' }, { c: 1 }]);
  }
});

test('whoever stops reading lines stops the stream', async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (c) => c.enqueue(new TextEncoder().encode('x\n')),
    cancel: () => void (cancelled = true),
  });
  for await (const line of lines(endless)) {
    expect(line).toBe('x');
    break;
  }
  expect(cancelled).toBe(true);
});

test('of a long list only what can be seen is drawn, and never what is not there', () => {
  expect(windowOf(0, 480, 48, 50_000)).toEqual({ from: 0, to: 16 });
  expect(windowOf(48_000, 480, 48, 50_000)).toEqual({ from: 994, to: 1016 });
  expect(windowOf(1e9, 480, 48, 100)).toEqual({ from: 100, to: 100 });
  expect(windowOf(0, 480, 48, 3)).toEqual({ from: 0, to: 3 });
  expect(windowOf(0, 480, 48, 0)).toEqual({ from: 0, to: 0 });
});

test('what was destroyed at the maker was not shipped on', () => {
  const rows = [
    row('a', 'on_hand', 4),
    row('a', 'destroyed', 1),
    row('b', 'destroyed', 2),
    row('b', 'on_hand', 3),
    row('a', 'in_transit', 1),
  ];
  expect(goneOf(11, rows, 'a')).toEqual({ shipped: 6, ended: 1 });
});

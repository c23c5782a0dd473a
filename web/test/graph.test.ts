import { expect, test } from 'vitest';
import type { Schemas } from '../src/lib/api/client';
import { graphOf, layout } from '../src/features/trace/graph';

type Step = Schemas['Step'];
const box = '00003999900000000023';
const pallet = '00003999900000000092';
let height = 0;
const step = (bizStep: string, by: string, more: Partial<Step> = {}): Step => ({
  bizStep,
  type: 'ObjectEvent',
  verdict: 'accepted',
  observed: false,
  publisher: { id: by, name: by.toUpperCase() },
  eventTime: `2026-10-${String(10 + height).padStart(2, '0')}T07:00:00Z`,
  blockTime: '2026-11-21T07:00:00Z',
  blockHash: '',
  sequence: '1',
  units: 1,
  position: { height: String(++height), entry: 0, item: 0 },
  ...more,
});

/** A package goes in a case on a pallet to a wholesaler, in the case to a pharmacy, and out of it. */
const way = (): Step[] => {
  height = 0;
  const to = (a: string, b: string) => ({ source: { id: a, name: a.toUpperCase() }, destination: { id: b, name: b.toUpperCase() } });
  return [
    step('commissioning', 'maker', { observed: true }),
    step('packing', 'maker', { observed: true, parent: box }),
    step('packing', 'maker', { parent: pallet, via: [box] }),
    step('shipping', 'maker', { ...to('maker', 'hall'), via: [box, pallet] }),
    step('receiving', 'hall', { ...to('maker', 'hall'), via: [box, pallet] }),
    step('unpacking', 'hall', { parent: pallet, via: [box, pallet] }),
    step('shipping', 'hall', { ...to('hall', 'shop'), via: [box] }),
    step('receiving', 'shop', { ...to('hall', 'shop'), via: [box], verdict: 'flagged', findings: [] }),
    step('unpacking', 'shop', { parent: box, via: [box] }),
    step('dispensing', 'shop', { observed: true }),
  ];
};

test('a package goes from party to party, in a case that is on a pallet for part of the way', () => {
  const g = graphOf('01', way());
  expect(g.stations.map((s) => [s.party, s.steps.length])).toEqual([
    ['maker', 4],
    ['hall', 3],
    ['shop', 3],
  ]);
  expect(g.moves.map((m) => [m.from, m.to])).toEqual([
    ['s0', 's1'],
    ['s1', 's2'],
  ]);
  expect(g.boxes).toEqual([
    { id: 'b0', key: box, depth: 0, from: 's0', to: 's2' },
    { id: 'b1', key: pallet, depth: 1, holds: 'b0', from: 's0', to: 's1' },
  ]);
});

test('what was rejected happened nowhere, and two parties of one name are two', () => {
  const g = graphOf('01', [
    ...way().slice(0, 2),
    step('receiving', 'thief', { verdict: 'rejected' }),
    step('holding', 'other', { publisher: { id: 'other', name: 'MAKER' } }),
  ]);
  expect(g.stations.map((s) => s.party)).toEqual(['maker', 'other']);
  expect(g.boxes[0]!.to, 'it is still in there').toBeUndefined();
});

test.each([
  [1040, true],
  [340, false],
])('in a room of %i all is placed, nothing upon another, and every line has two ends', (room, across) => {
  const g = graphOf('01', way());
  const l = layout(g, room);
  expect(l.across).toBe(across);
  expect(l.nodes).toHaveLength(5);
  for (const [i, a] of l.nodes.entries()) {
    expect(a.x >= 0 && a.y >= 0 && a.x + a.w <= l.width && a.y + a.h <= l.height, a.id).toBe(true);
    for (const b of l.nodes.slice(i + 1))
      expect(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y, `${a.id} and ${b.id}`).toBe(true);
  }
  const anchors = new Map(l.nodes.map((n) => [n.id, n]));
  for (const line of l.lines) {
    const [from, to] = [anchors.get(line.source)!, anchors.get(line.target)!];
    for (const [n, id] of [
      [from, line.sourceHandle],
      [to, line.targetHandle],
    ] as const) {
      const a = n.anchors.find((x) => x.id === id)!;
      const long = a.side === 'top' || a.side === 'bottom' ? n.w : n.h;
      expect(a.at >= 0 && a.at <= long, `${line.id} ends on ${n.id}`).toBe(true);
    }
  }
  // The case is packed at the maker and opened at the shop; the pallet stands on the case.
  expect(l.lines.filter((x) => !x.move).map((x) => [x.source, x.target])).toEqual([
    ['s0', 'b0'],
    ['b0', 's2'],
    ['b0', 'b1'],
    ['b1', 'b0'],
  ]);
});

test('a way of one place, with a case packed and opened there, has room', () => {
  height = 0;
  const g = graphOf('01', [
    step('commissioning', 'maker', { observed: true }),
    step('packing', 'maker', { observed: true, parent: box }),
    step('unpacking', 'maker', { parent: box, via: [box] }),
  ]);
  const l = layout(g, 1040);
  expect(g.boxes[0]).toMatchObject({ from: 's0', to: 's0' });
  for (const n of l.nodes) expect(n.x >= 0 && n.x + n.w <= l.width && n.y + n.h <= l.height, n.id).toBe(true);
  expect(layout(graphOf('01', []), 1040).nodes).toEqual([]);
});

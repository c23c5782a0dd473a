import { expect, test } from 'vitest';
import type { Schemas } from '../src/lib/api/client';
import { joined, kept, told } from '../src/features/network/useFeed';

const block = (height: string): Schemas['FeedBlock'] => ({
  height,
  hash: height,
  time: '2026-11-21T07:00:00Z',
  lastSequence: '1',
  items: [],
});

test('blocks are kept once, newest first by number and not by letters, and not for ever', () => {
  expect(joined([block('9')], [block('10'), block('9'), block('100')]).map((b) => b.height)).toEqual(['100', '10', '9']);
  const many = joined(
    [],
    Array.from({ length: 300 }, (_, i) => block(String(i))),
  );
  expect(many).toHaveLength(kept.blocks);
  expect(many[0]!.height).toBe('299');
});

test('a block that was asked for is told like one that was sent', () => {
  const item = (n: number): Schemas['Item'] => ({
    position: { height: '7', entry: 0, item: n },
    kind: 'event',
    bizStep: 'receiving',
    units: 3,
    itemHash: '',
    verdict: 'flagged',
    findings: [{ code: 'QTY_SHORT', severity: 'flag', state: 'open', position: { height: '7', entry: 0, item: n } }],
  });
  const b = {
    hash: 'h',
    header: { height: '7', time: '2026-11-21T07:00:00Z', lastSequence: '5' },
    entries: [
      { sequence: '4', kind: 'submission', party: 'corner', items: Array.from({ length: 60 }, (_, i) => item(i)) },
      { sequence: '5', kind: 'cut' },
    ],
  } as Schemas['Block'];
  const got = told(b);
  expect(got).toMatchObject({ hash: 'h', height: '7', more: 10 });
  expect(got.items).toHaveLength(50);
  expect(got.items![0]).toEqual({
    position: { height: '7', entry: 0, item: 0 },
    kind: 'event',
    bizStep: 'receiving',
    verdict: 'flagged',
    objects: 3,
    party: { id: 'corner' },
    findings: ['QTY_SHORT'],
  });
});

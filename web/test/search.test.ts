import { expect, test } from 'vitest';
import type { Schemas } from '../src/lib/api/client';
import { groups, moved } from '../src/features/search/groups';
import { added } from '../src/features/search/recent';
import { where } from '../src/features/search/where';

const hit = (kind: Schemas['Hit']['kind'], title: string): Schemas['Hit'] => ({ kind, title });

test('the kind of the best hit comes first, and hits keep their order in it', () => {
  expect(groups([hit('lot', 'a'), hit('product', 'b'), hit('lot', 'c')]).map((g) => [g.kind, g.hits.map((h) => h.title)])).toEqual([
    ['lot', ['a', 'c']],
    ['product', ['b']],
  ]);
  expect(groups([])).toEqual([]);
});

test('arrow keys go from the field through the hits and back', () => {
  expect(moved('ArrowDown', -1, 3)).toBe(0);
  expect(moved('ArrowDown', 2, 3)).toBe(2);
  expect(moved('ArrowUp', 0, 3)).toBe(-1);
  expect(moved('ArrowUp', -1, 3), 'in the field it is the field’s').toBeUndefined();
  expect(moved('Home', -1, 3), 'likewise').toBeUndefined();
  expect([moved('Home', 2, 3), moved('End', 0, 3), moved('Escape', 2, 3)]).toEqual([0, 2, -1]);
  expect(moved('ArrowDown', -1, 0)).toBeUndefined();
  expect(moved('a', 1, 3)).toBeUndefined();
});

test('what was asked is kept once, newest first, and not for ever', () => {
  expect(added(added(added([], 'a'), 'b'), ' a ')).toEqual(['a', 'b']);
  expect(added(['a'], '  ')).toEqual(['a']);
  expect(added(['1', '2', '3', '4', '5', '6', '7', '8'], '9')).toHaveLength(8);
});

test('every kind of hit leads somewhere, whatever its name holds', () => {
  expect(where({ kind: 'recall', title: 'R', number: 'D-1/2 ?' })).toBe('/recalls/D-1%2F2%20%3F');
  expect(where({ kind: 'lot', title: 'L', gtin: '00307812020012', lot: 'A/1' })).toBe('/lot/00307812020012/A%2F1');
  expect(where({ kind: 'event', title: 'E', id: '5/0/1', height: '5' })).toBe('/block/5');
});

import { expect, test } from 'vitest';
import type { Schemas } from '../src/lib/api/client';
import { hindrance, unsure } from '../src/features/ship/hindrance';

const here = { known: true, state: 'active', phase: 'held', holder: { id: 'maker' } } as Schemas['Trace'];

test.each([
  ['what stands here', here, undefined],
  ['what came back and was put into sale again', { ...here, overlays: ['returned'] }, undefined],
  ['what nobody knows', { ...here, known: false }, 'unknown'],
  ['what was dispensed', { ...here, state: 'dispensed' }, 'gone'],
  ['what is on its way', { ...here, phase: 'in_transit' }, 'moving'],
  ['what another has', { ...here, holder: { id: 'midland' } }, 'elsewhere'],
  ['what nobody has', { ...here, holder: undefined }, 'elsewhere'],
  ['what is inside something', { ...here, containers: ['00003999900000000009'] }, 'inside'],
  ['what is set aside', { ...here, overlays: ['quarantined'] }, 'aside'],
] as [string, Schemas['Trace'], string | undefined][])('%s', (_, thing, want) => {
  expect(hindrance(thing, 'maker')).toBe(want);
});

test('a container that nobody can see into may be shipped, and is not called ready', () => {
  const check = (colour: string, code: string) => ({ colour, sellable: false, reasons: [{ code }] }) as Schemas['Check'];
  const unknown = check('amber', 'Contents_unknown');
  expect(hindrance(here, 'maker', unknown)).toBeUndefined();
  expect(unsure(unknown)).toEqual(unknown.reasons);
  expect(unsure(check('green', 'Old'))).toEqual([]);
});

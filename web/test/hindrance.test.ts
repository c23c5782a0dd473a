import { expect, test } from 'vitest';
import type { Schemas } from '../src/lib/api/client';
import { hindrance } from '../src/features/ship/hindrance';

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

import { expect, test } from 'vitest';
import { badGTIN, gtinOf } from '../src/lib/gs1/ndc';

test.each([
  ['0781-5050-05', '00307815050054'],
  ['99990-012-34', '00399990012347'],
  ['12345-6789-0', '00312345678906'],
  [' 0781-5050-05 ', '00307815050054'],
  ['0781505005', undefined], // without hyphens nobody knows where its parts end, and eleven digits may have a zero put in
  ['00781-5050-05', undefined],
])('the GTIN of NDC %s', (ndc, want) => {
  expect(gtinOf(ndc)).toBe(want);
});

test.each([
  ['00307815050054', undefined],
  ['307815050054', undefined],
  ['00307815050053', 'check'],
  ['0030781505004', 'check'],
  ['123', 'length'],
  ['0781-5050-05', 'digits'],
])('what is wrong with GTIN %s', (gtin, want) => {
  expect(badGTIN(gtin)).toBe(want);
});

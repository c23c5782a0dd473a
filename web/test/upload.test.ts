import { expect, test } from 'vitest';
import { excerpt, linesOf, mostBytes, objection } from '../src/features/upload/excerpt';

test('an excerpt shows the line, and marks the column, counted from 1', () => {
  const lines = linesOf('<a>\r\n  <b/>\n</a>');
  expect(excerpt(lines, 2, 3)).toEqual({ before: '  ', at: '<', after: 'b/>' });
  expect(excerpt(lines, 3)).toEqual({ before: '', at: '<', after: '/a>' });
  expect(excerpt(lines, 3, 99)).toEqual({ before: '</a>', at: '', after: '' });
  expect([excerpt(lines, 0), excerpt(lines, 4)]).toEqual([undefined, undefined]);
});

test('of a long line only the neighbourhood is shown', () => {
  const x = excerpt([`${'a'.repeat(1000)}!${'b'.repeat(1000)}`], 1, 1001)!;
  expect([x.before, x.at, x.after]).toEqual([`…${'a'.repeat(60)}`, '!', `${'b'.repeat(60)}…`]);
});

test.each([
  ['XML', 10, '<?xml', undefined],
  ['XML after a byte order mark and a blank line', 10, '\ufeff\n<epcis', undefined],
  ['UTF-16, read as if it were UTF-8', 10, '\ufffd\ufffd<\u0000', undefined],
  ['nothing', 0, '', 'empty'],
  ['too much', mostBytes + 1, '<?xml', 'large'],
  ['JSON-LD', 10, ' {"@context"', undefined],
  ['a spreadsheet', 10, 'PK\u0003\u0004', 'other'],
])('what can be said of a file before it is sent: %s', (_, size, begin, want) => {
  expect(objection(size, begin)).toBe(want);
});

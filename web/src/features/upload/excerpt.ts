/** excerpt is a line of the file that somebody sent, with the column marked, as far as it is good to look at. */
export function excerpt(text: string, line: number, column = 0): { before: string; at: string; after: string } | undefined {
  const row = text.split(/\r\n|\r|\n/)[line - 1];
  if (line < 1 || row === undefined) return undefined;
  const i = Math.min(Math.max(0, column - 1), row.length);
  const from = Math.max(0, i - 60);
  return {
    before: (from > 0 ? '…' : '') + row.slice(from, i),
    at: row.slice(i, i + 1),
    after: row.slice(i + 1, i + 61) + (row.length > i + 61 ? '…' : ''),
  };
}

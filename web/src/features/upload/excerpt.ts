/** linesOf takes a file apart as XML readers count lines. */
export const linesOf = (text: string): string[] => text.split(/\r\n|\r|\n/);

/** excerpt is a line of the file that somebody sent, with the column marked, as far as it is good to look at. */
export function excerpt(lines: string[], line: number, column = 0): { before: string; at: string; after: string } | undefined {
  const row = lines[line - 1];
  if (row === undefined) return undefined;
  const i = Math.min(Math.max(0, column - 1), row.length);
  const from = Math.max(0, i - 60);
  return {
    before: (from > 0 ? '…' : '') + row.slice(from, i),
    at: row.slice(i, i + 1),
    after: row.slice(i + 1, i + 61) + (row.length > i + 61 ? '…' : ''),
  };
}

/** mostBytes is what the service takes of one document. */
export const mostBytes = 256 << 20;

/** mostShown is up to which size a file's lines are kept, to show what an error is about. */
export const mostShown = 32 << 20;

export type Objection = 'empty' | 'large' | 'other';

/** objection is what can be known of a file before it is sent; undefined when nothing speaks against it. begin is how it begins. */
export function objection(size: number, begin: string): Objection | undefined {
  const first = begin.replace(/^\ufeff/, '').trimStart();
  if (size === 0) return 'empty';
  if (size > mostBytes) return 'large';
  // UTF-16 begins with bytes that are no text here; whether it is XML is for the service to say.
  return /^[<{[]/.test(first) || /[\u0000\ufffd]/.test(first.slice(0, 4)) ? undefined : 'other';
}

/** typeOf is the Content-Type of a document that begins like this. */
export const typeOf = (begin: string): string =>
  /^[{[]/.test(begin.replace(/^\ufeff/, '').trimStart()) ? 'application/ld+json' : 'application/xml';

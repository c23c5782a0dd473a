// What the ledger's rules say of an event is shown in the reader's language: every code has a text, and no text is stale.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codes } from './vectors';

/** Says what a code means that this version of the pages does not know. */
const fallback = 'other';

for (const language of ['en', 'es']) {
  const file = join(import.meta.dirname, `../src/i18n/${language}.json`);
  const texts = (JSON.parse(readFileSync(file, 'utf8')) as { finding: Record<string, string> }).finding;

  test(`${language}: every code of a verdict or finding has a text, and nothing else has`, () => {
    expect(Object.keys(texts).sort()).toEqual([...codes(), fallback].sort());
  });

  test(`${language}: a text is at most two sentences, and names no code`, () => {
    for (const [code, text] of Object.entries(texts)) {
      expect(text.trim(), code).not.toBe('');
      expect(text.match(/[.!?](?=\s|$)/g)?.length ?? 0, `${code}: ${text}`).toBeLessThanOrEqual(2);
      expect(text, code).not.toMatch(/\b[A-Z]+(_[A-Z]+)+\b/);
    }
  });
}

// The house as data: no file imports itself in a circle, no file is too long, and a style stands beside what uses it.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((f) => join('src', f).replaceAll('\\', '/'))
  .filter((f) => /\.(tsx?|css)$/.test(f) && !f.endsWith('.d.ts'));
const text = new Map(files.map((f) => [f, readFileSync(join(root, f), 'utf8')]));
const code = files.filter((f) => extname(f) !== '.css');

/** imports is what a file imports of src, now or later. */
function imports(file: string): string[] {
  const found = text.get(file)!.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
  return [...found].flatMap(([, to]) => {
    const base = normalize(join(dirname(file), to!)).replaceAll('\\', '/');
    return [base, `${base}.ts`, `${base}.tsx`, `${base}/index.ts`].filter((f) => text.has(f));
  });
}

/** circle is the first way found from a file back to itself. */
function circle(): string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, way: string[]): string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const to of imports(file)) {
      const found = walk(to, [...way, file]);
      if (found) return found;
    }
    done.add(file);
    return undefined;
  };
  for (const file of code) {
    const found = walk(file, []);
    if (found) return found;
  }
  return undefined;
}

test('no file imports itself by way of others', () => {
  expect(
    code.reduce((n, f) => n + imports(f).length, 0),
    'imports are found',
  ).toBeGreaterThan(300);
  expect(circle()).toBeUndefined();
});

test('no file is longer than 800 lines', () => {
  expect(files.filter((f) => text.get(f)!.split('\n').length > 800)).toEqual([]);
});

/** classes are the names of ours that a style sheet speaks of; those of libraries are theirs. */
const classes = (css: string): string[] => [
  ...new Set(
    [
      ...css
        .replace(/\/\*.*?\*\//gs, '')
        .replace(/\{[^{}]*\}/g, ' ')
        .matchAll(/\.([a-z][\w-]*)/g),
    ]
      .map((m) => m[1]!)
      .filter((c) => !c.startsWith('react-flow') && c !== 'css'),
  ),
];
const uses = (file: string, name: string) => new RegExp(`['"\` .]${name}['"\` ]`).test(text.get(file)!);

const isShared = (sheet: string) => sheet.startsWith('src/components/');

test('a class that a style sheet names is used beside it, and elsewhere only if screens share it', () => {
  const wrong: string[] = [];
  const sheets = files.filter((f) => f.endsWith('.css'));
  const shared = new Set(sheets.filter(isShared).flatMap((f) => classes(text.get(f)!)));
  for (const sheet of sheets) {
    for (const name of classes(text.get(sheet)!)) {
      if (name.startsWith('tone-') || (shared.has(name) && !isShared(sheet))) continue; // the former are put together from a tone
      const folder = isShared(sheet) ? 'src/' : `${dirname(sheet)}/`;
      if (!code.some((f) => f.startsWith(folder) && uses(f, name))) wrong.push(`${sheet}: .${name} is not used`);
      for (const f of code)
        if (!f.startsWith(folder) && text.get(f)!.includes(`className="${name}`)) wrong.push(`${f} uses .${name} of ${sheet}`);
    }
  }
  expect(wrong).toEqual([]);
});

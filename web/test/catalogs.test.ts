import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { steps } from '../src/lib/proof/steps';

type Tree = { [key: string]: string | Tree };
const features = fileURLToPath(new URL('../src/features/', import.meta.url));

/** The catalog of a language: the common one and every feature's, whose only key is the feature's folder. */
function catalog(language: string): Tree {
  const read = (f: string) => JSON.parse(readFileSync(f, 'utf8')) as Tree;
  const whole = read(fileURLToPath(new URL(`../src/i18n/${language}.json`, import.meta.url)));
  for (const feature of readdirSync(features)) {
    const file = `${features}${feature}/${language}.json`;
    if (!existsSync(file)) continue;
    const part = read(file);
    expect(Object.keys(part), file).toEqual([feature]);
    expect(whole[feature], `${file} repeats what the common catalog has`).toBeUndefined();
    whole[feature] = part[feature]!;
  }
  return whole;
}
const flat = (t: Tree, at = ''): [string, string][] =>
  Object.entries(t).flatMap(([k, v]) => (typeof v === 'string' ? [[at + k, v] as [string, string]] : flat(v, `${at}${k}.`)));
const [english, spanish] = [new Map(flat(catalog('en'))), new Map(flat(catalog('es')))];

test('both catalogs have the same keys, none empty, with the same values to fill in', () => {
  expect(english.size).toBeGreaterThan(200);
  expect([...spanish.keys()]).toEqual([...english.keys()]);
  const holes = (s: string) => [...s.matchAll(/{{(\w+)}}/g)].map((m) => m[1]).sort();
  for (const [key, text] of english) {
    expect(text.trim(), key).not.toBe('');
    expect(spanish.get(key)!.trim(), key).not.toBe('');
    expect(holes(spanish.get(key)!), key).toEqual(holes(text));
  }
});

test('every check of the verifier is explained', () => {
  for (const s of steps)
    for (const part of ['title', 'means', 'found']) expect(english.has(`checks.${s}.${part}`), `checks.${s}.${part}`).toBe(true);
});

test('every key that the source names is in the catalogs, and no catalog text stands unused', () => {
  const root = fileURLToPath(new URL('../src/', import.meta.url));
  const source = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((f) => /\.tsx?$/.test(f))
    .map((f) => readFileSync(root + f, 'utf8'))
    .join('\n');
  const plain = (k: string) => k.replace(/_(one|other)$/, '');
  const known = new Set([...english.keys()].map(plain));
  const named = [...source.matchAll(/\bt\(\s*'([\w.]+)'/g)].map((m) => m[1]);
  expect(named.length).toBeGreaterThan(50);
  for (const k of named) expect(known.has(k), k).toBe(true);
  // Keys with a part that is computed: t(`finding.${code}`), or a row's label.
  const computed = [...source.matchAll(/t\(`([\w.]*)\$\{/g)].map((m) => m[1]);
  const unused = [...known].filter((k) => !source.includes(`'${k}'`) && !computed.some((p) => k.startsWith(p)));
  expect(unused).toEqual([]);
});

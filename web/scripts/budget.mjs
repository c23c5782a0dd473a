// Fails when what a browser must load before the first screen has outgrown its budget, or when the built page could make
// a request outside its origin or run a script inline.
import { readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const budget = 250 * 1024;
const dist = new URL('../dist/', import.meta.url);
const html = readFileSync(new URL('index.html', dist), 'utf8');
const trouble = [];

const initial = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((m) => m[1]);
const size = (file) => gzipSync(readFileSync(new URL(file, dist))).length;
const total = initial.reduce((n, f) => n + size(f), 0);
if (initial.length === 0) trouble.push('index.html loads no script');
if (total > budget) trouble.push(`initial JavaScript is ${total} bytes gzip, at most ${budget} are allowed`);
if (/<script(?![^>]*\bsrc=)/.test(html)) trouble.push('index.html has an inline script, which the CSP forbids');
for (const m of html.matchAll(/(?:src|href)="([^"]+)"/g)) if (!m[1].startsWith('/')) trouble.push(`index.html refers to ${m[1]}`);
const files = readdirSync(new URL('assets/', dist));
for (const f of files.filter((x) => x.endsWith('.css'))) {
  const css = readFileSync(new URL(`assets/${f}`, dist), 'utf8');
  for (const m of css.matchAll(/url\(\s*['"]?((?:https?:)?\/\/[^)'"]+)/g)) trouble.push(`${f} refers to ${m[1]}`);
}
const kb = (n) => `${(n / 1024).toFixed(1)} KB`;
console.log(`initial JavaScript ${kb(total)} gzip of ${kb(budget)}`);
for (const f of files.filter((x) => /\.(js|css)$/.test(x))) console.log(`  ${f} ${kb(size(`assets/${f}`))}`);
for (const line of trouble) console.error(line);
process.exit(trouble.length > 0 ? 1 : 0);

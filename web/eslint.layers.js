// Imports in src point down: lib <- components <- features <- i18n <- app <- main. Features do not import each other, and the rooms
// named pure import nothing but each other.
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('src/', import.meta.url));
const layers = ['lib', 'components', 'features', 'i18n', 'app', 'main.tsx'];
const pure = ['lib/proof', 'lib/gs1'];

/** objection says what is wrong with an import; from and to are paths below src. */
export function objection(from, to) {
  const [a, b] = [from.split('/'), to.split('/')];
  const [upper, lower] = [layers.indexOf(a[0]), layers.indexOf(b[0])];
  if (upper < 0 || lower < 0) return `${upper < 0 ? a[0] : b[0]} is no layer of src: ${layers.join(', ')}`;
  if (lower > upper) return `${a[0]} may not import ${b[0]}: imports point down, ${layers.join(' <- ')}`;
  if (a[0] === 'features' && b[0] === 'features' && a[1] !== b[1])
    return `${a[1]} may not import ${b[1]}: features do not import each other`;
  const room = (p) => pure.includes(p.slice(0, 2).join('/'));
  return room(a) && !room(b) ? `${a.slice(0, 2).join('/')} is pure: it may import ${pure.join(' and ')} only` : undefined;
}

export const layersPointDown = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const from = relative(src, context.filename);
    const check = (node) => {
      const to = node?.value;
      if (typeof to !== 'string' || !to.startsWith('.')) return;
      const path = relative(src, join(src, dirname(from), to));
      const message = objection(from.split(sep).join('/'), path.split(sep).join('/'));
      if (message) context.report({ node, message });
    };
    return {
      ImportDeclaration: (n) => check(n.source),
      ExportNamedDeclaration: (n) => check(n.source),
      ExportAllDeclaration: (n) => check(n.source),
      ImportExpression: (n) => check(n.source),
    };
  },
};

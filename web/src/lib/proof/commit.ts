// The commitment of an item (docs/spec.md section 4) as far as a verifier needs it: paths, value hashes, and the roots
// that an opening of some leaves leads to.
import { concat, fromUtf8, hex, Reader, Refused, str16, str32, str8, u8 } from './bytes';
import { emptyRoot, H, leafHash, type Hash, type Network } from './hash';
import { rootFromProof } from './merkle';

export interface OpenField {
  leaf: number;
  path: Uint8Array;
  salt: Uint8Array;
  type: number;
  text: string;
}

export interface OpenUnit {
  leaf: number;
  salt: Uint8Array;
  list: number;
  key: string;
  form: string;
}

export interface Opening {
  kind: number;
  fieldDepth: number;
  fields: OpenField[];
  fieldProof: Hash[];
  unitDepth: number;
  units: OpenUnit[];
  unitProof: Hash[];
}

/** The unit depth of an item without units. */
export const noUnits = 0xff;
const maxDepth = 32;
const typeText = 1;
const typeNumber = 2;
export const typeBytes = 6;
const unitLists = ['epcList', 'parentID', 'childEPCs', 'inputEPCList', 'outputEPCList'];
export const listName = (n: number): string => unitLists[n - 1] ?? `list ${n}`;

export type Segment = { field: number } | { index: number } | { namespace: string; name: string };

/** parsePath refuses a path that is not well-formed: fields, indexes and names, a field first. */
export function parsePath(path: Uint8Array): Segment[] {
  if (path.length === 0 || path[0] !== 1) throw new Refused('a path must begin with a field');
  if (path.length > 0xffff) throw new Refused('a path is too long');
  const r = new Reader(path);
  const out: Segment[] = [];
  while (r.left > 0) {
    const kind = r.u8();
    if (kind === 1) out.push({ field: r.u32() });
    else if (kind === 2) out.push({ index: r.u32() });
    else if (kind === 3) out.push({ namespace: fromUtf8(r.str16()), name: fromUtf8(r.str16()) });
    else throw new Refused(`no path segment begins with ${kind}`);
  }
  return out;
}

const isCount = (path: Uint8Array) => path.length === 1 && path[0] === 4;

/** pathText is for people: field(15)/index(0)/field(2). */
export function pathText(path: Uint8Array): string {
  if (path.length === 0) return 'whole';
  if (isCount(path)) return 'count';
  return parsePath(path)
    .map((s) => {
      if ('field' in s) return `field(${s.field})`;
      if ('index' in s) return `index(${s.index})`;
      return `name(${quote(s.namespace)},${quote(s.name)})`;
    })
    .join('/');
}

const quote = (s: string) => JSON.stringify(s);

export const valueHash = (network: Network, salt: Uint8Array, type: number, text: string): Hash =>
  H(network, 'value', str8(salt), u8(type), str32(text));

export const itemHash = (network: Network, kind: number, fields: Hash, units: Hash): Hash => H(network, 'item', u8(kind), fields, units);

function checkField(f: OpenField): void {
  if (f.salt.length !== 16 && f.salt.length !== 32) throw new Refused(`a field's salt of ${f.salt.length} bytes`);
  if (isCount(f.path)) {
    if (f.type !== typeNumber) throw new Refused('the count leaf is not a number');
  } else if (f.path.length === 0) {
    if (f.type !== typeBytes) throw new Refused('a whole item is not bytes');
  } else {
    if (f.type < typeText || f.type > typeBytes) throw new Refused(`value type ${f.type}`);
    parsePath(f.path);
  }
}

export function fieldRoot(network: Network, o: Opening): Hash {
  if (o.fieldDepth > maxDepth) throw new Refused(`field depth ${o.fieldDepth}`);
  const seen = new Set<string>();
  const leaves = o.fields.map((f) => {
    checkField(f);
    const id = hex(f.path);
    if (seen.has(id)) throw new Refused(`field ${pathText(f.path)} is shown twice`);
    seen.add(id);
    return leafHash(concat(f.path, valueHash(network, f.salt, f.type, f.text)));
  });
  return rootFromProof(
    1n << BigInt(o.fieldDepth),
    o.fields.map((f) => BigInt(f.leaf)),
    leaves,
    o.fieldProof,
  );
}

const unitMark = Uint8Array.of(0x75);

export function unitRoot(o: Opening): Hash {
  if (o.unitDepth === noUnits) {
    if (o.units.length !== 0 || o.unitProof.length !== 0) throw new Refused('units of an item without units');
    return emptyRoot;
  }
  if (o.unitDepth > maxDepth) throw new Refused(`unit depth ${o.unitDepth}`);
  const seen = new Set<string>();
  const leaves = o.units.map((u) => {
    if (u.salt.length !== 16) throw new Refused(`a unit's salt of ${u.salt.length} bytes`);
    if (u.list < 1 || u.list > 5) throw new Refused(`unit list ${u.list}`);
    if (u.key === '') throw new Refused('a unit without a key');
    const id = `${u.list} ${u.key}`;
    if (seen.has(id)) throw new Refused(`unit ${u.key} is shown twice`);
    seen.add(id);
    return leafHash(concat(unitMark, str8(u.salt), u8(u.list), str16(u.key), str16(u.form)));
  });
  return rootFromProof(
    1n << BigInt(o.unitDepth),
    o.units.map((u) => BigInt(u.leaf)),
    leaves,
    o.unitProof,
  );
}

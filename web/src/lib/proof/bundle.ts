// The proof bundle and its two spellings (docs/spec.md 12.2, 12.3). Each has one reading: what parses writes the same
// bytes again. Parsing throws Refused, which is a failure of the step "format".
import { BadIdentifier, parseKey } from '../gs1/key';
import {
  base64,
  compare,
  concat,
  equal,
  fromUtf8,
  hex,
  isText,
  maxI64,
  maxU64,
  Reader,
  Refused,
  u16,
  u8,
  unbase64,
  utf8AtMost,
} from './bytes';
import type { Opening } from './commit';
import type { Hash } from './hash';
import * as j from './json';
import { readCertificate, type Cosignature } from './quorum';

export type KeySource =
  | { source: 'genesis'; party: number; key: number }
  | { source: 'act'; block: number; submission: number; item: number; key: number }
  | { source: 'authority'; index: number };

export interface ShownSubject {
  /** Position in the block's verdicts. */
  leaf: number;
  index: number;
  salt: Uint8Array;
  key: string;
  proof: Hash[];
}
export type ShownItem = Opening & { index: number };
export interface ShownSubmission {
  sequence: bigint;
  header: Uint8Array;
  signature: Uint8Array;
  /** Index in the bundle's keys. */
  key: number;
  itemsProof: Hash[];
  items: ShownItem[];
}
export interface ShownBlock {
  header: Uint8Array;
  entriesProof: Hash[];
  verdicts: { index: number; leaf: Uint8Array }[];
  verdictsProof: Hash[];
  subjects: ShownSubject[];
  submissions: ShownSubmission[];
}
export interface Bundle {
  genesis: Hash;
  epoch: number;
  size: bigint;
  root: Hash;
  certificate: Cosignature[];
  keys: KeySource[];
  logProof: Hash[];
  blocks: ShownBlock[];
}

/** The largest bundle, in either spelling. */
export const maxSize = 16 << 20;
const format = 'verilot/proof/v1';

// ---- JSON

const bytes = (v: unknown, what: string): Uint8Array => unbase64(j.text(v, what));
function sized(v: unknown, what: string, n: number): Uint8Array {
  const b = bytes(v, what);
  if (b.length !== n) throw new Refused(`${what}: ${b.length} bytes where ${n} belong`);
  return b;
}
const hash = (v: unknown, what: string) => sized(v, what, 32);
const hashes = (v: unknown, what: string) => j.list(v, what, (h) => hash(h, what));
const n8 = (v: unknown, what: string) => j.uint(v, what, 0xff);
const n16 = (v: unknown, what: string) => j.uint(v, what, 0xffff);
const n32 = (v: unknown, what: string) => j.uint(v, what, 0xffffffff);
function n64(v: unknown, what: string): bigint {
  const s = j.text(v, what);
  if (!/^(0|[1-9][0-9]{0,19})$/.test(s) || BigInt(s) > maxU64) throw new Refused(`${what} is not a 64-bit number`);
  return BigInt(s);
}

function unitKey(text: string): string {
  try {
    parseKey(text);
  } catch (e) {
    if (e instanceof BadIdentifier) throw new Refused(`unit key ${JSON.stringify(text.slice(0, 80))}: ${e.message}`);
    throw e;
  }
  return text;
}

function readKeyJSON(v: unknown): KeySource {
  const k = j.object(v, 'key');
  if ('genesis' in k) {
    const g = j.object(k.genesis, 'genesis key');
    return { source: 'genesis', party: n16(g.party, 'party'), key: n16(g.key, 'key') };
  }
  if ('act' in k) {
    const a = j.object(k.act, 'act key');
    return {
      source: 'act',
      block: n16(a.block, 'block'),
      submission: n16(a.submission, 'submission'),
      item: n16(a.item, 'item'),
      key: n16(a.key, 'key'),
    };
  }
  return { source: 'authority', index: n16(j.object(k.authority, 'authority key').index, 'index') };
}

function readItemJSON(v: unknown): ShownItem {
  const i = j.object(v, 'item');
  return {
    index: n16(i.index, 'index'),
    kind: n8(i.kind, 'kind'),
    fieldDepth: n8(i.fieldDepth, 'fieldDepth'),
    fields: j.list(i.fields, 'fields', (x) => {
      const f = j.object(x, 'field');
      return {
        leaf: n32(f.leaf, 'leaf'),
        path: bytes(f.path, 'path'),
        salt: bytes(f.salt, 'salt'),
        type: n8(f.type, 'type'),
        text: j.text(f.text, 'text'),
      };
    }),
    fieldProof: hashes(i.fieldProof, 'fieldProof'),
    unitDepth: n8(i.unitDepth, 'unitDepth'),
    units: j.list(i.units, 'units', (x) => {
      const u = j.object(x, 'unit');
      return {
        leaf: n32(u.leaf, 'leaf'),
        salt: bytes(u.salt, 'salt'),
        list: n8(u.list, 'list'),
        key: unitKey(j.text(u.key, 'key')),
        form: j.text(u.form, 'form'),
      };
    }),
    unitProof: hashes(i.unitProof, 'unitProof'),
  };
}

function readBlockJSON(v: unknown): ShownBlock {
  const b = j.object(v, 'block');
  return {
    header: bytes(b.header, 'header'),
    entriesProof: hashes(b.entriesProof, 'entriesProof'),
    verdicts: j.list(b.verdicts, 'verdicts', (x) => {
      const l = j.object(x, 'verdict');
      return { index: n32(l.index, 'index'), leaf: bytes(l.leaf, 'leaf') };
    }),
    verdictsProof: hashes(b.verdictsProof, 'verdictsProof'),
    subjects: j.list(b.subjects, 'subjects', (x) => {
      const s = j.object(x, 'subject');
      return {
        leaf: n16(s.leaf, 'leaf'),
        index: n32(s.index, 'index'),
        salt: bytes(s.salt, 'salt'),
        key: j.text(s.key, 'key'),
        proof: hashes(s.proof, 'proof'),
      };
    }),
    submissions: j.list(b.submissions, 'submissions', (x) => {
      const s = j.object(x, 'submission');
      return {
        sequence: n64(s.sequence, 'sequence'),
        header: bytes(s.header, 'header'),
        signature: sized(s.signature, 'signature', 64),
        key: n16(s.key, 'key'),
        itemsProof: hashes(s.itemsProof, 'itemsProof'),
        items: j.list(s.items, 'items', readItemJSON),
      };
    }),
  };
}

function writeKeyJSON(k: KeySource) {
  if (k.source === 'genesis') return { genesis: { party: k.party, key: k.key } };
  if (k.source === 'act') return { act: { block: k.block, submission: k.submission, item: k.item, key: k.key } };
  return { authority: { index: k.index } };
}

/** bundleJSON is the one JSON spelling of a bundle. */
export function bundleJSON(b: Bundle): string {
  const all = (hs: Hash[]) => hs.map(base64);
  return j.canonical({
    format,
    genesis: base64(b.genesis),
    checkpoint: { epoch: b.epoch, size: String(b.size), root: base64(b.root) },
    certificate: b.certificate.map((c) => ({ validator: c.validator, time: String(c.time), signature: base64(c.signature) })),
    keys: b.keys.map(writeKeyJSON),
    logProof: all(b.logProof),
    blocks: b.blocks.map((x) => ({
      header: base64(x.header),
      entriesProof: all(x.entriesProof),
      verdicts: x.verdicts.map((l) => ({ index: l.index, leaf: base64(l.leaf) })),
      verdictsProof: all(x.verdictsProof),
      subjects: x.subjects.map((s) => ({ leaf: s.leaf, index: s.index, salt: base64(s.salt), key: s.key, proof: all(s.proof) })),
      submissions: x.submissions.map((s) => ({
        sequence: String(s.sequence),
        header: base64(s.header),
        signature: base64(s.signature),
        key: s.key,
        itemsProof: all(s.itemsProof),
        items: s.items.map((i) => ({
          index: i.index,
          kind: i.kind,
          fieldDepth: i.fieldDepth,
          fields: i.fields.map((f) => ({ leaf: f.leaf, path: base64(f.path), salt: base64(f.salt), type: f.type, text: f.text })),
          fieldProof: all(i.fieldProof),
          unitDepth: i.unitDepth,
          units: i.units.map((u) => ({ leaf: u.leaf, salt: base64(u.salt), list: u.list, key: u.key, form: u.form })),
          unitProof: all(i.unitProof),
        })),
      })),
    })),
  });
}

/** parseBundleJSON reads exactly what bundleJSON wrote; one final line feed is allowed. */
export function parseBundleJSON(raw: Uint8Array): Bundle {
  if (raw.length > maxSize) throw new Refused('too large');
  const source = fromUtf8(raw);
  const o = j.object(j.parse(source), 'the file');
  if (o.format !== format) throw new Refused('not a proof bundle of version 1');
  const c = j.object(o.checkpoint, 'checkpoint');
  const b: Bundle = {
    genesis: hash(o.genesis, 'genesis'),
    epoch: n32(c.epoch, 'epoch'),
    size: n64(c.size, 'size'),
    root: hash(c.root, 'root'),
    certificate: j.list(o.certificate, 'certificate', (x) => {
      const s = j.object(x, 'cosignature');
      return { validator: n16(s.validator, 'validator'), time: n64(s.time, 'time'), signature: sized(s.signature, 'signature', 64) };
    }),
    keys: j.list(o.keys, 'keys', readKeyJSON),
    logProof: hashes(o.logProof, 'logProof'),
    blocks: j.list(o.blocks, 'blocks', readBlockJSON),
  };
  check(b);
  // Refuses every second spelling: order and case of members, white space, escapes, numbers, base64.
  const given = source.endsWith('\n') ? source.slice(0, -1) : source;
  if (bundleJSON(b) !== given) throw new Refused('not the one spelling of this bundle');
  return b;
}

// ---- binary

const magic = Uint8Array.of(0x56, 0x4c, 0x54, 0x50); // VLTP

const readHashes = (r: Reader): Hash[] => r.list(r.u32(), 32, (x) => x.hash());

function readKey(r: Reader): KeySource {
  const source = r.u8();
  if (source === 1) return { source: 'genesis', party: r.u16(), key: r.u16() };
  if (source === 2) return { source: 'act', block: r.u16(), submission: r.u16(), item: r.u16(), key: r.u16() };
  if (source === 3) return { source: 'authority', index: r.u16() };
  throw new Refused(`key source ${source}`);
}

const readItem = (r: Reader): ShownItem => ({
  index: r.u16(),
  kind: r.u8(),
  fieldDepth: r.u8(),
  fields: r.list(r.u32(), 12, (x) => ({ leaf: x.u32(), path: x.str16(), salt: x.str8(), type: x.u8(), text: fromUtf8(x.str32()) })),
  fieldProof: readHashes(r),
  unitDepth: r.u8(),
  units: r.list(r.u32(), 10, (x) => ({
    leaf: x.u32(),
    salt: x.str8(),
    list: x.u8(),
    key: unitKey(fromUtf8(x.str16())),
    form: fromUtf8(x.str16()),
  })),
  unitProof: readHashes(r),
});

const readBlock = (r: Reader): ShownBlock => ({
  header: r.str32(),
  entriesProof: readHashes(r),
  verdicts: r.list(r.u32(), 6, (x) => ({ index: x.u32(), leaf: x.str16() })),
  verdictsProof: readHashes(r),
  subjects: r.list(r.u16(), 13, (x) => ({ leaf: x.u16(), index: x.u32(), salt: x.str8(), key: fromUtf8(x.str16()), proof: readHashes(x) })),
  submissions: r.list(r.u16(), 82, (x) => ({
    sequence: x.u64(),
    header: x.str16(),
    signature: x.bytes(64),
    key: x.u16(),
    itemsProof: readHashes(x),
    items: x.list(x.u16(), 21, readItem),
  })),
});

/** parseBundleBinary reads the compact form. */
export function parseBundleBinary(raw: Uint8Array): Bundle {
  if (raw.length > maxSize) throw new Refused('too large');
  const r = new Reader(raw);
  if (!equal(r.bytes(4), magic)) throw new Refused('not a proof bundle');
  const version = r.u8();
  if (version !== 1) throw new Refused(`version ${version}`);
  const b: Bundle = {
    genesis: r.hash(),
    epoch: r.u32(),
    size: r.u64(),
    root: r.hash(),
    certificate: readCertificate(r),
    keys: r.list(r.u16(), 3, readKey),
    logProof: readHashes(r),
    blocks: r.list(r.u32(), 20, readBlock),
  };
  r.done();
  check(b);
  return b;
}

/** parseBundle reads either spelling: the first bytes tell them apart. */
export const parseBundle = (raw: Uint8Array): Bundle => (equal(raw.slice(0, 4), magic) ? parseBundleBinary(raw) : parseBundleJSON(raw));

// ---- what both spellings demand

function keyBytes(k: KeySource): Uint8Array {
  if (k.source === 'genesis') return concat(u8(1), u16(k.party), u16(k.key));
  if (k.source === 'act') return concat(u8(2), u16(k.block), u16(k.submission), u16(k.item), u16(k.key));
  return concat(u8(3), u16(k.index));
}

/** The item that a key of source "act" refers to. */
export const actItem = (b: Bundle, k: { block: number; submission: number; item: number }): ShownItem | undefined =>
  b.blocks[k.block]?.submissions[k.submission]?.items[k.item];

const ascend = <T>(list: T[], before: (a: T, b: T) => boolean, what: string) => {
  for (let i = 1; i < list.length; i++)
    if (!before(list[i - 1], list[i])) throw new Refused(`${what} ${i} is out of order or listed twice`);
};
const atMost = (n: number, limit: number, what: string) => {
  if (n > limit) throw new Refused(`${what}: ${n}, at most ${limit}`);
};

/** check: everything fits its length field, is in order and listed once, and every key is there for a submission. */
export function check(b: Bundle): void {
  atMost(b.keys.length, 0xffff, 'keys');
  atMost(b.blocks.length, 0xffff, 'blocks');
  atMost(b.certificate.length, 0xffff, 'cosignatures');
  for (const c of b.certificate) if (c.time > maxI64) throw new Refused('time of a cosignature is out of range');
  const used = new Set<number>();
  for (const block of b.blocks) checkBlock(block, b.keys.length, used);
  b.keys.forEach((k, i) => {
    if (!used.has(i)) throw new Refused(`key ${i} is of no submission`);
    if (k.source === 'act' && !actItem(b, k)) throw new Refused(`key ${i} refers to an item that is not here`);
  });
  ascend(b.keys.map(keyBytes), (x, y) => compare(x, y) < 0, 'key');
}

function checkBlock(b: ShownBlock, keys: number, used: Set<number>): void {
  atMost(b.subjects.length, 0xffff, 'subjects');
  atMost(b.submissions.length, 0xffff, 'submissions');
  ascend(b.verdicts, (x, y) => x.index < y.index, 'verdict leaf');
  for (const v of b.verdicts) atMost(v.leaf.length, 0xffff, 'bytes of a verdict leaf');
  for (const s of b.subjects) {
    atMost(s.salt.length, 0xff, 'bytes of a salt');
    if (!utf8AtMost(s.key, 0xffff) || !isText(s.key) || s.leaf >= b.verdicts.length) throw new Refused('a subject is malformed');
  }
  ascend(b.subjects, (x, y) => x.leaf < y.leaf || (x.leaf === y.leaf && x.index < y.index), 'subject');
  ascend(b.submissions, (x, y) => x.sequence < y.sequence, 'submission');
  for (const s of b.submissions) {
    if (s.key >= keys) throw new Refused('a submission has no key');
    used.add(s.key);
    atMost(s.header.length, 0xffff, 'bytes of a submission header');
    atMost(s.items.length, 0xffff, 'items');
    ascend(s.items, (x, y) => x.index < y.index, 'item');
    for (const it of s.items) {
      ascend(it.fields, (x, y) => x.leaf < y.leaf, 'field');
      ascend(it.units, (x, y) => x.leaf < y.leaf, 'unit');
      for (const f of it.fields) {
        atMost(f.path.length, 0xffff, 'bytes of a path');
        atMost(f.salt.length, 0xff, 'bytes of a salt');
        if (!isText(f.text)) throw new Refused('text is not UTF-8');
      }
      for (const u of it.units) {
        atMost(u.salt.length, 0xff, 'bytes of a salt');
        if (!utf8AtMost(u.key, 0xffff) || !utf8AtMost(u.form, 0xffff) || !isText(u.form)) throw new Refused('a unit is malformed');
      }
    }
  }
}

/** A short name of a bundle for people: the network and the size of its checkpoint. */
export const bundleId = (b: Bundle): string => `${hex(b.genesis.slice(0, 4))}-${b.size}`;

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import { checkDigit, parseEPC, parseKey } from '../src/lib/gs1/key';
import {
  decodeHeader,
  decodeVerdictLeaf,
  entryLeaf,
  headerHash,
  leafHeight,
  subjectLeaf,
  type VerdictLeafValue,
} from '../src/lib/proof/block';
import { base64, concat, hex, Reader, unbase64, unhex } from '../src/lib/proof/bytes';
import { fieldRoot, itemHash, parsePath, pathText, unitRoot, valueHash, type Opening } from '../src/lib/proof/commit';
import { parseGenesis } from '../src/lib/proof/genesis';
import { H, leafHash, sha256, tag, type Hash } from '../src/lib/proof/hash';
import { checkKey, keyId, verify, verifyStrict } from '../src/lib/proof/keys';
import { root, rootFromProof } from '../src/lib/proof/merkle';
import {
  checkCertificate,
  checkpointText,
  cosignedMessage,
  noteKeyHash,
  originOf,
  quorumOf,
  readCertificate,
  setHash,
  type Validator,
} from '../src/lib/proof/quorum';
import { decodeSubmissionHeader } from '../src/lib/proof/submission';
import { gs1Vectors, some, vectors } from './vectors';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('enc: tags, H, key ids, registrable keys', () => {
  type Case = { what: string; purpose: string; use: string; data?: string; preImage: string; hash: string; error?: string };
  const v = vectors<{ network: string; cases: Case[] }>('enc');
  const network = unhex(v.network);
  test.each(some(v.cases, 20))('$what $purpose$use $error', (c) => {
    const data = unhex(c.data ?? '');
    switch (c.what) {
      case 'tag':
        return expect(hex(tag(network, c.purpose))).toBe(c.preImage);
      case 'H':
        expect(hex(concat(tag(network, c.purpose), data))).toBe(c.preImage);
        return expect(hex(H(network, c.purpose, data))).toBe(c.hash);
      case 'key id':
        return expect(hex(keyId(c.use, data))).toBe(c.hash);
      case 'may this key be registered': {
        const check = () => checkKey(unhex(c.preImage));
        if (!c.error) return check();
        const words: Record<string, string> = { 'small order': 'small order', 'not canonical': 'canonical', 'no point': 'no point' };
        return expect(check).toThrow(words[c.error]);
      }
      default:
        throw new Error(`a vector of an unknown kind: ${c.what}`);
    }
  });
});

describe('merkle: multi-proofs', () => {
  type Case = { name: string; size: string; indexes: string[]; leaves: string[]; proof: string[]; root: string; error?: boolean };
  test.each(some(vectors<{ cases: Case[] }>('merkle').cases, 20))('$name: $size, $indexes', (c) => {
    const run = () => rootFromProof(BigInt(c.size), c.indexes.map(BigInt), c.leaves.map(unhex), c.proof.map(unhex));
    if (c.error) expect(run).toThrow();
    else expect(hex(run())).toBe(c.root);
  });
});

describe('block', () => {
  type Header = Record<string, string | number>;
  type Leaf = { name: string; leafHex: string };
  type Pos = { height: string; entry: number; item: number };
  interface File {
    network: string;
    header: Header;
    headersRefused: Leaf[];
    entries: { name: string; sequence: string; kind: number; signedOrPayloadHex: string; signature?: string; leafHex: string }[];
    verdictLeaves: (Leaf & { leafHash: string; value: Record<string, unknown> & { position: Pos; cause?: Pos } })[];
    verdictLeavesRefused: Leaf[];
    subjects: { keys: string[]; salts: string[]; leafData: string[]; index: number[]; root: string };
    stateRoot: { previous: string; effectsHex: string[]; effectsRoot: string; hash: string };
  }
  const v = vectors<File>('block');
  const network = unhex(v.network);

  test('header', () => {
    const raw = unhex(v.header.bytesHex as string);
    const h = decodeHeader(network, raw);
    expect(hex(headerHash(raw))).toBe(v.header.hash);
    expect({
      epoch: h.epoch,
      height: String(h.height),
      parent: hex(h.parent),
      firstSequence: String(h.firstSeq),
      lastSequence: String(h.lastSeq),
      time: String(h.time),
      entriesRoot: hex(h.entriesRoot),
      verdictsRoot: hex(h.verdictsRoot),
      verdictLeaves: h.verdictLeaves,
      events: h.events,
      stateRootKind: h.stateKind,
      stateRoot: hex(h.stateRoot),
      validators: hex(h.validators),
      nextValidators: hex(h.nextValidators),
      rulesVersion: h.rulesVersion,
    }).toMatchObject(Object.fromEntries(Object.entries(v.header).filter(([k]) => k !== 'bytesHex' && k !== 'hash')));
  });
  test.each(some(v.headersRefused))('header refused: $name', (c) => {
    expect(() => decodeHeader(network, unhex(c.leafHex))).toThrow();
  });
  test.each(some(v.entries.filter((e) => e.kind !== 0)))('entry leaf: $name', (c) => {
    expect(hex(entryLeaf(network, BigInt(c.sequence), c.kind, unhex(c.signedOrPayloadHex), unhex(c.signature!)))).toBe(c.leafHex);
  });
  test.each(some(v.verdictLeaves))('verdict leaf: $name', (c) => {
    const leaf = decodeVerdictLeaf(unhex(c.leafHex)) as VerdictLeafValue & { subjects?: Hash; count?: number };
    expect(hex(leafHash(unhex(c.leafHex)))).toBe(c.leafHash);
    const pos = (p: Pos) => ({ height: BigInt(p.height), entry: p.entry, item: p.item });
    expect(leaf.pos).toEqual(pos(c.value.position));
    expect(leaf.code).toBe(c.value.code ?? '');
    expect(leafHeight(leaf)).toBe(BigInt((c.value.cause ?? c.value.position).height));
    if (leaf.subjects) expect([hex(leaf.subjects), leaf.count]).toEqual([c.value.subjects, c.value.count]);
  });
  test.each(some(v.verdictLeavesRefused))('verdict leaf refused: $name', (c) => {
    expect(() => decodeVerdictLeaf(unhex(c.leafHex))).toThrow();
  });
  test('subjects', () => {
    const leaves: Hash[] = [];
    some(v.subjects.keys).forEach((key, i) => {
      const leaf = subjectLeaf(network, unhex(v.subjects.salts[i]), key);
      expect(hex(leaf)).toBe(v.subjects.leafData[i]);
      leaves[v.subjects.index[i]] = leafHash(leaf);
    });
    expect(hex(root(leaves))).toBe(v.subjects.root);
  });
  test('state root', () => {
    const effects = root(some(v.stateRoot.effectsHex).map((e) => leafHash(unhex(e))));
    expect(hex(effects)).toBe(v.stateRoot.effectsRoot);
    expect(hex(H(network, 'state', unhex(v.stateRoot.previous), effects))).toBe(v.stateRoot.hash);
  });
});

describe('quorum: set hash, checkpoint, certificates', () => {
  interface File {
    network: string;
    genesisHash: string;
    set: { validators: Record<'name' | 'party' | 'voteKey' | 'cosignKey' | 'voteKeyId' | 'noteKeyHash', string>[]; hash: string };
    quorums: Record<string, number>;
    checkpoint: { networkName: string; epoch: number; size: string; root: string; text: string };
    cosignature: { validator: number; time: string; message: string; signature: string };
    certificates: { name: string; hex: string; ok: boolean }[];
  }
  const v = vectors<File>('quorum');
  const set: Validator[] = v.set.validators.map((x) => ({
    name: x.name,
    party: x.party,
    voteKey: unhex(x.voteKey),
    cosignKey: unhex(x.cosignKey),
  }));
  const c = {
    origin: originOf(v.checkpoint.networkName, unhex(v.genesisHash), v.checkpoint.epoch),
    size: BigInt(v.checkpoint.size),
    root: unhex(v.checkpoint.root),
  };

  test('set hash, key ids and note key hashes', () => {
    expect(hex(setHash(unhex(v.network), set))).toBe(v.set.hash);
    some(v.set.validators).forEach((x, i) => {
      expect(hex(keyId('vote', set[i].voteKey))).toBe(x.voteKeyId);
      expect(hex(noteKeyHash(set[i]))).toBe(x.noteKeyHash);
    });
  });
  test.each(some(Object.entries(v.quorums)))('quorum of %s is %i', (n, q) => expect(quorumOf(Number(n))).toBe(q));
  test('checkpoint and cosignature', () => {
    expect(checkpointText(c)).toBe(v.checkpoint.text);
    const message = cosignedMessage(c, BigInt(v.cosignature.time));
    expect(new TextDecoder().decode(message)).toBe(v.cosignature.message);
    expect(verifyStrict(set[v.cosignature.validator].cosignKey, message, unhex(v.cosignature.signature))).toBe(true);
  });
  test.each(some(v.certificates))('certificate: $name', (x) => {
    const r = new Reader(unhex(x.hex));
    const cert = readCertificate(r);
    r.done();
    const run = () => checkCertificate(set, c, cert);
    if (x.ok) run();
    else expect(run).toThrow();
  });
});

describe('submission header', () => {
  interface File {
    network: string;
    cases: {
      opens: { name: string; header: string; signature: string; itemHashes: string[]; itemsRoot: string }[];
      keys: { id: string; publicKey: string }[];
      refused: { name: string; code: string; parts: { bytes: string; times: number }[] | null }[];
    };
  }
  const v = vectors<File>('submission');
  const network = unhex(v.network);
  test.each(some(v.cases.opens))('$name', (c) => {
    const h = decodeSubmissionHeader(network, unhex(c.header));
    expect(hex(h.itemsRoot)).toBe(c.itemsRoot);
    expect(hex(root(c.itemHashes.map((x) => leafHash(unhex(x)))))).toBe(c.itemsRoot);
    const key = v.cases.keys.find((k) => k.id === hex(h.keyId))!;
    expect(verify(unhex(key.publicKey), unhex(c.header), unhex(c.signature))).toBe(true);
    expect(() => decodeSubmissionHeader(network, unhex(c.header + '00'))).toThrow();
  });
  const headerTrouble = v.cases.refused.filter((r) => ['UNKNOWN_PURPOSE', 'WRONG_NETWORK'].includes(r.code));
  test.each(some(headerTrouble))('refused: $name', (c) => {
    const raw = concat(...(c.parts ?? []).map((p) => unhex(p.bytes.repeat(p.times))));
    expect(() => decodeSubmissionHeader(network, raw.slice(0, Math.max(0, raw.length - 64)))).toThrow();
  });
});

describe('commit: paths, values, openings', () => {
  type JsonOpening = Omit<Opening, 'fields' | 'fieldProof' | 'units' | 'unitProof'> & {
    fields: { leaf: number; path: string; salt: string; type: number; text: string }[];
    fieldProof: string[];
    units: { leaf: number; salt: string; list: number; key: string; form: string }[];
    unitProof: string[];
  };
  interface File {
    network: string;
    cases: {
      paths: { path: string; text?: string; error?: boolean }[];
      sealedValue: Record<string, string>;
      items: Record<string, { kind: number; fieldRoot: string; unitRoot: string; itemHash: string }>;
      openings: Record<string, JsonOpening>;
      refused: Record<string, JsonOpening>;
      otherRoot: Record<string, JsonOpening>;
    };
  }
  const v = vectors<File>('commit');
  const network = unhex(v.network);
  const open = (o: JsonOpening): Opening => ({
    ...o,
    fields: o.fields.map((f) => ({ ...f, path: unhex(f.path), salt: unhex(f.salt) })),
    fieldProof: o.fieldProof.map(unhex),
    units: o.units.map((u) => ({ ...u, salt: unhex(u.salt) })),
    unitProof: o.unitProof.map(unhex),
  });
  const hashOf = (o: JsonOpening) => {
    const x = open(o);
    return hex(itemHash(network, x.kind, fieldRoot(network, x), unitRoot(x)));
  };
  const want = v.cases.items.event.itemHash;

  test.each(some(v.cases.paths))('path $path', (c) => {
    if (c.error) expect(() => parsePath(unhex(c.path))).toThrow();
    else expect(pathText(unhex(c.path))).toBe(c.text);
  });
  test('value hash', () => {
    const s = v.cases.sealedValue;
    const all = JSON.stringify(s);
    expect(all).toContain(s.valueHash);
    expect(hex(sha256(unhex(s.preImage)))).toBe(s.valueHash);
    if (s.text) expect(hex(valueHash(network, unhex(s.salt), 1, s.text))).toBe(s.valueHash);
  });
  test.each(some(Object.entries(v.cases.items)))('item %s', (_, it) => {
    expect(hex(itemHash(network, it.kind, unhex(it.fieldRoot), unhex(it.unitRoot)))).toBe(it.itemHash);
  });
  test.each(some(Object.entries(v.cases.openings)))('opening: %s', (_, o) => expect(hashOf(o)).toBe(want));
  test.each(some(Object.entries(v.cases.refused)))('refused: %s', (_, o) => expect(() => hashOf(o)).toThrow());
  test.each(some(Object.entries(v.cases.otherRoot)))('another root: %s', (_, o) => expect(hashOf(o)).not.toBe(want));
});

describe('genesis', () => {
  interface File {
    valid: { name: string; file: string; hash: string; network: string; origin: string; createdAtMs: number | string; setHash: string }[];
    refused: { name: string; old: string; new: string }[];
  }
  const v = vectors<File>('genesis');
  test.each(some(v.valid))('$name', (c) => {
    const g = parseGenesis(bytes(c.file));
    expect([hex(g.hash), hex(g.network), g.origin, String(g.createdAt)]).toEqual([c.hash, c.network, c.origin, String(c.createdAtMs)]);
    expect(hex(setHash(g.network, g.validators))).toBe(c.setHash);
  });
  test.each(some(v.refused, 40))('refused: $name', (c) => {
    const file = v.valid[0].file.replace(c.old, () => c.new);
    expect(file).not.toBe(v.valid[0].file);
    expect(() => parseGenesis(bytes(file))).toThrow();
  });
});

describe('consensus_chain: headers, roots and certificates of a whole chain', () => {
  interface Block {
    height: string;
    entryLeaves: string[];
    verdictLeaves: string[];
    effects: string[];
    header: string;
    headerHash: string;
    checkpoint?: string;
    record?: string;
  }
  const v = vectors<{ genesis: string; zero: Block; blocks: Block[] }>('consensus_chain');
  const g = parseGenesis(bytes(v.genesis));
  test.each(some(v.blocks))('block $height', (b) => {
    const raw = unhex(b.header);
    const h = decodeHeader(g.network, raw);
    expect(hex(headerHash(raw))).toBe(b.headerHash);
    expect(hex(root(b.entryLeaves.map((l) => leafHash(unhex(l)))))).toBe(hex(h.entriesRoot));
    expect(hex(root(b.verdictLeaves.map((l) => leafHash(unhex(l)))))).toBe(hex(h.verdictsRoot));
    expect(hex(h.validators)).toBe(hex(setHash(g.network, g.validators)));
    const height = Number(h.height);
    const log = [v.zero, ...v.blocks].slice(0, height + 1).map((x) => unhex(x.headerHash));
    const checkpoint = { origin: g.origin, size: BigInt(height + 1), root: root(log) };
    expect(checkpointText(checkpoint)).toBe(b.checkpoint);
    // The block record (13.1) ends in the certificate.
    const record = unhex(b.record!);
    const size = 2 + 74 * quorumOf(g.validators.length);
    checkCertificate(g.validators, checkpoint, readCertificate(new Reader(record.slice(record.length - size))));
  });
});

describe('gs1 key texts', () => {
  test.each(some(gs1Vectors<{ captured: string; key: string }[]>('epc')))('$captured', (c) => {
    expect(parseEPC(c.captured)).toBe(c.key);
    parseKey(c.key);
  });
  test.each(some(gs1Vectors<{ captured: string }[]>('epc-invalid')))('refused EPC $captured', (c) =>
    expect(() => parseEPC(c.captured)).toThrow(),
  );
  test.each(some(gs1Vectors<{ captured: string }[]>('key-invalid')))('refused key $captured', (c) =>
    expect(() => parseKey(c.captured)).toThrow(),
  );
  test('check digit', () => expect(checkDigit('629104150021')).toBe('3'));
});

describe('Ed25519: ZIP-215 for submitters, strict for validators', () => {
  const { Point } = ed25519;
  const L = Point.Fn.ORDER;
  const le = (b: Uint8Array) => b.reduceRight((n, x) => (n << 8n) | BigInt(x), 0n);
  const leBytes = (n: bigint) => Uint8Array.from({ length: 32 }, (_, i) => Number((n >> BigInt(8 * i)) & 0xffn));
  const neutral = unhex('0100000000000000000000000000000000000000000000000000000000000000');

  test('a non-canonical R', () => {
    const forged = concat(unhex('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'), new Uint8Array(32));
    expect(verify(neutral, bytes('anything'), forged)).toBe(true);
    expect(verifyStrict(neutral, bytes('anything'), forged)).toBe(false);
  });
  test('an R with a component of small order: Go refuses it, a verifier with the cofactor does not', () => {
    const a = 12345n;
    const r = 67890n;
    const key = Point.BASE.multiply(a).toBytes();
    const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
    const R = Point.BASE.multiply(r).add(torsion).toBytes();
    const message = bytes('a checkpoint');
    const k = le(sha512(concat(R, key, message))) % L;
    const signature = concat(R, leBytes((r + k * a) % L));
    expect(verify(key, message, signature)).toBe(true);
    expect(ed25519.verify(signature, message, key, { zip215: false })).toBe(true); // why noble's own strict mode is not enough
    expect(verifyStrict(key, message, signature)).toBe(false);
  });
  test('S beyond the order, lengths, and an ordinary signature', () => {
    const secret = new Uint8Array(32).fill(7);
    const key = ed25519.getPublicKey(secret);
    const message = bytes('m');
    const good = ed25519.sign(message, secret);
    expect([verify(key, message, good), verifyStrict(key, message, good)]).toEqual([true, true]);
    const malleable = concat(good.slice(0, 32), leBytes(le(good.slice(32)) + L));
    expect([verify(key, message, malleable), verifyStrict(key, message, malleable)]).toEqual([false, false]);
    expect(verify(key.slice(1), message, good)).toBe(false);
    expect(verify(key, message, good.slice(1))).toBe(false);
  });
});

test('base64 has one spelling', () => {
  for (let n = 0; n < 40; n++) {
    const b = Uint8Array.from({ length: n }, (_, i) => (i * 73 + n) & 0xff);
    expect(base64(b)).toBe(Buffer.from(b).toString('base64'));
    expect(hex(unbase64(base64(b)))).toBe(hex(b));
  }
  for (const bad of ['A', 'AA', 'AA=', 'AB==', 'AAB=', 'A===', '====', 'AA==AA==', 'AA\n=', 'AAA-', 'A=A='])
    expect(() => unbase64(bad), bad).toThrow();
});

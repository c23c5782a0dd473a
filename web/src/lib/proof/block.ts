// The bytes of a block (docs/spec.md section 7): entry leaves, header, verdict leaves, subjects.
import { concat, equal, fromUtf8, maxU64, Reader, Refused, str16, str32, str8, u64, u8 } from './bytes';
import { H, leafHash, tag, type Hash, type Network } from './hash';

export interface Position {
  height: bigint;
  entry: number;
  item: number;
}

/** The item index that stands for all of an entry. */
export const wholeEntry = 0xffffffff;

export const positionText = (p: Position): string => `${p.height}/${p.entry}/${p.item}`;
const samePosition = (a: Position, b: Position) => a.height === b.height && a.entry === b.entry && a.item === b.item;
export { samePosition };

export interface Header {
  epoch: number;
  height: bigint;
  parent: Hash;
  firstSeq: bigint;
  lastSeq: bigint;
  time: bigint;
  entriesRoot: Hash;
  verdictsRoot: Hash;
  verdictLeaves: number;
  events: number;
  stateKind: number;
  stateRoot: Hash;
  validators: Hash;
  nextValidators: Hash;
  rulesVersion: number;
}

/** The number of leaves in the entries tree: none in block 0. */
export const entryCount = (h: Header): bigint => (h.lastSeq === 0n ? 0n : h.lastSeq - h.firstSeq + 1n);

export const headerHash = (raw: Uint8Array): Hash => leafHash(raw);

export function decodeHeader(network: Network, raw: Uint8Array): Header {
  const r = new Reader(raw);
  const want = tag(network, 'header');
  if (!equal(r.bytes(want.length), want)) throw new Refused('not a block header of this network');
  const h: Header = {
    epoch: r.u32(),
    height: r.u64(),
    parent: r.hash(),
    firstSeq: r.u64(),
    lastSeq: r.u64(),
    time: r.i64(),
    entriesRoot: r.hash(),
    verdictsRoot: r.hash(),
    verdictLeaves: r.u32(),
    events: r.u32(),
    stateKind: r.u8(),
    stateRoot: r.hash(),
    validators: r.hash(),
    nextValidators: r.hash(),
    rulesVersion: r.u32(),
  };
  r.done();
  if (h.stateKind !== 1) throw new Refused(`state root kind ${h.stateKind}`);
  if (h.height === 0n ? h.firstSeq !== 0n || h.lastSeq !== 0n : h.firstSeq === 0n || h.lastSeq < h.firstSeq) {
    throw new Refused(`block ${h.height} with sequences ${h.firstSeq} to ${h.lastSeq}`);
  }
  // Entry indexes are u32, and the last one stands for something else.
  if (h.lastSeq - h.firstSeq >= 0xffffffffn) throw new Refused('too many entries');
  return h;
}

/** Entry kind 2. */
export const kindSubmission = 2;

/** The leaf data of an entry that opened: signed are its header bytes. */
export function entryLeaf(network: Network, seq: bigint, kind: number, signed: Uint8Array, signature: Uint8Array): Uint8Array {
  if (seq > maxU64) throw new Refused('sequence out of range');
  return concat(u64(seq), u8(kind), H(network, 'entry', str32(signed), signature));
}

export type VerdictName = 'accepted' | 'flagged' | 'rejected' | 'duplicate';
export type Severity = 'reject' | 'hold' | 'flag';
export type FindingState = 'open' | 'held' | 'closed';
const verdictNames: VerdictName[] = ['accepted', 'flagged', 'rejected', 'duplicate'];
const severities: Severity[] = ['reject', 'hold', 'flag'];
const states: FindingState[] = ['open', 'held', 'closed'];

export interface Verdict {
  leaf: 'verdict';
  pos: Position;
  verdict: VerdictName;
  code: string;
}
export interface Finding {
  leaf: 'finding';
  pos: Position;
  code: string;
  severity: Severity;
  count: number;
  subjects: Hash;
}
export interface Amendment {
  leaf: 'amendment';
  pos: Position;
  code: string;
  old: FindingState;
  new: FindingState;
  cause: Position;
  count: number;
  subjects: Hash;
}
export type VerdictLeafValue = Verdict | Finding | Amendment;

const codePattern = /^[A-Z0-9_]{1,64}$/;

function oneOf<T>(names: T[], n: number, what: string): T {
  if (n < 1 || n > names.length) throw new Refused(`${what} ${n}`);
  return names[n - 1];
}

function position(r: Reader): Position {
  return { height: r.u64(), entry: r.u32(), item: r.u32() };
}

function code(bytes: Uint8Array): string {
  const text = fromUtf8(bytes);
  if (!codePattern.test(text)) throw new Refused('malformed code');
  return text;
}

export function decodeVerdictLeaf(raw: Uint8Array): VerdictLeafValue {
  const r = new Reader(raw);
  const what = r.u8();
  let out: VerdictLeafValue;
  if (what === 1) {
    const pos = position(r);
    const verdict = oneOf(verdictNames, r.u8(), 'verdict');
    const c = r.str8();
    // Accepted and flagged say it all; a refusal names its reason.
    const refusal = verdict === 'rejected' || verdict === 'duplicate';
    if (refusal !== c.length > 0) throw new Refused(`verdict ${verdict} ${refusal ? 'without' : 'with'} a code`);
    out = { leaf: 'verdict', pos, verdict, code: refusal ? code(c) : '' };
  } else if (what === 2) {
    out = {
      leaf: 'finding',
      pos: position(r),
      code: code(r.str8()),
      severity: oneOf(severities, r.u8(), 'severity'),
      count: r.u32(),
      subjects: r.hash(),
    };
  } else if (what === 3) {
    out = {
      leaf: 'amendment',
      pos: position(r),
      code: code(r.str8()),
      old: oneOf(states, r.u8(), 'state'),
      new: oneOf(states, r.u8(), 'state'),
      cause: position(r),
      count: r.u32(),
      subjects: r.hash(),
    };
  } else {
    throw new Refused(`verdict leaf of kind ${what}`);
  }
  r.done();
  return out;
}

/** The height of the block that holds a leaf: an amendment's is its cause's. */
export const leafHeight = (l: VerdictLeafValue): bigint => (l.leaf === 'amendment' ? l.cause.height : l.pos.height);

/** The leaf data of one subject of a finding. */
export const subjectLeaf = (network: Network, salt: Uint8Array, key: string): Uint8Array => H(network, 'subject', str8(salt), str16(key));

// Verification of a proof bundle in the order of docs/spec.md 12.4. A bundle comes from somebody who may lie: nothing in
// it is trusted but what a quorum of the genesis validators signed, and the first step that fails is named. ledger/proof
// is the same in Go; the vectors in ledger/testdata are shared.
import {
  decodeHeader,
  decodeVerdictLeaf,
  entryCount,
  entryLeaf,
  headerHash,
  kindSubmission,
  leafHeight,
  samePosition,
  subjectLeaf,
  wholeEntry,
  type Amendment,
  type Header,
  type Position,
  type Severity,
  type Verdict,
  type VerdictLeafValue,
  type VerdictName,
} from './block';
import { actItem, check as checkFormat, parseBundle, type Bundle, type KeySource, type ShownItem, type ShownSubmission } from './bundle';
import { equal, hex, maxI64, Refused, unhex } from './bytes';
import { fieldRoot, itemHash, listName, pathText, typeBytes, unitRoot } from './commit';
import { parseGenesis, type Genesis } from './genesis';
import { leafHash, type Hash } from './hash';
import { keyId, verify as verifySignature } from './keys';
import { rootFromProof } from './merkle';
import { checkCertificate, originOf, setHash, type Checkpoint } from './quorum';
import { steps, type StepName } from './steps';
import { decodeSubmissionHeader, type SubmissionHeader } from './submission';

/** What a check found, for whoever explains it: numbers and names, no sentences. */
export type Facts = Record<string, string | number>;

export interface Check {
  name: StepName;
  ok: boolean;
  facts: Facts;
  /** Why it failed, in the words of the verifier. */
  reason?: string;
}

export interface Remark {
  code: string;
  severity: Severity;
  count: number;
  subjects: string[];
}

/** One disclosed item with its verdict. */
export interface Step {
  position: Position;
  sequence: bigint;
  /** Hex of the header hash of its block. */
  block: string;
  /** Block time, ms. */
  time: bigint;
  /** Of the submission, by its submitter's clock, ms. */
  createdAt: bigint;
  party: string;
  kind: number;
  verdict: VerdictName;
  code: string;
  findings: Remark[];
  fields: { path: string; text: string; sealed: boolean }[];
  units: { key: string; list: string; form: string }[];
}

export interface Amended {
  amendment: Amendment;
  time: bigint;
  subjects: string[];
}

export interface Report {
  checkpoint: Checkpoint;
  signers: string[];
  steps: Step[];
  amendments: Amended[];
}

/** Every check that was made, in order; after one that fails there are none. The report is there if all hold. */
export type Result = { ok: true; checks: Check[]; report: Report } | { ok: false; checks: Check[]; failed: StepName; reason: string };

const kindPartyAct = 12;
// Fields of a party_act that register a key (proto/verilot/v1/item.proto).
const actPartyPath = 'field(1)';
const actKeyPath = (k: number, field: number) => `field(4)/index(${k})/field(${field})`;

interface VerifiedBlock {
  header: Header;
  leaves: VerdictLeafValue[];
  /** Shown subjects by position in the block's verdicts. */
  shown: Map<number, string[]>;
  subs: SubmissionHeader[];
}

function demandRoot(want: Hash, size: bigint, at: bigint[], leaves: Hash[], proof: Hash[]): void {
  if (!equal(rootFromProof(size, at, leaves, proof), want)) throw new Refused('the proof leads to another root');
}

function within<T>(where: string, f: () => T): T {
  try {
    return f();
  } catch (e) {
    if (e instanceof Refused) throw new Refused(`${where}: ${e.message}`);
    throw e;
  }
}

/** verifyFiles checks a bundle in either spelling against a genesis file. A genesis file that cannot be read throws Refused. */
export function verifyFiles(bundle: Uint8Array, genesisFile: Uint8Array): Result {
  return verifyBytes(bundle, parseGenesis(genesisFile));
}

/** verifyBytes is verifyFiles for a genesis file that was read before. */
export function verifyBytes(raw: Uint8Array, g: Genesis): Result {
  let b: Bundle;
  try {
    b = parseBundle(raw);
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    return {
      ok: false,
      checks: [{ name: 'format', ok: false, facts: { bytes: raw.length }, reason: e.message }],
      failed: 'format',
      reason: e.message,
    };
  }
  return verifyBundle(b, g);
}

/** verifyBundle checks a parsed bundle against a parsed genesis file. */
export function verifyBundle(b: Bundle, g: Genesis): Result {
  const v = new Verifier(b, g);
  const checks: Check[] = [];
  for (const name of steps) {
    try {
      checks.push({ name, ok: true, facts: v[name]() });
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      checks.push({ name, ok: false, facts: {}, reason: e.message });
      return { ok: false, checks, failed: name, reason: e.message };
    }
  }
  return { ok: true, checks, report: v.report() };
}

/** Verifier holds what earlier steps established for later ones. Its methods are the steps; each throws Refused. */
class Verifier {
  private at!: Checkpoint;
  private signers: string[] = [];
  private blocks: VerifiedBlock[] = [];
  private pubkeys: Uint8Array[] = [];
  private roots = new Map<ShownItem, { fields: Hash; units?: Hash }>();
  private found: Step[] = [];
  private amended: Amended[] = [];

  constructor(
    private readonly b: Bundle,
    private readonly g: Genesis,
  ) {}

  report(): Report {
    return { checkpoint: this.at, signers: this.signers, steps: this.found, amendments: this.amended };
  }

  format(): Facts {
    checkFormat(this.b);
    return { blocks: this.b.blocks.length };
  }

  genesis(): Facts {
    if (!equal(this.b.genesis, this.g.hash)) throw new Refused('the bundle is of another network');
    return { network: this.g.name, genesis: hex(this.g.hash) };
  }

  checkpoint(): Facts {
    const { b, g } = this;
    if (b.epoch !== g.epoch) throw new Refused(`epoch ${b.epoch}, the genesis file knows ${g.epoch}`);
    if (b.size < 2n || b.size > maxI64) throw new Refused(`size ${b.size}`); // block 0 is never cosigned alone
    this.at = { origin: originOf(g.name, g.hash, b.epoch), size: b.size, root: b.root };
    return { origin: this.at.origin, size: String(b.size), root: hex(b.root) };
  }

  certificate(): Facts {
    const set = this.g.validators;
    checkCertificate(set, this.at, this.b.certificate);
    this.signers = this.b.certificate.map((c) => set[c.validator].name);
    return { signers: this.signers.length, validators: set.length, names: this.signers.join(', ') };
  }

  header(): Facts {
    const { b, g } = this;
    const set = setHash(g.network, g.validators);
    let last = -1n;
    for (const block of b.blocks) {
      const h = decodeHeader(g.network, block.header);
      if (h.epoch !== b.epoch) throw new Refused(`block ${h.height} is of epoch ${h.epoch}`);
      if (!equal(h.validators, set) || !equal(h.nextValidators, set)) {
        throw new Refused(`block ${h.height} was made by, or announces, other validators than those of the genesis file`);
      }
      if (h.height >= b.size) throw new Refused(`block ${h.height} is not below the checkpoint's size ${b.size}`);
      if (last >= h.height) throw new Refused(`block ${h.height} is out of order or listed twice`);
      last = h.height;
      this.blocks.push({ header: h, leaves: [], shown: new Map(), subs: [] });
    }
    return { blocks: this.blocks.length, heights: this.blocks.map((x) => String(x.header.height)).join(', ') };
  }

  log(): Facts {
    demandRoot(
      this.b.root,
      this.b.size,
      this.blocks.map((x) => x.header.height),
      this.b.blocks.map((x) => headerHash(x.header)),
      this.b.logProof,
    );
    return { blocks: this.blocks.length, hashes: this.b.logProof.length };
  }

  entries(): Facts {
    let total = 0;
    this.blocks.forEach(({ header: h }, i) => {
      const subs = this.b.blocks[i].submissions;
      for (const s of subs) {
        if (entryCount(h) === 0n || s.sequence < h.firstSeq || s.sequence > h.lastSeq) {
          throw new Refused(`sequence ${s.sequence} is not in block ${h.height}`);
        }
      }
      const leaves = subs.map((s) => leafHash(entryLeaf(this.g.network, s.sequence, kindSubmission, s.header, s.signature)));
      within(`block ${h.height}`, () =>
        demandRoot(
          h.entriesRoot,
          entryCount(h),
          subs.map((s) => s.sequence - h.firstSeq),
          leaves,
          this.b.blocks[i].entriesProof,
        ),
      );
      total += subs.length;
    });
    return { submissions: total };
  }

  verdicts(): Facts {
    let total = 0;
    this.blocks.forEach((vb, i) => {
      const shown = this.b.blocks[i].verdicts;
      vb.leaves = shown.map((l) => {
        const leaf = decodeVerdictLeaf(l.leaf);
        if (leafHeight(leaf) !== vb.header.height) throw new Refused(`block ${vb.header.height} holds a leaf of block ${leafHeight(leaf)}`);
        return leaf;
      });
      within(`block ${vb.header.height}`, () =>
        demandRoot(
          vb.header.verdictsRoot,
          BigInt(vb.header.verdictLeaves),
          shown.map((l) => BigInt(l.index)),
          shown.map((l) => leafHash(l.leaf)),
          this.b.blocks[i].verdictsProof,
        ),
      );
      total += shown.length;
    });
    return { leaves: total };
  }

  subjects(): Facts {
    let total = 0;
    this.blocks.forEach((vb, i) => {
      for (const s of this.b.blocks[i].subjects) {
        const l = vb.leaves[s.leaf];
        if (l.leaf === 'verdict') throw new Refused(`block ${vb.header.height}: a verdict has no subjects`);
        within(`block ${vb.header.height}: subject ${s.key}`, () =>
          demandRoot(l.subjects, BigInt(l.count), [BigInt(s.index)], [leafHash(subjectLeaf(this.g.network, s.salt, s.key))], s.proof),
        );
        vb.shown.set(s.leaf, [...(vb.shown.get(s.leaf) ?? []), s.key]);
        total++;
      }
    });
    return { subjects: total };
  }

  /** key finds the public key of every submission and checks that its party may use it. */
  key(): Facts {
    const owners = this.b.keys.map((k, i) => {
      const o = within(`key ${i}`, () => this.owner(k));
      if (o.use !== 'event' && o.use !== 'authority') throw new Refused(`key ${i} is for ${JSON.stringify(o.use)}, not for submissions`);
      return o;
    });
    this.pubkeys = owners.map((o) => o.pub);
    this.blocks.forEach((vb, i) => {
      this.b.blocks[i].submissions.forEach((s, at) => {
        within(`sequence ${s.sequence}`, () => {
          const h = decodeSubmissionHeader(this.g.network, s.header);
          const o = owners[s.key];
          if (h.epoch !== this.b.epoch) throw new Refused(`epoch ${h.epoch}`);
          if (h.party !== o.party) throw new Refused(`submitted as ${h.party}, the key is ${o.party}'s`);
          if (!equal(h.keyId, keyId(o.use, o.pub))) throw new Refused('signed with another key');
          const k = this.b.keys[s.key];
          if (k.source === 'act' && (k.block > i || (k.block === i && k.submission >= at)))
            throw new Refused('the key was registered later');
          vb.subs.push(h);
        });
      });
    });
    return { keys: owners.length, parties: [...new Set(owners.map((o) => o.party))].join(', ') };
  }

  private owner(k: KeySource): { party: string; use: string; pub: Uint8Array } {
    if (k.source === 'genesis') {
      const party = this.g.parties[k.party];
      const key = party?.keys[k.key];
      if (!key) throw new Refused('not in the genesis file');
      return { party: party.id, use: key.use, pub: key.publicKey };
    }
    if (k.source === 'authority') {
      const a = this.g.authorities[k.index];
      if (!a) throw new Refused('not in the genesis file');
      return { party: a.party, use: 'authority', pub: a.key };
    }
    return this.registered(k);
  }

  /** registered reads a key out of the fields of a shown party_act. That the fields are the act's is for later steps to say. */
  private registered(k: KeySource & { source: 'act' }): { party: string; use: string; pub: Uint8Array } {
    const it = actItem(this.b, k)!; // the format step has seen to it
    const s = this.b.blocks[k.block].submissions[k.submission];
    if (it.kind !== kindPartyAct) throw new Refused(`an item of kind ${it.kind} registers no key`);
    if (this.b.keys[s.key].source !== 'authority') throw new Refused('the party_act is not signed by an authority key of the genesis file');
    const verdict = this.verdictOf(k.block, s.sequence, it.index)?.verdict;
    if (verdict !== 'accepted' && verdict !== 'flagged') throw new Refused('the party_act has no verdict here that lets it count');
    let party = '';
    let use = '';
    let pub: Uint8Array | undefined;
    for (const f of it.fields) {
      const path = wellFormed(f.path);
      if (path === actPartyPath) party = f.text;
      else if (path === actKeyPath(k.key, 1) && f.type === typeBytes) pub = key32(f.text);
      else if (path === actKeyPath(k.key, 2)) use = f.text;
    }
    if (party === '' || use === '' || !pub) throw new Refused('the party_act does not show party, key and use');
    return { party, use, pub };
  }

  signature(): Facts {
    let total = 0;
    for (const block of this.b.blocks) {
      for (const s of block.submissions) {
        if (!verifySignature(this.pubkeys[s.key], s.header, s.signature))
          throw new Refused(`the signature of sequence ${s.sequence} does not verify`);
        total++;
      }
    }
    return { signatures: total };
  }

  private eachItem(f: (block: number, at: number, s: ShownSubmission, it: ShownItem) => void): void {
    this.b.blocks.forEach((block, i) => {
      block.submissions.forEach((s, at) => {
        for (const it of s.items) within(`sequence ${s.sequence}, item ${it.index}`, () => f(i, at, s, it));
      });
    });
  }

  fields(): Facts {
    let shown = 0;
    this.eachItem((_i, _at, _s, it) => {
      shown += it.fields.length;
      this.roots.set(it, { fields: fieldRoot(this.g.network, it) });
    });
    return { fields: shown };
  }

  units(): Facts {
    let shown = 0;
    this.eachItem((_i, _at, _s, it) => {
      shown += it.units.length;
      this.roots.get(it)!.units = unitRoot(it);
    });
    return { units: shown };
  }

  items(): Facts {
    let total = 0;
    this.blocks.forEach((vb, i) => {
      this.b.blocks[i].submissions.forEach((s, at) => {
        const leaves = s.items.map((it) => {
          const r = this.roots.get(it)!;
          return leafHash(itemHash(this.g.network, it.kind, r.fields, r.units!));
        });
        const h = vb.subs[at];
        within(`sequence ${s.sequence}`, () =>
          demandRoot(
            h.itemsRoot,
            BigInt(h.itemCount),
            s.items.map((it) => BigInt(it.index)),
            leaves,
            s.itemsProof,
          ),
        );
        total += leaves.length;
      });
    });
    return { items: total };
  }

  /** verdictOf finds the shown verdict of an item, or else of its whole entry. */
  private verdictOf(i: number, seq: bigint, item: number): Verdict | undefined {
    const vb = this.blocks[i];
    let whole: Verdict | undefined;
    for (const l of vb.leaves) {
      if (l.leaf !== 'verdict' || BigInt(l.pos.entry) !== seq - vb.header.firstSeq) continue;
      if (l.pos.item === item) return l;
      if (l.pos.item === wholeEntry) whole = l;
    }
    return whole;
  }

  verdict(): Facts {
    this.eachItem((i, at, s, it) => {
      const vb = this.blocks[i];
      const verdict = this.verdictOf(i, s.sequence, it.index);
      if (!verdict) throw new Refused('its verdict is not shown');
      const position = { height: vb.header.height, entry: Number(s.sequence - vb.header.firstSeq), item: it.index };
      const findings: Remark[] = [];
      vb.leaves.forEach((l, k) => {
        if (l.leaf === 'finding' && samePosition(l.pos, position)) {
          findings.push({ code: l.code, severity: l.severity, count: l.count, subjects: vb.shown.get(k) ?? [] });
        }
      });
      this.found.push({
        position,
        sequence: s.sequence,
        block: hex(headerHash(this.b.blocks[i].header)),
        time: vb.header.time,
        createdAt: vb.subs[at].createdAt,
        party: vb.subs[at].party,
        kind: it.kind,
        verdict: verdict.verdict,
        code: verdict.code,
        findings,
        fields: it.fields.map((f) => ({ path: pathText(f.path), text: f.text, sealed: f.salt.length === 32 })),
        units: it.units.map((u) => ({ key: u.key, list: listName(u.list), form: u.form })),
      });
    });
    for (const vb of this.blocks) {
      vb.leaves.forEach((l, k) => {
        if (l.leaf === 'amendment') this.amended.push({ amendment: l, time: vb.header.time, subjects: vb.shown.get(k) ?? [] });
      });
    }
    return { items: this.found.length };
  }
}

/** The text of a path, or "" of one that is malformed: the fields step refuses it in its turn. */
function wellFormed(path: Uint8Array): string {
  try {
    return pathText(path);
  } catch (e) {
    if (e instanceof Refused) return '';
    throw e;
  }
}

function key32(text: string): Uint8Array | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? unhex(text) : undefined;
}

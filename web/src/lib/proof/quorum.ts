// Validator sets, checkpoints and certificates (docs/spec.md section 8; C2SP tlog-checkpoint, cosignature/v1).
import { base64, concat, equal, hex, maxI64, Reader, Refused, str8, u32, utf8 } from './bytes';
import { H, sha256, type Hash, type Network } from './hash';
import { verifyStrict } from './keys';

export interface Validator {
  name: string;
  party: string;
  voteKey: Uint8Array;
  cosignKey: Uint8Array;
}

export interface Cosignature {
  validator: number;
  time: bigint;
  signature: Uint8Array;
}

export interface Checkpoint {
  origin: string;
  size: bigint;
  root: Hash;
}

/** Who must sign: floor(2n/3) + 1. */
export const quorumOf = (n: number): number => Math.floor((2 * n) / 3) + 1;

export const originOf = (network: string, genesis: Hash, epoch: number): string =>
  `verilot/${network}/${hex(genesis.slice(0, 4))}/${epoch}`;

export const checkpointText = (c: Checkpoint): string => `${c.origin}\n${c.size}\n${base64(c.root)}\n`;

/** What a cosignature at a time signs. */
export const cosignedMessage = (c: Checkpoint, time: bigint): Uint8Array => utf8(`cosignature/v1\ntime ${time}\n${checkpointText(c)}`);

/** The set hash of 8.3. */
export const setHash = (network: Network, set: Validator[]): Hash =>
  H(network, 'validators', u32(set.length), ...set.map((v) => concat(str8(v.name), str8(v.party), v.voteKey, v.cosignKey)));

/** The key hash in a note line: the first four bytes of SHA-256(name || 0x0A || 0x04 || public key). */
export const noteKeyHash = (v: Validator): Uint8Array => sha256(utf8(v.name), Uint8Array.of(0x0a, 0x04), v.cosignKey).slice(0, 4);

export function readCertificate(r: Reader): Cosignature[] {
  return r.list(r.u16(), 74, (x) => {
    const c = { validator: x.u16(), time: x.u64(), signature: x.bytes(64) };
    if (c.time > maxI64) throw new Refused('time of a cosignature is out of range');
    return c;
  });
}

/** checkCertificate holds if cert is exactly a quorum of the set, ascending, every signature good. */
export function checkCertificate(set: Validator[], c: Checkpoint, cert: Cosignature[]): void {
  const need = quorumOf(set.length);
  if (cert.length !== need) throw new Refused(`${cert.length} cosignatures, want exactly ${need}`);
  cert.forEach((cs, i) => {
    if (i > 0 && cs.validator <= cert[i - 1].validator) throw new Refused('cosignatures are not in ascending validator order');
    const v = set[cs.validator];
    if (v === undefined) throw new Refused(`cosignature of validator ${cs.validator} of ${set.length}`);
    if (cs.time > maxI64 || !verifyStrict(v.cosignKey, cosignedMessage(c, cs.time), cs.signature)) {
      throw new Refused(`cosignature of ${v.name} does not verify`);
    }
  });
}

const nameTrouble = /[+\p{White_Space}\p{Cc}]/u;

/** checkSet is 8.3: one organisation one vote, and no key in two places. */
export function checkSet(set: Validator[], checkKey: (k: Uint8Array) => void): void {
  const n = set.length;
  if ((n !== 1 && n < 4) || n > 256) throw new Refused(`${n} validators, want 1 or 4 to 256`);
  const seen = new Set<string>();
  const once = (what: string, value: string) => {
    if (seen.has(what + value)) throw new Refused(`${what} occurs twice among the validators`);
    seen.add(what + value);
  };
  for (const v of set) {
    if (v.name === '' || utf8(v.name).length > 255 || nameTrouble.test(v.name))
      throw new Refused(`validator name ${JSON.stringify(v.name)} is not a note key name`);
    if (v.party === '' || v.party.length > 255) throw new Refused('bad party of a validator');
    once('name ', v.name);
    once('party ', v.party);
    for (const k of [v.voteKey, v.cosignKey]) {
      checkKey(k);
      once('key ', hex(k));
    }
  }
}

export const sameCheckpoint = (a: Checkpoint, b: Checkpoint): boolean =>
  a.origin === b.origin && a.size === b.size && equal(a.root, b.root);

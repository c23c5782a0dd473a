// Ed25519 keys and the ledger's two rules of verification (docs/spec.md section 1). The curve is @noble/curves.
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concat, equal, Refused, str8 } from './bytes';
import { sha256, type Hash } from './hash';

const { Point } = ed25519;
const order = Point.Fn.ORDER;

export type KeyUse = 'event' | 'vote' | 'cosign' | 'authority';
export const keyUses: readonly string[] = ['event', 'vote', 'cosign', 'authority'];

/** The key id. The network is not in it: a key keeps its id across networks. */
export const keyId = (use: string, key: Uint8Array): Hash => sha256(str8('verilot/key/' + use), key);

/** checkKey refuses what may not be registered: no point, a point of small order, or a second encoding of one. */
export function checkKey(key: Uint8Array): void {
  if (key.length !== 32) throw new Refused(`public key is not 32 bytes but ${key.length}`);
  let point;
  try {
    point = Point.fromBytes(key, true);
  } catch {
    throw new Refused('public key is no point of the curve');
  }
  // The order comes first: small-order points have second encodings too, and the better reason is the danger.
  if (point.isSmallOrder()) throw new Refused('public key has small order: anyone can sign for it');
  if (!equal(point.toBytes(), key)) throw new Refused('public key is not in its one canonical encoding');
}

/** verify is ZIP-215, the rule for submissions: single and batch verification agree on every input. */
export function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 32 || signature.length !== 64) return false;
  try {
    return ed25519.verify(signature, message, key, { zip215: true });
  } catch {
    return false;
  }
}

const littleEndian = (b: Uint8Array): bigint => b.reduceRight((n, x) => (n << 8n) | BigInt(x), 0n);

/**
 * verifyStrict accepts what both ZIP-215 and Go's crypto/ed25519 accept: the rule for votes and cosignatures.
 * Go recomputes R = S·B - k·A and compares its bytes, which no option of noble does: noble's RFC 8032 mode multiplies
 * by the cofactor, and so takes signatures whose R has a component of small order.
 */
export function verifyStrict(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!verify(key, message, signature)) return false;
  const r = signature.slice(0, 32);
  const k = littleEndian(sha512(concat(r, key, message))) % order;
  const s = littleEndian(signature.slice(32)); // below the order: ZIP-215 has seen to it
  const again = Point.BASE.multiplyUnsafe(s).subtract(Point.fromBytes(key, true).multiplyUnsafe(k));
  return equal(again.toBytes(), r);
}

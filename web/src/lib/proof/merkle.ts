// RFC 6962 trees and the multi-proofs of docs/spec.md 12.1. A proof comes from a stranger: sizes up to 2^64-1 cost at
// most 64 steps for each shown leaf, and nothing is allocated by size. Sizes and indexes are bigint: shifting a
// JavaScript number wraps at 32 bits.
import { Refused } from './bytes';
import { emptyRoot, nodeHash, type Hash } from './hash';

/** MTH over leaf hashes. */
export function root(leaves: Hash[]): Hash {
  if (leaves.length === 0) return emptyRoot;
  let level = leaves;
  while (level.length > 1) {
    const next: Hash[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) next.push(nodeHash(level[i], level[i + 1]));
    if (level.length % 2 === 1) next.push(level[level.length - 1]); // an odd last node moves up as it is
    level = next;
  }
  return level[0];
}

/** The largest power of two below n, for n > 1. */
function split(n: bigint): bigint {
  return 1n << BigInt((n - 1n).toString(2).length - 1);
}

/**
 * rootFromProof recomputes the root of a tree of size leaves from the leaf hashes at ascending indexes.
 * It consumes the whole proof or refuses it.
 */
export function rootFromProof(size: bigint, indexes: bigint[], leaves: Hash[], proof: Hash[]): Hash {
  if (indexes.length !== leaves.length) throw new Refused(`${indexes.length} indexes for ${leaves.length} leaves`);
  indexes.forEach((x, i) => {
    if (x >= size) throw new Refused(`leaf ${x} in a tree of ${size}`);
    if (i > 0 && indexes[i - 1] >= x) throw new Refused(`leaf ${x} after leaf ${indexes[i - 1]}`);
  });
  let used = 0;
  // The wanted indexes in [lo, lo+n) are those from `from` up to `to`. Only subtrees with one of them are entered.
  const walk = (lo: bigint, n: bigint, from: number, to: number): Hash => {
    if (from === to) {
      if (used === proof.length) throw new Refused('the proof ends early');
      return proof[used++];
    }
    if (n === 1n) return leaves[from];
    const k = split(n);
    let mid = from;
    while (mid < to && indexes[mid] < lo + k) mid++;
    const left = walk(lo, k, from, mid);
    return nodeHash(left, walk(lo + k, n - k, mid, to));
  };
  const out = size > 0n ? walk(0n, size, 0, indexes.length) : emptyRoot;
  if (used !== proof.length) throw new Refused(`the proof has ${proof.length - used} hashes too many`);
  return out;
}

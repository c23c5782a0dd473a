// The signed header of a submission (docs/spec.md 5.1).
import { equal, Reader, Refused } from './bytes';
import { tag, type Hash, type Network } from './hash';

export interface SubmissionHeader {
  epoch: number;
  party: string;
  keyId: Hash;
  counter: bigint;
  id: Uint8Array;
  createdAt: bigint;
  itemCount: number;
  itemsRoot: Hash;
  bodyHash: Hash;
  onError: 'rollback' | 'proceed';
  groupId: Uint8Array;
  groupIndex: number;
  groupCount: number;
}

export const partyPattern = /^[a-z0-9][a-z0-9-]{0,31}$/;
const latin = (b: Uint8Array) => String.fromCharCode(...b);

/** decodeSubmissionHeader reads a header without rest. */
export function decodeSubmissionHeader(network: Network, raw: Uint8Array): SubmissionHeader {
  const r = new Reader(raw);
  const want = tag(network, 'submission');
  if (!equal(r.bytes(want.length), want)) throw new Refused('not a submission header of this network');
  const h: SubmissionHeader = {
    epoch: r.u32(),
    party: latin(r.str8()),
    keyId: r.hash(),
    counter: r.u64(),
    id: r.bytes(16),
    createdAt: r.i64(),
    itemCount: r.u16(),
    itemsRoot: r.hash(),
    bodyHash: r.hash(),
    onError: onError(r.u8()),
    groupId: r.bytes(16),
    groupIndex: r.u16(),
    groupCount: r.u16(),
  };
  r.done();
  const grouped = h.groupId.some((b) => b !== 0);
  if (!partyPattern.test(h.party)) throw new Refused('party is not a party id');
  if (h.counter === 0n) throw new Refused('counters start at 1');
  if (h.id[6] >> 4 !== 7 || h.id[8] >> 6 !== 2) throw new Refused('submission id is not a UUIDv7');
  if (h.itemCount === 0) throw new Refused('no items');
  if (!grouped && (h.groupIndex !== 0 || h.groupCount !== 0)) throw new Refused('a place in no group');
  if (grouped && h.groupIndex >= h.groupCount) throw new Refused(`part ${h.groupIndex} of a group of ${h.groupCount}, counting from 0`);
  if (h.onError === 'rollback' && h.groupCount > 1) throw new Refused('rollback in a group of several');
  return h;
}

function onError(n: number): 'rollback' | 'proceed' {
  if (n === 1) return 'rollback';
  if (n === 2) return 'proceed';
  throw new Refused(`on_error ${n}`);
}

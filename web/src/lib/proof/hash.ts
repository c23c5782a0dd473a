// Hashes and tags of docs/spec.md section 1.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { concat, str8, utf8 } from './bytes';

/** A SHA-256 hash: 32 bytes. */
export type Hash = Uint8Array;
/** The first 16 bytes of the genesis hash. */
export type Network = Uint8Array;

export const sha256 = (...parts: Uint8Array[]): Hash => nobleSha256(parts.length === 1 ? parts[0] : concat(...parts));

/** tag(purpose) = str8("verilot/" || purpose) || u8 format || u8 version || network. */
export const tag = (network: Network, purpose: string): Uint8Array => concat(str8('verilot/' + purpose), Uint8Array.of(1, 1), network);

/** H(purpose, parts…) = SHA-256(tag(purpose) || parts…). */
export const H = (network: Network, purpose: string, ...parts: Uint8Array[]): Hash => sha256(tag(network, purpose), ...parts);

const leafMark = Uint8Array.of(0);
const nodeMark = Uint8Array.of(1);
export const leafHash = (data: Uint8Array): Hash => sha256(leafMark, data);
export const nodeHash = (left: Hash, right: Hash): Hash => sha256(nodeMark, left, right);
/** MTH({}), the root of a tree without leaves. */
export const emptyRoot: Hash = sha256(utf8(''));

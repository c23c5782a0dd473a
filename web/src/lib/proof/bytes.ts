// The byte language of docs/spec.md section 1: fixed-width big-endian integers and length-prefixed strings.
// 64-bit integers are bigint everywhere: a JavaScript number is exact to 53 bits only.

/** What a parser or a check throws when it does not accept something. The message is for people who look closely. */
export class Refused extends Error {
  override name = 'Refused';
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** utf8Length is the length in bytes; the common short text is not encoded to find out that it is short. */
export const utf8AtMost = (text: string, limit: number): boolean =>
  text.length * 3 <= limit || (text.length <= limit && utf8(text).length <= limit);

/** fromUtf8 refuses what is not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Refused('text is not UTF-8');
  }
}

/** Half of a surrogate pair has no UTF-8: such a string cannot have been in the file. */
export const isText = (s: string): boolean => !/\p{Cs}/u.test(s);

export function concat(...parts: Uint8Array[]): Uint8Array {
  let size = 0;
  for (const p of parts) size += p.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** compare orders by bytes, a prefix first. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

const hexDigits = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

export function hex(bytes: Uint8Array): string {
  let out = '';
  for (const b of bytes) out += hexDigits[b];
  return out;
}

/** unhex reads lower-case hex alone: one text, one meaning. */
export function unhex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new Refused('not lower-case hex');
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const sextets = new Map([...alphabet].map((c, i) => [c.charCodeAt(0), i]));

/** Standard base64 with padding. */
export function base64(bytes: Uint8Array): string {
  const out: string[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const v = (bytes[i] << 16) | ((left > 1 ? bytes[i + 1] : 0) << 8) | (left > 2 ? bytes[i + 2] : 0);
    out.push(
      alphabet[v >> 18] + alphabet[(v >> 12) & 63] + (left > 1 ? alphabet[(v >> 6) & 63] : '=') + (left > 2 ? alphabet[v & 63] : '='),
    );
  }
  return out.join('');
}

/** unbase64 reads exactly what base64 wrote: padded, and with idle bits zero. */
export function unbase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) throw new Refused('base64 without its padding');
  const pad = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const out = new Uint8Array((text.length / 4) * 3 - pad);
  let at = 0;
  for (let i = 0; i < text.length; i += 4) {
    const here = i + 4 === text.length ? 4 - pad : 4;
    let v = 0;
    for (let k = 0; k < 4; k++) {
      const six = k < here ? sextets.get(text.charCodeAt(i + k)) : 0;
      if (six === undefined) throw new Refused('a character that is not base64');
      v = (v << 6) | six;
    }
    if ((here === 2 && (v & 0xffff) !== 0) || (here === 3 && (v & 0xff) !== 0)) throw new Refused('base64 with idle bits set');
    for (let k = 0; k < here - 1; k++) out[at++] = (v >> (16 - 8 * k)) & 0xff;
  }
  return out;
}

export const u8 = (v: number): Uint8Array => Uint8Array.of(v);
export const u16 = (v: number): Uint8Array => Uint8Array.of(v >>> 8, v & 0xff);
export const u32 = (v: number): Uint8Array => Uint8Array.of(v >>> 24, (v >>> 16) & 0xff, (v >>> 8) & 0xff, v & 0xff);
export function u64(v: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, v);
  return out;
}

const asBytes = (x: Uint8Array | string) => (typeof x === 'string' ? utf8(x) : x);

function str(x: Uint8Array | string, width: (n: number) => Uint8Array, limit: number): Uint8Array {
  const b = asBytes(x);
  if (b.length > limit) throw new Refused('too long for its length field');
  return concat(width(b.length), b);
}
export const str8 = (x: Uint8Array | string): Uint8Array => str(x, u8, 0xff);
export const str16 = (x: Uint8Array | string): Uint8Array => str(x, u16, 0xffff);
export const str32 = (x: Uint8Array | string): Uint8Array => str(x, u32, 0xffffffff);

export const maxU64 = 0xffff_ffff_ffff_ffffn;
/** Times and sizes stay below 2^63. */
export const maxI64 = 0x7fff_ffff_ffff_ffffn;

/** Reader takes values off the front and throws where the input ends early; done refuses what is left over. */
export class Reader {
  private at = 0;
  private readonly view: DataView;
  constructor(private readonly b: Uint8Array) {
    this.view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  }
  get left(): number {
    return this.b.length - this.at;
  }
  get offset(): number {
    return this.at;
  }
  private step(n: number): number {
    if (n > this.left) throw new Refused('input ends early');
    const at = this.at;
    this.at += n;
    return at;
  }
  bytes(n: number): Uint8Array {
    const at = this.step(n);
    return this.b.slice(at, at + n);
  }
  u8(): number {
    return this.view.getUint8(this.step(1));
  }
  u16(): number {
    return this.view.getUint16(this.step(2));
  }
  u32(): number {
    return this.view.getUint32(this.step(4));
  }
  u64(): bigint {
    return this.view.getBigUint64(this.step(8));
  }
  i64(): bigint {
    return this.view.getBigInt64(this.step(8));
  }
  hash(): Uint8Array {
    return this.bytes(32);
  }
  str8(): Uint8Array {
    return this.bytes(this.u8());
  }
  str16(): Uint8Array {
    return this.bytes(this.u16());
  }
  str32(): Uint8Array {
    return this.bytes(this.u32());
  }
  done(): void {
    if (this.left !== 0) throw new Refused('trailing bytes');
  }
  /** list reads count elements of at least size bytes each: nothing is allocated that the input could not fill. */
  list<T>(count: number, size: number, read: (r: Reader) => T): T[] {
    if (count > Math.floor(this.left / size)) throw new Refused('input ends early');
    const out: T[] = [];
    for (let i = 0; i < count; i++) out.push(read(this));
    return out;
  }
}

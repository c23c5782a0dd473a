// The genesis file (docs/spec.md section 2): what everybody trusts. Its exact bytes are hashed, so one spelling of its
// content is accepted, white space between tokens apart.
import { BadIdentifier, checkGLN, placeKey } from '../gs1/key';
import { equal, fromUtf8, hex, isText, Refused, unhex, utf8 } from './bytes';
import { sha256, type Hash, type Network } from './hash';
import * as j from './json';
import { checkKey, keyUses } from './keys';
import { checkSet, originOf, type Validator } from './quorum';
import { partyPattern } from './submission';

export interface PartyKey {
  publicKey: Uint8Array;
  use: string;
}
export interface Party {
  id: string;
  name: string;
  roles: string[];
  glns: string[];
  keys: PartyKey[];
}
export interface Genesis {
  hash: Hash;
  network: Network;
  name: string;
  origin: string;
  development: boolean;
  createdAt: number;
  epoch: number;
  validators: Validator[];
  authorities: { party: string; key: Uint8Array }[];
  parties: Party[];
}

const format = 'verilot/genesis/v1';
const maxFile = 64 << 20;
const roles = ['manufacturer', 'repackager', 'distributor', '3pl', 'dispenser', 'regulator', 'validator', 'authority'];

const pick = <K extends string>(o: j.Json, ...names: K[]): Record<K, string> =>
  Object.fromEntries(names.map((n) => [n, j.text(o[n], n)])) as Record<K, string>;

/** normal rebuilds the file's content with its members in order; what it leaves out or adds shows in the comparison. */
function normal(v: unknown) {
  const f = j.object(v, 'the file');
  if (typeof f.development !== 'boolean') throw new Refused('development is not true or false');
  return {
    format: j.text(f.format, 'format'),
    network: j.text(f.network, 'network'),
    development: f.development,
    createdAt: j.text(f.createdAt, 'createdAt'),
    epoch: j.uint(f.epoch, 'epoch', 0xffffffff),
    rulesVersion: j.uint(f.rulesVersion, 'rulesVersion', 0xffffffff),
    stateRootKind: j.uint(f.stateRootKind, 'stateRootKind', 0xff),
    verdictKey: j.text(f.verdictKey, 'verdictKey'),
    graceSeconds: j.uint(f.graceSeconds, 'graceSeconds', Number.MAX_SAFE_INTEGER),
    validators: j.list(f.validators, 'validators', (x) => pick(j.object(x, 'validator'), 'name', 'party', 'voteKey', 'cosignKey')),
    authorities: j.list(f.authorities, 'authorities', (x) => pick(j.object(x, 'authority'), 'party', 'key')),
    parties: j.list(f.parties, 'parties', (x) => {
      const p = j.object(x, 'party');
      const texts = (name: string) => j.list(p[name], name, (t) => j.text(t, name));
      return {
        ...pick(p, 'id', 'name'),
        roles: texts('roles'),
        keys: j.list(p.keys, 'keys', (k) => pick(j.object(k, 'key'), 'publicKey', 'use')),
        glns: texts('glns'),
        prefixes: texts('prefixes'),
        licences: j.list(p.licences, 'licences', (l) =>
          pick(j.object(l, 'licence'), 'number', 'kind', 'jurisdiction', 'validFrom', 'validTo'),
        ),
        places: j.list(p.places, 'places', (l) =>
          pick(j.object(l, 'place'), 'id', 'name', 'streetOne', 'streetTwo', 'city', 'state', 'postalCode', 'country'),
        ),
      };
    }),
  };
}

const bytes32 = (s: string): Uint8Array => {
  const b = unhex(s);
  if (b.length !== 32) throw new Refused('not 32 bytes');
  return b;
};

/** parseGenesis reads a genesis file strictly; it throws Refused. */
export function parseGenesis(raw: Uint8Array): Genesis {
  if (raw.length > maxFile) throw new Refused('the file is too large');
  const source = fromUtf8(raw);
  const f = normal(j.parse(source));
  const again = j.canonical(f);
  if (again !== j.compact(source) || !isText(again)) throw new Refused('members missing, repeated, out of order or oddly spelled');
  if (f.format !== format) throw new Refused(`format ${f.format}, want ${format}`);
  if (!/^[a-z0-9][a-z0-9.-]{0,62}$/.test(f.network)) throw new Refused('the network name is malformed');
  if (f.epoch !== 1 || f.rulesVersion !== 1 || f.stateRootKind !== 1) throw new Refused('epoch, rulesVersion and stateRootKind must be 1');
  if (f.graceSeconds < 1 || f.graceSeconds > 31622400) throw new Refused('graceSeconds out of range');
  bytes32(f.verdictKey);

  const c = new Checker();
  for (const p of f.parties) {
    try {
      c.party(p);
    } catch (e) {
      if (e instanceof Refused || e instanceof BadIdentifier) throw new Refused(`party ${p.id}: ${e.message}`);
      throw e;
    }
  }
  const authorities = f.authorities.map((a) => {
    const key = c.key(a.key);
    c.has(a.party, 'authority');
    return { party: a.party, key };
  });
  const validators = f.validators.map((v) => {
    const [voteKey, cosignKey] = [c.key(v.voteKey), c.key(v.cosignKey)];
    c.has(v.party, 'validator');
    return { name: v.name, party: v.party, voteKey, cosignKey };
  });
  checkSet(validators, checkKey);

  const hash = sha256(utf8(format + '\n'), raw);
  return {
    hash,
    network: hash.slice(0, 16),
    name: f.network,
    origin: originOf(f.network, hash, f.epoch),
    development: f.development,
    createdAt: instant(f.createdAt),
    epoch: f.epoch,
    validators,
    authorities,
    parties: f.parties.map((p) => ({
      id: p.id,
      name: p.name,
      roles: p.roles,
      glns: p.glns,
      keys: p.keys.map((k) => ({ publicKey: unhex(k.publicKey), use: k.use })),
    })),
  };
}

/** instant reads RFC 3339 in UTC with as many digits of a second as are not zero. */
function instant(s: string): number {
  const m = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{0,2}[1-9]))?Z$/.exec(s);
  const at = m ? Date.parse(s) : NaN;
  if (!m || Number.isNaN(at) || at < 0 || new Date(at).toISOString().slice(0, 19) !== m[1]) {
    throw new Refused('createdAt is not RFC 3339 in UTC, in milliseconds at most');
  }
  return at;
}

/** day reads a date that may be left open. */
function day(s: string): string {
  if (s === '') return '';
  const at = /^\d{4}-\d\d-\d\d$/.test(s) ? Date.parse(s + 'T00:00:00Z') : NaN;
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== s) throw new Refused(`${s} is not a date`);
  return s;
}

type FileParty = ReturnType<typeof normal>['parties'][number];

/** Checker refuses what occurs twice in a file: a key in two places would let one signature count as two people's. */
class Checker {
  private seen = new Set<string>();
  private roles = new Map<string, string[]>();

  private once(what: string, value: string): void {
    const id = `${what} ${value}`;
    if (this.seen.has(id)) throw new Refused(`${id} occurs twice`);
    this.seen.add(id);
  }

  key(s: string): Uint8Array {
    const k = bytes32(s);
    checkKey(k);
    this.once('key', s);
    return k;
  }

  has(id: string, role: string): void {
    if (!this.roles.get(id)?.includes(role)) throw new Refused(`${id} is not a party with the role ${role}`);
  }

  party(p: FileParty): void {
    if (!partyPattern.test(p.id)) throw new Refused('the id is malformed');
    if (this.roles.has(p.id)) throw new Refused('the id occurs twice');
    this.roles.set(p.id, p.roles);
    if (p.name.trim() === '') throw new Refused('the name is missing');
    if (p.roles.length === 0) throw new Refused('roles are missing');
    p.roles.forEach((r, i) => {
      if (!roles.includes(r) || p.roles.indexOf(r) !== i) throw new Refused(`role ${r} is unknown or occurs twice`);
    });
    for (const k of p.keys) {
      this.key(k.publicKey);
      if (!keyUses.includes(k.use)) throw new Refused(`key use ${k.use}`);
    }
    for (const g of p.glns) {
      checkGLN(g);
      this.once('gln', g);
    }
    for (const x of p.prefixes) {
      if (!/^[0-9]{6,12}$/.test(x)) throw new Refused(`company prefix ${x} is not 6 to 12 digits`);
      this.once('prefix', x);
    }
    for (const l of p.licences) {
      const [from, to] = [day(l.validFrom), day(l.validTo)];
      if (l.number === '' || l.kind === '' || (to !== '' && to < from))
        throw new Refused('a licence lacks a number or kind, or ends before it begins');
    }
    for (const l of p.places) this.once('place', placeKey(l.id));
  }
}

export const sameNetwork = (g: Genesis, genesisHash: Hash): boolean => equal(g.hash, genesisHash);
export const genesisId = (g: Genesis): string => hex(g.hash.slice(0, 4));

// Key texts of docs/spec.md section 3: one text per object, however it was written. This is epcis/gs1's ParseKey and
// ParseEPC, no more: scans are read by the service. A URI that tries to be a GS1 identifier and fails is refused: a
// mistyped number must not become a second identity.

/** What a refused identifier throws. */
export class BadIdentifier extends Error {
  override name = 'BadIdentifier';
}
const bad = (why: string): never => {
  throw new BadIdentifier(why);
};

export type KeyKind =
  | 'sgtin'
  | 'gtin'
  | 'lgtin'
  | 'upui'
  | 'sscc'
  | 'sgln'
  | 'pgln'
  | 'grai'
  | 'giai'
  | 'gsrn'
  | 'gsrnp'
  | 'gdti'
  | 'sgcn'
  | 'cpi'
  | 'ginc'
  | 'gsin'
  | 'itip'
  | 'uri';

/** A key taken apart: id is the number with its check digit, tail the serial, lot or extension. */
export interface Parts {
  kind: KeyKind;
  id: string;
  tail: string;
}

const isDigits = (s: string) => /^[0-9]+$/.test(s);
const charset = (members: string) => new Set(members);
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const lower = upper.toLowerCase();
const cset82 = charset(`!"%&'()*+,-./0123456789:;<=>?${upper}_${lower}`);
const cset39 = charset(`#-/0123456789${upper}`);
const urnRaw = charset(`!'()*+,-.0123456789:;=${upper}_${lower}`);
const linkRaw = charset(`!$&'()*+,-.0123456789:;=@${upper}_${lower}~`);
const uriChars = charset(`!#$&'()*+,-./0123456789:;=?@${upper}[]_${lower}~%`);

/** The GS1 modulo-10 check digit of a number given without it. */
export function checkDigit(digits: string): string {
  let sum = 0;
  let weight = 3;
  for (let i = digits.length - 1; i >= 0; i--) {
    sum += Number(digits[i]) * weight;
    weight = 4 - weight;
  }
  return String((10 - (sum % 10)) % 10);
}

function number(name: string, s: string, n: number): void {
  if (s.length !== n || !isDigits(s)) bad(`${name} must have ${n} digits`);
  if (checkDigit(s.slice(0, -1)) !== s[n - 1]) bad(`${name} fails its check digit`);
}

function text(name: string, s: string, limit: number, allowed = cset82): void {
  if (s === '') bad(`${name} is empty`);
  if (s.length > limit) bad(`${name} has more than ${limit} characters`);
  for (const c of s) if (!allowed.has(c)) bad(`${name} has a character that GS1 does not allow`);
}

function padGtin(s: string): string {
  if (![8, 12, 13, 14].includes(s.length)) bad('GTIN must have 8, 12, 13 or 14 digits');
  number('GTIN', s, s.length);
  const d = s.padStart(14, '0');
  if (/^0*$/.test(d)) bad('GTIN is all zeros');
  return d;
}

// The shortest company-built identifier: a company prefix of at least four digits and one character of reference.
const minFree = 5;

function splitKey(t: string): Parts | undefined {
  const cut = (kind: KeyKind, ai: number, n: number): Parts | undefined =>
    t.length < ai + n ? undefined : { kind, id: t.slice(ai, ai + n), tail: t.slice(ai + n) };
  const whole = (kind: KeyKind, ai: number): Parts => ({ kind, id: t.slice(ai), tail: '' });
  if (t.startsWith('01')) {
    const p = cut('gtin', 2, 14);
    if (!p || p.tail === '') return p;
    if (p.tail.startsWith('21')) return { kind: 'sgtin', id: p.id, tail: p.tail.slice(2) };
    if (p.tail.startsWith('10')) return { kind: 'lgtin', id: p.id, tail: p.tail.slice(2) };
    if (p.tail.startsWith('235')) return { kind: 'upui', id: p.id, tail: p.tail.slice(3) };
    return undefined;
  }
  if (t.startsWith('00')) return whole('sscc', 2);
  if (t.startsWith('uri:')) return whole('uri', 4);
  if (t.startsWith('414')) {
    const p = cut('sgln', 3, 13);
    if (!p || p.tail === '') return p;
    return p.tail.startsWith('254') && p.tail.length > 3 ? { kind: 'sgln', id: p.id, tail: p.tail.slice(3) } : undefined;
  }
  if (t.startsWith('417')) return whole('pgln', 3);
  if (t.startsWith('253')) return cut('gdti', 3, 13);
  if (t.startsWith('255')) return cut('sgcn', 3, 13);
  if (t.startsWith('401')) return whole('ginc', 3);
  if (t.startsWith('402')) return whole('gsin', 3);
  if (t.startsWith('8003')) return cut('grai', 4, 14);
  if (t.startsWith('8004')) return whole('giai', 4);
  if (t.startsWith('8006')) {
    const p = cut('itip', 4, 18);
    if (!p || p.tail === '') return p;
    return p.tail.startsWith('21') && p.tail.length > 2 ? { kind: 'itip', id: p.id, tail: p.tail.slice(2) } : undefined;
  }
  if (t.startsWith('8010')) {
    // The part reference may itself hold "8011": the last one that leaves a part and a serial of digits separates.
    const i = t.lastIndexOf('8011');
    if (i >= 4 + minFree && t.length - i - 4 <= 12 && isDigits(t.slice(i + 4))) {
      return { kind: 'cpi', id: t.slice(4, i), tail: t.slice(i + 4) };
    }
    return whole('cpi', 4);
  }
  if (t.startsWith('8017')) return whole('gsrnp', 4);
  if (t.startsWith('8018')) return whole('gsrn', 4);
  return undefined;
}

/** makeKey checks every part and spells the key text. */
function makeKey(p: Parts): string {
  const optional = (name: string, limit: number) => {
    if (p.tail !== '') text(name, p.tail, limit);
  };
  const free = (name: string, allowed = cset82) => {
    text(name, p.id, 30, allowed);
    if (p.id.length < minFree || !isDigits(p.id.slice(0, minFree - 1))) bad(`${name} must begin with a company prefix`);
  };
  const digitSerial = () => {
    if (p.tail !== '' && !(isDigits(p.tail) && p.tail.length <= 12)) bad('a serial must have 1 to 12 digits');
  };
  switch (p.kind) {
    case 'gtin':
    case 'sgtin':
    case 'lgtin':
    case 'upui':
      padGtin(p.id);
      if (p.id.length !== 14) bad('GTIN must be written with 14 digits here');
      if (p.kind === 'gtin') return '01' + p.id;
      text(p.kind === 'lgtin' ? 'lot' : 'serial', p.tail, p.kind === 'upui' ? 28 : 20);
      return '01' + p.id + { sgtin: '21', lgtin: '10', upui: '235' }[p.kind] + p.tail;
    case 'sscc':
      number('SSCC', p.id, 18);
      return '00' + p.id;
    case 'sgln':
      number('GLN', p.id, 13);
      if (p.tail === '' || p.tail === '0') return '414' + p.id;
      optional('GLN extension', 20);
      return '414' + p.id + '254' + p.tail;
    case 'pgln':
      number('GLN', p.id, 13);
      return '417' + p.id;
    case 'grai':
      if (p.id.length !== 14 || p.id[0] !== '0') bad('GRAI must begin with 0 and 13 digits');
      number('GRAI', p.id.slice(1), 13);
      optional('GRAI serial', 16);
      return '8003' + p.id + p.tail;
    case 'gdti':
      number('GDTI', p.id, 13);
      optional('GDTI serial', 17);
      return '253' + p.id + p.tail;
    case 'sgcn':
      number('GCN', p.id, 13);
      digitSerial();
      return '255' + p.id + p.tail;
    case 'giai':
      free('GIAI');
      return '8004' + p.id;
    case 'ginc':
      free('GINC');
      return '401' + p.id;
    case 'cpi': {
      free('CPI', cset39);
      digitSerial();
      const out = '8010' + p.id + (p.tail === '' ? '' : '8011' + p.tail);
      const again = splitKey(out);
      if (again?.kind !== 'cpi' || again.id !== p.id || again.tail !== p.tail) bad('this CPI has two readings');
      return out;
    }
    case 'gsrn':
    case 'gsrnp':
      number('GSRN', p.id, 18);
      return (p.kind === 'gsrn' ? '8018' : '8017') + p.id;
    case 'gsin':
      number('GSIN', p.id, 17);
      return '402' + p.id;
    case 'itip':
      if (p.id.length !== 18 || !isDigits(p.id)) bad('ITIP must have 18 digits');
      padGtin(p.id.slice(0, 14));
      optional('serial', 20);
      return '8006' + p.id + (p.tail === '' ? '' : '21' + p.tail);
    case 'uri':
      return bad('not a GS1 key');
  }
}

/** parseKey reads key text strictly: it accepts exactly one spelling of each key. */
export function parseKey(t: string): Parts {
  const p = splitKey(t);
  if (!p) throw new BadIdentifier('not a key');
  if (p.kind === 'uri') {
    if (parseEPC(p.id) !== t) bad('this URI is a GS1 identifier and has another key');
    return p;
  }
  if (makeKey(p) !== t) bad('not the canonical key');
  return p;
}

const maxURI = 2048;

/** parseEPC returns the key text of an EPC URN, a GS1 Digital Link, or any other absolute URI. */
export function parseEPC(s: string): string {
  if (s.length > maxURI) bad('identifier is too long');
  const low = s.slice(0, 8).toLowerCase();
  if (low === 'urn:epc:') return parseURN(s);
  if (low.startsWith('http://') || low === 'https://') {
    const key = parseLink(s);
    if (key !== undefined) return key;
  }
  checkURI(s);
  return 'uri:' + s;
}

function unescape(s: string, raw: Set<string>): string {
  let out = '';
  for (let i = 0; i < s.length; i++) {
    if (s[i] === '%') {
      const two = s.slice(i + 1, i + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(two)) bad('"%" must be followed by two hexadecimal digits');
      out += String.fromCharCode(parseInt(two, 16));
      i += 2;
    } else if (raw.has(s[i])) out += s[i];
    else bad('a character that must be percent-encoded');
  }
  return out;
}

const otherSchemes = ['gid', 'usdod', 'adi', 'bic', 'imovn'];

// kind, digits of prefix and reference together (0: free text), indicator moves to the front, a tail follows
const urnSchemes: Record<string, [KeyKind, number, boolean, boolean] | undefined> = {
  'id:sgtin': ['sgtin', 13, true, true],
  'idpat:sgtin': ['gtin', 13, true, true],
  'class:lgtin': ['lgtin', 13, true, true],
  'id:upui': ['upui', 13, true, true],
  'idpat:upui': ['gtin', 13, true, true],
  'id:itip': ['itip', 13, true, true],
  'idpat:itip': ['itip', 13, true, true],
  'id:sscc': ['sscc', 17, true, false],
  'id:sgln': ['sgln', 12, false, true],
  'id:pgln': ['pgln', 12, false, false],
  'id:grai': ['grai', 12, false, true],
  'idpat:grai': ['grai', 12, false, true],
  'id:gdti': ['gdti', 12, false, true],
  'idpat:gdti': ['gdti', 12, false, true],
  'id:sgcn': ['sgcn', 12, false, true],
  'idpat:sgcn': ['sgcn', 12, false, true],
  'id:gsrn': ['gsrn', 17, false, false],
  'id:gsrnp': ['gsrnp', 17, false, false],
  'id:gsin': ['gsin', 16, false, false],
  'id:giai': ['giai', 0, false, false],
  'id:ginc': ['ginc', 0, false, false],
  'id:cpi': ['cpi', 0, false, true],
  'idpat:cpi': ['cpi', 0, false, true],
};

function parseURN(s: string): string {
  if (!s.startsWith('urn:epc:')) bad('write "urn:epc:" in lower case');
  const m = /^urn:epc:([^:]*):([^:]*):/.exec(s);
  if (!m) throw new BadIdentifier('want urn:epc:id:…, urn:epc:class:… or urn:epc:idpat:…');
  const name = `${m[1]}:${m[2]}`;
  const scheme = Object.hasOwn(urnSchemes, name) ? urnSchemes[name] : undefined;
  if (!scheme) {
    if (!otherSchemes.includes(m[2])) bad('not an EPC scheme that names an object or a class');
    checkURI(s);
    return 'uri:' + s;
  }
  const [kind, total, lead, hasTail] = scheme;
  const pattern = m[1] === 'idpat';
  const rest = s.slice(m[0].length);
  const dot = rest.indexOf('.');
  if (dot < 0) bad('the company prefix must be followed by a dot');
  const gcp = rest.slice(0, dot);
  if (!/^[0-9]{6,12}$/.test(gcp)) bad('a company prefix has 6 to 12 digits');
  let ref = rest.slice(dot + 1);
  let tail = '';
  if (hasTail) {
    const next = ref.indexOf('.');
    if (next < 0) bad('a third part is missing after a dot');
    tail = ref.slice(next + 1);
    ref = ref.slice(0, next);
  }
  const p: Parts = { kind, id: '', tail: '' };
  if (total === 0) {
    const raw = unescape(ref, urnRaw);
    if (raw === '') bad('the reference is empty');
    p.id = gcp + raw;
  } else {
    const want = total - gcp.length;
    if (ref.length !== want || (want > 0 && !isDigits(ref))) bad('the reference has the wrong length');
    const body = lead ? ref.slice(0, 1) + gcp + ref.slice(1) : gcp + ref;
    p.id = (kind === 'grai' ? '0' : '') + body + checkDigit(body);
  }
  if (kind === 'itip') {
    const it = /^([0-9]{2})\.([0-9]{2})\./.exec(tail);
    if (!it) throw new BadIdentifier('want piece, total and serial');
    p.id += it[1] + it[2];
    tail = tail.slice(6);
  }
  if (pattern) {
    if (tail !== '*') bad('a pattern names a class only when it ends in ".*"');
  } else if (hasTail) {
    p.tail = unescape(tail, urnRaw);
    if (p.tail === '') bad('nothing follows the last dot');
  }
  return makeKey(p);
}

const digitsOf =
  (...n: number[]) =>
  (s: string) =>
    n.includes(s.length) && isDigits(s);
const numbered = (n: number, limit: number) => (s: string) => s.length >= n && s.length <= limit && isDigits(s.slice(0, n));

interface LinkKey {
  kind: KeyKind;
  quals: string[];
  shape: (s: string) => boolean;
}
const linkKeys: Record<string, LinkKey> = {
  '01': { kind: 'gtin', quals: ['22', '10', '21', '235'], shape: digitsOf(8, 12, 13, 14) },
  '00': { kind: 'sscc', quals: [], shape: digitsOf(18) },
  '253': { kind: 'gdti', quals: [], shape: numbered(13, 30) },
  '255': { kind: 'sgcn', quals: [], shape: numbered(13, 25) },
  '401': { kind: 'ginc', quals: [], shape: numbered(minFree - 1, 30) },
  '402': { kind: 'gsin', quals: [], shape: digitsOf(17) },
  '414': { kind: 'sgln', quals: ['254'], shape: digitsOf(13) },
  '417': { kind: 'pgln', quals: [], shape: digitsOf(13) },
  '8003': { kind: 'grai', quals: [], shape: (s) => s.startsWith('0') && numbered(14, 30)(s) },
  '8004': { kind: 'giai', quals: [], shape: numbered(minFree - 1, 30) },
  '8006': { kind: 'itip', quals: ['22', '10', '21'], shape: digitsOf(18) },
  '8010': { kind: 'cpi', quals: ['8011'], shape: numbered(minFree - 1, 30) },
  '8017': { kind: 'gsrnp', quals: [], shape: digitsOf(18) },
  '8018': { kind: 'gsrn', quals: [], shape: digitsOf(18) },
};
const shortNames: Record<string, string> = {
  gtin: '01',
  itip: '8006',
  cpid: '8010',
  gln: '414',
  party: '417',
  gsrnp: '8017',
  gsrn: '8018',
  gcn: '255',
  sscc: '00',
  gdti: '253',
  ginc: '401',
  gsin: '402',
  grai: '8003',
  giai: '8004',
  cpv: '22',
  lot: '10',
  ser: '21',
  cpsn: '8011',
  glnx: '254',
  exp: '17',
  expdt: '7003',
};
const aiOf = (segment: string) => (Object.hasOwn(shortNames, segment) ? shortNames[segment] : segment);

/** parseLink finds the GS1 key in a web address; undefined if it holds none. */
function parseLink(s: string): string | undefined {
  const rest = s.slice(s.indexOf('//') + 2);
  const body = rest.split('#')[0].split('?')[0];
  const slash = body.indexOf('/');
  const host = slash < 0 ? body : body.slice(0, slash);
  if (host === '') bad('the address names no host');
  const segs = (slash < 0 ? '' : body.slice(slash + 1)).split('/');
  let first: BadIdentifier | undefined;
  for (let i = 0; i + 1 < segs.length; i++) {
    const name = aiOf(segs[i]);
    if (!Object.hasOwn(linkKeys, name)) continue;
    const key = linkKeys[name];
    let value: string;
    try {
      value = unescape(segs[i + 1], linkRaw);
    } catch {
      continue;
    }
    if (!key.shape(value)) continue;
    let quals: [string, string][];
    try {
      quals = readQualifiers(key, segs.slice(i + 2));
      if (i >= 2 && key.quals.includes(aiOf(segs[i - 2]))) bad('a qualifier stands before its key');
      checkURI(s);
    } catch (e) {
      if (!(e instanceof BadIdentifier)) throw e;
      first ??= e;
      continue;
    }
    return linkKeyText(key.kind, value, quals);
  }
  if (first) throw first;
  if (host.toLowerCase() === 'id.gs1.org') bad('no GS1 key with a value of the right length in the path');
  return undefined;
}

function readQualifiers(key: LinkKey, segs: string[]): [string, string][] {
  const out: [string, string][] = [];
  let allowed = key.quals;
  for (let i = 0; i < segs.length; i += 2) {
    const name = aiOf(segs[i]);
    const n = allowed.indexOf(name);
    if (n < 0 || i + 1 === segs.length) bad('what follows the key is not one of its qualifiers with a value');
    allowed = allowed.slice(n + 1);
    const value = unescape(segs[i + 1], linkRaw);
    if (value === '') bad('a qualifier is empty');
    out.push([name, value]);
  }
  return out;
}

function linkKeyText(primary: KeyKind, value: string, quals: [string, string][]): string {
  const p: Parts = { kind: primary, id: value, tail: '' };
  if (primary === 'gtin') p.id = padGtin(value);
  else if (primary === 'grai') [p.id, p.tail] = [value.slice(0, 14), value.slice(14)];
  else if (primary === 'gdti' || primary === 'sgcn') [p.id, p.tail] = [value.slice(0, 13), value.slice(13)];
  for (const [ai, v] of quals) {
    if (ai === '22') text('consumer product variant', v, 20);
    else if (ai === '10') {
      text('lot', v, 20);
      if (p.kind === 'gtin') [p.kind, p.tail] = ['lgtin', v];
    } else if (ai === '21') {
      if (p.kind !== 'itip') p.kind = 'sgtin';
      p.tail = v;
    } else if (ai === '235') {
      if (p.kind !== 'gtin') bad('a third-party serial may not be combined with a lot or a serial');
      [p.kind, p.tail] = ['upui', v];
    } else p.tail = v;
  }
  if (p.kind === 'itip' && p.tail === '' && quals.length > 0) bad('a piece can be named by its serial, not by a variant or lot alone');
  return makeKey(p);
}

/** checkURI checks that s is an absolute URI by its characters and its scheme. */
function checkURI(s: string): void {
  const colon = s.indexOf(':');
  if (!/^[A-Za-z][A-Za-z0-9+.-]*$/.test(colon < 0 ? '' : s.slice(0, colon))) bad('not a URI: it must begin with a scheme');
  if (colon === s.length - 1) bad('nothing follows the URI scheme');
  let fragment = false;
  for (let i = colon; i < s.length; i++) {
    if (!uriChars.has(s[i]) || (s[i] === '#' && fragment)) bad('a character that may not stand in a URI');
    if (s[i] === '%' && !/^[0-9A-Fa-f]{2}$/.test(s.slice(i + 1, i + 3))) bad('"%" must be followed by two hexadecimal digits');
    if (s[i] === '#') fragment = true;
  }
}

/** A GLN: 13 digits with the right check digit. */
export const checkGLN = (s: string): void => number('GLN', s, 13);

/** The key text of a place id as captured: 13 digits, key text, SGLN URN or Digital Link. */
export function placeKey(id: string): string {
  if (/^[0-9]{13}$/.test(id) && checkDigit(id.slice(0, 12)) === id[12]) return '414' + id;
  const key = /^[0-9]/.test(id) ? id : parseEPC(id);
  if (parseKey(key).kind !== 'sgln') bad('not a place: want an SGLN');
  return key;
}

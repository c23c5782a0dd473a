// Does what the server shows of a step stand in the proof? A bundle may verify and the page beside it still lie: so each
// step that is shown is compared, field by field, with the item that the verified bundle discloses at its position.
import type { Schemas } from '../../lib/api/client';
import { parseEPC, parseKey } from '../../lib/gs1/key';
import type { Genesis, Report, Step as Proven } from '../../lib/proof';

export type StepProof =
  { status: 'verified'; proven: Proven } | { status: 'differs'; proven: Proven; what: string[] } | { status: 'missing' };

type Shown = Schemas['Step'];

const positionOf = (p: { height: string | bigint; entry: number; item: number }) => `${p.height}/${p.entry}/${p.item}`;
/** A step or disposition in one of CBV's four spellings is its word; one of another vocabulary stands for itself (docs/spec.md 15.1). */
const word = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replace(/^(urn:epcglobal:cbv:(bizstep|disp):|(https?:\/\/(ref|ns)\.gs1\.org\/cbv\/|cbv:)(bizstep|disp)-)/, '');

function keyOf(identifier: string): string {
  if (identifier === '') return '';
  try {
    return parseEPC(identifier);
  } catch {
    return `uri:${identifier}`;
  }
}

/**
 * keyOfText reads what was asked for, where one reading is certain without the service: key text, EPC URN, Digital Link
 * and (01)…(21)…. It is undefined for scans, which may have several.
 */
export function keyOfText(text: string): string | undefined {
  const printed = /^\(01\)([0-9]{14})\(21\)([^()]+)$/.exec(text) ?? /^\(00\)([0-9]{18})()$/.exec(text);
  for (const read of [() => (parseKey(text), text), () => parseEPC(text)]) {
    if (printed) break;
    // Key text is a scan without separators, too: certain only where nothing variable could stand behind the serial.
    if (/^[0-9]/.test(text) && !/^00[0-9]{18}$/.test(text)) return undefined;
    try {
      return read();
    } catch {
      continue;
    }
  }
  if (!printed) return undefined;
  return printed[2] === '' ? `00${printed[1]}` : `01${printed[1]}21${printed[2]}`;
}

/** The parties that the genesis file knows by the GLNs that a list of sources or destinations names. */
function partiesOf(p: Proven, list: 20 | 21, known: Genesis['parties']): { any: boolean; ids: string[] } {
  const named = p.fields.filter((f) => f.path.startsWith(`field(${list})/`) && f.path.endsWith('/field(2)')).map((f) => keyOf(f.text));
  const glns = named.filter((k) => /^41[47]/.test(k)).map((k) => k.slice(3, 16));
  return { any: named.length > 0, ids: known.filter((x) => x.glns.some((g) => glns.includes(g))).map((x) => x.id) };
}

function differences(s: Shown, p: Proven, carriers: Set<string>, known: Genesis['parties']): string[] {
  const field = (path: string) => p.fields.find((f) => f.path === path)?.text ?? '';
  const ilmd = (name: string) => p.fields.find((f) => f.path.startsWith('field(23)/') && f.path.endsWith(`,"${name}")`))?.text ?? '';
  const what: string[] = [];
  const same = (name: string, shown: string | undefined, proven: string) => {
    if ((shown ?? '') !== proven) what.push(name);
  };
  same('type', s.type, field('field(1)'));
  same('eventTime', s.eventTime, field('field(2)'));
  same('offset', s.offset, field('field(4)'));
  same('eventID', s.eventID, field('field(5)'));
  same('action', s.action, field('field(8)'));
  same('bizStep', s.bizStep.toLowerCase(), word(field('field(10)')));
  same('disposition', s.disposition?.toLowerCase(), word(field('field(11)')));
  same('readPoint', s.readPoint?.key, keyOf(field('field(13)/field(1)')));
  same('bizLocation', s.bizLocation?.key, keyOf(field('field(14)/field(1)')));
  if (s.lot) same('lot', s.lot, ilmd('lotNumber'));
  if (s.expiry) same('expiry', s.expiry, ilmd('itemExpirationDate'));
  same('parent', s.parent, p.units.find((u) => u.list === 'parentID')?.key ?? '');
  same('publisher', s.publisher.id, p.party);
  same('verdict', s.verdict, p.verdict);
  same('code', s.code, p.code);
  same('blockHash', s.blockHash, p.block);
  same('sequence', s.sequence, String(p.sequence));
  if (Date.parse(s.blockTime) !== Number(p.time)) what.push('blockTime');
  if (!p.units.some((u) => carriers.has(u.key))) what.push('unit');
  for (const [name, list, party] of [
    ['source', 20, s.source],
    ['destination', 21, s.destination],
  ] as const) {
    if (!party) continue;
    const proven = partiesOf(p, list, known);
    // A party that came after genesis is named by the server's registry alone; see "what a proof cannot show".
    if (!proven.any || (proven.ids.length > 0 && !proven.ids.includes(party.id))) what.push(name);
  }
  const texts = p.fields.map((f) => f.text);
  if ((s.documents ?? []).some((d) => d.value && !texts.includes(d.value))) what.push('documents');
  // Findings about this unit or its container, on either side only.
  const here = (s.findings ?? []).filter((f) => positionOf(f.position) === positionOf(s.position)).map((f) => f.code);
  const proven = p.findings.map((f) => f.code);
  const mine = p.findings.filter((f) => f.subjects.length > 0).map((f) => f.code);
  if (here.some((c) => !proven.includes(c)) || mine.some((c) => !here.includes(c))) what.push('findings');
  return what;
}

/** compare answers for each shown step, by position, and counts proven steps about the unit that are not shown. */
export function compare(
  unit: string,
  shown: Shown[],
  report: Report,
  known: Genesis['parties'] = [],
): { steps: Map<string, StepProof>; unshown: number } {
  const proven = [...report.steps].filter((s) => s.kind === 11);
  const byPosition = new Map(proven.map((s) => [positionOf(s.position), s]));
  const steps = new Map<string, StepProof>();
  // What carries the unit: itself, and every container that a proven packing put it into before.
  const carriers = new Set([unit]);
  for (const p of proven) {
    const packs =
      p.fields.some((f) => f.path === 'field(1)' && f.text === 'AggregationEvent') &&
      p.fields.some((f) => f.path === 'field(8)' && f.text === 'ADD');
    const parent = p.units.find((u) => u.list === 'parentID');
    if (packs && parent && p.units.some((u) => u.list === 'childEPCs' && carriers.has(u.key))) carriers.add(parent.key);
    const s = shown.find((x) => positionOf(x.position) === positionOf(p.position));
    if (!s) continue;
    const what = differences(s, p, carriers, known);
    steps.set(positionOf(s.position), what.length === 0 ? { status: 'verified', proven: p } : { status: 'differs', proven: p, what });
  }
  for (const s of shown) if (!byPosition.has(positionOf(s.position))) steps.set(positionOf(s.position), { status: 'missing' });
  return { steps, unshown: proven.filter((p) => !shown.some((s) => positionOf(s.position) === positionOf(p.position))).length };
}

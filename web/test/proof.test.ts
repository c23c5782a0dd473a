import { describe, expect, test } from 'vitest';
import { bundleJSON, parseBundle, parseBundleBinary, parseBundleJSON } from '../src/lib/proof/bundle';
import { concat, unhex, utf8 } from '../src/lib/proof/bytes';
import { parseGenesis, positionText, steps, verifyBundle, verifyBytes, verifyFiles, type Report } from '../src/lib/proof';
import { some, vectors } from './vectors';

interface ReportVector {
  origin: string;
  size: string;
  signers: string[];
  steps: unknown[] | null;
  amendments: number;
}
interface File {
  genesis: string;
  bundles: { name: string; binaryHex: string; json: string; report: ReportVector }[];
  tamperedFrom: string;
  tampered: { name: string; step: string; at: number; remove: number; insertHex: string }[];
  jsonRefused: { name: string; old: string; new: string; append: string }[];
}
const v = vectors<File>('proof');
const genesisFile = utf8(v.genesis);
const g = parseGenesis(genesisFile);

const reportOf = (r: Report): ReportVector => ({
  origin: r.checkpoint.origin,
  size: String(r.checkpoint.size),
  signers: r.signers,
  steps: r.steps.map((s) => ({
    position: positionText(s.position),
    sequence: String(s.sequence),
    time: String(s.time),
    party: s.party,
    kind: s.kind,
    verdict: s.verdict,
    code: s.code,
    findings: s.findings.map((f) => f.code),
    fields: s.fields.map((f) => ({ path: f.path, text: f.text })),
    units: s.units.map((u) => u.key),
  })),
  amendments: r.amendments.length,
});

describe('bundles that verify, in both spellings, with the report that Go gives', () => {
  test.each(some(v.bundles))('$name', (c) => {
    for (const raw of [unhex(c.binaryHex), utf8(c.json), utf8(c.json + '\n')]) {
      const result = verifyFiles(raw, genesisFile);
      if (!result.ok) throw new Error(`${result.failed}: ${result.reason}`);
      expect(reportOf(result.report)).toEqual({ ...c.report, steps: c.report.steps ?? [] });
      expect(result.checks.map((x) => [x.name, x.ok])).toEqual(steps.map((s) => [s, true]));
    }
    expect(bundleJSON(parseBundleBinary(unhex(c.binaryHex)))).toBe(c.json);
  });
});

describe('tampered bundles fail at the step that Go names', () => {
  const base = unhex(v.bundles.find((b) => b.name === v.tamperedFrom)!.binaryHex);
  test.each(some(v.tampered, 60))('$step: $name', (c) => {
    const raw = concat(base.slice(0, c.at), unhex(c.insertHex), base.slice(c.at + c.remove));
    const result = verifyBytes(raw, g);
    expect(result.ok ? 'verified' : result.failed, result.ok ? '' : result.reason).toBe(c.step);
    // Every check before it held, and none was made after it.
    expect(result.checks.map((x) => x.name)).toEqual(steps.slice(0, steps.indexOf(c.step as (typeof steps)[number]) + 1));
    expect(result.checks.filter((x) => !x.ok).map((x) => x.name)).toEqual([c.step]);
    // The JSON spelling of the same lie fails at the same step.
    if (c.step !== 'format') {
      const again = verifyBytes(utf8(bundleJSON(parseBundleBinary(raw))), g);
      expect(again.ok ? 'verified' : again.failed).toBe(c.step);
    }
  });
});

describe('JSON with a second spelling is refused', () => {
  const refused = (json: string) => {
    const result = verifyBytes(utf8(json), g);
    expect(result.ok ? 'verified' : result.failed).toBe('format');
  };
  test.each(some(v.jsonRefused, 10))('$name', (c) => {
    // One edit is of a list that the first bundle does not leave empty: it is made to the first bundle that has it.
    const json = v.bundles.find((b) => b.json.includes(c.old))!.json;
    const edited = (c.old === '' ? json : json.replace(c.old, () => c.new)) + c.append;
    expect(edited).not.toBe(json);
    refused(edited);
  });
  const first = () => v.bundles[0].json;
  test('half a surrogate pair', () => refused(first().replace('LOT-1', '\\ud800')));
  test('a byte order mark', () => refused('\ufeff' + first()));
  test('a member that no list of ours has', () => refused(first().replace('{"format"', '{"__proto__":{},"format"')));
  test('a key with two sources', () => refused(first().replace('"keys":[{', '"keys":[{"authority":{"index":0},')));
  test('bytes that are not UTF-8', () => {
    const raw = utf8(first());
    raw[raw.indexOf('LOT-1'.charCodeAt(0), 400)] = 0xff;
    const result = verifyBytes(raw, g);
    expect(result.ok).toBe(false);
  });
});

test('flipping any bit of a bundle makes it fail', () => {
  const base = unhex(some(v.bundles)[1].binaryHex);
  for (let i = 0; i < base.length; i += 7) {
    const raw = base.slice();
    raw[i] ^= 1 << (i % 8);
    const result = verifyBytes(raw, g);
    expect(result.ok, `byte ${i}`).toBe(false);
  }
}, 60_000);

test('a bundle of another network, and a genesis file that is no such file', () => {
  const other = vectors<{ valid: { file: string }[] }>('genesis').valid[0].file;
  const result = verifyFiles(utf8(v.bundles[0].json), utf8(other));
  expect(result.ok ? '' : result.failed).toBe('genesis');
  expect(() => verifyFiles(utf8(v.bundles[0].json), utf8('{}'))).toThrow();
});

test('a parsed bundle that was changed in memory is checked like one that was read', () => {
  const b = parseBundle(utf8(v.bundles[0].json));
  b.blocks[0].submissions.push(b.blocks[0].submissions[0]);
  const result = verifyBundle(b, g);
  expect(result.ok ? '' : result.failed).toBe('format');
  expect(() => parseBundleJSON(utf8('[]'))).toThrow();
});

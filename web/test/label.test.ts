import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { draw, type Drawn } from '../src/lib/label/draw';
import { elements, lines, scanned, sheet } from '../src/lib/label/label';

const wasm = readFileSync(fileURLToPath(import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm')));
prepareZXingModule({ overrides: { wasmBinary: wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength) as ArrayBuffer } });

const label = { gtin: '00307812020012', serial: '44YDEGPMXAMQMP', expiry: '2028-09-28', lot: 'A1-2028' };

/** picture fills the path as a browser does, some pixels a module, white around it. */
function picture({ modules, path }: Drawn, pixels = 5, quiet = 2): ImageData {
  const edges = path
    .split('Z')
    .filter((p) => p !== '')
    .flatMap((p) => {
      const points = p
        .slice(1)
        .split('L')
        .map((xy) => xy.split(' ').map(Number));
      return points.map((a, i) => [a, points[(i + 1) % points.length]!] as const);
    })
    .filter(([a, b]) => a[0] === b[0]) // the upright ones are enough for the even-odd rule
    .map(([a, b]) => ({ x: a[0]!, from: Math.min(a[1]!, b[1]!), to: Math.max(a[1]!, b[1]!) }));
  const dark = (x: number, y: number) => edges.filter((e) => e.x <= x && e.from <= y && y < e.to).length % 2 === 1;
  const width = (modules + 2 * quiet) * pixels;
  const data = new Uint8ClampedArray(width * width * 4).fill(255);
  for (let y = 0; y < width; y++)
    for (let x = 0; x < width; x++)
      if (dark(Math.floor(x / pixels) - quiet, Math.floor(y / pixels) - quiet)) data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
  return { data, width, height: width, colorSpace: 'srgb' } as ImageData;
}

test.each([
  ['as the services draw them', label],
  ['with what the drawing library takes for syntax', { ...label, serial: 'A(1)B', lot: '(X)' }],
  ['that looks like the next element', { ...label, serial: '(17)990101', lot: '21(21)' }],
  ['with every kind of character that GS1 allows', { ...label, serial: `aZ9!"%&'*+,-./`, lot: '_:;<=>?' }],
  ['as long as they may be', { ...label, serial: 'W'.repeat(20), lot: 'q'.repeat(20) }],
])('the symbol on the label is read back: a serial and lot %s', async (_, l) => {
  const [read] = await readBarcodes(picture(draw(elements(l))), { formats: ['DataMatrix'], textMode: 'Plain' });
  expect(read?.symbologyIdentifier).toBe(']d2');
  expect(read?.text).toBe(scanned(l));
  expect(read?.text).toContain('\u001d21');
});

test('the print beside it says the same', () => {
  expect(lines(label).map(([, v]) => v)).toEqual(['00307812020012', '44YDEGPMXAMQMP', '2028-09-28', 'A1-2028']);
});

test('a label is set to scale, with room around the symbol, and what stands in it is text', () => {
  const l = { ...label, lot: `<&">` };
  const drawn = draw(elements(l));
  const { svg, width, height } = sheet(
    l,
    { name: 'Amoxicillin and Clavulanate Potassium for Oral Suspension 600 mg', ndc: '0781-2020-01' },
    drawn,
  );
  expect(svg).toContain(`width="${width}mm" height="${height}mm"`);
  expect(svg).toContain('LOT &#60;&#38;&#34;&#62;');
  expect(svg).toContain('>Amoxicillin and Clavulanate</text>');
  expect(width).toBeLessThan(90);
  expect(height).toBeGreaterThanOrEqual((drawn.modules + 2) * 0.423);
});

import bwip from 'bwip-js/node';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { elements, lines, scanned } from '../src/lib/label/label';

const wasm = readFileSync(fileURLToPath(import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm')));
prepareZXingModule({ overrides: { wasmBinary: wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength) as ArrayBuffer } });

const label = { gtin: '00307812020012', serial: '44YDEGPMXAMQMP', expiry: '2028-09-28', lot: 'A1-2028' };

test.each([
  ['as the services draw them', label],
  ['with what the drawing library takes for syntax', { ...label, serial: 'A(1)B', lot: '(X)' }],
  ['with every kind of character that GS1 allows', { ...label, serial: `aZ9!"%&'*+,-./`, lot: '_:;<=>?' }],
])('the symbol on the label is read back: %s', async (_, l) => {
  const png = await bwip.toBuffer({
    bcid: 'gs1datamatrix',
    text: elements(l),
    parse: true,
    scale: 4,
    padding: 4,
    backgroundcolor: 'FFFFFF',
  });
  const [read] = await readBarcodes(new Uint8Array(png), { formats: ['DataMatrix'], textMode: 'Plain' });
  expect(read?.symbologyIdentifier).toBe(']d2');
  expect(read?.text).toBe(scanned(l));
});

test('the print beside it says the same', () => {
  expect(lines(label).map(([, v]) => v)).toEqual(['00307812020012', '44YDEGPMXAMQMP', '2028-09-28', 'A1-2028']);
});

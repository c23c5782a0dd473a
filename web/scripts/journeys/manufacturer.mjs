// A packaging lead's day: find a product, register a lot, commission it, pack it into cases on pallets, look at a label, ship, send an EPCIS
// document with a mistake and one without, and recall.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { darkSpanish, phone } from '../browser.mjs';

const wasm = readFileSync(fileURLToPath(import.meta.resolve('zxing-wasm/reader/zxing_reader.wasm')));
prepareZXingModule({ overrides: { wasmBinary: wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength) } });
const fixture = (name) => fileURLToPath(new URL(`../../test/fixtures/${name}`, import.meta.url));
const fact = (page, name) => page.locator(`[data-fact="${name}"]`).textContent();

export async function journey({ open, look, signIn, network, story, assert }) {
  const origin = network.manufacturer;
  const page = await open(origin);
  await signIn(page, network.links.manufacturer);
  await page.goto(`${origin}/products`);
  await page.getByRole('heading', { name: 'NDC Directory' }).waitFor();
  await look(page, 'maker-products-1280');
  await page.getByLabel('Find a product').fill('metformin sandoz 500');
  await page.keyboard.press('Enter');
  const product = page.locator('[data-ndc="0781-5050-05"]');
  await product.getByRole('button', { name: 'Register' }).click();
  await page.locator('[data-testid="job"][data-state="indexed"]').waitFor();
  await product.getByText('Registered').waitFor();
  await look(page, 'maker-products-found-1280');
  await product.getByRole('link', { name: 'Register a lot' }).click();

  const lot = 'E2E-1';
  await page.getByLabel('Lot', { exact: false }).first().fill('É');
  await page.getByText(/A lot has at most 20 characters/).waitFor();
  await page.getByLabel('Lot', { exact: false }).first().fill(lot);
  await page.getByLabel('Expiry').fill('2029-03-31');
  await page.getByLabel('Packages planned').fill('480');
  await look(page, 'maker-new-lot-1280');
  await page.getByRole('button', { name: 'Register the lot' }).click();
  await page.waitForURL(/\/lots\/\d{14}\/E2E-1$/);

  await page.getByTestId('commission').click();
  await page.waitForFunction(() => document.querySelector('[data-fact="loose"]')?.textContent === '480', null, { timeout: 40_000 });
  assert.equal(await fact(page, 'commissioned'), '480');
  await page.getByLabel('Packages per case').fill('48');
  await page.getByLabel('Cases per pallet').fill('5');
  await page.getByTestId('pack').click();
  await page.waitForFunction(
    () =>
      document.querySelector('[data-fact="loose"]')?.textContent === '0' &&
      document.querySelector('[data-fact="boxes"]')?.textContent === '2',
    null,
    {
      timeout: 60_000,
    },
  );
  assert.equal(await fact(page, 'here'), '480');

  // What is drawn is what a scanner reads: the serial that stands beside it.
  const label = page.getByTestId('label');
  await label.scrollIntoViewIfNeeded();
  const [read] = await readBarcodes(new Uint8Array(await label.locator('img').screenshot({ scale: 'css' })), {
    formats: ['DataMatrix'],
    textMode: 'Plain',
  });
  const serial = await label.getAttribute('data-serial');
  const gtin = new URL(page.url()).pathname.split('/')[2];
  assert.equal(read?.symbologyIdentifier, ']d2');
  assert.equal(read.text, `01${gtin}1729033110${lot}\u001d21${serial}`);
  await look(page, 'maker-lot-1280');

  await page.locator('.picks input').first().check();
  await page.getByRole('combobox', { name: 'To whom' }).fill('Midland');
  await page.getByRole('option', { name: /Midland/ }).click();
  await page.getByLabel('Purchase order').fill('PO-E2E');
  await page.getByTestId('ship').click();
  await page.waitForFunction(() => document.querySelector('[data-fact="boxes"]')?.textContent === '1', null, { timeout: 30_000 });
  await look(page, 'maker-shipped-1280');

  // At the dock, what is not ours to ship is said before it is sent.
  await page.goto(`${origin}/ship`);
  await page.getByLabel('Scan cases, pallets or packages').fill(story.unit);
  await page.keyboard.press('Enter');
  await page.getByText('No longer in circulation').waitFor();
  await look(page, 'maker-ship-1280');

  // A document that is none, one with a mistake, and a good one.
  await page.goto(`${origin}/capture`);
  await page.getByTestId('document').setInputFiles(fixture('not-epcis.xml'));
  await page.getByTestId('send').click();
  await page.getByTestId('refused').waitFor();
  await page.locator('mark').first().waitFor();
  await look(page, 'maker-upload-refused-1280');
  await page.getByTestId('document').setInputFiles(fixture('two-events.xml'));
  await page.getByLabel('Record the good ones').check();
  await page.getByTestId('send').click();
  await page.getByTestId('verdicts').waitFor({ timeout: 30_000 });
  assert.equal(await page.locator('[data-verdict="accepted"],[data-verdict="flagged"]').count(), 2, 'the header and the good one');
  assert.equal(await page.locator('[data-verdict="rejected"],[data-verdict="refused"]').count(), 1);
  await look(page, 'maker-upload-1280');

  await page.goto(`${origin}/lots/${gtin}/${lot}`);
  await page.getByRole('button', { name: 'Recall this lot…' }).click();
  await page.getByLabel('Recall number').fill('R-E2E');
  await page.getByLabel('Reason').fill('Label mix-up');
  await page.getByTestId('recall-check').click();
  await page.getByTestId('recall').waitFor();
  await look(page, 'maker-recall-1280');
  await page.getByTestId('recall').click();
  await page.getByText('Recalled: R-E2E').waitFor({ timeout: 30_000 });
  await page.goto(`${origin}/lots`);
  await page.locator('.rows').first().waitFor();
  await look(page, 'maker-lots-1280');
  await page.context().close();

  for (const [name, options] of [
    ['390', phone],
    ['dark-es-1280', darkSpanish],
  ]) {
    const other = await open(origin, options);
    await other.goto(`${origin}/lots/${gtin}/${lot}`);
    await other.getByTestId('label').waitFor();
    await look(other, `maker-lot-${name}`);
    await other.goto(`${origin}/products?q=omeprazole`);
    await other.locator('[data-ndc]').first().waitFor();
    await look(other, `maker-products-${name}`);
    await other.goto(`${origin}/capture`);
    await other.locator('.rows').first().waitFor();
    await look(other, `maker-upload-${name}`);
    await other.context().close();
  }
}

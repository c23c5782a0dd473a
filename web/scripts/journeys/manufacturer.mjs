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

/** settled waits until the workbench says so. */
const settled = (page, facts) =>
  page.waitForFunction(
    (want) => Object.entries(want).every(([name, value]) => document.querySelector(`[data-fact="${name}"]`)?.textContent === value),
    facts,
    { timeout: 60_000 },
  );

const read = async (picture) =>
  (await readBarcodes(new Uint8Array(picture), { formats: ['DataMatrix'], textMode: 'Plain', tryHarder: true }))[0];

export async function journey({ open, look, signIn, network, story, assert }) {
  const origin = network.manufacturer;
  const page = await open(origin, { acceptDownloads: true });
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
  await page.getByLabel('Packages planned').fill('500');
  await look(page, 'maker-new-lot-1280');
  await page.getByRole('button', { name: 'Register the lot' }).click();
  await page.waitForURL(/\/lots\/\d{14}\/E2E-1$/);

  await page.getByTestId('commission').click();
  await settled(page, { commissioned: '500', loose: '500' });
  await page.getByText('All that was planned is commissioned').waitFor();

  // Packing is stopped, the page loaded anew, and packing goes on while somebody looks at something else: nothing is packed twice.
  await page.getByLabel('Packages per case').fill('8');
  await page.getByLabel('Cases per pallet').fill('20');
  await page.getByText('62 cases with 496 packages. 4 packages stay loose. Then 4 pallets.').waitFor();
  await look(page, 'maker-plan-1280');
  await page.getByTestId('pack').click();
  await page.getByTestId('stop').click();
  await page.getByTestId('go-on').waitFor();
  const first = Number(await fact(page, 'boxes'));
  assert.ok(first < 62, `${first} cases before it stopped`);
  await look(page, 'maker-stopped-1280');
  await page.reload();
  await page.getByTestId('go-on').click();
  await page.getByTestId('packing').waitFor();
  await page.getByRole('link', { name: 'Network', exact: true }).click();
  await page.waitForURL(/\/network/);
  await page.goBack();
  await settled(page, { loose: '4', packed: '496', boxes: '4', here: '500' });
  await page.locator('[data-testid="packing"][data-done="true"]').waitFor();

  // What is drawn is what a scanner reads: the serial that stands beside it.
  const label = page.getByTestId('label');
  await label.scrollIntoViewIfNeeded();
  const serial = await label.getAttribute('data-serial');
  const gtin = new URL(page.url()).pathname.split('/')[2];
  const wanted = `01${gtin}1729033110${lot}\u001d21${serial}`;
  const shown = await read(await label.locator('img').screenshot({ scale: 'css' }));
  assert.equal(shown?.symbologyIdentifier, ']d2');
  assert.equal(shown.text, wanted);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'PNG', exact: true }).click()]);
  assert.equal((await read(readFileSync(await file.path())))?.text, wanted, 'the picture that is saved');
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  assert.notEqual(await label.getAttribute('data-serial'), serial);
  await page.getByLabel('Serial number').fill('NOBODY');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByText('No package of this lot has the serial number NOBODY').waitFor();
  await page.getByLabel('Serial number').fill(serial);
  await page.keyboard.press('Enter');
  await label.waitFor();
  // Only the label is printed, on one page; in a browser without a screen nothing waits for a printer.
  await page.evaluate(() => (window.print = () => {}));
  await page.getByRole('button', { name: 'Print', exact: true }).click();
  const paper = (await page.pdf()).toString('latin1');
  assert.equal(paper.match(/\/Type\s*\/Page\b(?!s)/g).length, 1, 'pages printed');
  await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
  await look(page, 'maker-lot-1280');

  const pallet = page.locator('.picks label', { hasText: '160 packages' }).first();
  const sscc = await pallet.locator('.mono').textContent();
  await pallet.locator('input').check();
  await page.getByRole('combobox', { name: 'To whom' }).fill('Midland');
  await page.getByRole('option', { name: /Midland/ }).click();
  await page.getByLabel('Purchase order').fill('PO-E2E');
  // Nothing goes by one press alone: who, where, what, how many inside, the papers.
  await page.getByTestId('to-review').click();
  const review = page.getByTestId('review');
  for (const text of [/Midland/, 'Metformin', lot, '160', 'PO-E2E']) await review.getByText(text).first().waitFor();
  await look(page, 'maker-review-1280');
  await page.getByTestId('ship').click();
  await settled(page, { boxes: '3', gone: '160' });
  // It stays until somebody dismisses it, with the way to what was shipped.
  await page
    .getByTestId('done')
    .getByText(/1 container with 160 packages is on its way to Midland/)
    .waitFor();
  await page
    .getByTestId('done')
    .getByRole('link', { name: `Trace ${sscc}` })
    .waitFor();
  await look(page, 'maker-shipped-1280');

  const second = await page.locator('.picks label .mono').first().textContent();

  // At the dock, what is not ours to ship is said before it is sent.
  await page.goto(`${origin}/ship`);
  await page.getByLabel('Scan cases, pallets or packages').fill(story.unit);
  await page.keyboard.press('Enter');
  await page.getByText('No longer in circulation').waitFor();
  await look(page, 'maker-ship-1280');
  await page.getByLabel('Scan cases, pallets or packages').fill(second);
  await page.keyboard.press('Enter');
  await page.getByText('Ready', { exact: true }).waitFor();
  await page.getByRole('combobox', { name: 'To whom' }).fill('Midland');
  await page.getByRole('option', { name: /Midland/ }).click();
  await page.getByLabel('Despatch advice').fill('DESADV-E2E');
  await page.reload();
  await page.getByText('2 scans kept from before the reload').waitFor();
  await page.getByText('Ready', { exact: true }).waitFor();
  // What must not leave is taken out before anything is reviewed.
  assert.equal(await page.getByTestId('to-review').isDisabled(), true);
  await page.getByTestId('take-out').click();
  await page.getByTestId('to-review').click();
  for (const text of [/Midland/, 'Container', 'Despatch advice DESADV-E2E']) await review.getByText(text).first().waitFor();
  await look(page, 'maker-ship-review-1280');
  await page.keyboard.press('Escape');
  await page.getByTestId('to-review').click();
  await page.getByTestId('ship').click();
  await page
    .getByTestId('done')
    .getByText('1 thing is on its way to Midland Drug. Despatch advice DESADV-E2E.')
    .waitFor({ timeout: 30_000 });
  await look(page, 'maker-ship-done-1280');
  await page
    .getByTestId('done')
    .getByRole('link', { name: `Trace ${second}` })
    .click();
  await page.waitForURL(/\/trace\//);
  await page.goBack();
  await page.getByTestId('done').waitFor(); // still there
  assert.equal(await page.getByTestId('kept').count(), 0, 'what was sent is not kept');
  await page.getByTestId('dismiss').click();
  await page.getByTestId('done').waitFor({ state: 'detached' });

  const dock = await open(network.distributor);
  await dock.goto(`${network.distributor}/ship`);
  await dock.getByLabel('Scan cases, pallets or packages').fill(sscc);
  await dock.keyboard.press('Enter');
  await dock.getByText('Already on its way').waitFor();
  await look(dock, 'distributor-ship-1280');
  await dock.context().close();

  // A document that is none, one with a mistake, as a whole and without the mistake, and a good one.
  // The lots of the documents are registered first: their packages would be flagged otherwise.
  for (const lot of ['XML-1', 'XML-2']) {
    const registered = await fetch(`${origin}/v1/lots`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${network.tokens.manufacturer}` },
      body: JSON.stringify({ gtin: '00307815050054', lot, expiry: '2029-03-31' }),
    });
    assert.equal(registered.status, 202);
  }
  await page.goto(`${origin}/capture`);
  await page.getByTestId('document').setInputFiles(fixture('not-epcis.xml'));
  await page.getByTestId('send').click();
  await page.getByTestId('refused').waitFor();
  await page.locator('mark').first().waitFor();
  await look(page, 'maker-upload-refused-1280');
  await page.getByTestId('document').setInputFiles(fixture('two-events.xml'));
  await page.getByTestId('send').click();
  await page.getByTestId('refused').waitFor({ timeout: 30_000 }); // one bad event stops all of it, before anything is captured
  await page.goto(`${origin}/capture`);
  await page.getByTestId('document').setInputFiles(fixture('two-events.xml'));
  await page.getByLabel('Record the good ones').check();
  await page.getByTestId('send').click();
  await page.getByTestId('verdicts').waitFor({ timeout: 30_000 });
  assert.equal(await page.locator('[data-verdict="accepted"],[data-verdict="flagged"]').count(), 2, 'the header and the good one');
  assert.equal(await page.locator('[data-verdict="rejected"],[data-verdict="refused"]').count(), 1);
  await look(page, 'maker-upload-1280');
  await page.getByLabel(/^Only the/).check();
  await page.reload(); // what is filtered is in the address, and the address is a page's
  await page.getByTestId('verdicts').waitFor();
  assert.equal(await page.locator('[data-verdict]').count(), 1);
  await page.getByRole('link', { name: 'Upload another' }).click();
  await page.getByTestId('document').setInputFiles(fixture('one-event.xml'));
  await page.getByTestId('send').click();
  await page.locator('[data-testid="job"][data-tone="good"][data-state="indexed"]').waitFor({ timeout: 30_000 });

  for (const [name, options] of [
    ['390', phone],
    ['dark-es-1280', darkSpanish],
  ]) {
    const other = await open(origin, options);
    await signIn(other, network.links.manufacturer);
    // Up to the last button before a shipment goes.
    await other.goto(`${origin}/lots/${gtin}/${lot}`);
    await other.locator('.picks input').first().check();
    const words = name.includes('es') ? ['A quién', 'Orden de compra'] : ['To whom', 'Purchase order'];
    await other.getByRole('combobox', { name: words[0] }).fill('Midland');
    await other.getByRole('option', { name: /Midland/ }).click();
    await other.getByLabel(words[1]).fill('PO-2026-000123');
    await other.getByTestId('to-review').click();
    await other
      .getByTestId('review')
      .getByText(/Midland/)
      .first()
      .waitFor();
    await look(other, `maker-review-${name}`);
    await other.context().close();
  }

  await page.goto(`${origin}/lots/${gtin}/${lot}`);
  await page.getByRole('button', { name: 'Recall this lot…' }).click();
  // A number that another product's recall has asks before it joins.
  await page.getByLabel('Recall number').fill(story.recallNumber);
  await page.getByLabel('Reason').fill('Label mix-up');
  await page.getByTestId('recall-check').click();
  await page.getByTestId('in-use').waitFor();
  assert.equal(await page.getByTestId('recall').count(), 0, 'nothing is recalled before that is answered');
  await look(page, 'maker-recall-in-use-1280');
  await page.getByTestId('other-number').click();
  await page.getByLabel('Recall number').fill('R-E2E');
  await page.getByTestId('recall-check').click();
  await page.getByTestId('recall').waitFor();
  await look(page, 'maker-recall-1280');
  await page.getByTestId('recall').click();
  await page.getByText('Recalled: R-E2E').waitFor({ timeout: 30_000 });
  await page.getByTestId('done').getByRole('link', { name: 'How far the recall has come' }).waitFor();
  await look(page, 'maker-recalled-1280');
  // What is still here of it is red before anything is reviewed, and comes out in one click.
  await page.locator('.picks input').first().check();
  await page.getByRole('combobox', { name: 'To whom' }).fill('Midland');
  await page.getByRole('option', { name: /Midland/ }).click();
  await page.getByTestId('to-review').click();
  await page
    .getByTestId('red')
    .getByText(/inside are recalled \(recall R-E2E/)
    .waitFor();
  assert.equal(await page.getByTestId('ship').count(), 0, 'nothing red is sent');
  await look(page, 'maker-lot-red-1280');
  await page.getByTestId('take-out').click();
  await page.getByTestId('red').waitFor({ state: 'detached' });
  await page.getByTestId('dismiss').last().click();
  await page.getByText(/^Recall R-E2E of lot/).waitFor({ state: 'detached' });
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

// A regulator's day: find a lot, see where every package of it is, take the list along, open a recall, see how far it has come, follow one
// package through its containers, and look into a block.
import { readFileSync } from 'node:fs';
import { darkSpanish, phone } from '../browser.mjs';

/** cells are the cells of a CSV file, RFC 4180: those in quotes may hold commas, line ends and doubled quotes. */
function cells(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.trimEnd().matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '') break;
    if (end !== ',') rows.push([]);
  }
  return rows;
}

export async function journey({ open, look, signIn, network, story, assert }) {
  const origin = network.api;
  const page = await open(origin, { acceptDownloads: true });
  await signIn(page, network.links.api);
  await page.goto(origin);
  await page.getByRole('heading', { name: 'Find anything' }).waitFor();
  await page.getByText('the newest recall').waitFor();
  await look(page, 'regulator-search-empty-1280');
  await page.getByLabel('What are you looking for?').fill('0781-2233');
  await page.keyboard.press('Enter');
  await page.getByTestId('hits').waitFor();
  assert.match(page.url(), /\?q=0781-2233$/);
  await page.locator('[data-kind="product"]').first().waitFor();
  await look(page, 'regulator-search-1280');

  // As somebody types, without Enter, and to a hit by keyboard alone.
  const field = page.getByLabel('What are you looking for?');
  await field.fill('');
  await field.pressSequentially('omep', { delay: 60 });
  await page.waitForURL(/\?q=omep$/);
  await page.locator('[data-testid="hits"][aria-busy="false"] [data-kind="product"]').first().waitFor();
  await page.keyboard.press('ArrowDown');
  const first = page.locator('[data-testid="hits"] a').first();
  assert.equal(await first.evaluate((a) => a === document.activeElement), true, 'the arrow key goes to the first hit');
  await page.keyboard.press('ArrowUp');
  assert.equal(await field.evaluate((i) => i === document.activeElement), true, 'and back to the field');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\?q=\d{14}$/);
  await page.locator('[data-kind="lot"]').first().waitFor();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Search' }).click();
  await page.getByRole('heading', { name: 'Asked before' }).waitFor();
  await look(page, 'regulator-search-asked-1280');
  // Whoever scans a package is at its history at once, wherever the focus was.
  await page.getByRole('heading', { name: 'Where to begin' }).click();
  await page.keyboard.type(story.unit, { delay: 3 });
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/trace\/./);
  await page.goto(`${origin}/search`);
  await field.fill('nothing of the kind');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing on this ledger matches').waitFor();

  // The lot: every package is somewhere, and the file has them all.
  await page.goto(`${origin}/lot/${story.openLotGtin}/${story.openLot}`);
  await page.getByTestId('totals').waitFor();
  const units = await page
    .locator('[data-units]')
    .evaluateAll((cells) => cells.reduce((n, c) => n + Number(c.getAttribute('data-units')), 0));
  assert.match(await page.getByRole('heading', { name: /Where the \d+ packages are/ }).textContent(), new RegExp(` ${units} `));
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()]);
  const [head, ...rows] = cells(readFileSync(await file.path(), 'utf8'));
  assert.equal(rows.length, units, 'a line for every package');
  const column = (name) => rows.map((r) => r[head.indexOf(name)]);
  assert.equal(new Set(column('serial')).size, units, 'each package once');
  const shown = await page.getByTestId('headline').locator('dd').first().textContent();
  assert.equal(Number(shown), column('state').filter((s) => s === 'on_hand').length, 'the number on top is that of the file');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByRole('columnheader', { name: 'Serial' }).waitFor();
  await page.locator('[data-testid="units-status"][data-done="true"]').waitFor();
  assert.equal(await page.getByTestId('units').getAttribute('aria-rowcount'), String(units + 1));
  // The end of the list is reached by keyboard, and what is not on the screen is not drawn.
  await page.getByTestId('units').focus();
  await page.keyboard.press('End');
  await page.locator(`[data-testid="units"] [aria-rowindex="${units + 1}"]`).waitFor();
  await page.keyboard.press('Home');
  await page.locator('[data-testid="units"] [aria-rowindex="2"]').waitFor();
  await look(page, 'regulator-lot-1280');

  // Open a recall. Whoever looks sees it at once.
  await page.getByTestId('open-recall').click();
  await page.getByLabel('Recall number').fill('FDA-1');
  await page.getByLabel('Reason').fill('Contaminated');
  await page.getByTestId('recall-ask').click();
  await page.getByTestId('recall').waitFor();
  await look(page, 'regulator-recall-open-1280');
  await page.getByTestId('recall').click();
  await page.getByTestId('done').getByRole('link', { name: 'How far the recall has come' }).click({ timeout: 30_000 });
  await page.waitForURL(/\/recalls\/FDA-1$/);
  await page.getByRole('heading', { name: /accounted for/ }).waitFor();

  // It is ended after a question, and everyone sees that, too.
  await page.getByRole('button', { name: 'End the recall' }).click();
  await look(page, 'regulator-recall-end-1280');
  await page.getByTestId('end-recall').click();
  await page.getByText('Ended', { exact: true }).waitFor({ timeout: 30_000 });

  // The maker's recall: what is lost is not accounted for, and the classes add up.
  await page.goto(`${origin}/recalls/${story.recallNumber}`);
  await page.getByTestId('holders').waitFor();
  const outcome = Object.fromEntries(
    await page.locator('[data-outcome]').evaluateAll((all) => all.map((e) => [e.getAttribute('data-outcome'), Number(e.textContent)])),
  );
  const recalled = Object.values(outcome).reduce((a, b) => a + b, 0);
  const share = Math.floor((100 * (outcome.quarantined + outcome.withMaker + outcome.destroyed + outcome.dispensed)) / recalled);
  await page.getByRole('heading', { name: `${share} % accounted for` }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'End the recall' }).count(), 0, 'only who opened it ends it');
  const list = await (await fetch(`${origin}/v1/recalls/${encodeURIComponent(story.recallNumber)}/units?format=csv`)).text();
  assert.equal(cells(list).length - 1, recalled, 'the file has every recalled package');
  assert.ok(Number(await page.locator('[data-outcome="quarantined"]').textContent()) > 0);
  assert.ok(Number(await page.locator('[data-outcome="remaining"]').textContent()) > 0);
  await look(page, 'regulator-recall-1280');
  await page.goto(`${origin}/recalls`);
  await page.getByText('FDA-1').waitFor();
  await look(page, 'regulator-recalls-1280');

  // One package, through case and pallet, as a picture and in words, proven.
  await page.goto(`${origin}/trace/${encodeURIComponent(story.unit)}`);
  await page.getByTestId('graph').locator('.react-flow__node').nth(3).waitFor();
  await page.getByTestId('proof').getByText('History verified in this browser').first().waitFor();
  await look(page, 'regulator-trace-1280');
  // From the picture to a step, by keyboard.
  const dispensed = page.getByTestId('graph').getByRole('button', { name: /^Dispensed/ });
  await dispensed.focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('data-step')), 'dispensing');
  await page
    .locator('[data-step="shipping"]')
    .first()
    .getByRole('link', { name: /^Block/ })
    .click();
  await page.getByTestId('entries').waitFor();
  await look(page, 'regulator-block-1280');
  const height = Number(/\d+$/.exec(page.url())[0]);
  await page.getByRole('link', { name: 'Previous', exact: true }).click();
  await page.getByRole('heading', { name: `Block ${height - 1}`, exact: true }).waitFor();
  await page.getByRole('link', { name: 'Next', exact: true }).click();
  await page.getByRole('heading', { name: `Block ${height}`, exact: true }).waitFor();
  const [raw] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as JSON' }).click()]);
  assert.equal(JSON.parse(readFileSync(await raw.path(), 'utf8')).header.height, String(height));
  // The block of a remark says it in words.
  const flagged = await (await fetch(`${origin}/v1/trace?id=${encodeURIComponent(story.wrongDoor)}`)).json();
  const remark = flagged.steps.find((s) => (s.findings ?? []).length > 0);
  await page.goto(`${origin}/block/${remark.position.height}`);
  await page.getByTestId('entries').getByText(remark.findings[0].code).first().waitFor();
  await look(page, 'regulator-block-remark-1280');
  await page.goto(`${origin}/block/99999999`);
  await page.getByText('there is no block 99999999 yet').waitFor();

  // What happens shows by itself.
  await page.goto(`${origin}/network`);
  await page.getByText('Connected').waitFor();
  assert.ok((await page.getByTestId('feed').locator('li').count()) > 0, 'it begins with what there is');
  const lot = await fetch(`${network.manufacturer}/v1/lots`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${network.tokens.manufacturer}` },
    body: JSON.stringify({ gtin: story.gtin, lot: 'FEED-1', expiry: '2029-01-31' }),
  });
  assert.equal(lot.status, 202);
  await page.getByTestId('feed').getByText('Lot registered').first().waitFor({ timeout: 30_000 });
  await look(page, 'regulator-network-1280');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Paused', { exact: true }).waitFor();
  // Where too many listen already, the page asks now and then instead, and says so.
  await page.route('**/v1/feed?*', (route) => route.fulfill({ status: 429, contentType: 'application/problem+json', body: '{}' }));
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('Asking every few seconds').waitFor();
  await page.getByTestId('feed').getByText('Lot registered').first().waitFor();
  // No answer is not an empty one.
  await page.route('**/v1/recalls', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{}' }));
  await page.goto(`${origin}/recalls`);
  await page.getByText('No answer').waitFor({ timeout: 20_000 });
  assert.equal(await page.getByText('No recall is on this ledger').count(), 0);
  await look(page, 'regulator-recalls-silent-1280');
  await page.context().close();

  for (const [name, options] of [
    ['390', phone],
    ['dark-es-1280', darkSpanish],
  ]) {
    const other = await open(origin, options);
    for (const [what, path, wait] of [
      ['search-empty', '/search', '.row-link'],
      ['search', '/search?q=omeprazole', '[data-testid="hits"]'],
      ['lot', `/lot/${story.gtin}/${story.lot}?state=on_hand`, '[data-testid="units-status"][data-done="true"]'],
      ['recalls', '/recalls', '.row-link'],
      ['recall', `/recalls/${story.recallNumber}`, '[data-testid="holders"]'],
      ['trace', `/trace/${encodeURIComponent(story.wrongDoor)}`, '.react-flow__node'],
      ['block', `/block/${remark.position.height}`, '[data-testid="entries"]'],
      ['network', '/network', '[data-testid="blocks"]'],
    ]) {
      await other.goto(origin + path);
      await other.locator(wait).first().waitFor();
      await look(other, `regulator-${what}-${name}`);
    }
    await other.context().close();
  }
}

// A regulator's day: find a lot, see where every package of it is, take the list along, open a recall, see how far it has come, follow one
// package through its containers, and look into a block.
import { readFileSync } from 'node:fs';
import { darkSpanish, phone } from '../browser.mjs';

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
  await page.getByLabel('What are you looking for?').fill('nothing of the kind');
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
  const rows = readFileSync(await file.path(), 'utf8')
    .trim()
    .split('\n');
  assert.equal(rows.length, units + 1, 'a line for every package, and the heading');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByRole('columnheader', { name: 'Serial' }).waitFor();
  await look(page, 'regulator-lot-1280');

  // Open a recall. Whoever looks sees it at once.
  await page.getByTestId('open-recall').click();
  await page.getByLabel('Recall number').fill('FDA-1');
  await page.getByLabel('Reason').fill('Contaminated');
  await page.getByTestId('recall-ask').click();
  await page.getByTestId('recall').waitFor();
  await look(page, 'regulator-recall-open-1280');
  await page.getByTestId('recall').click();
  await page.waitForURL(/\/recalls\/FDA-1$/, { timeout: 30_000 });
  await page.getByRole('heading', { name: /accounted for/ }).waitFor();
  await page.goto(`${origin}/recalls/${story.recallNumber}`);
  await page.getByTestId('holders').waitFor();
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
  await page
    .locator('[data-step="shipping"]')
    .first()
    .getByRole('link', { name: /^Block/ })
    .click();
  await page.getByTestId('entries').waitFor();
  await look(page, 'regulator-block-1280');
  await page.getByRole('link', { name: 'Previous', exact: true }).click();
  await page.getByTestId('entries').waitFor();

  // What happens shows by itself.
  await page.goto(`${origin}/network`);
  await page.getByText('Connected').waitFor();
  const lot = await fetch(`${network.manufacturer}/v1/lots`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${network.tokens.manufacturer}` },
    body: JSON.stringify({ gtin: story.gtin, lot: 'FEED-1', expiry: '2029-01-31' }),
  });
  assert.equal(lot.status, 202);
  await page.getByTestId('feed').getByText('Lot registered').first().waitFor({ timeout: 30_000 });
  await look(page, 'regulator-network-1280');
  await page.context().close();

  for (const [name, options] of [
    ['390', phone],
    ['dark-es-1280', darkSpanish],
  ]) {
    const other = await open(origin, options);
    for (const [what, path, wait] of [
      ['search', '/search?q=omeprazole', '[data-testid="hits"]'],
      ['lot', `/lot/${story.gtin}/${story.lot}`, '[data-testid="totals"]'],
      ['recall', `/recalls/${story.recallNumber}`, '[data-testid="holders"]'],
      ['trace', `/trace/${encodeURIComponent(story.wrongDoor)}`, '.react-flow__node'],
      ['block', '/block/5', '[data-testid="entries"]'],
    ]) {
      await other.goto(origin + path);
      await other.locator(wait).first().waitFor();
      await look(other, `regulator-${what}-${name}`);
    }
    await other.context().close();
  }
}

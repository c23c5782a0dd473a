// The journey, on a real network, whose api serves the pages: trace the seeded story's unit, see it verified in the browser,
// tamper with its proof and see that fail. Every page is checked with axe, every request must stay within the origin,
// and screenshots are taken to be looked at.
//
//   make web build && npm run e2e           needs chromium ($CHROMIUM)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { darkSpanish, phone as onPhone, startBrowser } from './browser.mjs';
import { startNetwork } from './network.mjs';

const portsBase = Number(process.env.PORTS_BASE ?? 19180);
const only = process.env.ONLY; // the name of one journey
const browser = await startBrowser();
const { trouble, look, folder } = browser;
let origin; // of the pages that are built into the binary
let unit;
let fake;
const open = (options) => browser.open(origin, options);

const download = async (page, name) => {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
  return readFileSync(await file.path());
};
const drop = (page, id, name, buffer) => page.getByTestId(`${id}-file`).setInputFiles({ name, mimeType: 'application/json', buffer });

async function journey() {
  const page = await open({ acceptDownloads: true });

  // By keyboard alone: skip link, brand, pages, language, colours, then the field.
  await page.goto(`${origin}/trace`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await look(page, 'everyone-trace-empty-1280');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.getByLabel('What is on the label').focus();
  await page.keyboard.type(unit);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/trace\/./);

  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'INPUT', 'the field keeps the focus for the next scan');
  const proof = page.getByTestId('proof');
  await proof.waitFor();
  await proof.getByText('History verified in this browser').first().waitFor();
  assert.equal(await proof.getAttribute('data-tone'), 'good');
  const steps = await page.locator('[data-step]').count();
  assert.ok(steps >= 6, `${steps} steps`);
  assert.equal(await page.locator('[data-proof="verified"]').count(), steps, 'every step is verified');
  await page.locator('[data-step="receiving"]').getByText('QTY_SHORT').first().waitFor();
  await page
    .getByTestId('freshness')
    .getByText(/As of block \d+/)
    .waitFor();
  await look(page, 'everyone-trace-1280');
  await proof.locator('summary').first().click();
  assert.equal(await proof.locator('[data-check][data-state="ok"]').count(), 15);
  await page.locator('[data-step]').first().locator('summary').click();
  await look(page, 'everyone-trace-checks-1280');
  const bundle = await download(page, 'Download the proof');
  const genesis = await download(page, 'Download the genesis file');

  // The container that carried it has its own history, as well proven.
  await page.locator('[data-step="packing"] a').first().click();
  await page.waitForURL(/\/trace\/00\d{18}$/);
  await page.getByRole('heading', { name: 'Container', exact: true }).waitFor();
  await proof.waitFor();
  assert.equal(await proof.getAttribute('data-tone'), 'good');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await look(page, 'everyone-trace-container-1280');
  await page.goBack();

  // Back, and a reload, end at the same unit.
  await page.reload();
  await proof.waitFor();
  assert.equal(await page.getByLabel('What is on the label').inputValue(), unit);

  // Verify: the good file, then the same with one value changed, then with nothing but a network failure around it.
  await page.getByRole('link', { name: 'Verify', exact: true }).click();
  await page.locator('.drop').first().waitFor();
  await look(page, 'everyone-verify-empty-1280');
  await page.context().setOffline(true);
  await drop(page, 'bundle', 'proof.json', bundle);
  await drop(page, 'genesis', 'genesis.json', genesis);
  await page.locator('[data-testid="verdict"][data-ok="true"]').waitFor();
  await look(page, 'everyone-verify-good-1280');
  const text = bundle.toString();
  const lied = text.replace('"text":"ObjectEvent"', '"text":"ObjectEvenT"');
  assert.notEqual(lied, text);
  await drop(page, 'bundle', 'tampered.json', Buffer.from(lied));
  await page.locator('[data-testid="verdict"][data-ok="false"]').waitFor();
  assert.equal(await page.locator('[data-check="items"]').getAttribute('data-state'), 'failed');
  assert.equal(await page.locator('[data-check="units"]').getAttribute('data-state'), 'ok');
  assert.equal(await page.locator('[data-check="verdict"]').getAttribute('data-state'), 'skipped');
  await look(page, 'everyone-verify-tampered-1280');
  await drop(page, 'bundle', 'spaces.json', Buffer.from(text.replace(':', ': ')));
  await page.locator('[data-check="format"][data-state="failed"]').waitFor();
  await drop(page, 'genesis', 'no-genesis.json', Buffer.from('{}'));
  await page.getByText('This is no genesis file').waitFor();
  await page.context().setOffline(false);

  // The server lies about one step: the proof, which is honest, gives it away.
  await page.route('**/v1/trace?*', async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace('"bizStep":"receiving"', '"bizStep":"dispensing"');
    await route.fulfill({ response, body });
  });
  await page.goto(`${origin}/trace/${encodeURIComponent(unit)}`);
  await page.locator('[data-proof="differs"]').waitFor();
  assert.equal(await page.getByTestId('proof').getAttribute('data-tone'), 'bad');
  await look(page, 'everyone-trace-lie-1280');
  await page.unroute('**/v1/trace?*');

  // Unknown, unreadable, and no answer at all look different from each other.
  await page.goto(`${origin}/trace/${encodeURIComponent(fake)}`);
  await page.getByText('Nothing on this ledger names this identifier').waitFor();
  await look(page, 'everyone-trace-unknown-1280');
  await page.goto(`${origin}/trace/foo`);
  await page.getByText('This cannot be read as an identifier').waitFor();
  await look(page, 'everyone-trace-refused-1280');
  await page.route('**/v1/trace?*', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{}' }));
  await page.goto(`${origin}/trace/${encodeURIComponent(fake)}`);
  await page.getByText('No answer').waitFor({ timeout: 20_000 });
  await look(page, 'everyone-trace-silent-1280');
  await page.unroute('**/v1/trace?*');

  await page.goto(`${origin}/network`);
  await page.getByTestId('blocks').waitFor();
  assert.equal(await page.locator('table').first().locator('tbody tr').count(), 4);
  const height = await page.getByTestId('blocks').locator('tbody td').first().textContent();
  await look(page, 'everyone-network-1280');
  // A validator heartbeats at least every 20 s: the page must show a newer block by itself.
  await page.waitForFunction((h) => document.querySelector('[data-testid="blocks"] tbody td')?.textContent !== h, height, {
    timeout: 40_000,
  });
  await page.context().close();
}

async function phone() {
  const page = await open(onPhone);
  for (const [name, path, wait] of [
    ['trace', `/trace/${encodeURIComponent(unit)}`, '[data-testid="proof"]'],
    ['verify', '/verify', '.drop'],
    ['network', '/network', '[data-testid="blocks"]'],
  ]) {
    await page.goto(origin + path);
    await page.locator(wait).first().waitFor();
    if (name === 'trace') await page.locator('[data-proof="verified"]').first().waitFor();
    await look(page, `everyone-${name}-390`);
    await page.screenshot({
      path: `${folder}everyone-${name}-top-390.png`,
      fullPage: true,
      clip: { x: 0, y: 0, width: 390, height: 1500 },
    });
  }
  await page.context().close();
}

async function darkAndSpanish() {
  const page = await open(darkSpanish);
  await page.goto(`${origin}/trace/${encodeURIComponent(unit)}`);
  await page.locator('[data-proof="verified"]').first().waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'es');
  await look(page, 'everyone-trace-dark-es-1280');
  await page.goto(`${origin}/network`);
  await page.getByTestId('blocks').waitFor();
  await look(page, 'everyone-network-dark-es-1280');
  await page.goto(`${origin}/verify`);
  await page.locator('.drop').first().waitFor();
  await look(page, 'everyone-verify-dark-es-1280');
  await page.getByRole('combobox').selectOption('en');
  await page.getByRole('heading', { name: 'Verify a proof yourself' }).waitFor();
  await page.context().close();
}

/** run tells how long a journey took, and goes on when it failed. */
async function run(name, fn) {
  const started = Date.now();
  const before = trouble.length;
  try {
    await fn();
  } catch (e) {
    trouble.push(`${name}: ${e.stack}`);
    await browser.failed(name);
  }
  console.log(`${trouble.length > before ? 'FAIL' : 'ok  '} ${name} ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

async function everyone() {
  const network = await startNetwork(spawn, portsBase);
  try {
    origin = network.api;
    unit = /trace '([^']+)'/.exec(network.output())[1];
    fake = /counterfeit was (\S+?)\.?\s/.exec(network.output())[1];
    await run('everyone', journey);
    await run('everyone, on a phone', phone);
    await run('everyone, dark and Spanish', darkAndSpanish);
  } finally {
    await network.stop();
  }
}

/** roles plays each role's day on the small national story. */
async function roles() {
  const names = readdirSync(new URL('journeys/', import.meta.url)).filter((f) => f.endsWith('.mjs'));
  const network = await startNetwork(spawn, portsBase + 10, ['--size', 'small', '--validators', '1'], 'demo');
  try {
    for (const file of names) {
      const name = file.replace('.mjs', '');
      if (only && only !== name) continue;
      const { journey } = await import(`./journeys/${file}`);
      await run(name, () => journey({ ...browser, network, story: network.story, assert }));
    }
  } finally {
    await network.stop();
  }
}

try {
  if (!only || only === 'everyone') await everyone();
  if (only !== 'everyone') await roles();
} catch (e) {
  trouble.push(e.stack);
} finally {
  await browser.close();
}
for (const t of trouble) console.error(t);
console.log(`${browser.done()} screenshots in screenshots/; ${trouble.length} faults`);
process.exit(trouble.length > 0 ? 1 : 0);

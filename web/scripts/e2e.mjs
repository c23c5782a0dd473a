// The journey, on a real network, whose api serves the pages: trace the seeded story's unit, see it verified in the browser,
// tamper with its proof and see that fail. Every page is checked with axe, every request must stay within the origin,
// and screenshots are taken to be looked at.
//
//   make web build && npm run e2e           needs chromium ($CHROMIUM)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startNetwork } from './network.mjs';

const portsBase = Number(process.env.PORTS_BASE ?? 19180);
const folder = fileURLToPath(new URL('../screenshots/', import.meta.url));
mkdirSync(folder, { recursive: true });
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

const network = await startNetwork(spawn, portsBase);
const unit = /trace '([^']+)'/.exec(network.output())[1];
const fake = /counterfeit was (\S+?)\.?\s/.exec(network.output())[1];
const origin = network.api; // the pages that are built into the binary
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-background-networking'],
});
const trouble = [];
let done = 0;

async function open(options) {
  const context = await browser.newContext({
    locale: 'en-US',
    viewport: { width: 1280, height: 860 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('request', (r) => {
    if (!r.url().startsWith(origin) && !/^(data|blob):/.test(r.url())) trouble.push(`request outside the origin: ${r.url()}`);
  });
  page.on('console', (m) => {
    // A refused request is part of the journey; everything else that the console reports is a fault.
    if (m.type() === 'error' && !/status of (4\d\d|503)/.test(m.text())) trouble.push(`console: ${m.text()}`);
  });
  page.on('pageerror', (e) => trouble.push(`page error: ${e.message}`));
  return page;
}

async function look(page, name) {
  const found = await page.evaluate(async (source) => {
    if (!window.axe) (0, eval)(source);
    const r = await window.axe.run(document, { resultTypes: ['violations'] });
    return r.violations.map(
      (v) =>
        `${v.id} (${v.impact}): ${v.nodes
          .slice(0, 3)
          .map((n) => `${n.target.join(' ')}: ${n.any[0]?.message ?? n.failureSummary}`)
          .join(' | ')}`,
    );
  }, axe);
  for (const f of found) trouble.push(`axe on ${name}: ${f}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) trouble.push(`${name} scrolls sideways by ${wide} px`);
  await page.screenshot({ path: `${folder}${name}.png`, fullPage: true });
  done++;
}

const download = async (page, name) => {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
  return readFileSync(await file.path());
};
const drop = (page, id, name, buffer) => page.getByTestId(`${id}-file`).setInputFiles({ name, mimeType: 'application/json', buffer });

async function journey() {
  const page = await open({ acceptDownloads: true });

  // By keyboard alone: skip link, brand, pages, language, colours, then the field.
  await page.goto(origin);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await look(page, 'trace-empty-1280');
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
  await look(page, 'trace-1280');
  await proof.locator('summary').first().click();
  assert.equal(await proof.locator('[data-check][data-state="ok"]').count(), 15);
  await page.locator('[data-step]').first().locator('summary').click();
  await look(page, 'trace-checks-1280');
  const bundle = await download(page, 'Download the proof');
  const genesis = await download(page, 'Download the genesis file');

  // The container that carried it has its own history, as well proven.
  await page.locator('[data-step="packing"] a').first().click();
  await page.waitForURL(/\/trace\/00\d{18}$/);
  await page.getByRole('heading', { name: 'Container', exact: true }).waitFor();
  await proof.waitFor();
  assert.equal(await proof.getAttribute('data-tone'), 'good');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await look(page, 'trace-container-1280');
  await page.goBack();

  // Back, and a reload, end at the same unit.
  await page.reload();
  await proof.waitFor();
  assert.equal(await page.getByLabel('What is on the label').inputValue(), unit);

  // Verify: the good file, then the same with one value changed, then with nothing but a network failure around it.
  await page.getByRole('link', { name: 'Verify', exact: true }).click();
  await page.locator('.drop').first().waitFor();
  await look(page, 'verify-empty-1280');
  await page.context().setOffline(true);
  await drop(page, 'bundle', 'proof.json', bundle);
  await drop(page, 'genesis', 'genesis.json', genesis);
  await page.locator('[data-testid="verdict"][data-ok="true"]').waitFor();
  await look(page, 'verify-good-1280');
  const text = bundle.toString();
  const lied = text.replace('"text":"ObjectEvent"', '"text":"ObjectEvenT"');
  assert.notEqual(lied, text);
  await drop(page, 'bundle', 'tampered.json', Buffer.from(lied));
  await page.locator('[data-testid="verdict"][data-ok="false"]').waitFor();
  assert.equal(await page.locator('[data-check="items"]').getAttribute('data-state'), 'failed');
  assert.equal(await page.locator('[data-check="units"]').getAttribute('data-state'), 'ok');
  assert.equal(await page.locator('[data-check="verdict"]').getAttribute('data-state'), 'skipped');
  await look(page, 'verify-tampered-1280');
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
  await look(page, 'trace-lie-1280');
  await page.unroute('**/v1/trace?*');

  // Unknown, unreadable, and no answer at all look different from each other.
  await page.goto(`${origin}/trace/${encodeURIComponent(fake)}`);
  await page.getByText('Nothing on this ledger names this identifier').waitFor();
  await look(page, 'trace-unknown-1280');
  await page.goto(`${origin}/trace/foo`);
  await page.getByText('This cannot be read as an identifier').waitFor();
  await look(page, 'trace-refused-1280');
  await page.route('**/v1/trace?*', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{}' }));
  await page.goto(`${origin}/trace/${encodeURIComponent(fake)}`);
  await page.getByText('No answer').waitFor({ timeout: 20_000 });
  await look(page, 'trace-silent-1280');
  await page.unroute('**/v1/trace?*');

  await page.goto(`${origin}/network`);
  await page.getByTestId('blocks').waitFor();
  assert.equal(await page.locator('table').first().locator('tbody tr').count(), 4);
  const height = await page.getByTestId('blocks').locator('tbody td').first().textContent();
  await look(page, 'network-1280');
  // A validator heartbeats at least every 20 s: the page must show a newer block by itself.
  await page.waitForFunction((h) => document.querySelector('[data-testid="blocks"] tbody td')?.textContent !== h, height, {
    timeout: 40_000,
  });
  await page.context().close();
}

async function phone() {
  const page = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  for (const [name, path, wait] of [
    ['trace', `/trace/${encodeURIComponent(unit)}`, '[data-testid="proof"]'],
    ['verify', '/verify', '.drop'],
    ['network', '/network', '[data-testid="blocks"]'],
  ]) {
    await page.goto(origin + path);
    await page.locator(wait).first().waitFor();
    if (name === 'trace') await page.locator('[data-proof="verified"]').first().waitFor();
    await look(page, `${name}-390`);
    await page.screenshot({ path: `${folder}${name}-390-top.png`, fullPage: true, clip: { x: 0, y: 0, width: 390, height: 1500 } });
  }
  await page.context().close();
}

async function darkAndSpanish() {
  const page = await open({ colorScheme: 'dark', locale: 'es-MX' });
  await page.goto(`${origin}/trace/${encodeURIComponent(unit)}`);
  await page.locator('[data-proof="verified"]').first().waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'es');
  await look(page, 'trace-dark-es-1280');
  await page.goto(`${origin}/network`);
  await page.getByTestId('blocks').waitFor();
  await look(page, 'network-dark-es-1280');
  await page.goto(`${origin}/verify`);
  await page.locator('.drop').first().waitFor();
  await look(page, 'verify-dark-es-1280');
  await page.getByRole('combobox').selectOption('en');
  await page.getByRole('heading', { name: 'Verify a proof yourself' }).waitFor();
  await page.context().close();
}

try {
  await journey();
  await phone();
  await darkAndSpanish();
} catch (e) {
  trouble.push(e.stack);
} finally {
  await browser.close();
  await network.stop();
}
for (const t of trouble) console.error(t);
console.log(`${done} screenshots in screenshots/; ${trouble.length} faults`);
process.exit(trouble.length > 0 ? 1 : 0);

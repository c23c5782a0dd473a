// Takes the pictures of the README's walk, on the national story: node scripts/pictures.mjs (after make web build).
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startBrowser } from './browser.mjs';
import { startNetwork } from './network.mjs';

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));
mkdirSync(folder, { recursive: true });
const network = await startNetwork(spawn, 19280, [], 'demo');
const browser = await startBrowser();
const { story } = network;
const picture = async (name, service, path, wait, then = async () => {}) => {
  const page = await browser.open(network[service], { viewport: { width: 1180, height: 760 } });
  await browser.signIn(page, network.links[service]);
  await page.goto(network[service] + path);
  await page.locator(wait).first().waitFor();
  await then(page);
  await page.screenshot({ path: `${folder}${name}.jpg`, type: 'jpeg', quality: 72 });
  await page.context().close();
};
try {
  await picture('check-good', 'pharmacy', `/check/${encodeURIComponent(story.good)}`, '[data-kind="dispense"]');
  await picture('check-recalled', 'pharmacy', `/check/${encodeURIComponent(story.recalled)}`, '[data-kind="recalled"]');
  await picture('receive', 'pharmacy', '/receive', '.row-link', async (page) => {
    await page.locator('.row-link').first().click();
    await page.locator('[data-item]').first().waitFor();
  });
  await picture('lot', 'manufacturer', `/lots/${story.openLotGtin}/${story.openLot}`, '[data-testid="label"]');
  await picture('recall', 'api', `/recalls/${story.recallNumber}`, '[data-testid="holders"]');
  await picture('trace', 'api', `/trace/${encodeURIComponent(story.unit)}`, '.react-flow__node', async (page) => {
    await page.locator('[data-proof="verified"]').first().waitFor();
    await page.getByTestId('proof').scrollIntoViewIfNeeded();
    await page.evaluate(() => document.querySelector('[data-testid="proof"]').scrollIntoView());
  });
} finally {
  await browser.close();
  await network.stop();
}
for (const t of browser.trouble) console.error(t);

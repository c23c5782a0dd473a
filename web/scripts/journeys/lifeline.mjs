// A page that cannot be loaded: offline and back, a new build under an open tab, a page that cannot draw what it was given. In each case
// the page says what happened, the navigation stays, and what was scanned is not lost.
import { darkSpanish, phone } from '../browser.mjs';

const missing = (page, trouble) => page.locator(`[data-testid="missing"][data-trouble="${trouble}"]`).waitFor({ timeout: 20_000 });
const link = (page, name) => page.getByRole('navigation').getByRole('link', { name, exact: true });

/** chunk finds the file that holds a page's code: it is named after the page. */
const chunk = (name) => new RegExp(`/assets/${name}-[^/]+\\.js$`);

/** withhold lets nothing of a page's code through until it is called off. */
async function withhold(page, name) {
  await page.route(chunk(name), (route) => route.abort());
  return () => page.unroute(chunk(name));
}

export async function journey({ open, look, signIn, network, story, assert, trouble }) {
  await ahead({ open, network, assert });
  await offline({ open, look, network, story, assert });
  await newBuild({ open, look, signIn, network, story, assert });
  await stopped({ open, look, network, story, assert, trouble });
  for (const [name, options] of [
    ['390', phone],
    ['dark-es-1280', darkSpanish],
  ]) {
    const page = await open(network.pharmacy, options);
    const give = await withhold(page, 'VerifyPage');
    await page.goto(`${network.pharmacy}/verify`);
    await missing(page, 'broken');
    await look(page, `pharmacy-missing-${name}`);
    await give();
    await page.locator('.drop').first().waitFor({ timeout: 20_000 });
    await page.context().close();
  }
}

/** ahead: when the browser has nothing else to do, the code of the role's pages comes, and they open without a network. */
async function ahead({ open, network, assert }) {
  const page = await open(network.pharmacy);
  const verify = page.waitForResponse((r) => chunk('VerifyPage').test(r.url()));
  const last = page.waitForResponse((r) => chunk('SignInPage').test(r.url()));
  await page.goto(`${network.pharmacy}/check`);
  await verify;
  await last;
  await page.context().setOffline(true);
  await link(page, 'Verify').click();
  await page.locator('.drop').first().waitFor();
  assert.equal(await page.getByTestId('missing').count(), 0);
  await page.context().close();
}

/** offline: what happened, Retry, and back by itself. */
async function offline({ open, look, network, story, assert }) {
  const page = await open(network.pharmacy);
  const give = await withhold(page, 'TracePage');
  await page.goto(`${network.pharmacy}/check`);
  await page.getByRole('heading', { name: 'Check a package' }).waitFor();
  await page.context().setOffline(true);
  await link(page, 'Trace').click();
  await missing(page, 'silent');
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  assert.equal(await link(page, 'Check').isVisible(), true, 'the navigation stays');
  await look(page, 'pharmacy-offline-1280');
  await page.getByRole('button', { name: 'Try again' }).click();
  await missing(page, 'silent');
  await give();
  await page.context().setOffline(false); // nobody presses anything
  await page.getByLabel('What is on the label').waitFor({ timeout: 15_000 });

  // A question that nobody answered is asked again, too.
  await page.context().setOffline(true);
  await page.getByLabel('What is on the label').fill(story.unit);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'No answer' }).waitFor({ timeout: 20_000 });
  await page.context().setOffline(false);
  await page.locator('[data-step="commissioning"]').waitFor({ timeout: 20_000 });
  await page.context().close();
}

/**
 * deploy puts another build under the tab: the same pages under other names, as a build after a change has. The old names are gone.
 * It returns how often the start page was loaded since.
 */
async function deploy(page, mark) {
  const rename = (text) => text.replaceAll(/([\w-]+)\.(js|css)(?=["'`)])/g, `$1.${mark}.$2`);
  let loads = 0;
  await page.route(/\/assets\/[^/]+\.(js|css)$/, async (route) => {
    const url = route.request().url();
    if (!url.includes(`.${mark}.`)) return route.fulfill({ status: 404, contentType: 'application/problem+json', body: '{}' });
    const response = await route.fetch({ url: url.replace(`.${mark}.`, '.') });
    return route.fulfill({ response, body: rename(await response.text()) });
  });
  await page.route(
    (url) => !/^\/(assets|v1|01|app\.json|icon)/.test(url.pathname),
    async (route) => {
      if (!(route.request().headers().accept ?? '').includes('text/html')) return route.fallback();
      if (route.request().isNavigationRequest()) loads++;
      const response = await route.fetch();
      return route.fulfill({ response, body: rename(await response.text()) });
    },
  );
  return () => loads;
}

/** newBuild: the tab is loaded anew once, at the page that was wanted; what was scanned is still there; and never in a loop. */
async function newBuild({ open, look, signIn, network, story, assert }) {
  const origin = network.distributor;
  const page = await open(origin);
  await withhold(page, 'NetworkPage');
  await signIn(page, network.links.distributor);
  await page.goto(`${origin}/ship`);
  await page.getByLabel('Scan cases, pallets or packages').fill(story.waiting);
  await page.keyboard.press('Enter');
  await page.getByText('Already on its way').waitFor();
  const loads = await deploy(page, 'b2');
  await page.unroute(chunk('NetworkPage'));
  await link(page, 'Network').click();
  await page.getByTestId('blocks').waitFor({ timeout: 30_000 });
  assert.equal(new URL(page.url()).pathname, '/network', 'the page that was wanted');
  assert.equal(loads(), 1, 'loaded anew once');
  assert.match(await page.evaluate(() => document.querySelector('script[type="module"]').src), /\.b2\.js$/, 'the new build');
  await link(page, 'Ship').click();
  await page.getByText('1 scan kept from before the reload').waitFor();
  await page.getByText('Already on its way').waitFor();
  await look(page, 'distributor-ship-kept-1280');
  await page.getByRole('button', { name: 'Clear them' }).click();
  await page.getByText('Nothing is scanned yet.').waitFor();
  await page.reload();
  await page.getByText('Nothing is scanned yet.').waitFor();
  await page.context().close();

  // Two services that disagree about the build: the tab is loaded anew once, then it says so and waits for a person.
  const torn = await open(origin);
  await torn.goto(`${origin}/check`);
  await torn.getByRole('heading', { name: 'Check a package' }).waitFor();
  let starts = 0;
  await torn.route(chunk('NetworkPage'), (route) => route.fulfill({ status: 404, contentType: 'application/problem+json', body: '{}' }));
  await torn.route(
    (url) => !/^\/(assets|v1|01|app\.json|icon)/.test(url.pathname),
    async (route) => {
      if (!(route.request().headers().accept ?? '').includes('text/html')) return route.fallback();
      if (route.request().isNavigationRequest()) {
        starts++; // an old start page for the tab, and word of another for who asks
        return route.fallback();
      }
      const response = await route.fetch();
      return route.fulfill({ response, body: (await response.text()).replace(/(\/assets\/[\w-]+)\.js/, '$1.b3.js') });
    },
  );
  await torn.goto(`${origin}/network`);
  await missing(torn, 'newer');
  await torn.waitForResponse((r) => chunk('NetworkPage').test(r.url())); // it tried again by itself
  await torn.waitForResponse((r) => chunk('NetworkPage').test(r.url()));
  await missing(torn, 'newer');
  assert.equal(starts, 2, 'opened, and loaded anew once');
  await look(torn, 'distributor-new-build-1280');
  await torn.context().close();
}

/** stopped: a page that cannot draw what it was given shows a card, and the rest of the pages go on. */
async function stopped({ open, look, network, story, assert, trouble }) {
  const page = await open(network.pharmacy);
  const before = trouble.length;
  await page.route('**/v1/trace?*', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    await route.fulfill({ response, json: { ...body, steps: [{ ...body.steps[0], findings: 'none', position: null }] } });
  });
  await page.goto(`${network.pharmacy}/trace/${encodeURIComponent(story.unit)}`);
  await page.getByTestId('stopped').waitFor();
  await look(page, 'pharmacy-stopped-1280');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByTestId('stopped').waitFor();
  await link(page, 'Check').click();
  await page.getByRole('heading', { name: 'Check a package' }).waitFor();
  await page.goBack();
  await page.getByTestId('stopped').waitFor();
  await page.unroute('**/v1/trace?*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('[data-step="commissioning"]').waitFor();
  // The browser tells of the exceptions that this was about, and of nothing else.
  const told = trouble.splice(before);
  trouble.push(...told.filter((x) => !/TypeError|reading '|is not a function|component/.test(x)));
  assert.ok(told.length > 0, 'the page did throw');
  await page.context().close();
}

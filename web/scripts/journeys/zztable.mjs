// What must not move does not move, on screen: a recalled case is seen from outside, refused at the dock in words, and received into
// quarantine where it comes in; a mistaken dispensing is taken back; a hold is closed by whoever may close it.
import { readFileSync } from 'node:fs';
import { darkSpanish, phone } from '../browser.mjs';

const gtinOf = (story) => story.openLotGtin;
const item = (page, label, text) =>
  page
    .getByLabel(label)
    .fill(text)
    .then(() => page.keyboard.press('Enter'));
const verdict = (page, kind) => page.locator(`[data-testid="verdict"][data-kind="${kind}"]`).waitFor({ timeout: 20_000 });
const indexed = (page, act, how = 'good') =>
  page.locator(`[data-testid="job"][data-state="indexed"][data-act="${act}"][data-how="${how}"]`).last().waitFor({ timeout: 30_000 });
const field = 'Scan cases, pallets or packages';

/** jobs posts commands to a service and waits until every answer shows them. */
const jobs = (base, token) => async (command, body) => {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
  const sent = await fetch(`${base}/v1/${command}`, { method: 'POST', headers, body: JSON.stringify(body) });
  let job = await sent.json();
  if (sent.status !== 202) throw new Error(`${command}: ${sent.status} ${JSON.stringify(job)}`);
  for (const end = Date.now() + 60_000; job.state !== 'indexed';) {
    if (Date.now() > end) throw new Error(`${command} is not in every answer after a minute`);
    job = await (await fetch(`${base}/capture/${job.captureID}?wait=indexed&timeout=20s`, { headers })).json();
  }
  return job;
};

/** desk is jobs for commands that succeed, and returns what they made. */
const desk = (base, token) => async (command, body) => {
  const job = await jobs(base, token)(command, body);
  if (!job.success) throw new Error(`${command}: ${JSON.stringify(job.verdicts)}`);
  return job.result;
};

/** sibling is another GTIN of the same company. */
const sibling = (gtin, n) => {
  const body = `${(n % 8) + 1}${gtin.slice(1, 13)}`;
  const sum = [...body].reduce((all, c, i) => all + Number(c) * (i % 2 ? 1 : 3), 0);
  return body + ((10 - (sum % 10)) % 10);
};

const next = { manufacturer: 'midland', distributor: 'corner' };
const parties = { manufacturer: 'lakeside', distributor: 'midland' };
const words = {
  en: { field, to: 'To whom', remove: 'Remove' },
  es: { field: 'Escanee cajas, palés o envases', to: 'A quién', remove: 'Quitar' },
};

/**
 * walkTable goes through the table of goods that must not move, which the services' test reads too: each is refused to a program, in a
 * document and at the page Ship, in the same words. The page says it before anything is sent; and a page that did not know passes on
 * what the service says.
 */
export async function journey({ open, look, signIn, network, story, assert }) {
  const rows = JSON.parse(readFileSync(new URL('../../../services/internal/answer/ledgerrest/testdata/guard.json', import.meta.url)));
  const at = (name) => jobs(network[name], network.tokens[name]);
  const told = async (by, path, body) => {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${network.tokens[by]}` };
    const answer = await fetch(`${network[by]}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const problem = await answer.json();
    assert.equal(answer.status, 409, `${path}: ${JSON.stringify(problem)}`);
    return problem;
  };
  const partyOf = async (id) => (await fetch(`${network.api}/v1/parties/${id}`)).json();
  const cases = [];
  for (const row of rows) {
    for (const place of row.places) {
      const n = cases.length + 1;
      const by = row.by ?? 'manufacturer';
      const gtin = row.product ? sibling(gtinOf(story), n) : gtinOf(story);
      if (row.product) await at('manufacturer')('products', { gtin, name: 'Guardol', strength: '5 mg' });
      const lot = `TABLE-${n}`;
      const made = await at('manufacturer')('commission', { gtin, lot, expiry: '2029-01-31', ...row.made, count: 2 });
      const units = made.result.epcs;
      const pack = async (who, children) => (await at(who)('pack', { children })).result.parent;
      const marked = place === 'around' ? await pack('manufacturer', units) : units[0];
      let event = '';
      for (const step of row.before ?? []) {
        const body = JSON.stringify(step.body)
          .replaceAll('{marked}', marked)
          .replaceAll('{gtin}', gtin)
          .replaceAll('{lot}', lot)
          .replaceAll('{n}', `T${n}`)
          .replaceAll('{event}', event);
        const job = await at(step.by)(step.command, JSON.parse(body));
        assert.ok(job.success || step.flawed, `${row.mark}: ${step.command}: ${JSON.stringify(job.verdicts)}`);
        const p = job.verdicts.at(-1).position;
        event = `${p.height}/${p.entry}/${p.item}`;
      }
      const thing = place === 'inside' ? await pack(by, row.by ? units.slice(0, 1) : units) : units[0];
      const to = row.to ?? next[by];
      const [seller, buyer] = [await partyOf(parties[by]), await partyOf(to)];
      const byCommand = await told(by, '/v1/ship', { items: [thing], to: { party: to } });
      const now = new Date().toISOString();
      const byDocument = await told(by, '/capture', {
        '@context': ['https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld'],
        type: 'EPCISDocument',
        schemaVersion: '2.0',
        creationDate: now,
        epcisBody: {
          eventList: [
            {
              type: 'ObjectEvent',
              eventTime: now,
              eventTimeZoneOffset: '+00:00',
              epcList: [thing],
              action: 'OBSERVE',
              bizStep: 'shipping',
              disposition: 'in_transit',
              readPoint: { id: seller.places[0].id },
              sourceList: [{ type: 'owning_party', source: seller.places[0].id }],
              destinationList: [{ type: 'owning_party', destination: buyer.places[0].id }],
            },
          ],
        },
      });
      assert.equal(byCommand.code, row.code, row.mark);
      assert.equal(byDocument.detail, byCommand.detail, `${row.mark}: the same words`);
      cases.push({ row, place, by, thing, to: buyer, says: byCommand.errors[0].message });
    }
  }
  for (const [width, language, options] of [
    ['1280', 'en', {}],
    ['390', 'es', { ...phone, locale: 'es-MX' }],
    ['390', 'en', phone],
    ['1280', 'es', darkSpanish],
  ]) {
    const w = words[language];
    const pages = {};
    for (const by of ['manufacturer', 'distributor']) {
      pages[by] = await open(network[by], options);
      await signIn(pages[by], network.links[by]);
      await pages[by].goto(`${network[by]}/ship`);
    }
    // All of it in one language at each width; in the others every mark once.
    const walked = cases.filter((c) => (width === '390') === (language === 'es') || c.place === c.row.places.at(-1));
    for (const { row, place, by, thing, to, says } of walked) {
      const page = pages[by];
      const name = `${by === 'manufacturer' ? 'maker' : by}-ship-${row.mark} ${place}`.toLowerCase().replaceAll(/[^a-z]+/g, '-');
      const picture = language === 'es' && width === '390' && place === row.places.at(-1);
      const line = page.locator('[data-thing]');
      await item(page, w.field, thing);
      await line.first().waitFor();
      const why = (await line.getAttribute('data-why')) ?? 'ready';
      assert.equal(why, place === 'around' ? 'inside' : row.shown, `${row.mark} ${place}`);
      if (why !== 'ready') {
        assert.equal(await page.getByTestId('to-review').isDisabled(), true, `${row.mark} ${place}: nothing red is reviewed`);
        if (why === 'fault') assert.ok((await line.getByTestId('reasons').innerText()).length > 10, `${row.mark} ${place}: with its reason`);
        if (picture) await look(page, `${name}-red-${width}`);
      }
      await line.getByRole('button', { name: w.remove }).click();
      // The page did not know.
      const blind = (change) => async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), ...change } });
      };
      await page.route('**/v1/verify?*', blind({ colour: 'green', sellable: true, reasons: [] }));
      await page.route('**/v1/trace?*', blind({ overlays: [], containers: [] }));
      await item(page, w.field, thing);
      await line.first().waitFor();
      await page.getByRole('combobox', { name: w.to }).fill(to.name);
      await page.getByRole('option', { name: new RegExp(to.name) }).click();
      await page.getByTestId('to-review').click();
      await page.getByTestId('ship').click();
      const shown = page.locator('[role="alert"] p[lang="en"]');
      await shown.waitFor();
      assert.equal(await shown.innerText(), says, `${row.mark} ${place}: the same words by hand`);
      if (picture) await look(page, `${name}-refused-${width}`);
      await page.unroute('**/v1/verify?*');
      await page.unroute('**/v1/trace?*');
      await page.evaluate(() => Object.keys(localStorage).forEach((k) => k.includes('ship.') && localStorage.removeItem(k)));
      await page.reload();
      if ((await page.getByTestId('kept').count()) > 0) await page.getByTestId('kept').getByRole('button').click();
      await page.getByText(language === 'es' ? 'Aún no se ha escaneado nada.' : 'Nothing is scanned yet.').waitFor();
    }
    for (const page of Object.values(pages)) await page.context().close();
  }
}

/** makerOf is the party of the manufacturer's service. */
const makerOf = async (network) => (await (await fetch(`${network.manufacturer}/app.json`)).json()).party;

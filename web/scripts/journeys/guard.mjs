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

export async function journey({ open, look, signIn, network, story, assert }) {
  const maker = desk(network.manufacturer, network.tokens.manufacturer);
  const pharmacy = desk(network.pharmacy, network.tokens.pharmacy);
  const wholesaler = desk(network.distributor, network.tokens.distributor);
  const gtin = gtinOf(story);
  const caseOf = async (lot, count) => {
    const { epcs } = await maker('commission', { gtin, lot, expiry: '2029-06-30', count });
    return { units: epcs, sscc: (await maker('pack', { children: epcs })).parent };
  };
  for (const lot of ['GUARD-A', 'GUARD-B']) await maker('lots', { gtin, lot, expiry: '2029-06-30' });
  const here = await caseOf('GUARD-A', 24);
  const coming = await caseOf('GUARD-A', 24);
  const sound = await caseOf('GUARD-B', 6);
  const astray = await caseOf('GUARD-B', 2);
  const loose = await caseOf('GUARD-B', 2);
  for (const [c, po] of [
    [coming, 'PO-GUARD-1'],
    [sound, 'PO-GUARD-2'],
    [astray, 'PO-GUARD-3'],
  ])
    await maker('ship', { items: [c.sscc], to: { party: 'corner' }, po });
  await maker('recall', { recallNumber: 'D-0001-2026', gtin, lot: 'GUARD-A', classification: 'I', reason: 'Particles in tablets' });

  // A case is red like a package, and says what is inside.
  const m = await open(network.manufacturer);
  await signIn(m, network.links.manufacturer);
  await m.goto(`${network.manufacturer}/check/${encodeURIComponent(here.sscc)}`);
  await verdict(m, 'box-recalled');
  await m.getByText('24 of 24 inside are recalled (recall D-0001-2026, class I, lot GUARD-A)').first().waitFor();
  await m.getByTestId('inside').locator('[data-lot="GUARD-A"]').getByText('Recalled', { exact: true }).waitFor();
  await look(m, 'maker-check-case-recalled-1280');

  // At the dock it is red before anything is reviewed, and comes out in one click.
  await m.goto(`${network.manufacturer}/ship`);
  await item(m, field, here.sscc);
  await m.locator('[data-why="fault"]').getByText('24 of 24 inside are recalled').waitFor();
  await m.getByRole('combobox', { name: 'To whom' }).fill('Midland');
  await m.getByRole('option', { name: /Midland/ }).click();
  assert.equal(await m.getByTestId('to-review').isDisabled(), true, 'nothing red is reviewed');
  await look(m, 'maker-ship-recalled-1280');
  // Under the number of a return authorisation it may go back, and the page says that this is a return.
  await m.getByLabel('Return authorisation').fill('RMA-GUARD');
  await m.getByText('Goes back under RMA-GUARD').waitFor();
  await m.getByTestId('to-review').click();
  await m.getByText('This is a return under RMA-GUARD').waitFor();
  await look(m, 'maker-ship-return-1280');
  await m.keyboard.press('Escape');
  await m.getByLabel('Return authorisation').fill('');
  await m.getByTestId('take-out').click();
  await m.getByText('Nothing is scanned yet.').waitFor();
  // A page that did not know is refused by the service, in words.
  await m.route('**/v1/verify?*', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), colour: 'green', sellable: true, reasons: [] } });
  });
  await item(m, field, here.sscc);
  await m.getByText('Ready', { exact: true }).waitFor();
  await m.getByTestId('to-review').click();
  await m.getByTestId('ship').click();
  await m.getByRole('heading', { name: 'The goods are recalled' }).waitFor();
  await m.getByText('Set them aside and follow the recall.').waitFor();
  await look(m, 'maker-ship-refused-1280');
  await m.unroute('**/v1/verify?*');
  // A buyer without a licence is refused in words, and which licence is missing.
  await maker('parties', { id: 'no-licence', name: 'Unlicensed Wholesale', roles: ['distributor'], glns: ['0860000100069'] });
  await m.reload();
  await m.getByTestId('kept').getByRole('button').click();
  await item(m, field, loose.sscc);
  await m.getByText('Ready', { exact: true }).waitFor();
  await m.getByRole('combobox', { name: 'To whom' }).fill('Unlicensed');
  await m.getByRole('option', { name: /Unlicensed/ }).click();
  await m.getByTestId('to-review').click();
  await m.getByTestId('ship').click();
  await m.getByRole('heading', { name: 'The other company is not licensed for this' }).waitFor();
  await look(m, 'maker-ship-unlicensed-1280');
  await m.context().close();

  // It is seen into before it is opened, and received into quarantine in one click.
  const p = await open(network.pharmacy);
  await signIn(p, network.links.pharmacy);
  await p.goto(`${network.pharmacy}/receive`);
  await item(p, 'Scan a case or pallet', coming.sscc);
  await p.waitForURL(/\/receive\/./);
  await p.locator('[data-fault="recalled"]').first().waitFor();
  await p.getByText(/^Expected, but recalled or expired/).waitFor();
  await look(p, 'pharmacy-receive-recalled-1280');
  await p.getByTestId('into-quarantine').click();
  await indexed(p, 'receive', 'aside');
  assert.equal(await p.locator('[data-act="receive"]').getAttribute('data-tone'), 'warn', 'that is no alarm');
  await look(p, 'pharmacy-received-aside-1280');
  await p.goto(`${network.pharmacy}/check/${encodeURIComponent(coming.sscc)}`);
  await verdict(p, 'box-recalled');

  // A dispensing by mistake is taken back at the counter.
  await pharmacy('receive', { items: [sound.sscc], from: { party: await makerOf(network) } });
  await p.goto(`${network.pharmacy}/check/${encodeURIComponent(sound.sscc)}`);
  await verdict(p, 'box-dispense');
  await look(p, 'pharmacy-check-case-1280');
  await pharmacy('unpack', { parent: sound.sscc });
  const [first, second] = sound.units;
  await p.goto(`${network.pharmacy}/check/${encodeURIComponent(first)}`);
  await verdict(p, 'dispense');
  await p.getByRole('button', { name: 'Dispense', exact: true }).click();
  await p.getByTestId('confirm').click();
  await indexed(p, 'dispense');
  await verdict(p, 'ended-dispense');
  await p.getByTestId('take-back').click();
  await p.getByText(/^This declares that it was not dispensed/).waitFor();
  await look(p, 'pharmacy-take-back-1280');
  await p.getByTestId('take-back-now').click();
  await indexed(p, 'takeBack');
  await verdict(p, 'dispense');
  await look(p, 'pharmacy-taken-back-1280');
  await p.goto(`${network.pharmacy}/trace/${encodeURIComponent(first)}`);
  await p.locator('[data-step="dispensing"]').getByText('Taken back by its author').waitFor();
  assert.equal(await p.getByTestId('take-back').count(), 0, 'once is enough');
  await look(p, 'pharmacy-trace-taken-back-1280');
  // What was built upon is not taken back before that: each later record is linked.
  await pharmacy('dispense', { items: [second], partial: true });
  await pharmacy('quarantine', { items: [second], reason: 'damaged' });
  await p.goto(`${network.pharmacy}/trace/${encodeURIComponent(second)}`);
  await p.getByTestId('take-back').click();
  await p.getByTestId('take-back-now').click();
  await p.getByRole('heading', { name: 'Later records build upon this one' }).waitFor();
  const later = p.locator('.note a[href^="/block/"]');
  await later.first().waitFor();
  await look(p, 'pharmacy-take-back-blocked-1280');

  // A hold ends when whoever may close it closes it: never the party whose record raised it.
  await wholesaler('receive', { items: [astray.sscc], from: { party: await makerOf(network) } });
  const d = await open(network.distributor);
  await signIn(d, network.links.distributor);
  await d.goto(`${network.distributor}/trace/${encodeURIComponent(astray.sscc)}`);
  await d.getByTestId('open-findings').waitFor();
  assert.equal(await d.getByTestId('close-finding').count(), 0, 'its author may not close it');
  await look(d, 'distributor-trace-hold-1280');
  await d.context().close();
  await p.context().close();
  const o = await open(network.manufacturer);
  await signIn(o, network.links.manufacturer);
  await o.goto(`${network.manufacturer}/trace/${encodeURIComponent(astray.sscc)}`);
  await o.getByTestId('open-findings').waitFor();
  await o.getByTestId('close-finding').first().click();
  await o.getByLabel('What came of it').selectOption('data_corrected');
  await o.getByLabel('Note').fill('Midland takes it; the papers are put right.');
  await look(o, 'maker-close-hold-1280');
  await o.getByTestId('close-now').click();
  await o.getByTestId('closed-findings').waitFor({ timeout: 30_000 });
  await o.getByTestId('closed-findings').locator('summary').click();
  await o
    .getByTestId('closed-by')
    .getByText(/^Closed by Lakeside/)
    .first()
    .waitFor();
  await look(o, 'maker-closed-hold-1280');
  await o.context().close();

  for (const [name, options] of [
    ['390', phone],
    ['dark-es-1280', darkSpanish],
  ]) {
    const other = await open(network.pharmacy, options);
    await signIn(other, network.links.pharmacy);
    await other.goto(`${network.pharmacy}/check/${encodeURIComponent(coming.sscc)}`);
    await verdict(other, 'box-recalled');
    await other.getByTestId('inside').waitFor();
    await look(other, `pharmacy-check-case-recalled-${name}`);
    for (const [what, id, there] of [
      ['taken-back', first, '[data-step="dispensing"]'],
      ['closed-hold', astray.sscc, '[data-testid="closed-findings"]'],
    ]) {
      await other.goto(`${network.pharmacy}/trace/${encodeURIComponent(id)}`);
      await other.locator(there).first().waitFor();
      await look(other, `pharmacy-trace-${what}-${name}`);
    }
    await other.context().close();
    const dock = await open(network.manufacturer, options);
    await signIn(dock, network.links.manufacturer);
    await dock.goto(`${network.manufacturer}/ship`);
    await item(dock, name.includes('es') ? 'Escanee cajas, palés o envases' : field, here.sscc);
    await dock.locator('[data-why="fault"]').waitFor();
    await look(dock, `maker-ship-recalled-${name}`);
    await dock.context().close();
  }
  await walkTable({ open, look, signIn, network, story, assert });
}

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
async function walkTable({ open, look, signIn, network, story, assert }) {
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
    // All of it once; on a phone in Spanish every row once, and in between every code once.
    const rowOnce = cases.filter((c) => c.place === c.row.places.at(-1));
    const codeOnce = rowOnce.filter((c, i) => rowOnce.findIndex((d) => d.row.code === c.row.code) === i);
    const walked = width === '1280' ? (language === 'en' ? cases : codeOnce) : language === 'es' ? rowOnce : codeOnce;
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
        if (why === 'fault')
          assert.ok((await line.getByTestId('reasons').innerText()).length > 10, `${row.mark} ${place}: with its reason`);
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
      const buyer = page.getByRole('combobox', { name: w.to });
      if (!(await buyer.inputValue()).startsWith(to.name)) {
        await buyer.fill(to.name); // to choose the same again would choose nobody
        await page.getByRole('option', { name: new RegExp(to.name) }).click();
      }
      await page.getByTestId('to-review').click();
      await page.unroute('**/v1/verify?*');
      await page.unroute('**/v1/trace?*');
      await page.getByTestId('ship').click();
      const shown = page.locator('[role="alert"] p[lang="en"]', { hasText: says });
      await shown.waitFor();
      assert.equal(await shown.innerText(), says, `${row.mark} ${place}: the same words by hand`);
      // It has asked again what speaks against the goods: they are not ready any more.
      if (why !== 'ready') await page.locator(`[data-thing][data-why="${why}"]`).waitFor();
      if (picture) await look(page, `${name}-refused-${width}`);
      await line.getByRole('button', { name: w.remove }).click();
      await page.getByText(language === 'es' ? 'Aún no se ha escaneado nada.' : 'Nothing is scanned yet.').waitFor();
    }
    for (const page of Object.values(pages)) await page.context().close();
  }
}

/** makerOf is the party of the manufacturer's service. */
const makerOf = async (network) => (await (await fetch(`${network.manufacturer}/app.json`)).json()).party;

// A pharmacist's day: scan with a wedge scanner, see green and red and no answer, dispense, set aside, send back, receive a delivery of
// which not everything has come, and read a barcode with the camera.
import bwip from 'bwip-js/node';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { darkSpanish, phone, startBrowser } from '../browser.mjs';

const GS = '\u001d';

/** element string of a unit, as a scanner sends it. */
async function label(api, id) {
  const t = await (await fetch(`${api}/v1/trace?id=${encodeURIComponent(id)}`)).json();
  const [y, m, d] = t.expiry.split('-');
  return { text: `01${t.id.gtin}17${y.slice(2)}${m}${d}10${t.lot}${GS}21${t.id.serial}`, trace: t, yymmdd: y.slice(2) + m + d };
}

/** capsLock is a text as a scanner in keyboard mode sends it while Caps Lock is on. */
const capsLock = (text) => text.replace(/[a-z]/gi, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()));

/** wedge types as a scanner does: fast, GS as Ctrl+], Enter at the end; wherever the focus is. */
async function wedge(page, text, enter = true) {
  await page.evaluate(
    ([text, enter]) => {
      const press = (key, ctrlKey = false) => {
        const target = document.activeElement ?? document.body;
        const more = target.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey, bubbles: true, cancelable: true }));
        // What the browser would do with a key that nobody took.
        if (more && !ctrlKey && key.length === 1 && target instanceof HTMLInputElement) {
          const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
          const at = target.selectionStart ?? target.value.length;
          set.call(target, target.value.slice(0, at) + key + target.value.slice(target.selectionEnd ?? at));
          target.setSelectionRange(at + 1, at + 1);
          target.dispatchEvent(new Event('input', { bubbles: true }));
        }
        if (more && key === 'Enter' && target instanceof HTMLInputElement) target.form?.requestSubmit();
      };
      for (const c of text) press(c === '\u001d' ? ']' : c, c === '\u001d');
      if (enter) press('Enter');
    },
    [text, enter],
  );
}

const verdict = (page, kind) => page.locator(`[data-testid="verdict"][data-kind="${kind}"]`).waitFor({ timeout: 20_000 });
/** indexed waits until an act is in every answer, and ended as it should. */
const indexed = (page, act, how = 'good') =>
  page.locator(`[data-testid="job"][data-state="indexed"][data-act="${act}"][data-how="${how}"]`).last().waitFor({ timeout: 30_000 });
const button = (page, name) => page.getByRole('button', { name, exact: true });

/** shelfOf lists packages of a lot that a party holds. */
async function shelfOf(network, trace, holder, limit) {
  const list = await fetch(
    `${network.api}/v1/lots/${trace.id.gtin}/${trace.lot}/units?holder=${holder}&state=on_hand&limit=${limit}&format=ndjson`,
  ).then((r) => r.text());
  return list
    .split('\n')
    .filter((l) => l !== '')
    .map((l) => JSON.parse(l));
}

/** somewhere finds a package that a party holds and nothing speaks against: other journeys leave some in quarantine or on hold. */
async function somewhere(network, party) {
  const { lots } = await (await fetch(`${network.api}/v1/lots?limit=100`)).json();
  for (const { gtin, lot } of lots) {
    const l = await (await fetch(`${network.api}/v1/lots/${gtin}/${encodeURIComponent(lot)}`)).json();
    if ((l.recalls ?? []).length > 0 || !l.totals.some((t) => t.party === party && t.state === 'on_hand')) continue;
    for (const unit of await shelfOf(network, { id: { gtin }, lot }, party, 20)) {
      const check = await (await fetch(`${network.api}/v1/verify?id=${encodeURIComponent(unit.digitalLink)}`)).json();
      if (check.sellable) return unit;
    }
  }
  throw new Error(`${party} holds nothing that is not recalled`);
}

export async function journey({ open, look, signIn, network, story, assert, trouble }) {
  const origin = network.pharmacy;
  const page = await open(origin);
  const good = await label(network.api, story.good);
  const recalled = await label(network.api, story.recalled);

  // Without a sign-in everything can be looked at, and nothing done.
  await page.goto(origin);
  await page.getByRole('heading', { name: 'Check a package' }).waitFor();
  await look(page, 'pharmacy-check-empty-1280');
  await wedge(page, good.text);
  await verdict(page, 'dispense');
  assert.match(new URL(page.url()).pathname, /^\/check\/01/, 'the address holds the scan');
  await page.getByText('Changing custody needs a sign-in').waitFor();
  assert.equal(await button(page, 'Dispense').isDisabled(), true, 'nobody dispenses without a sign-in');
  const refused = await page.evaluate(() =>
    fetch('/v1/dispense', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"items":[]}' }).then((r) => r.status),
  );
  assert.equal(refused, 401, 'a command without a sign-in');

  await signIn(page, network.links.pharmacy);
  await page.goto(origin);
  await page.getByRole('heading', { name: 'Check a package' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'INPUT', 'the field has the focus');
  await wedge(page, good.text);
  await verdict(page, 'dispense');
  await page.getByText('as on the package').first().waitFor();
  await look(page, 'pharmacy-check-good-1280');

  // The scanner may end with a pause instead of Enter, and the focus may be on a button or a list.
  await button(page, 'Quarantine').focus();
  await wedge(page, recalled.text, false);
  await verdict(page, 'recalled');
  await look(page, 'pharmacy-check-recalled-1280');
  assert.equal(await button(page, 'Dispense').isDisabled(), true, 'recalled goods cannot be dispensed');
  await page.getByLabel('Language').focus();
  await wedge(page, story.counterfeit);
  await verdict(page, 'unverified');
  await look(page, 'pharmacy-check-counterfeit-1280');

  // With Caps Lock on a scanner swaps the case of every letter: that is amber, and no counterfeit.
  await wedge(page, capsLock(good.text));
  await verdict(page, 'case');
  await page.getByRole('heading', { name: 'Caps Lock?' }).waitFor();
  assert.equal(await page.getByTestId('law').count(), 0, 'nobody calls it suspect');
  await look(page, 'pharmacy-check-caps-1280');

  await wedge(page, story.expiring);
  await verdict(page, 'unfit');
  await look(page, 'pharmacy-check-expired-1280');
  await wedge(page, 'nonsense-that-is-no-code');
  await verdict(page, 'unreadable');
  await wedge(page, good.text.replace(good.trace.lot, 'OTHER'));
  await verdict(page, 'unverified');
  await page.getByText('They differ').waitFor();
  await wedge(page, story.waiting);
  await verdict(page, 'box-elsewhere');
  await page.getByRole('link', { name: 'Receive it' }).waitFor();
  await page.getByTestId('inside').waitFor();
  await look(page, 'pharmacy-check-container-1280');

  // Without a camera it says so.
  await button(page, 'Camera').click();
  await page.getByRole('heading', { name: /no camera|may not use the camera/ }).waitFor();
  await look(page, 'pharmacy-no-camera-1280');
  await button(page, 'Close the camera').click();

  // A scanner that swallows the separators: of several readings the ledger has one. It is used, and the others are shown.
  await wedge(page, `01${good.trace.id.gtin}21${good.trace.id.serial}17${good.yymmdd}10${good.trace.lot}`);
  await verdict(page, 'dispense');
  await page.getByText(/only this one is on the ledger/).waitFor();
  await page.getByText('as on the package').first().waitFor();
  await look(page, 'pharmacy-check-two-readings-1280');
  await page.getByTestId('readings').locator('.reading').first().click();
  await verdict(page, 'unverified');
  assert.equal(await page.getByTestId('readings').count(), 0, 'a reading that was chosen is the only one');

  // The ledger has none of the readings: nobody guesses, whoever has the package chooses.
  await wedge(page, `01${good.trace.id.gtin}21NEVERMADE17${good.yymmdd}10${good.trace.lot}`);
  await verdict(page, 'choose');
  await page.locator('[data-testid="scan-notes"] [data-code="AMBIGUOUS"]').waitFor();
  await look(page, 'pharmacy-check-choose-1280');
  await page
    .locator('.reading')
    .filter({ has: page.getByText('NEVERMADE', { exact: true }) })
    .filter({ has: page.getByText(good.trace.lot, { exact: true }) })
    .click();
  await verdict(page, 'unverified');

  // A scanner that types something else for the separator is told so, and read.
  await wedge(page, good.text.replace(GS, '|'));
  await verdict(page, 'dispense');
  await page.locator('[data-testid="scan-notes"] [data-code="SEPARATOR"]').waitFor();

  // No answer looks like neither, and is asked for again.
  await page.route('**/v1/verify?*', () => {}); // for ever
  await wedge(page, story.second);
  await verdict(page, 'asking');
  await verdict(page, 'silent');
  await look(page, 'pharmacy-check-silent-1280');
  await page.unroute('**/v1/verify?*');
  await verdict(page, 'dispense');

  // Dispense; the same package again is red.
  await wedge(page, good.text);
  await verdict(page, 'dispense');
  await button(page, 'Dispense').click();
  await page.getByTestId('confirm').waitFor();
  await look(page, 'pharmacy-dispense-confirm-1280');
  await page.getByTestId('confirm').click();
  await indexed(page, 'dispense');
  await verdict(page, 'ended-dispense');
  await look(page, 'pharmacy-dispensed-1280');
  await wedge(page, good.text);
  await verdict(page, 'unfit');
  await page.getByText(/^It was already dispensed: by Corner/).waitFor();
  assert.equal(await page.getByTestId('law').count(), 0, 'it was dispensed here: nobody calls it suspect');
  await look(page, 'pharmacy-check-again-1280');

  // Another one goes into quarantine, back into sale, and back to the seller.
  await wedge(page, story.second);
  await verdict(page, 'dispense');
  await page.getByText('Dispense: recorded').waitFor();
  await button(page, 'Quarantine').click();
  await page.getByTestId('confirm').click();
  await indexed(page, 'quarantine');
  await verdict(page, 'ended-quarantine');
  await look(page, 'pharmacy-aside-1280');
  await button(page, 'Release').click();
  await page.getByTestId('confirm').click();
  await indexed(page, 'release');
  await verdict(page, 'dispense');
  await button(page, 'Return').click();
  // Fast fingers in another field are that field's.
  await page.getByLabel('Return authorisation').pressSequentially('RMA-2026-000001');
  assert.equal(await page.getByLabel('Return authorisation').inputValue(), 'RMA-2026-000001');
  assert.match(await page.getByRole('combobox', { name: 'To whom' }).inputValue(), /Midland/, 'the seller is known');
  await look(page, 'pharmacy-return-1280');
  await page.getByTestId('confirm').click();
  await indexed(page, 'return');
  await verdict(page, 'ended-return');
  await look(page, 'pharmacy-returned-1280');

  // The dock: of two cases one is there.
  await page.goto(`${origin}/receive`);
  await page
    .getByRole('heading', { name: /on its way to you|on their way to you/ })
    .first()
    .waitFor();
  await look(page, 'pharmacy-receive-1280');
  await wedge(page, story.waiting);
  await page.waitForURL(/\/receive\/./);
  await page.getByRole('heading', { name: /From Midland Drug/ }).waitFor();
  await page.getByText(/^Expected:/).waitFor();
  await wedge(page, story.waiting);
  await page.getByText(/^Already scanned:/).waitFor();
  await wedge(page, story.counterfeit);
  await page.getByText('Not on this shipment').waitFor();
  await page.getByText('1 stays open').waitFor();
  // What was scanned outlives a reload, until it is sent or cleared.
  await page.reload();
  await page.getByText('2 scans kept from before the reload').waitFor();
  await page.getByText('1 of 2 scanned').waitFor();
  await look(page, 'pharmacy-receive-kept-1280');
  // What does not belong to it is set aside by whoever has it in hand, and the page says what the law asks next.
  await page.getByTestId('law').waitFor();
  await page.locator('[data-extra="unknown"]').getByRole('button', { name: 'Set aside' }).click();
  await page.getByTestId('aside').click();
  await indexed(page, 'quarantine', 'unknown');
  await look(page, 'pharmacy-receive-aside-1280');
  await look(page, 'pharmacy-receive-partly-1280');
  await page.getByTestId('receive').click();
  await indexed(page, 'receive', 'short');
  await page.locator('tbody').getByText('Received', { exact: true }).waitFor();
  await page.locator('tbody').getByText('Not yet scanned', { exact: true }).waitFor();
  await wedge(page, story.waiting);
  await page.getByText(/^Already received:/).waitFor();
  await look(page, 'pharmacy-received-1280');
  await button(page, 'Take everything out').click();
  await indexed(page, 'unpack');

  // Part of a package is dispensed: the rest may be dispensed later, and nothing says that it is gone.
  const loose = await shelfOf(network, good.trace, 'corner', 4);
  await page.goto(`${origin}/check/${encodeURIComponent(loose[1].digitalLink)}`);
  await verdict(page, 'dispense');
  await button(page, 'Dispense').click();
  await page.getByLabel('Only part of what is in it').check();
  await page.getByTestId('confirm').click();
  await indexed(page, 'partial');
  await verdict(page, 'ended-partial');
  await look(page, 'pharmacy-partial-1280');
  await wedge(page, loose[1].digitalLink);
  await verdict(page, 'dispense');
  await page.getByText(/^Part of it was dispensed by Corner/).waitFor();
  await page.goto(`${origin}/trace/${encodeURIComponent(loose[1].digitalLink)}`);
  await page.locator('[data-step="dispensing"]').getByRole('heading', { name: 'Partly dispensed' }).waitFor();
  await look(page, 'pharmacy-trace-partial-1280');

  // Stolen: by whom and when, at the counter and in the history; and what the law asks.
  await page.goto(`${origin}/check/${encodeURIComponent(loose[2].digitalLink)}`);
  await verdict(page, 'dispense');
  await button(page, 'Quarantine').click();
  await page.getByLabel('Why').selectOption('stolen');
  await page.getByTestId('confirm').click();
  await indexed(page, 'quarantine');
  await verdict(page, 'ended-quarantine');
  await page.goto(`${origin}/check`);
  await page.getByRole('heading', { name: 'Check a package' }).waitFor(); // a page that is still loading takes no scan
  await wedge(page, loose[2].digitalLink);
  await verdict(page, 'stolen');
  await page.getByText(/^Reported stolen by Corner/).waitFor();
  await page.getByTestId('law').waitFor();
  await look(page, 'pharmacy-check-stolen-1280');
  await page.goto(`${origin}/trace/${encodeURIComponent(loose[2].digitalLink)}`);
  await page.getByText(/^By Corner/).waitFor();
  await look(page, 'pharmacy-trace-stolen-1280');

  // A fake, and what by the ledger is elsewhere, are set aside by whoever has them in hand.
  const far = await somewhere(network, 'midland');
  await page.goto(`${origin}/check/${encodeURIComponent(far.digitalLink)}`);
  await verdict(page, 'elsewhere');
  await page.getByTestId('law').waitFor();
  await look(page, 'pharmacy-check-elsewhere-1280');
  await button(page, 'Set it aside').click();
  await page.getByTestId('confirm').click();
  await indexed(page, 'quarantine', 'notOurs');
  await verdict(page, 'ended-quarantine');
  await look(page, 'pharmacy-aside-elsewhere-1280');

  // A recall that comes while the package is on the counter turns it red by itself.
  const [unit] = loose;
  await page.goto(`${origin}/check/${encodeURIComponent(unit.digitalLink)}`);
  await verdict(page, 'dispense');
  const recall = await fetch(`${network.manufacturer}/v1/recall`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${network.tokens.manufacturer}` },
    body: JSON.stringify({
      recallNumber: 'R-COUNTER',
      gtin: good.trace.id.gtin,
      lot: good.trace.lot,
      classification: 'II',
      reason: 'Labels are wrong',
    }),
  });
  assert.equal(recall.status, 202);
  await verdict(page, 'recalled');
  await page.context().close();

  await distributor({ open, look, signIn, network, story, assert });

  for (const [name, options] of [
    ['390', phone],
    ['dark-es-1280', darkSpanish],
  ]) {
    const other = await open(origin, options);
    await other.goto(`${origin}/check/${encodeURIComponent(recalled.text)}`);
    await verdict(other, 'recalled');
    await look(other, `pharmacy-check-recalled-${name}`);
    for (const [what, id, kind] of [
      ['caps', capsLock(good.text), 'case'],
      ['stolen', story.stolen, 'stolen'],
      ['counterfeit', story.counterfeit, 'unverified'],
      ['two-readings', `01${recalled.trace.id.gtin}21${recalled.trace.id.serial}17${recalled.yymmdd}10${recalled.trace.lot}`, 'recalled'],
    ]) {
      await other.goto(`${origin}/check/${encodeURIComponent(id)}`);
      await verdict(other, kind);
      await look(other, `pharmacy-check-${what}-${name}`);
    }
    await other.goto(`${origin}/trace/${encodeURIComponent(story.stolen)}`);
    await other.locator('[data-proof="verified"]').first().waitFor();
    await look(other, `pharmacy-trace-stolen-${name}`);
    await other.goto(`${origin}/receive`);
    await other.locator('.rows').first().waitFor();
    await look(other, `pharmacy-receive-${name}`);
    // One thing of a delivery and one that does not belong to it, kept over a reload.
    await other.locator('.rows a').first().click();
    await other.waitForURL(/\/receive\/./);
    await other.locator('[data-item]').first().waitFor();
    await wedge(other, story.stolen);
    await other.locator('[data-extra]').waitFor();
    await other.reload();
    await other.getByTestId('kept').waitFor();
    await other.getByTestId('law').waitFor();
    await look(other, `pharmacy-receive-kept-${name}`);
    await other.goto(`${origin}/sign-in`);
    await other.locator('form').first().waitFor();
    await look(other, `pharmacy-sign-in-${name}`);
    await other.context().close();
  }
  await camera(origin, recalled, trouble, assert);
}

/** distributor has the same desks, but dispenses nothing; what the pharmacy sent back comes in. */
async function distributor({ open, look, signIn, network, story, assert }) {
  const origin = network.distributor;
  const page = await open(origin);
  await signIn(page, network.links.distributor);
  await page.goto(`${origin}/receive`);
  await page
    .getByRole('heading', { name: /to you/ })
    .first()
    .waitFor();
  await wedge(page, story.second);
  await page.getByText(/^Expected, but recalled or expired:/).waitFor(); // by the recall of a moment ago
  assert.equal(await page.getByTestId('receive').isDisabled(), true, 'a return needs its authorisation');
  await page.getByLabel('Return authorisation').fill('RMA-2026-000001');
  await look(page, 'distributor-receive-return-1280');
  await page.getByTestId('receive').click();
  await indexed(page, 'receive', 'aside');
  await page.getByText('Everything of this shipment was received').waitFor();
  await page.goto(`${origin}/check/${encodeURIComponent(story.second)}`);
  await page.getByRole('heading', { name: 'What to do with it' }).waitFor();
  await button(page, 'Quarantine').waitFor();
  assert.equal(await button(page, 'Dispense').count(), 0, 'wholesalers do not dispense');
  await look(page, 'distributor-check-1280');
  await page.context().close();
}

/** camera shows a DataMatrix to the browser's camera, as a film of one picture. */
async function camera(origin, recalled, trouble, assert) {
  const folder = mkdtempSync(join(tmpdir(), 'verilot-camera-'));
  try {
    const t = recalled.trace;
    const png = await bwip.toBuffer({
      bcid: 'gs1datamatrix',
      text: `(01)${t.id.gtin}(17)${recalled.yymmdd}(10)${t.lot}(21)${t.id.serial}`,
      scale: 6,
      padding: 20,
      backgroundcolor: 'FFFFFF',
    });
    const draw = await startBrowser();
    const canvas = await draw.open('about:');
    const jpeg = await canvas.evaluate(
      async (data) => {
        const image = new Image();
        image.src = data;
        await image.decode();
        const c = document.createElement('canvas');
        [c.width, c.height] = [640, 480];
        const g = c.getContext('2d');
        g.fillStyle = '#ddd';
        g.fillRect(0, 0, 640, 480);
        g.drawImage(image, (640 - image.width) / 2, (480 - image.height) / 2);
        return c.toDataURL('image/jpeg', 0.95).split(',')[1];
      },
      `data:image/png;base64,${png.toString('base64')}`,
    );
    await draw.close();
    const film = join(folder, 'label.mjpeg');
    writeFileSync(film, Buffer.concat(Array.from({ length: 10 }, () => Buffer.from(jpeg, 'base64'))));
    const browser = await startBrowser([
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${film}`,
    ]);
    try {
      const page = await browser.open(origin, { permissions: ['camera'] });
      await page.goto(`${origin}/check`);
      await button(page, 'Camera').click();
      await verdict(page, 'recalled');
      assert.equal(await page.getByTestId('camera').count(), 0, 'the camera is closed');
      trouble.push(...browser.trouble.map((x) => `camera: ${x}`));
    } finally {
      await browser.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

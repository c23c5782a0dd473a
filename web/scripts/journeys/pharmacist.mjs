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

const verdict = (page, kind) => page.locator(`[data-testid="verdict"][data-kind="${kind}"]`).waitFor();
const indexed = (page) => page.locator('[data-testid="job"][data-state="indexed"]').waitFor({ timeout: 30_000 });

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
  await page.getByText('Verified', { exact: true }).first().waitFor();
  await look(page, 'pharmacy-check-good-1280');

  // The scanner may end with a pause instead of Enter, and the focus may be on a button.
  await page.getByRole('button', { name: 'Dispense', exact: true }).focus();
  await wedge(page, recalled.text, false);
  await verdict(page, 'recalled');
  await look(page, 'pharmacy-check-recalled-1280');
  assert.equal(await page.getByRole('button', { name: 'Dispense', exact: true }).isDisabled(), true, 'recalled goods cannot be dispensed');

  await wedge(page, story.counterfeit);
  await verdict(page, 'unverified');
  await look(page, 'pharmacy-check-counterfeit-1280');
  await wedge(page, story.expiring);
  await verdict(page, 'unfit');
  await look(page, 'pharmacy-check-expired-1280');
  await wedge(page, 'nonsense-that-is-no-code');
  await verdict(page, 'unreadable');

  // No answer looks like neither.
  await page.route('**/v1/verify?*', (r) => r.abort());
  await wedge(page, story.second);
  await verdict(page, 'silent');
  await look(page, 'pharmacy-check-silent-1280');
  await page.unroute('**/v1/verify?*');

  // Dispense; the same package again is red.
  await wedge(page, good.text);
  await verdict(page, 'dispense');
  await page.getByRole('button', { name: 'Dispense', exact: true }).click();
  await page.getByTestId('confirm').click();
  await indexed(page);
  await verdict(page, 'unfit');
  await look(page, 'pharmacy-dispensed-1280');
  await wedge(page, good.text);
  await verdict(page, 'unfit');
  await page.getByText('This serial number has already been used up').waitFor();

  // Another one goes into quarantine, and back to the seller.
  await wedge(page, story.second);
  await verdict(page, 'dispense');
  await page.getByRole('button', { name: 'Quarantine', exact: true }).click();
  await page.getByTestId('confirm').click();
  await indexed(page);
  await verdict(page, 'unfit');
  await page.getByRole('button', { name: 'Return', exact: true }).click();
  await page.getByLabel('Return authorisation').fill('RMA-1');
  assert.match(await page.getByRole('combobox', { name: 'To whom' }).inputValue(), /Midland/, 'the seller is known');
  await look(page, 'pharmacy-return-1280');
  await page.getByTestId('confirm').click();
  await page
    .locator('[data-testid="job"]')
    .filter({ hasText: 'Return' })
    .locator('xpath=self::*[@data-state="indexed"]')
    .waitFor({ timeout: 30_000 });

  // The dock: of two cases one is there.
  await page.goto(`${origin}/receive`);
  await page
    .getByRole('heading', { name: /on (its|their) way to you|on their way to you/ })
    .first()
    .waitFor();
  await look(page, 'pharmacy-receive-1280');
  await wedge(page, story.waiting);
  await page.waitForURL(/\/receive\/./);
  await page.getByRole('heading', { name: /From Midland Drug/ }).waitFor();
  await wedge(page, story.waiting);
  await page.getByText(/^Expected:/).waitFor();
  await wedge(page, story.counterfeit);
  await page.getByText('Not on this shipment').waitFor();
  await look(page, 'pharmacy-receive-partly-1280');
  await page.getByTestId('receive').click();
  await indexed(page);
  await page.locator('tbody').getByText('Received', { exact: true }).waitFor();
  await look(page, 'pharmacy-received-1280');
  await page.context().close();

  for (const [name, options] of [
    ['390', phone],
    ['dark-es-1280', darkSpanish],
  ]) {
    const other = await open(origin, options);
    await other.goto(`${origin}/check/${encodeURIComponent(recalled.text)}`);
    await verdict(other, 'recalled');
    await look(other, `pharmacy-check-recalled-${name}`);
    await other.goto(`${origin}/receive`);
    await other.locator('.rows').first().waitFor();
    await look(other, `pharmacy-receive-${name}`);
    await other.goto(`${origin}/sign-in`);
    await other.locator('form').first().waitFor();
    await look(other, `sign-in-${name}`);
    await other.context().close();
  }
  await camera(origin, recalled, trouble);
}

/** camera shows a DataMatrix to the browser's camera, as a film of one picture. */
async function camera(origin, recalled, trouble) {
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
      await page.getByRole('button', { name: 'Camera' }).click();
      await verdict(page, 'recalled');
      trouble.push(...browser.trouble.map((x) => `camera: ${x}`));
    } finally {
      await browser.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// Pages of a real browser, each watched: what it asks outside its origin, what its console says, what axe finds, and whether it scrolls
// sideways. Faults are collected, not thrown, so that one run tells them all.
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const folder = fileURLToPath(new URL('../screenshots/', import.meta.url));
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

export async function startBrowser(args = []) {
  mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking', ...args],
  });
  const trouble = [];
  let done = 0;
  let last;
  return {
    folder,
    trouble,
    done: () => done,
    close: () => browser.close(),
    /** failed takes a picture of where a journey ended. */
    failed: (name) => last?.screenshot({ path: `${folder}failed-${name.replaceAll(/\W+/g, '-')}.png`, fullPage: true }).catch(() => {}),

    /** open makes a page that may talk to one origin only. */
    async open(origin, options = {}) {
      const context = await browser.newContext({
        locale: 'en-US',
        viewport: { width: 1280, height: 860 },
        reducedMotion: 'reduce',
        ...options,
      });
      const page = await context.newPage();
      last = page;
      page.setDefaultTimeout(15_000);
      page.on('request', (r) => {
        if (!/^(data|blob):/.test(r.url()) && new URL(r.url()).origin !== new URL(origin).origin)
          trouble.push(`request outside the origin: ${r.url()}`);
      });
      page.on('console', (m) => {
        // A refused request is part of the journey; everything else that the console reports is a fault.
        if (
          m.type() === 'error' &&
          !/status of (4\d\d|503)|net::ERR_(INTERNET_DISCONNECTED|FAILED|TIMED_OUT|NETWORK_CHANGED)/.test(m.text())
        )
          trouble.push(`console: ${m.text()}`);
      });
      page.on('pageerror', (e) => trouble.push(`page error: ${e.message}`));
      return page;
    },

    /** look takes a picture to be looked at, and has axe look too. */
    async look(page, name) {
      if (!/^(everyone|maker|distributor|pharmacy|regulator|sign-in)-.+-(390|1280)$/.test(name))
        trouble.push(`${name}: pictures are named role-page-width`);
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
    },

    /** signIn opens the link that the terminal printed. */
    async signIn(page, link) {
      await page.goto(link);
      await page.getByRole('button', { name: /^(Sign out|Cerrar sesión|Salir)$/ }).waitFor();
    },
  };
}

/** phone is how a page is opened as on one. */
export const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
export const darkSpanish = { colorScheme: 'dark', locale: 'es-MX' };

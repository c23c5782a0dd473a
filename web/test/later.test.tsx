// @vitest-environment jsdom
// A page whose code does not come, or that cannot be drawn, says so and comes back.
import { MantineProvider } from '@mantine/core';
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Boundary } from '../src/components/Boundary';
import { later } from '../src/components/Later';
import { startLanguages } from '../src/i18n';

beforeAll(async () => {
  window.matchMedia ??= ((query: string) => ({
    matches: false,
    media: query,
    addEventListener() {},
    removeEventListener() {},
    addListener() {},
    removeListener() {},
  })) as unknown as typeof window.matchMedia;
  await startLanguages();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const show = (node: React.ReactNode) => render(<MantineProvider>{node}</MantineProvider>);
const Page = () => <h1>Here it is</h1>;

/** source is code that comes only while there is a network, and counts how often it was asked for. */
function source() {
  const of = { there: false, asked: 0 };
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  const load = () => {
    of.asked++;
    return of.there ? Promise.resolve({ default: Page }) : Promise.reject(new TypeError('Failed to fetch dynamically imported module'));
  };
  return Object.assign(of, { load });
}

test('a page that cannot be fetched says so, and comes when the browser is online, after a while, or on Retry', async () => {
  for (const how of ['online', 'time', 'retry'] as const) {
    if (how === 'time') vi.useFakeTimers();
    const s = source();
    const Later = later(s.load, 'page');
    show(<Later />);
    await act(async () => {
      await Promise.resolve();
      if (how === 'time') await vi.advanceTimersByTimeAsync(10);
    });
    if (how === 'time') expect(screen.getByText('This page could not be loaded')).toBeTruthy();
    else await screen.findByText('This page could not be loaded');
    s.there = true;
    if (how === 'online') act(() => void window.dispatchEvent(new Event('online')));
    if (how === 'retry') fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    if (how === 'time') {
      await act(() => vi.advanceTimersByTimeAsync(5100));
      expect(screen.getByText('Here it is')).toBeTruthy();
    } else await screen.findByText('Here it is');
    expect(s.asked, how).toBe(2);
    cleanup();
    vi.useRealTimers();
  }
});

test('what was fetched ahead is there at once, and a failure ahead shows nowhere', async () => {
  const s = source();
  const Later = later(s.load, 'page');
  await Later.ahead();
  s.there = true;
  await Later.ahead();
  await Later.ahead();
  expect(s.asked).toBe(2);
  show(<Later />);
  expect(screen.getByText('Here it is')).toBeTruthy();
});

test('a page that cannot be drawn shows what happened, and is drawn again on Retry or at another place', async () => {
  const silence = vi.spyOn(console, 'error').mockImplementation(() => {});
  let broken = true;
  const Breaks = () => {
    if (broken) throw new Error('no height');
    return <Page />;
  };
  const again = vi.fn(() => (broken = false));
  const page = (place: string) => (
    <MantineProvider>
      <nav>Pages</nav>
      <Boundary place={place} again={again}>
        <Breaks />
      </Boundary>
    </MantineProvider>
  );
  const { rerender } = render(page('trace/1'));
  expect(screen.getByText('This page has stopped')).toBeTruthy();
  expect(screen.getByText('no height')).toBeTruthy();
  expect(screen.getByText('Pages')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(again).toHaveBeenCalledTimes(1);
  expect(screen.getByText('Here it is')).toBeTruthy();
  broken = true;
  rerender(page('trace/1'));
  expect(screen.getByText('This page has stopped')).toBeTruthy();
  broken = false;
  rerender(page('trace/2'));
  await screen.findByText('Here it is');
  silence.mockRestore();
});

test('a tab whose storage is full is not loaded anew, and says that a new version is there', async () => {
  const full = vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('full', 'QuotaExceededError');
  });
  const { mayReload } = await import('../src/lib/version');
  expect(mayReload('/assets/new.js')).toBe(false);
  full.mockRestore();
  expect(mayReload('/assets/new.js')).toBe(true);
});

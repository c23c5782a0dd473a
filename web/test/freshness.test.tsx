// @vitest-environment jsdom
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { api } from '../src/lib/api/client';
import { Checks } from '../src/components/Checks';
import { Freshness, standing } from '../src/components/Freshness';
import { startLanguages } from '../src/i18n';
import { parseGenesis, steps, verifyBytes } from '../src/lib/proof';
import { utf8 } from '../src/lib/proof/bytes';
import { vectors } from './vectors';

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
  vi.unstubAllGlobals();
});

const show = (node: React.ReactNode) =>
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider>{node}</MantineProvider>
    </QueryClientProvider>,
  );

/** hear lets the client receive an answer of the status endpoint at a height and an age. */
async function hear(height: string, age: string) {
  const headers = {
    'Content-Type': 'application/json',
    'Verilot-Height': height,
    'Verilot-Block-Time': '2026-11-21T03:00:00Z',
    'Verilot-Age-Seconds': age,
  };
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{}', { headers })));
  return (
    await api.genesis(),
    { height: BigInt(height), blockTime: headers['Verilot-Block-Time'], ageSeconds: Number(age), arrived: Date.now() }
  );
}

test('an answer says what it rests on, falls behind, and is called out of date when no block comes', async () => {
  const old = await hear('50', '3');
  show(<Freshness rests={old} />);
  expect(screen.getByTestId('freshness').textContent).toContain('As of block 50 · 3 seconds ago');
  expect(screen.getByText('Newest block known here')).toBeTruthy();
  cleanup();

  await hear('53', '1');
  show(<Freshness rests={old} refresh={() => {}} />);
  expect(screen.getByText('3 blocks behind the newest')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Refresh' })).toBeTruthy();
  cleanup();

  const stale = await hear('54', '75');
  show(<Freshness rests={stale} />);
  expect(screen.getByText(/No new block for over a minute/)).toBeTruthy();
  cleanup();

  show(<Freshness />);
  expect(screen.getByText(/did not say how old/)).toBeTruthy();
});

test('that no block comes is said only of a ledger that was asked', () => {
  const at = (height: bigint, ageSeconds: number, arrived: number) => ({ height, blockTime: '2026-11-21T03:00:00Z', ageSeconds, arrived });
  const t0 = 1_000_000;
  expect(standing(at(5n, 2, t0), at(5n, 2, t0), t0 + 1000)).toEqual({ is: 'newest' });
  expect(standing(at(5n, 2, t0), at(9n, 1, t0 + 20_000), t0 + 21_000)).toEqual({ is: 'behind', blocks: 4n });
  expect(standing(at(5n, 2, t0), at(5n, 70, t0), t0 + 1000), 'the service itself says that its newest block is old').toEqual({
    is: 'stale',
  });
  expect(standing(at(5n, 2, t0), at(9n, 1, t0), t0 + 90_000), 'nothing was heard since').toEqual({ is: 'silent', seconds: 90 });
  expect(standing(at(5n, 2, t0), undefined, t0 + 90_000)).toEqual({ is: 'silent', seconds: 90 });
});

test('every check is listed with a word for its outcome, also those that were not reached', () => {
  const v = vectors<{ genesis: string; bundles: { json: string }[] }>('proof');
  const lied = v.bundles[0].json.replace('"text":"OBSERVE"', '"text":"DELETE"');
  expect(lied).not.toBe(v.bundles[0].json);
  show(<Checks result={verifyBytes(utf8(lied), parseGenesis(utf8(v.genesis)))} />);
  const states = screen.getAllByRole('listitem').map((li) => li.dataset.state);
  expect(states).toHaveLength(steps.length);
  expect(states.slice(-3)).toEqual(['ok', 'failed', 'skipped']);
  expect(screen.getAllByText('passed')).toHaveLength(13);
  expect(screen.getByText('not reached')).toBeTruthy();
});

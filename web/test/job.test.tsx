// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Job } from '../src/api/client';
import { useCommand } from '../src/components/useJob';

const body = { gtin: '00307815050054', lot: 'L1', expiry: '2029-03-31', count: 3 };
const done = (id: string) =>
  ({ captureID: id, state: 'indexed', running: false, success: true, parts: [], verdicts: [] }) as unknown as Job;

/** A service that makes one job for a key, as often as it is asked; down: nobody answers, though what was sent arrives. */
const service = { keys: new Map<string, Job>(), down: false, forbidden: false, posts: 0 };

const json = (status: number, value: unknown) =>
  new Response(JSON.stringify(value), { status, headers: { 'Content-Type': 'application/json' } });

beforeEach(() => {
  sessionStorage.clear();
  Object.assign(service, { keys: new Map(), down: false, forbidden: false, posts: 0 });
  vi.stubGlobal('fetch', async (input: string | Request, init?: RequestInit) => {
    if (init?.method === 'POST') {
      service.posts++;
      if (service.forbidden) return json(403, { code: 'role_forbidden' });
      const key = (init.headers as Record<string, string>)['Idempotency-Key']!;
      if (!service.keys.has(key)) service.keys.set(key, done(`job-${service.keys.size}`));
      if (service.down) throw new TypeError('no connection');
      return json(202, service.keys.get(key));
    }
    const id = new URL(typeof input === 'string' ? input : input.url, 'http://localhost').pathname.split('/').at(-1)!;
    return json(200, done(id));
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** page is one loading of the page: its own memory but for what the tab keeps. */
function page(memory?: string, running?: Job) {
  const queries = new QueryClient({ defaultOptions: { mutations: { retry: false } } });
  const heard: string[] = [];
  const wrapper = ({ children }: { children: ReactNode }) => <QueryClientProvider client={queries}>{children}</QueryClientProvider>;
  const hook = renderHook(() => useCommand('commission', (j) => heard.push(j.captureID), running, memory), { wrapper });
  return { ...hook, heard };
}

test('a command whose answer was lost is the same command after the page was loaded anew', async () => {
  service.down = true;
  const before = page('kept');
  act(() => before.result.current.send(body));
  await waitFor(() => expect(before.result.current.error).toBeTruthy());
  before.unmount();
  service.down = false;
  const after = page('kept');
  await waitFor(() => expect(after.heard).toEqual(['job-0']));
  expect([service.keys.size, service.posts]).toEqual([1, 2]);
  after.unmount();
  page('kept'); // it was answered: nothing is sent again
  await act(async () => {});
  expect(service.posts).toBe(2);
});

test('what the service refused is not sent again by itself', async () => {
  service.forbidden = true;
  const before = page('kept');
  act(() => before.result.current.send(body));
  await waitFor(() => expect(before.result.current.error).toBeTruthy());
  before.unmount();
  page('kept');
  await act(async () => {});
  expect(service.posts).toBe(1);
});

test('what was sent long ago is not sent again by itself', async () => {
  sessionStorage.setItem('kept', JSON.stringify({ body: JSON.stringify(body), key: 'old', at: Date.now() - 61_000 }));
  page('kept');
  await act(async () => {});
  expect(service.posts).toBe(0);
});

test('without a memory nothing is kept', async () => {
  service.down = true;
  const before = page();
  act(() => before.result.current.send(body));
  await waitFor(() => expect(before.result.current.error).toBeTruthy());
  expect(sessionStorage.length).toBe(0);
});

test('a job that was found running is followed to its end', async () => {
  const { result, heard } = page(undefined, { ...done('found'), state: 'accepted', running: true } as Job);
  expect(result.current.busy).toBe(true);
  await waitFor(() => expect(heard).toEqual(['found']));
  expect(result.current.busy).toBe(false);
  expect(service.posts).toBe(0);
});

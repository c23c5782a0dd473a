// The api as openapi.json describes it, and what every answer says of its age.
import createClient from 'openapi-fetch';
import { useSyncExternalStore } from 'react';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];

/** What an answer rests on: the headers Verilot-Height, -Block-Time and -Age-Seconds, and when they arrived. */
export interface Rests {
  height: bigint;
  blockTime: string;
  ageSeconds: number;
  arrived: number;
}

/** A refusal or a fault, as problem+json tells it. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance: string;
  readonly readings: string[];
  constructor(status: number, body: Partial<Schemas['Problem']> | undefined) {
    super(body?.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = body?.code ?? '';
    this.detail = body?.detail ?? '';
    this.instance = body?.instance ?? '';
    this.readings = body?.readings ?? [];
  }
}

let newest: Rests | undefined;
const listeners = new Set<() => void>();

function hear(response: Response): Rests | undefined {
  const height = response.headers.get('Verilot-Height');
  const blockTime = response.headers.get('Verilot-Block-Time');
  const age = Number(response.headers.get('Verilot-Age-Seconds') ?? NaN);
  if (!height || !/^\d+$/.test(height) || !blockTime || Number.isNaN(age)) return undefined;
  const rests = { height: BigInt(height), blockTime, ageSeconds: age, arrived: Date.now() };
  if (!newest || rests.height >= newest.height) {
    newest = rests;
    listeners.forEach((l) => l());
  }
  return rests;
}

/** The newest block that any answer to this page rested on. */
export const useNewest = (): Rests | undefined =>
  useSyncExternalStore(
    (l) => {
      listeners.add(l);
      return () => listeners.delete(l);
    },
    () => newest,
  );

const client = createClient<paths>({ baseUrl: '' });

interface Answer<T> {
  data: T;
  rests?: Rests;
}

async function answer<T>(request: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<Answer<T>> {
  const { data, error, response } = await request;
  if (data === undefined) throw new Problem(response.status, typeof error === 'object' && error !== null ? error : undefined);
  return { data, rests: hear(response) };
}

/** file fetches bytes as they are: what is hashed must not be decoded and written again. */
async function file(path: string): Promise<Uint8Array> {
  const response = await fetch(path);
  if (!response.ok)
    throw new Problem(response.status, (await response.json().catch(() => undefined)) as Partial<Schemas['Problem']> | undefined);
  hear(response);
  return new Uint8Array(await response.arrayBuffer());
}

export const api = {
  trace: (id: string) => answer(client.GET('/v1/trace', { params: { query: { id } } })),
  status: () => answer(client.GET('/v1/status')),
  validators: () => answer(client.GET('/v1/validators')),
  blocks: (limit: number) => answer(client.GET('/v1/blocks', { params: { query: { limit } } })),
  proof: (id: string) => file(`/v1/proof?id=${encodeURIComponent(id)}`),
  genesis: () => file('/v1/genesis'),
};

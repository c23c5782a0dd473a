// The services as their openapi.json describe them, and what every answer says of its age. A partner's service passes
// questions on to its api, so that a page asks nobody but the service that it came from.
import createClient from 'openapi-fetch';
import { useSyncExternalStore } from 'react';
import { hold } from '../held';
import { lines } from '../rows';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Job = Schemas['Job'];
export type Verdict = Schemas['Verdict'];

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
  readonly errors: { pointer?: string; code?: string; message?: string; hint?: string; line?: number; column?: number; event?: number }[];
  constructor(status: number, body: Partial<Schemas['Problem']> | undefined) {
    super(body?.title ?? `HTTP ${status}`);
    this.status = status;
    this.code = body?.code ?? '';
    this.detail = body?.detail ?? '';
    this.instance = body?.instance ?? '';
    this.readings = body?.readings ?? [];
    this.errors = (body?.errors as Problem['errors'] | undefined) ?? [];
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

const client = createClient<paths, 'application/json'>({ baseUrl: '' });

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
  check: (id: string) => answer(client.GET('/v1/verify', { params: { query: { id } }, signal: AbortSignal.timeout(5000) })),
  shipments: (query: { to?: string; from?: string; open?: boolean; limit?: number; after?: string }) =>
    answer(client.GET('/v1/shipments', { params: { query } })),
  lots: (query: { gtin?: string; party?: string; q?: string; limit?: number; after?: string }) =>
    answer(client.GET('/v1/lots', { params: { query } })),
  containers: (gtin: string, lot: string, query: { holder?: string; limit?: number }) =>
    answer(client.GET('/v1/lots/{gtin}/{lot}/containers', { params: { path: { gtin, lot }, query } })),
  products: (query: { party?: string; q?: string; limit?: number }) => answer(client.GET('/v1/products', { params: { query } })),
  search: (q: string) => answer(client.GET('/v1/search', { params: { query: { q } } })),
  recalls: () => answer(client.GET('/v1/recalls')),
  recall: (number: string) => answer(client.GET('/v1/recalls/{number}', { params: { path: { number } } })),
  block: (height: string) => answer(client.GET('/v1/blocks/{height}', { params: { path: { height } as never } })),
  ndc: (q: string, limit: number) => answer(client.GET('/v1/ndc', { params: { query: { q, limit } } })),
  scan: (text: string) => answer(client.GET('/v1/scan', { params: { query: { text } } })),
  lot: (gtin: string, lot: string) => answer(client.GET('/v1/lots/{gtin}/{lot}', { params: { path: { gtin, lot } } })),
  parties: () => answer(client.GET('/v1/parties')),
  trace: (id: string) => answer(client.GET('/v1/trace', { params: { query: { id } } })),
  status: () => answer(client.GET('/v1/status')),
  validators: () => answer(client.GET('/v1/validators')),
  blocks: (limit: number) => answer(client.GET('/v1/blocks', { params: { query: { limit } } })),
  proof: (id: string) => file(`/v1/proof?id=${encodeURIComponent(id)}`),
  genesis: () => file('/v1/genesis'),
  /** units lists serialised units of a lot, one JSON object a line. */
  units: async (gtin: string, lot: string, query: Record<string, string>): Promise<LotUnit[]> => {
    const bytes = await file(
      `/v1/lots/${encodeURIComponent(gtin)}/${encodeURIComponent(lot)}/units?${new URLSearchParams(query).toString()}`,
    );
    return new TextDecoder()
      .decode(bytes)
      .split('\n')
      .filter((l) => l !== '')
      .map((l) => JSON.parse(l) as LotUnit);
  },
  /** unitStream yields the same one by one as they arrive, however many there are. */
  async *unitStream(gtin: string, lot: string, query: Record<string, string>, signal: AbortSignal): AsyncGenerator<LotUnit> {
    const response = await fetch(
      `/v1/lots/${encodeURIComponent(gtin)}/${encodeURIComponent(lot)}/units?${new URLSearchParams(query).toString()}`,
      { signal },
    );
    if (!response.ok || !response.body)
      throw new Problem(response.status, (await response.json().catch(() => undefined)) as Partial<Schemas['Problem']> | undefined);
    hear(response);
    for await (const line of lines(response.body)) yield JSON.parse(line) as LotUnit;
  },
};

/** One line of a list of units. */
export interface LotUnit {
  serial: string;
  digitalLink: string;
  state: string;
  holder?: string;
  owner?: string;
  to?: string;
  place?: string;
  parent?: string;
  overlays?: string[];
}

/** Whose page this is: GET /app.json. */
export interface Setting {
  service: 'api' | 'manufacturer' | 'distributor' | 'pharmacy';
  network: string;
  development: boolean;
  party?: string;
  partyName?: string;
}

/** Whether somebody is signed in to this service. What changes nothing needs no sign-in. */
export interface Session {
  signedIn: boolean;
  required: boolean;
  kind: string;
  service: string;
  party: string;
  partyName: string;
  expiresAt?: string;
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const read = (await response.json().catch(() => undefined)) as unknown;
  if (!response.ok || read === undefined) throw new Problem(response.ok ? 502 : response.status, read as Partial<Schemas['Problem']>);
  hear(response);
  return read as T;
}

export const setting = () => json<Setting>('GET', '/app.json');

export const session = {
  get: () => json<Session>('GET', '/v1/session'),
  begin: (token: string) => json<Session>('POST', '/v1/session', { token }),
  end: () => json<Session>('DELETE', '/v1/session'),
};

/** The business commands: what is posted as JSON under /v1 and answered with a job. */
type Commands = {
  [
    P in keyof paths as P extends `/v1/${infer Name}`
      ? paths[P] extends { post: { responses: { 202: { content: { 'application/json': Job } } } } }
        ? Name
        : never
      : never
  ]: paths[P] extends { post: { requestBody: { content: { 'application/json': infer B } } } } ? B : never;
};

/** Command is a business command's name, Body what it is sent. */
export type Command = keyof Commands;
export type Body<C extends Command> = Commands[C];

export const capture = {
  /** command sends a business command. key makes repeating it harmless: use one per thing that a person meant to do. */
  async command<C extends Command>(name: C, body: Body<C>, key: string): Promise<Job> {
    const text = JSON.stringify(body);
    const response = await sent(`/v1/${name}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: text,
      keepalive: text.length < 4000, // what was meant is done also when the page is left; browsers take no more than 64 KB like this
    });
    return jobOf(response);
  },
  /** document sends an EPCIS document as it is. */
  async document(bytes: Blob, type: string, onError: 'rollback' | 'proceed', key: string): Promise<Job> {
    const response = await sent('/capture', {
      method: 'POST',
      headers: { 'Content-Type': type, 'GS1-Capture-Error-Behaviour': onError, 'Idempotency-Key': key },
      body: bytes,
    });
    return jobOf(response);
  },
  /** job asks how far a job is; with wait, the answer comes when it is there, or after some seconds. */
  job: (id: string, wait?: Job['state']) =>
    answer(client.GET('/capture/{id}', { params: { path: { id }, query: wait ? { wait, timeout: '20s' } : {} } })).then((a) => a.data),
  jobs: (perPage: number) => answer(client.GET('/capture', { params: { query: { perPage } } })).then((a) => a.data ?? []),
  /** running finds the jobs that a page which was closed may still wait for, among the newest. */
  running: () => answer(client.GET('/capture', { params: { query: { perPage: 100, running: true } } })).then((a) => a.data ?? []),
  /** page lists jobs further back: next is what to ask with for those before. */
  page: async (perPage: number, token?: string): Promise<{ jobs: Job[]; next?: string }> => {
    const { data, error, response } = await client.GET('/capture', {
      params: { query: { perPage, ...(token ? { nextPageToken: token } : {}) } },
    });
    if (!data) throw new Problem(response.status, error as Partial<Schemas['Problem']> | undefined);
    const next = /nextPageToken=([^&>]+)/.exec(response.headers.get('Link') ?? '')?.[1];
    return { jobs: data, ...(next ? { next: decodeURIComponent(next) } : {}) };
  },
};

/** onboard registers what a document names; development networks only. */
export async function onboard(bytes: Blob, type: string): Promise<{ notes?: string[] | null }> {
  const response = await fetch('/v1/onboarding', { method: 'POST', headers: { 'Content-Type': type }, body: bytes });
  const read = (await response.json().catch(() => undefined)) as unknown;
  if (!response.ok) throw new Problem(response.status, read as Partial<Schemas['Problem']> | undefined);
  return read as { notes?: string[] };
}

/** sent is fetch for what must reach the service: the tab is not loaded anew meanwhile. */
async function sent(path: string, how: RequestInit): Promise<Response> {
  const release = hold();
  try {
    return await fetch(path, how);
  } finally {
    release();
  }
}

async function jobOf(response: Response): Promise<Job> {
  const read = (await response.json().catch(() => undefined)) as unknown;
  if (response.status !== 202) throw new Problem(response.status, read as Partial<Schemas['Problem']> | undefined);
  return read as Job;
}

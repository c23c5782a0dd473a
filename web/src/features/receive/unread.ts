import { api, Problem, type Schemas } from '../../lib/api/client';

/** A scan about which the service said nothing that could be held against the shipment. */
export type Unread = { kind: 'unread'; why: string; readings: string[]; scan?: Schemas['Answer'] };

export async function unread(text: string, e: unknown, silent: string): Promise<Unread> {
  if (!(e instanceof Problem) || e.status >= 500) return { kind: 'unread', why: silent, readings: [] };
  const scan = e.readings.length > 0 ? await api.scan(text).then((a) => a.data, () => undefined) : undefined; // prettier-ignore
  return { kind: 'unread', why: e.detail, readings: e.readings, ...(scan ? { scan } : {}) };
}

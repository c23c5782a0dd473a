import type { Schemas } from '../../lib/api/client';

/** What a scan means for a shipment that is being received. */
export type Scanned =
  | { kind: 'expected'; key: string; recall?: string }
  | { kind: 'again'; key: string }
  | { kind: 'received'; key: string }
  | { kind: 'inside'; key: string; container: string }
  | { kind: 'extra'; key: string; why: 'unknown' | 'held' | 'ours' | 'elsewhere' | 'recalled'; who?: string };

/** match holds a scan, as the trace of what was scanned tells it, against what the shipment names. */
export function match(trace: Schemas['Trace'], items: Schemas['ShippedItem'][], scanned: ReadonlySet<string>, party: string): Scanned {
  const key = trace.id.key;
  const recall = trace.recalls?.[0]?.recallNumber;
  const item = items.find((i) => i.key === key);
  if (item && !item.open) return { kind: 'received', key };
  if (item) return scanned.has(key) ? { kind: 'again', key } : { kind: 'expected', key, ...(recall ? { recall } : {}) };
  const container = (trace.containers ?? []).find((c) => items.some((i) => i.key === c && i.open));
  if (container) return { kind: 'inside', key, container };
  if (!trace.known) return { kind: 'extra', key, why: 'unknown' };
  if (recall) return { kind: 'extra', key, why: 'recalled', who: recall };
  const to = trace.to?.name ?? trace.to?.id;
  if ((trace.phase === 'in_transit' || trace.phase === 'in-transit') && to) return { kind: 'extra', key, why: 'elsewhere', who: to };
  if (trace.holder?.id === party) return { kind: 'extra', key, why: 'ours' };
  return { kind: 'extra', key, why: 'held', who: trace.holder?.name ?? trace.holder?.id ?? '–' };
}

/** finds tells which of the shipments on their way names what was scanned, or the container around it. */
export function finds(trace: Schemas['Trace'], shipments: Schemas['Shipment'][]): Schemas['Shipment'] | undefined {
  const keys = new Set([trace.id.key, ...(trace.containers ?? [])]);
  return shipments.find((s) => (s.items ?? []).some((i) => i.open && keys.has(i.key)));
}

/** isRight reports whether the goods may go to the pile of what is received. */
export const isRight = (s: Scanned): boolean => (s.kind === 'expected' && s.recall === undefined) || s.kind === 'again';

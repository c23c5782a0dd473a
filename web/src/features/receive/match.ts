import type { Schemas } from '../../api/client';

/** What a scan means for a shipment that is being received. */
export type Scanned =
  | { kind: 'expected'; key: string }
  | { kind: 'again'; key: string }
  | { kind: 'inside'; key: string; container: string }
  | { kind: 'extra'; key: string; why: 'unknown' | 'held' | 'elsewhere' | 'recalled'; who?: string };

/** match holds a scan, as the trace of what was scanned tells it, against what the shipment names. */
export function match(trace: Schemas['Trace'], items: Schemas['ShippedItem'][], scanned: ReadonlySet<string>): Scanned {
  const key = trace.id.key;
  const item = items.find((i) => i.key === key);
  if (item) return scanned.has(key) || !item.open ? { kind: 'again', key } : { kind: 'expected', key };
  const container = (trace.containers ?? []).find((c) => items.some((i) => i.key === c));
  if (container) return { kind: 'inside', key, container };
  if (!trace.known) return { kind: 'extra', key, why: 'unknown' };
  if ((trace.recalls ?? []).length > 0) return { kind: 'extra', key, why: 'recalled' };
  const to = trace.to?.name ?? trace.to?.id;
  if (trace.phase === 'in_transit' && to) return { kind: 'extra', key, why: 'elsewhere', who: to };
  return { kind: 'extra', key, why: 'held', who: trace.holder?.name ?? trace.holder?.id ?? '–' };
}

/** finds tells which of the shipments on their way names what was scanned, or the container around it. */
export function finds(trace: Schemas['Trace'], shipments: Schemas['Shipment'][]): Schemas['Shipment'] | undefined {
  const keys = new Set([trace.id.key, ...(trace.containers ?? [])]);
  return shipments.find((s) => (s.items ?? []).some((i) => i.open && keys.has(i.key)));
}

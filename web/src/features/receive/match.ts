import type { Schemas } from '../../lib/api/client';
import { onReceipt, type Check, type Reason } from '../../lib/guard';
import { setBy, theftOf } from '../../lib/steps';

/** What a scan means for a shipment that is being received. */
export type Scanned =
  | { kind: 'expected'; key: string; against?: Reason[] }
  | { kind: 'again'; key: string }
  | { kind: 'received'; key: string }
  | { kind: 'inside'; key: string; container: string }
  | { kind: 'case'; key: string; other: string }
  | Extra;

/** Extra is a thing that is not on the shipment; link names it to the service. */
export interface Extra {
  kind: 'extra';
  key: string;
  link?: string;
  why: Why;
  who?: string;
}

/** Why a thing that is not on the shipment may not be received. */
export type Why = 'unknown' | 'held' | 'ours' | 'elsewhere' | 'recalled' | 'stolen' | 'used';

/** match holds a scan, as the trace of what was scanned tells it, against what the shipment names. */
export function match(
  trace: Schemas['Trace'],
  items: Schemas['ShippedItem'][],
  scanned: ReadonlySet<string>,
  party: string,
  check?: Check,
): Scanned {
  const key = trace.id.key;
  const recall = trace.recalls?.[0]?.recallNumber;
  const item = items.find((i) => i.key === key);
  if (item && !item.open) return { kind: 'received', key };
  const against: Reason[] = check
    ? onReceipt(check)
    : (trace.recalls ?? []).map((r) => ({
        code: 'Recalled',
        detail: '',
        fault: 'recalled',
        where: 'itself',
        recall: { number: r.recallNumber, ...(r.classification ? { classification: r.classification } : {}) },
      }));
  if (item) return scanned.has(key) ? { kind: 'again', key } : { kind: 'expected', key, ...(against.length > 0 ? { against } : {}) };
  const container = (trace.containers ?? []).find((c) => items.some((i) => i.key === c && i.open));
  if (container) return { kind: 'inside', key, container };
  if (trace.otherCase) return { kind: 'case', key, other: trace.otherCase.serial ?? trace.otherCase.key };
  const extra = (why: Why, who?: string): Extra => ({
    kind: 'extra',
    key,
    ...(trace.id.digitalLink ? { link: trace.id.digitalLink } : {}),
    why,
    ...(who ? { who } : {}),
  });
  if (!trace.known) return extra('unknown');
  const by = (s?: Schemas['Step']) => s?.publisher.name ?? s?.publisher.id ?? '–';
  const theft = theftOf(trace);
  if (theft || trace.state === 'stolen') return extra('stolen', by(theft));
  if (['dispensed', 'destroyed', 'decommissioned'].includes(trace.state ?? '')) return extra('used', by(setBy(trace.steps, trace.state)));
  if (recall) return extra('recalled', recall);
  const to = trace.to?.name ?? trace.to?.id;
  if ((trace.phase === 'in_transit' || trace.phase === 'in-transit') && to) return extra('elsewhere', to);
  if (trace.holder?.id === party) return extra('ours');
  return extra('held', trace.holder?.name ?? trace.holder?.id ?? '–');
}

/** finds tells which of the shipments on their way names what was scanned, or the container around it. */
export function finds(trace: Schemas['Trace'], shipments: Schemas['Shipment'][]): Schemas['Shipment'] | undefined {
  const keys = new Set([trace.id.key, ...(trace.containers ?? [])]);
  return shipments.find((s) => (s.items ?? []).some((i) => i.open && keys.has(i.key)));
}

/** isRight reports whether the goods may go to the pile of what is received. */
export const isRight = (s: Scanned): boolean => (s.kind === 'expected' && s.against === undefined) || s.kind === 'again';

/** isSuspect reports whether the law asks for more than setting a thing aside. */
export const isSuspect = (why: Why): boolean => why !== 'ours' && why !== 'recalled';

// The way of a package as a graph: where it was held, what carried it between, and the containers it was in. Pure.
import type { Schemas } from '../../api/client';

type Step = Schemas['Step'];

/** A stop of the way: one party holding the thing, for a while. */
export interface Station {
  id: string;
  party: string;
  place?: string;
  steps: Step[];
  findings: number;
}

/** A container that the thing was in, from one station to another (or still). */
export interface Box {
  id: string;
  key: string;
  depth: number;
  from: string;
  to?: string;
}

/** A move between stations. */
export interface Move {
  id: string;
  from: string;
  to: string;
  time: string;
  carriers: number;
}

export interface Graph {
  stations: Station[];
  boxes: Box[];
  moves: Move[];
}

const holder = (s: Step): { id: string; name?: string } =>
  (s.bizStep === 'receiving' ? s.destination : s.bizStep === 'shipping' ? s.source : undefined) ?? s.publisher;

/** graphOf reads the steps of a trace in the order in which they are shown. What was rejected happened nowhere. */
export function graphOf(self: string, steps: Step[]): Graph {
  const g: Graph = { stations: [], boxes: [], moves: [] };
  const inside = new Map<string, Box>();
  let last: Step | undefined;
  for (const s of steps) {
    if (s.verdict !== 'accepted' && s.verdict !== 'flagged') continue;
    const who = holder(s);
    let station = g.stations[g.stations.length - 1];
    if (!station || station.party !== (who.name ?? who.id)) {
      const next: Station = { id: `s${g.stations.length}`, party: who.name ?? who.id, steps: [], findings: 0 };
      if (station && last)
        g.moves.push({ id: `m${g.moves.length}`, from: station.id, to: next.id, time: s.eventTime, carriers: (s.via ?? []).length });
      g.stations.push(next);
      station = next;
    }
    station.steps.push(s);
    station.place ??= (s.readPoint ?? s.bizLocation)?.name;
    station.findings += (s.findings ?? []).length;
    // Around it during this step: what carried it, and what it was packed into by this step.
    const around = [
      ...(s.via ?? []),
      ...(s.bizStep === 'packing' && s.parent && s.parent !== self && !(s.via ?? []).includes(s.parent) ? [s.parent] : []),
    ];
    for (const [i, key] of around.entries())
      if (!inside.has(key)) {
        const box: Box = { id: `b${g.boxes.length}`, key, depth: i, from: station.id };
        inside.set(key, box);
        g.boxes.push(box);
      }
    for (const [key, box] of inside) {
      const opened = s.bizStep === 'unpacking' && s.parent === key;
      if (opened || (!around.includes(key) && s.observed)) {
        box.to = station.id;
        inside.delete(key);
      }
    }
    last = s;
  }
  return g;
}

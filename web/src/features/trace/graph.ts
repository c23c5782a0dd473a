// The way of a package as a graph: where it was held, what carried it between, and the containers it was in. Pure.
import type { Schemas } from '../../lib/api/client';

type Step = Schemas['Step'];

/** A stop of the way: one party holding the thing, for a while. */
export interface Station {
  id: string;
  /** The party's id; name is what people call it. */
  party: string;
  name: string;
  place?: string;
  steps: Step[];
  findings: number;
}

/** A container that the thing was in, from one station to another (or still). */
export interface Box {
  id: string;
  key: string;
  /** 0: the thing itself is in it; 1: what that is in; and so on. */
  depth: number;
  /** The box that is in it; none: the thing itself. */
  holds?: string;
  from: string;
  to?: string;
}

/** A move between stations. */
export interface Move {
  id: string;
  from: string;
  to: string;
  time: string;
  offset?: string;
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
    if (!station || station.party !== who.id) {
      const next: Station = { id: `s${g.stations.length}`, party: who.id, name: who.name ?? who.id, steps: [], findings: 0 };
      if (station && last) g.moves.push({ id: `m${g.moves.length}`, from: station.id, to: next.id, time: s.eventTime, offset: s.offset });
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
        const held = i > 0 ? inside.get(around[i - 1]!)?.id : undefined;
        const box: Box = { id: `b${g.boxes.length}`, key, depth: i, ...(held ? { holds: held } : {}), from: station.id };
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

/** A place on a node where a line ends: how far from its left or top edge. */
export interface Anchor {
  id: string;
  type: 'source' | 'target';
  side: 'top' | 'right' | 'bottom' | 'left';
  at: number;
}

export interface Placed {
  id: string;
  x: number;
  y: number;
  w: number;
  h: number;
  anchors: Anchor[];
}

export interface Line {
  id: string;
  source: string;
  sourceHandle: string;
  target: string;
  targetHandle: string;
  move?: Move;
}

export interface Layout {
  across: boolean;
  nodes: Placed[];
  lines: Line[];
  width: number;
  height: number;
}

/** How many steps a station lists; the rest is in the timeline. */
export const listed = 6;

const wide = 236;
const lineHeight = 27;
const bar = 46;
const heightOf = (s: Station) =>
  50 + lineHeight * (Math.min(s.steps.length, listed) + (s.steps.length > listed ? 1 : 0)) + (s.place && s.place !== s.name ? 20 : 0);

/**
 * layout places stations side by side when there is room for them, else below each other, and beside their row a lane for each depth of
 * containers, in which a container reaches from where the thing was packed to where it was unpacked.
 */
export function layout(g: Graph, room: number): Layout {
  const gap = 104;
  const across = g.stations.length * wide + (g.stations.length - 1) * gap <= room * 1.12;
  const between = across ? gap : 52;
  const row = Math.max(0, ...g.stations.map(heightOf));
  const placed = new Map<string, Placed>();
  // Along: the way the thing goes. Aside: where the lanes are.
  const start = new Map<string, number>();
  const length = new Map<string, number>();
  let along = 0;
  for (const s of g.stations) {
    start.set(s.id, along);
    length.set(s.id, across ? wide : heightOf(s));
    placed.set(s.id, {
      id: s.id,
      x: across ? along : 0,
      y: across ? 0 : along,
      w: wide,
      h: across ? row : heightOf(s),
      anchors: [],
    });
    along += length.get(s.id)! + between;
  }
  along -= between;
  const lines: Line[] = [];
  const anchor = (node: string, type: Anchor['type'], side: Anchor['side'], at: number): string => {
    const n = placed.get(node)!;
    const id = `${type}${n.anchors.length}`;
    n.anchors.push({ id, type, side, at });
    return id;
  };
  const line = (id: string, a: [string, Anchor['side'], number], b: [string, Anchor['side'], number], move?: Move) =>
    lines.push({
      id,
      source: a[0],
      sourceHandle: anchor(a[0], 'source', a[1], a[2]),
      target: b[0],
      targetHandle: anchor(b[0], 'target', b[1], b[2]),
      ...(move ? { move } : {}),
    });
  for (const m of g.moves) {
    const at = across ? 38 : wide / 2;
    line(m.id, [m.from, across ? 'right' : 'bottom', at], [m.to, across ? 'left' : 'top', at], m);
  }
  const side = across ? row : wide;
  let lanes = 0;
  let longest = along;
  for (const b of g.boxes) {
    const enough = across ? 210 : 216; // the number can be read
    const from = start.get(b.from)! + length.get(b.from)! * 0.56 + b.depth * 16;
    const to = b.to === undefined ? along : start.get(b.to)! + length.get(b.to)! * 0.44 - b.depth * 16;
    const end = Math.max(to, from + enough);
    longest = Math.max(longest, end);
    const aside = side + 34 + b.depth * (bar + 26);
    lanes = Math.max(lanes, b.depth + 1);
    placed.set(b.id, {
      id: b.id,
      x: across ? from : aside,
      y: across ? aside : from,
      w: across ? end - from : bar,
      h: across ? bar : end - from,
      anchors: [],
    });
    // In: from the thing's station, or from the box that is in it. Out: the same way back.
    const ends = (id: string, other: string, at: number, into: boolean) => {
      const o = placed.get(other)!;
      const own = placed.get(b.id)!;
      const near = across ? 'top' : 'left';
      const far = across ? 'bottom' : 'right';
      const on = (n: Placed) => Math.max(8, Math.min(at - (across ? n.x : n.y), (across ? n.w : n.h) - 8));
      const a: [string, Anchor['side'], number] = [other, far, on(o)];
      const c: [string, Anchor['side'], number] = [b.id, near, on(own)];
      if (into) line(id, a, c);
      else line(id, c, a);
    };
    ends(`${b.id}i`, b.holds ?? b.from, from + 12, true);
    if (b.to !== undefined) ends(`${b.id}o`, b.holds ?? b.to, Math.max(to, from + 24) - 12, false);
  }
  const depth = side + (lanes > 0 ? 34 + lanes * (bar + 26) - 26 : 0);
  return { across, nodes: [...placed.values()], lines, width: across ? longest : depth, height: across ? depth : longest };
}

import { expect, test } from 'vitest';
import { pack, type Io, type Memory, type Progress } from '../src/features/make/packing';

/** A ledger that takes a command once per key, refuses what is packed already, and may lose answers or requests. */
class World {
  loose: Set<string>;
  boxes = new Map<string, string[]>();
  inside = new Set<string>();
  memory: Memory | undefined;
  commands = 0;
  doubled = 0;
  keys = new Map<string, { refused?: string }>();
  trouble: ((n: number) => 'before' | 'after' | 'refuse' | 'forbid' | undefined) | undefined;
  private made = 0;
  private keyed = 0;

  constructor(units: number) {
    this.loose = new Set(Array.from({ length: units }, (_, i) => `u${i}`));
  }

  private take(children: string[]): { refused?: string } {
    if (children.some((c) => !this.loose.has(c) && (!this.boxes.has(c) || this.inside.has(c)))) {
      this.doubled++;
      return { refused: 'packed already' };
    }
    for (const c of children) {
      this.loose.delete(c);
      if (this.boxes.has(c)) this.inside.add(c);
    }
    this.boxes.set(`b${this.made++}`, children);
    return {};
  }

  io: Io<string> = {
    loose: async (most) => [...this.loose].slice(0, most),
    boxes: async () => ({
      list: [...this.boxes]
        .filter(([id]) => !this.inside.has(id))
        .map(([id, c]) => ({ id, contents: c.length, units: c.flatMap((x) => this.boxes.get(x) ?? [x]).length })),
      more: false,
    }),
    pack: async (children, key) => {
      await Promise.resolve();
      const what = this.trouble?.(this.commands++);
      if (what === 'before') throw new Error('no connection');
      if (what === 'forbid') throw new Error('forbidden');
      if (what === 'refuse') return { refused: 'a reason' };
      const known = this.keys.get(key);
      const outcome = known ?? this.take(children);
      this.keys.set(key, outcome);
      if (what === 'after') throw new Error('the answer was lost');
      return outcome;
    },
    nothingCaptured: (e) => e instanceof Error && e.message === 'forbidden',
    newKey: () => `k${this.keyed++}`,
    kept: () => this.memory,
    // As through storage: what was kept does not change with what is kept later.
    keep: (m) => (this.memory = m && structuredClone(m)),
  };

  sizes = () => [...this.boxes.values()].map((c) => c.length);
}

const start = async (
  w: World,
  plan: { perCase: number; cases: number; perPallet: number },
  more: { resume?: boolean; stop?: () => boolean } = {},
) => {
  const heard: Progress[] = [];
  const refused = await pack(plan, w.io, { resume: more.resume ?? false, hear: (p) => heard.push(p), stopped: more.stop ?? (() => false) });
  return { refused, last: heard.at(-1) };
};
const goOn = (w: World) => start(w, { ...w.memory!, cases: w.memory!.left }, { resume: true });

test('cases, then pallets; what does not fill a case stays loose', async () => {
  const w = new World(500);
  const { refused, last } = await start(w, { perCase: 48, cases: 10, perPallet: 4 });
  expect(refused).toBeUndefined();
  expect(w.sizes()).toEqual([...Array<number>(10).fill(48), 4, 4, 2]);
  expect(w.loose.size).toBe(20);
  expect(last).toEqual({ done: 13, total: 13 });
  expect(w.memory).toBeUndefined();
});

test('cases that stand here already go onto the pallets too', async () => {
  const w = new World(40);
  await start(w, { perCase: 10, cases: 1, perPallet: 0 });
  await start(w, { perCase: 10, cases: 3, perPallet: 4 });
  expect(w.sizes()).toEqual([10, 10, 10, 10, 4]);
});

test('a stop leaves the rest for later, and nothing is done twice', async () => {
  const w = new World(100);
  await start(w, { perCase: 10, cases: 10, perPallet: 5 }, { stop: () => w.boxes.size >= 3 });
  expect(w.boxes.size).toBeLessThan(10);
  expect(w.memory).toMatchObject({ left: 10 - w.boxes.size, sent: [] });
  await goOn(w);
  expect(w.sizes().sort((a, b) => a - b)).toEqual([5, 5, ...Array<number>(10).fill(10)]);
  expect(w.doubled).toBe(0);
});

test.each(['before', 'after'] as const)('a connection lost %s the command arrived: going on does it once', async (when) => {
  const w = new World(100);
  w.trouble = (n) => (n >= 4 ? when : undefined);
  await expect(start(w, { perCase: 10, cases: 10, perPallet: 0 })).rejects.toThrow();
  expect(w.memory!.sent.length).toBeGreaterThan(0);
  w.trouble = undefined;
  const { refused, last } = await goOn(w);
  expect(refused).toBeUndefined();
  expect(last!.done).toBe(last!.total);
  expect(w.sizes()).toEqual(Array<number>(10).fill(10));
  expect([w.loose.size, w.doubled, w.memory]).toEqual([0, 0, undefined]);
});

test('a page that was loaded anew settles what was sent before it takes what is loose', async () => {
  const w = new World(100);
  w.trouble = (n) => (n >= 4 ? 'after' : undefined);
  await expect(start(w, { perCase: 10, cases: 10, perPallet: 0 })).rejects.toThrow();
  w.trouble = undefined;
  const there = w.boxes.size;
  await start(w, { perCase: 10, cases: 1, perPallet: 0 }); // not the old plan, but a new one
  expect(w.boxes.size).toBe(there + 1);
  expect(w.doubled).toBe(0);
});

test('what the ledger refuses ends the run and is handed out', async () => {
  const w = new World(100);
  w.trouble = (n) => (n === 2 ? 'refuse' : undefined);
  const { refused } = await start(w, { perCase: 10, cases: 10, perPallet: 5 });
  expect(refused).toBe('a reason');
  expect(w.sizes().every((n) => n === 10)).toBe(true);
  expect(w.memory!.sent).toEqual([]);
});

test('what the service refuses is not sent again', async () => {
  const w = new World(20);
  w.trouble = () => 'forbid';
  await expect(start(w, { perCase: 10, cases: 2, perPallet: 0 })).rejects.toThrow('forbidden');
  expect(w.memory).toMatchObject({ left: 2, sent: [] });
});

test('one package a case, one case a pallet: it ends', async () => {
  const w = new World(2);
  await start(w, { perCase: 1, cases: 2, perPallet: 1 });
  expect(w.sizes()).toEqual([1, 1, 1, 1]);
});

// Packing a lot into cases, and these onto pallets: one command each, a few at a time. What is loose is asked for when it begins, so
// that whatever happened before is taken as it is. A command is written down before it is sent and struck out when its answer is
// there: after a lost answer, or in a page that was loaded anew, it is sent again under its own key, which does nothing twice.

export interface Plan {
  perCase: number;
  cases: number;
  /** 0: the cases stay where they are. */
  perPallet: number;
}

/** What must outlive the page: the plan, the cases of it that are not certified yet, and what was sent without an answer so far. */
export interface Memory {
  perCase: number;
  perPallet: number;
  left: number;
  sent: { key: string; children: string[]; pallet: boolean }[];
}

/** An outermost container that stands here. */
export interface Box {
  id: string;
  units: number;
  contents: number;
}

/** Io is the world as packing sees it. pack returns when everyone sees the outcome, and may be called again with the same key. */
export interface Io<J> {
  loose(most: number): Promise<string[]>;
  boxes(): Promise<{ list: Box[]; more: boolean }>;
  pack(children: string[], key: string): Promise<{ refused?: J }>;
  /** Whether an error says that nothing was captured, rather than that nobody knows. */
  nothingCaptured(e: unknown): boolean;
  newKey(): string;
  kept(): Memory | undefined;
  keep(m: Memory | undefined): void;
}

export interface Progress {
  done: number;
  total: number;
}

/** A case takes some hundred milliseconds to be certified, most of them waiting. */
const atOnce = 6;

/** isCase tells a case of a plan from a pallet: all that is directly in it are packages. */
export const isCase = (b: Pick<Box, 'units' | 'contents'>, perCase: number): boolean => b.contents === b.units && b.units === perCase;

/** palletsOf is how many pallets so many cases need; the last may have room left. */
export const palletsOf = (cases: number, perPallet: number): number => (perPallet > 0 ? Math.ceil(cases / perPallet) : 0);

/**
 * pack does a plan, or with resume what is left of the last one. It returns the job that the ledger did not take as it stands, if there
 * was one: then, as after an error or a stop, the rest is remembered and nothing more is sent.
 */
export async function pack<J>(
  plan: Plan,
  io: Io<J>,
  { resume, hear, stopped }: { resume: boolean; hear: (p: Progress) => void; stopped: () => boolean },
): Promise<J | undefined> {
  const before = io.kept();
  const memory: Memory = { perCase: plan.perCase, perPallet: plan.perPallet, left: plan.cases, sent: before?.sent ?? [] };
  let failure: { error: unknown } | undefined;
  let refused: J | undefined;
  let done = 0;
  let total = plan.cases;
  const told = () => hear({ done, total: Math.max(total, done) });
  const goOn = () => !stopped() && failure === undefined && refused === undefined;

  const one = async (sent: Memory['sent'][number], counts: boolean) => {
    try {
      const outcome = await io.pack(sent.children, sent.key);
      memory.sent = memory.sent.filter((s) => s !== sent);
      if (outcome.refused !== undefined) refused ??= outcome.refused;
      else if (counts) {
        if (!sent.pallet) memory.left--;
        done++;
        told();
      }
    } catch (error) {
      if (io.nothingCaptured(error)) memory.sent = memory.sent.filter((s) => s !== sent);
      failure ??= { error };
    }
    io.keep(memory);
  };
  const all = async (groups: string[][], pallet: boolean) => {
    const queue = [...groups];
    const work = async () => {
      for (let children = queue.shift(); children !== undefined && goOn(); children = queue.shift()) {
        const sent = { key: io.newKey(), children, pallet };
        memory.sent = [...memory.sent, sent];
        io.keep(memory);
        await one(sent, true);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  };

  told();
  io.keep(memory);
  await Promise.all(memory.sent.map((s) => one(s, resume)));
  if (goOn() && memory.left > 0) {
    const units = await io.loose(memory.left * plan.perCase);
    const cases = chunks(units, plan.perCase).filter((c) => c.length === plan.perCase);
    memory.left = cases.length;
    total = done + cases.length;
    if (plan.perPallet > 0) {
      const waiting = (await io.boxes()).list.filter((b) => isCase(b, plan.perCase)).length;
      total += palletsOf(waiting + cases.length, plan.perPallet);
    }
    told();
    await all(cases, false);
  }
  // Cases that stand here from earlier go along. What holds one package only cannot be told from what holds that: one round.
  for (let more = plan.perPallet > 0; more && goOn(); more &&= plan.perCase > 1) {
    const boxes = await io.boxes();
    const waiting = boxes.list.filter((b) => isCase(b, plan.perCase)).map((b) => b.id);
    const pallets = chunks(waiting, plan.perPallet).filter((p) => p.length === plan.perPallet || !boxes.more);
    total = done + pallets.length;
    told();
    await all(pallets, true);
    more = boxes.more && pallets.length > 0;
  }
  if (goOn() || (memory.left === 0 && memory.sent.length === 0 && plan.perPallet === 0)) io.keep(undefined);
  if (failure) throw failure.error;
  return refused;
}

const chunks = <T>(list: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));

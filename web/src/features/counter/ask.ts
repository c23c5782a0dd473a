// One question at the counter is three of the service: the verdict, what the scan says by itself, and the history for names and for
// whom the package came from. The verdict decides; the other two may stay away.
import { api, Problem, type Rests, type Schemas } from '../../lib/api/client';
import { isBox } from './verdict';

export type Asked = {
  printed?: Schemas['Answer'];
  trace?: Schemas['Trace'];
  rests?: Rests;
  milliseconds: number;
} & (
  | { what: 'unit'; check: Schemas['Check'] }
  | { what: 'box'; check: Schemas['Check'] }
  | { what: 'choose'; readings: string[] }
  | { what: 'unreadable'; detail: string }
);

const patience = 1500; // ms for what is only nice to know

const soon = <T>(p: Promise<T>): Promise<T | undefined> =>
  Promise.race([
    p.catch(() => undefined),
    new Promise<undefined>((done) => {
      setTimeout(done, patience, undefined);
    }),
  ]);

/** ask throws when there is no answer: whatever that means, it is nothing about the package. */
export async function ask(text: string): Promise<Asked> {
  const started = performance.now();
  const aside = Promise.all([soon(api.scan(text)), soon(api.trace(text))]);
  try {
    const { data: check, rests } = await api.check(text);
    const milliseconds = performance.now() - started;
    const [scan, history] = await aside;
    const [printed, trace] = [scan?.data, history?.data];
    // Of several readings the package is compared with the one that the verdict is about.
    const used = check.chosen && printed ? { ...printed, ...check.chosen.reading } : printed;
    const common = { printed: used, rests, milliseconds };
    return { what: isBox(check, trace) ? 'box' : 'unit', check, trace, ...common };
  } catch (e) {
    const milliseconds = performance.now() - started;
    if (!(e instanceof Problem)) throw e;
    if (e.code === 'ambiguous_scan') return { what: 'choose', readings: e.readings, printed: (await aside)[0]?.data, milliseconds };
    if (e.code !== 'invalid_identifier') throw e;
    return { what: 'unreadable', detail: e.detail, printed: (await aside)[0]?.data, milliseconds };
  }
}

/** nameOf is the name of the medicine, as far as it is known. */
export function nameOf(asked?: Asked): string | undefined {
  const product = asked?.trace?.product;
  return product && [product.name, product.strength].filter(Boolean).join(' ');
}

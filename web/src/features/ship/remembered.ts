import { kept, texts } from '../../lib/kept';

/** Remembered is a shipment that was being put together: what was scanned, newest first, and where it goes. */
export interface Remembered {
  things: string[];
  to: string | null;
  po: string;
  desadv: string;
  /** Number of the authorisation under which it goes back. */
  rma: string;
}

export const nothing: Remembered = { things: [], to: null, po: '', desadv: '', rma: '' };

export const isNothing = (r: Remembered): boolean =>
  r.things.length === 0 && r.to === null && [r.po, r.desadv, r.rma].every((text) => text === '');

/** remembered is what was kept under a name, and since when. */
export function remembered(name: string): Remembered & { at?: number } {
  const found = kept(name);
  const value = (found?.value ?? {}) as Partial<Record<keyof Remembered, unknown>>;
  const text = (x: unknown): string => (typeof x === 'string' ? x : '');
  const all = {
    things: texts(value.things),
    to: text(value.to) || null,
    po: text(value.po),
    desadv: text(value.desadv),
    rma: text(value.rma),
  };
  return isNothing(all) ? nothing : { ...all, at: found!.at };
}

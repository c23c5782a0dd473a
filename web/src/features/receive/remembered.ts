import { kept, texts } from '../../lib/kept';
import type { Extra, Why } from './match';

/** Remembered is a delivery that was being received: what was scanned of it, what did not belong to it, and the return's number. */
export interface Remembered {
  scanned: string[];
  extras: Extra[];
  rma: string;
}

const whys: Why[] = ['unknown', 'held', 'ours', 'elsewhere', 'recalled', 'stolen', 'used'];

function extra(x: unknown): Extra[] {
  const { key, link, why, who } = (x ?? {}) as Partial<Record<keyof Extra, unknown>>;
  if (typeof key !== 'string' || !whys.includes(why as Why)) return [];
  return [
    { kind: 'extra', key, why: why as Why, ...(typeof link === 'string' ? { link } : {}), ...(typeof who === 'string' ? { who } : {}) },
  ];
}

export const nothing: Remembered & { at?: number } = { scanned: [], extras: [], rma: '' };

export const isNothing = (r: Remembered): boolean => r.scanned.length === 0 && r.extras.length === 0 && r.rma === '';

/** remembered is what was kept under a name, and since when. */
export function remembered(name: string): Remembered & { at?: number } {
  const found = kept(name);
  const value = (found?.value ?? {}) as Partial<Record<keyof Remembered, unknown>>;
  const all: Remembered = {
    scanned: texts(value.scanned),
    extras: Array.isArray(value.extras) ? value.extras.flatMap(extra) : [],
    rma: typeof value.rma === 'string' ? value.rma : '',
  };
  return isNothing(all) ? all : { ...all, at: found!.at };
}

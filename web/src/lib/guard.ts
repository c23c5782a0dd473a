// What speaks against moving goods, as a check tells it. Pure.
import type { Schemas } from './api/client';

export type Check = Schemas['Check'];
export type Reason = Schemas['CheckReason'];
export type Fault = NonNullable<Reason['fault']>;

/** faultsOf are the reasons for which the ledger's rules keep goods from being sold, gravest first. */
export const faultsOf = (check?: Check): Reason[] => (check?.reasons ?? []).filter((r) => r.fault !== undefined);

/** mustStay reports whether a thing must not be shipped for sale. What nobody looked into is not red: its records may still come. */
export const mustStay = (check?: Check): boolean => check !== undefined && !check.sellable && check.colour === 'red';

/** mayGoBack reports whether a thing that must not be sold may be sent back to its seller or maker. */
export const mayGoBack = (check?: Check): boolean =>
  (check?.reasons ?? []).length > 0 && check!.reasons!.every((r) => r.fault !== undefined);

/** byItself are the faults for which the ledger puts goods into quarantine when they are received. */
export const byItself = (r: Reason): boolean => r.fault === 'recalled' || r.fault === 'expired';

/** onReceipt are the reasons to set a thing aside that comes in. That a return is not released yet is no news to whoever receives it. */
export const onReceipt = (check?: Check): Reason[] => faultsOf(check).filter((r) => r.fault !== 'unreleased');

/** Marked is a mark that units of a lot have, and how many of them. */
export interface Marked {
  mark: string;
  units: number;
}

/** marksOf are the marks of a lot inside a container, those of the whole lot first. */
export function marksOf(lot: Schemas['CheckLot'], reasons: readonly Reason[]): Marked[] {
  const whole = reasons
    .filter((r) => r.where === 'inside' && r.gtin === lot.gtin && r.lot === lot.lot)
    .flatMap((r) => (r.code === 'Recalled' ? ['recalled'] : r.code === 'Expired' ? ['expired'] : []))
    .map((mark) => ({ mark, units: lot.units }));
  const single = Object.entries(lot.marked ?? {})
    .filter(([mark]) => !whole.some((w) => w.mark === mark))
    .map(([mark, units]) => ({ mark, units }))
    .sort((a, b) => b.units - a.units || (a.mark < b.mark ? -1 : 1));
  return [...whole, ...single];
}

/** Piece is a part of a text: words, or the position of an item on the ledger. */
export type Piece = { text: string } | { position: string; height: string };

/** pieces finds the positions that a text of the ledger names, as height/entry/item, to link them. */
export function pieces(text: string): Piece[] {
  return text
    .split(/\b(\d+\/\d+\/\d+)\b/)
    .map((part, i) => (i % 2 === 1 ? { position: part, height: part.slice(0, part.indexOf('/')) } : { text: part }))
    .filter((p) => !('text' in p) || p.text !== '');
}

const licences = [
  'fda_establishment',
  'state_wholesale',
  'federal_wholesale',
  'fda_annual_report',
  'state_3pl',
  'federal_3pl',
  'state_pharmacy',
];

/** licencesIn are the kinds of licences that a refusal names. */
export const licencesIn = (text: string): string[] => licences.filter((l) => new RegExp(`\\b${l}\\b`).test(text));

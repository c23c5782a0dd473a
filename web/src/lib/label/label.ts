// The product identifier of 21 U.S.C. 360eee(14) as it stands on a package: GTIN, serial, expiry and lot, in a GS1 DataMatrix and in print.

export interface Label {
  gtin: string;
  serial: string;
  /** YYYY-MM-DD */
  expiry: string;
  lot: string;
}

/** yymmdd is a date as application identifier (17) has it. */
export const yymmdd = (date: string): string => date.slice(2, 4) + date.slice(5, 7) + date.slice(8, 10);

// The drawing library takes parentheses for its own syntax; a serial may hold them.
const escaped = (s: string) => s.replace(/[()]/g, (c) => `^${c.charCodeAt(0).toString().padStart(3, '0')}`);

/** elements is the text for a GS1 symbol, fixed-length elements first: it saves a separator. */
export const elements = (l: Label): string => `(01)${l.gtin}(17)${yymmdd(l.expiry)}(10)${escaped(l.lot)}(21)${escaped(l.serial)}`;

/** scanned is what a scanner makes of the symbol, without the separator that begins it. */
export const scanned = (l: Label): string => `01${l.gtin}17${yymmdd(l.expiry)}10${l.lot}\u001d21${l.serial}`;

/** lines are the human readable text beside the symbol. */
export const lines = (l: Label): [string, string][] => [
  ['GTIN', l.gtin],
  ['SN', l.serial],
  ['EXP', l.expiry],
  ['LOT', l.lot],
];

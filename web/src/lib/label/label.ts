// The product identifier of 21 U.S.C. 360eee(14) as it stands on a package: GTIN, serial, expiry and lot, in a GS1 DataMatrix and in print.
import type { Drawn } from './draw';

export interface Label {
  gtin: string;
  serial: string;
  /** YYYY-MM-DD */
  expiry: string;
  lot: string;
}

/** yymmdd is a date as application identifier (17) has it. */
export const yymmdd = (date: string): string => date.slice(2, 4) + date.slice(5, 7) + date.slice(8, 10);

// The drawing library takes parentheses for its own syntax, and ^ for that of what is escaped; a serial may hold the former.
const escaped = (s: string) => s.replace(/[()^]/g, (c) => `^${c.charCodeAt(0).toString().padStart(3, '0')}`);

/** elements is the text for a GS1 symbol: what has a fixed length first, so that one separator is enough. */
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

/** In millimetres. 0.423 is five dots of a 300 dpi printer, within the 0.255 to 0.990 of GS1 for medicines. */
const module = 0.423;
const quiet = 2; // modules; one is the least
const margin = 1.5;
const size = 2.5; // of letters
const leading = 3.2;
const advance = 0.62 * size; // of a letter, in fonts that have one width

export interface Sheet {
  svg: string;
  /** In millimetres, as it is printed. */
  width: number;
  height: number;
}

/** sheet sets a label: the symbol, and the print beside it. */
export function sheet(l: Label, about: { name: string; ndc?: string }, symbol: Drawn): Sheet {
  const print: { text: string; bold?: boolean }[] = [
    ...wrap(about.name, 34)
      .slice(0, 3)
      .map((text) => ({ text, bold: true })),
    ...(about.ndc ? [{ text: `NDC ${about.ndc}` }] : []),
    ...lines(l).map(([name, value]) => ({ text: `${name} ${value}` })),
  ];
  const side = (symbol.modules + 2 * quiet) * module;
  const height = mm(Math.max(side, print.length * leading) + 2 * margin);
  const width = mm(side + 3 * margin + Math.max(...print.map((p) => p.text.length)) * advance);
  const top = (height - side) / 2 + quiet * module;
  const first = (height - print.length * leading) / 2 + size;
  const text = print
    .map((p, i) => {
      const weight = p.bold ? ' font-weight="bold"' : '';
      return `<text x="${mm(side + 2 * margin)}" y="${mm(first + i * leading)}"${weight}>${xml(p.text)}</text>`;
    })
    .join('');
  return {
    width,
    height,
    svg:
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}mm" height="${height}mm" viewBox="0 0 ${width} ${height}">` +
      `<rect width="100%" height="100%" fill="#fff"/>` +
      `<path transform="translate(${mm(margin + quiet * module)} ${mm(top)}) scale(${module})" fill-rule="evenodd" shape-rendering="crispEdges" d="${symbol.path}"/>` +
      `<g font-family="'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${size}" xml:space="preserve">${text}</g></svg>`,
  };
}

const mm = (n: number) => Math.round(n * 1000) / 1000;

const xml = (s: string) => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** wrap breaks a text between words, and a word that is longer than a line where it must. */
function wrap(text: string, most: number): string[] {
  const out: string[] = [];
  for (const word of text.split(/\s+/).filter((w) => w !== '')) {
    const last = out.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) out[out.length - 1] = `${last} ${word}`;
    else for (let i = 0; i < word.length; i += most) out.push(word.slice(i, i + most));
  }
  return out;
}

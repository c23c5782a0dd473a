import { checkDigit } from './key';

/** gtinOf derives the GTIN of a package from its NDC as printed, with hyphens: 03, the ten digits, the check digit. */
export function gtinOf(ndc: string): string | undefined {
  if (!/^(\d{4}-\d{4}-\d{2}|\d{5}-\d{3}-\d{2}|\d{5}-\d{4}-\d)$/.test(ndc.trim())) return undefined;
  const body = '003' + ndc.replace(/\D/g, '');
  return body + checkDigit(body);
}

/** badGTIN says what is wrong with a GTIN that somebody typed; undefined: nothing. */
export function badGTIN(s: string): 'digits' | 'length' | 'check' | undefined {
  if (!/^\d*$/.test(s)) return 'digits';
  if (![8, 12, 13, 14].includes(s.length)) return 'length';
  return checkDigit(s.slice(0, -1)) === s[s.length - 1] ? undefined : 'check';
}

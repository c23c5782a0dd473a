/** printed writes a ledger key as a label does: (00)… for a container, (01)…(21)… for a unit or case. */
export function printed(key: string): string {
  if (/^00[0-9]{18}$/.test(key)) return `(00)${key.slice(2)}`;
  return /^01[0-9]{14}21./.test(key) ? `(01)${key.slice(2, 16)}(21)${key.slice(18)}` : key;
}

// EPCIS's own names of the fields that proto/verilot/v1/item.proto numbers. They are the standard's and not translated.
const names: Record<number, string> = {
  1: 'type',
  2: 'eventTime',
  3: 'recordTime',
  4: 'eventTimeZoneOffset',
  5: 'eventID',
  6: 'errorDeclaration',
  7: 'certificationInfo',
  8: 'action',
  9: 'transformationID',
  10: 'bizStep',
  11: 'disposition',
  12: 'persistentDisposition',
  13: 'readPoint',
  14: 'bizLocation',
  15: 'bizTransaction',
  16: 'quantity',
  17: 'childQuantity',
  18: 'inputQuantity',
  19: 'outputQuantity',
  20: 'source',
  21: 'destination',
  22: 'sensorElement',
  23: 'ilmd',
  24: 'extension',
  25: 'givenEventID',
};
const typed = [15, 20, 21];

/** fieldName turns field(15)/index(0)/field(2) into bizTransaction 1: value. What it does not know stays as it is. */
export function fieldName(path: string): string {
  const m = /^field\((\d+)\)(?:\/index\((\d+)\))?(.*)$/.exec(path);
  const name = m && names[Number(m[1])];
  if (!m || !name) return path;
  const at = m[2] === undefined ? '' : ` ${Number(m[2]) + 1}`;
  const rest = m[3];
  if (rest === '') return name + at;
  if (rest === '/field(1)' && (m[1] === '13' || m[1] === '14')) return name;
  if (typed.includes(Number(m[1])) && (rest === '/field(1)' || rest === '/field(2)'))
    return `${name}${at}: ${rest === '/field(1)' ? 'type' : 'value'}`;
  const local = /^\/name\("[^"]*","([^"]*)"\)$/.exec(rest);
  return local ? `${name}: ${local[1]}` : path;
}

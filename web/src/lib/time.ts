// Times on screen always show their offset. The clock is an argument.

const offsetPattern = /^([+-])(\d\d):(\d\d)$/;

/** at writes an instant in the zone of an offset such as -05:00; without one, or with one that is none, in UTC. */
export function at(iso: string | number, language: string, offset = '+00:00'): string {
  const ms = typeof iso === 'number' ? iso : Date.parse(iso);
  if (Number.isNaN(ms)) return String(iso);
  const m = offsetPattern.exec(offset);
  const shift = m ? (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3])) * 60_000 : 0;
  const text = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' }).format(ms + shift);
  return `${text} ${m ? offset : '+00:00'}`;
}

/** offsetHere is the offset of this machine at an instant. */
export function offsetHere(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const two = (n: number) => String(Math.floor(Math.abs(n))).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** day is the date alone, where it was at that place; for where there is no room for the time, which stands elsewhere. */
export function day(iso: string, language: string, offset = '+00:00'): string {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return iso;
  const m = offsetPattern.exec(offset);
  const shift = m ? (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3])) * 60_000 : 0;
  return new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(ms + shift);
}

/** age splits seconds into the unit that people would use. */
export function age(seconds: number): { unit: 'seconds' | 'minutes' | 'hours' | 'days'; count: number } {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 120) return { unit: 'seconds', count: s };
  if (s < 7200) return { unit: 'minutes', count: Math.floor(s / 60) };
  if (s < 172_800) return { unit: 'hours', count: Math.floor(s / 3600) };
  return { unit: 'days', count: Math.floor(s / 86_400) };
}

// What somebody has scanned and not sent yet, kept in this browser so that a reload does not lose it. Names hold the page and the party.

const prefix = 'verilot.kept.';
const shift = 24 * 3600 * 1000; // ms: what is older was left behind

/** Kept is a value and when it was kept. */
export interface Kept {
  at: number;
  value: unknown;
}

/** kept is what was kept under a name; undefined if that is nothing, is too old, or storage is forbidden. */
export function kept(name: string): Kept | undefined {
  try {
    const found = JSON.parse(localStorage.getItem(prefix + name) ?? 'null') as Partial<Kept> | null;
    if (!found || typeof found.at !== 'number' || Date.now() - found.at > shift) return undefined;
    return { at: found.at, value: found.value };
  } catch {
    return undefined;
  }
}

/** keep keeps a value under a name; undefined forgets it. The same value again stays as old as it was. */
export function keep(name: string, value: unknown): void {
  try {
    if (value !== undefined && JSON.stringify(kept(name)?.value) === JSON.stringify(value)) return;
    if (value === undefined) localStorage.removeItem(prefix + name);
    else localStorage.setItem(prefix + name, JSON.stringify({ at: Date.now(), value } satisfies Kept));
  } catch {
    // Storage may be forbidden or full: then it lasts as long as the page.
  }
}

/** forgetAll forgets everything, when somebody signs out. */
export function forgetAll(): void {
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(prefix)) localStorage.removeItem(name);
  } catch {
    // See keep.
  }
}

/** texts are the texts of a list that was kept, which may be anything. */
export const texts = (list: unknown): string[] => (Array.isArray(list) ? list.filter((x): x is string => typeof x === 'string') : []);

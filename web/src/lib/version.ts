// Which build of the pages this tab runs, and which one the service has now. A build is known by the name of its entry script, which
// changes with every line of any page. After a new build was deployed the pages of the old one cannot be fetched any more.

const seen = 'verilot.builds';

/** entryOf finds the entry script that a start page names. */
export const entryOf = (html: string): string | undefined => /<script[^>]*\ssrc="(\/assets\/[^"]+\.js)"/.exec(html)?.[1];

/** running is the build of this tab; undefined on the development server, which has no builds. */
const running = (): string | undefined =>
  document.querySelector('script[type="module"][src^="/assets/"]')?.getAttribute('src') ?? undefined;

/** Why code could not be fetched: nobody answered, another build is there, or the service answered and it is this build's. */
export type Trouble = { kind: 'silent' } | { kind: 'newer'; build: string } | { kind: 'broken' };

/** why finds out by asking for the start page. It never fails. */
export async function why(): Promise<Trouble> {
  try {
    const response = await fetch('/', { headers: { Accept: 'text/html' }, cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (!response.ok) return { kind: 'silent' };
    const [now, then] = [entryOf(await response.text()), running()];
    return now !== undefined && then !== undefined && now !== then ? { kind: 'newer', build: now } : { kind: 'broken' };
  } catch {
    return { kind: 'silent' };
  }
}

/** tried are the builds that this tab has run or was loaded anew for; undefined where storage is forbidden. */
function tried(): string[] | undefined {
  try {
    const list: unknown = JSON.parse(sessionStorage.getItem(seen) ?? '[]');
    return Array.isArray(list) ? list.filter((x) => typeof x === 'string') : [];
  } catch {
    return undefined;
  }
}

/**
 * mayReload reports whether the tab may be loaded anew by itself for a build: once for each, so that services which disagree about the
 * build do not send it back and forth for ever.
 */
export function mayReload(build: string): boolean {
  const before = tried();
  return before !== undefined && !before.includes(build) && remember(before);
}

/** remember keeps the list of builds; false: it cannot be kept, as when the storage is full or only read. */
function remember(builds: string[]): boolean {
  try {
    sessionStorage.setItem(seen, JSON.stringify(builds.slice(-20)));
    return true;
  } catch {
    return false;
  }
}

/** reload loads the tab anew for a build, and remembers that. */
export function reload(build: string): void {
  const now = running();
  // What is not remembered could go on for ever.
  if (remember([...new Set([...(tried() ?? []), ...(now ? [now] : []), build])])) window.location.reload();
}

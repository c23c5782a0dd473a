// A few addresses do not need a router library, and what was scanned is not for one to read: /trace/<anything scannable> holds
// slashes, percent signs and control characters, which general routers decode, split or collapse.
import { createContext, useContext, useEffect, useMemo, useState, type MouseEvent, type ReactNode } from 'react';

/**
 * Route is an address: the page's name, the rest of the path as it stands (see segments), and the query.
 */
export interface Route {
  page: string;
  rest: string;
  query: URLSearchParams;
}

/** read takes an address apart; the start page's name is ''. */
export function read(pathname: string, search = ''): Route {
  const [, page, rest] = /^\/([^/]*)\/?(.*)$/s.exec(pathname) ?? [];
  return { page: page ?? '', rest: rest ?? '', query: new URLSearchParams(search) };
}

/** decoded is a piece of a path as somebody meant it; what is not percent-encoded properly is taken as it stands. */
export function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece;
  }
}

/** segments are the decoded pieces of the rest of a path. */
export const segments = (rest: string): string[] => (rest === '' ? [] : rest.split('/').map(decoded));

/** path writes an address: path('lots', gtin, lot). */
export const path = (page: string, ...pieces: string[]): string => [`/${page}`, ...pieces.map(encodeURIComponent)].join('/');

export const tracePath = (id: string): string => (id === '' ? '/trace' : path('trace', id));

const here = () => window.location.pathname + window.location.search;

const Navigation = createContext<{ route: Route; go: (to: string, how?: { replace?: boolean }) => void }>({
  route: { page: '', rest: '', query: new URLSearchParams() },
  go: () => {},
});
export const useNavigation = () => useContext(Navigation);

export function Router({ children }: { children: ReactNode }) {
  const [at, setAt] = useState(here);
  useEffect(() => {
    const sync = () => setAt(here());
    window.addEventListener('popstate', sync);
    return () => window.removeEventListener('popstate', sync);
  }, []);
  const value = useMemo(() => {
    const url = new URL(at, window.location.origin);
    return {
      route: read(url.pathname, url.search),
      go: (to: string, how?: { replace?: boolean }) => {
        if (how?.replace) window.history.replaceState(null, '', to);
        else if (to !== here()) window.history.pushState(null, '', to);
        setAt(here());
        if (!how?.replace) window.scrollTo(0, 0);
      },
    };
  }, [at]);
  return <Navigation value={value}>{children}</Navigation>;
}

export function Link({ to, children, className, current }: { to: string; children: ReactNode; className?: string; current?: boolean }) {
  const { go } = useNavigation();
  const onClick = (e: MouseEvent) => {
    if (e.metaKey || e.ctrlKey || e.shiftKey || e.altKey || e.button !== 0) return;
    e.preventDefault();
    go(to);
  };
  return (
    <a href={to} onClick={onClick} className={className} aria-current={current ? 'page' : undefined}>
      {children}
    </a>
  );
}

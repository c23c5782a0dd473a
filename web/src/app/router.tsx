// Four addresses do not need a router library, and the path of a trace is not for one to read: /trace/<anything
// scannable> holds slashes, percent signs and control characters, which general routers decode, split or collapse.
import { createContext, useContext, useEffect, useMemo, useState, type MouseEvent, type ReactNode } from 'react';

export type Route = { page: 'trace'; id: string } | { page: 'verify' } | { page: 'network' } | { page: 'unknown' };

/** read turns an address into a route. Digital Links resolve to their trace as they do at the api. */
export function read(pathname: string): Route {
  if (pathname === '/' || pathname === '/trace' || pathname === '/trace/') return { page: 'trace', id: '' };
  if (pathname.startsWith('/trace/')) {
    try {
      return { page: 'trace', id: decodeURIComponent(pathname.slice('/trace/'.length)) };
    } catch {
      return { page: 'trace', id: pathname.slice('/trace/'.length) };
    }
  }
  if (pathname === '/verify') return { page: 'verify' };
  if (pathname === '/network') return { page: 'network' };
  return { page: 'unknown' };
}

export const tracePath = (id: string): string => (id === '' ? '/trace' : `/trace/${encodeURIComponent(id)}`);

const Navigation = createContext<{ route: Route; go: (path: string) => void }>({ route: { page: 'unknown' }, go: () => {} });
export const useNavigation = () => useContext(Navigation);

export function Router({ children }: { children: ReactNode }) {
  const [path, setPath] = useState(window.location.pathname);
  useEffect(() => {
    const sync = () => setPath(window.location.pathname);
    window.addEventListener('popstate', sync);
    return () => window.removeEventListener('popstate', sync);
  }, []);
  const value = useMemo(
    () => ({
      route: read(path),
      go: (to: string) => {
        if (to !== window.location.pathname) window.history.pushState(null, '', to);
        setPath(window.location.pathname);
        window.scrollTo(0, 0);
      },
    }),
    [path],
  );
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

// Which page is open, and links to others.
import { createContext, useContext, useEffect, useMemo, useState, type MouseEvent, type ReactNode } from 'react';
import { read, type Route } from './address';

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

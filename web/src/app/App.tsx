import { MantineProvider, Loader } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem } from '../api/client';
import { Note } from '../components/Status';
import { TracePage } from '../features/trace/TracePage';
import { Header } from './Header';
import { Link, Router, useNavigation } from './router';
import { theme, variables } from './theme';

const VerifyPage = lazy(() => import('../features/verify/VerifyPage'));
const NetworkPage = lazy(() => import('../features/network/NetworkPage'));

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What the api says it will say again; only an api that does not answer is worth asking twice.
      retry: (count, error) => count < 2 && !(error instanceof Problem && error.status < 500),
      refetchOnWindowFocus: false,
      networkMode: 'always',
    },
  },
});

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <Router>
          <Shell />
        </Router>
      </QueryClientProvider>
    </MantineProvider>
  );
}

function Shell() {
  const { t } = useTranslation();
  const { route } = useNavigation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const name = route.page;
  useEffect(() => {
    document.title = `${t(`pages.${name}`)} · Verilot`;
  }, [name, t]);
  const previous = useRef(name);
  const id = route.page === 'trace' ? route.id : '';
  useEffect(() => {
    // The keyboard starts at the top of a new page, and of a new trace when the link that led there is gone; not when the
    // site opens, and not when somebody searches: the field keeps the focus for the next scan.
    if (!first.current && (previous.current !== name || document.activeElement === document.body)) main.current?.focus();
    first.current = false;
    previous.current = name;
  }, [name, id]);
  return (
    <>
      <a className="skip" href="#main">
        {t('app.skip')}
      </a>
      <Header />
      <main id="main" ref={main} tabIndex={-1} className="frame page">
        <Suspense fallback={<Loader role="status" aria-label={t('app.loading')} />}>
          {route.page === 'trace' && <TracePage id={route.id} />}
          {route.page === 'verify' && <VerifyPage />}
          {route.page === 'network' && <NetworkPage />}
          {route.page === 'unknown' && (
            <Note tone="calm" title={t('app.noPage')}>
              <Link to="/trace">{t('app.toTrace')}</Link>
            </Note>
          )}
        </Suspense>
      </main>
    </>
  );
}

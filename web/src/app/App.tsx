import { MantineProvider, Loader } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem } from '../lib/api/client';
import { Boundary } from '../components/Boundary';
import { Failure } from '../components/Failure';
import { Note } from '../components/Status';
import { Header } from './Header';
import { ahead, isPage, pages, startOf } from './pages';
import { comeBack } from './comeBack';
import { fetchLanguages } from '../i18n';
import { segments } from '../lib/router/address';
import { Link, Router, useNavigation } from '../lib/router/router';
import { useSetting } from '../lib/api/setting';
import { theme, variables } from './theme';
import './app.css';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What a service says it will say again; only one that does not answer is worth asking twice.
      retry: (count, error) => count < 2 && !(error instanceof Problem && error.status < 500),
      refetchOnWindowFocus: false,
      networkMode: 'always',
    },
    mutations: { retry: false, networkMode: 'always' },
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
  const setting = useSetting();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const name = route.page === '' && setting.data ? startOf(setting.data.service) : route.page;
  const title = isPage(name) ? t(`pages.${name}`) : t('pages.unknown');
  useEffect(() => {
    if (name !== '') document.title = `${title} · Verilot`;
  }, [name, title]);
  const previous = useRef(name);
  useEffect(() => {
    // The keyboard starts at the top of a new page, and of a new address when the link that led there is gone; not when the
    // site opens, and not when somebody searches: the field keeps the focus for the next scan.
    if (!first.current && (previous.current !== name || document.activeElement === document.body)) {
      if (!main.current?.contains(document.activeElement)) main.current?.focus();
    }
    first.current = false;
    previous.current = name;
  }, [name, route.rest]);
  useEffect(() => comeBack(queries), []);
  const service = setting.data?.service;
  useEffect(() => {
    if (!service) return;
    // Nobody waits for these: they come after what the page itself asks for.
    const go = () => void ahead(service).then(fetchLanguages);
    if (typeof requestIdleCallback !== 'function') {
      const timer = setTimeout(go, 1500);
      return () => clearTimeout(timer);
    }
    const id = requestIdleCallback(go);
    return () => cancelIdleCallback(id);
  }, [service]);
  return (
    <>
      <a className="skip" href="#main">
        {t('app.skip')}
      </a>
      <Header />
      <main id="main" ref={main} tabIndex={-1} className="frame page">
        {name === '' ? (
          setting.isError ? (
            <Failure error={setting.error} retry={() => void setting.refetch()} />
          ) : (
            <Loader role="status" aria-label={t('app.loading')} />
          )
        ) : (
          <Boundary place={`${name}/${route.rest}`} again={() => queries.removeQueries({ type: 'inactive' })}>
            <Page name={name} rest={route.rest} />
          </Boundary>
        )}
      </main>
    </>
  );
}

function Page({ name, rest }: { name: string; rest: string }) {
  const { t } = useTranslation();
  if (!isPage(name)) {
    return (
      <Note tone="calm" title={t('app.noPage')}>
        <Link to="/">{t('app.toStart')}</Link>
      </Note>
    );
  }
  const Component = pages[name].component;
  return <Component pieces={segments(rest)} rest={rest} />;
}

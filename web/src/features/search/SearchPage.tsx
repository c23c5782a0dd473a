import { Skeleton } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { Icon, type IconName } from '../../components/Icon';
import { ScanField } from '../../components/ScanField';
import { Note, Status } from '../../components/Status';
import { api, type Schemas } from '../../lib/api/client';
import { tracePath } from '../../lib/router/address';
import { Link, useNavigation } from '../../lib/router/router';
import { GS, shownGS } from '../../lib/scan/wedge';
import { Examples } from './Examples';
import { groups, moved } from './groups';
import { remember } from './recent';
import { where } from './where';

const icons: Record<Schemas['Hit']['kind'], IconName> = {
  unit: 'label',
  container: 'pack',
  recall: 'recall',
  lot: 'make',
  product: 'dispense',
  party: 'ship',
  event: 'file',
  block: 'file',
};

/** How long nobody must type before what stands in the field is asked, in ms. */
const quiet = 250;

export default function SearchPage() {
  const { t } = useTranslation();
  const { route, go } = useNavigation();
  const q = route.query.get('q') ?? '';
  const whole = useRef<HTMLDivElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const turn = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const found = useQuery({
    queryKey: ['search', q.trim()],
    queryFn: () => api.search(q.trim()),
    enabled: q.trim() !== '',
    placeholderData: keepPreviousData,
  });
  // While somebody types, what was found before stays until the new answer is there, and says so.
  const old = found.isPlaceholderData;
  const hits = q.trim() === '' ? [] : (found.data?.data.hits ?? []);
  const ask = (text: string) => go(`/search?q=${encodeURIComponent(text)}`, { replace: true });
  const open = async (text: string, scanner: boolean) => {
    clearTimeout(timer.current);
    const mine = ++turn.current;
    remember(text);
    go(`/search?q=${encodeURIComponent(text)}`);
    if (!scanner) return;
    // Whoever scans has the thing in hand, and wants its history.
    const answer = await api.search(text).catch(() => undefined);
    const first = answer?.data.hits?.[0];
    if (mine === turn.current && first && (first.kind === 'unit' || first.kind === 'container')) go(where(first));
  };
  const keys = (e: KeyboardEvent<HTMLDivElement>) => {
    const field = whole.current?.querySelector<HTMLInputElement>('.scan input');
    const links = [...(whole.current?.querySelectorAll<HTMLAnchorElement>('a.row-link') ?? [])];
    const target = e.target as HTMLElement;
    const at = links.findIndex((l) => l === target);
    if (!field || (at < 0 && target !== field) || e.ctrlKey || e.altKey || e.metaKey) return;
    const to = moved(e.key, at, links.length);
    if (to === undefined) return;
    e.preventDefault();
    (to < 0 ? field : links[to]!).focus();
  };
  return (
    <div
      ref={whole}
      className="stack-18"
      onKeyDown={keys}
      onInput={(e) => {
        const field = e.target as HTMLInputElement;
        if (!field.closest('.scan')) return;
        clearTimeout(timer.current);
        turn.current++;
        // As it stands, with the space at its end: somebody may be in the middle of two words.
        timer.current = setTimeout(() => ask(field.value.replaceAll(shownGS, GS)), quiet);
      }}
      onClick={(e) => {
        if ((e.target as HTMLElement).closest('[data-testid="hits"] a')) remember(q);
      }}
    >
      <div>
        <h1>{t('search.title')}</h1>
        <ScanField
          label={t('search.field')}
          description={t('search.fieldHelp')}
          action={t('search.search')}
          initial={q}
          keep
          onScan={(text, how) => void open(text, how === 'wedge' || how === 'camera')}
        />
        <p className="sr" role="status">
          {q.trim() === '' || !found.data || old ? '' : t('search.count', { count: hits.length })}
        </p>
      </div>
      {q.trim() === '' && <Examples />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {q.trim() !== '' && found.isPending && <Skeleton height={180} radius="lg" />}
      {q.trim() !== '' && found.data && !old && hits.length === 0 && (
        <Note tone="calm" title={t('search.nothing')}>
          <p>{t('search.nothingHelp')}</p>
        </Note>
      )}
      {q.trim() !== '' && !old && (found.data?.data.readings ?? []).length > 0 && (
        <Note tone="warn" title={t('search.readings')}>
          <ul>
            {found.data!.data.readings!.map((r) => (
              <li key={r}>
                <Link to={tracePath(r)} className="mono">
                  {r}
                </Link>
              </li>
            ))}
          </ul>
        </Note>
      )}
      {found.data && hits.length > 0 && (
        <div data-testid="hits" className="stack-18" aria-busy={old}>
          {old ? (
            <Status tone="calm" icon="pending">
              {t('search.searching')}
            </Status>
          ) : (
            <p className="quiet" style={{ margin: 0 }}>
              {t('search.count', { count: hits.length })} · {t('search.keys')}
            </p>
          )}
          {groups(hits).map((g) => (
            <Group key={g.kind} kind={g.kind} hits={g.hits} />
          ))}
          <Freshness rests={found.data.rests} refresh={() => void found.refetch()} />
        </div>
      )}
    </div>
  );
}

function Group({ kind, hits }: { kind: Schemas['Hit']['kind']; hits: Schemas['Hit'][] }) {
  const { t } = useTranslation();
  return (
    <section aria-labelledby={`kind-${kind}`}>
      <h2 id={`kind-${kind}`}>{t(`search.kind.${kind}`)}</h2>
      <ul className="rows">
        {hits.map((h, i) => (
          <li key={i} data-kind={kind}>
            <Link to={where(h)} className="row-link">
              <Icon name={icons[kind]} />
              <span className="sr">{t(`search.one.${kind}`)}</span>
              <strong className={['unit', 'container', 'lot', 'block', 'recall'].includes(kind) ? 'mono' : undefined}>{h.title}</strong>
              <span className="quiet">{h.detail}</span>
              {h.party && kind !== 'party' && <span className="quiet">{h.party}</span>}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

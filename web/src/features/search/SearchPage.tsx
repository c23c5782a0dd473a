import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, type Schemas } from '../../api/client';
import { Link, path, tracePath, useNavigation } from '../../app/router';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { Icon, type IconName } from '../../components/Icon';
import { ScanField } from '../../components/ScanField';
import { Note } from '../../components/Status';
import { where } from './where';

const kinds = ['unit', 'container', 'recall', 'lot', 'product', 'party', 'event', 'block'] as const;
const icons: Record<(typeof kinds)[number], IconName> = {
  unit: 'label',
  container: 'pack',
  recall: 'recall',
  lot: 'make',
  product: 'dispense',
  party: 'ship',
  event: 'file',
  block: 'file',
};

export default function SearchPage() {
  const { t } = useTranslation();
  const { route, go } = useNavigation();
  const q = route.query.get('q') ?? '';
  const found = useQuery({ queryKey: ['search', q], queryFn: () => api.search(q), enabled: q !== '' });
  const hits = found.data?.data.hits ?? [];
  const open = async (text: string, scanner: boolean) => {
    go(`/search?q=${encodeURIComponent(text)}`);
    if (!scanner) return;
    // Whoever scans has the thing in hand, and wants its history.
    const answer = await api.search(text).catch(() => undefined);
    const first = answer?.data.hits?.[0];
    if (first && (first.kind === 'unit' || first.kind === 'container')) go(where(first));
  };
  return (
    <div className="stack-18">
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
      </div>
      {q === '' && <Examples />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {q !== '' && found.isPending && <Skeleton height={180} radius="lg" />}
      {found.data && hits.length === 0 && (
        <Note tone="calm" title={t('search.nothing')}>
          <p>{t('search.nothingHelp')}</p>
        </Note>
      )}
      {(found.data?.data.readings ?? []).length > 0 && (
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
        <div data-testid="hits" className="stack-18">
          {kinds.map((k) => {
            const some = hits.filter((h) => h.kind === k);
            return some.length === 0 ? null : <Group key={k} kind={k} hits={some} />;
          })}
          <Freshness rests={found.data.rests} refresh={() => void found.refetch()} />
        </div>
      )}
    </div>
  );
}

function Group({ kind, hits }: { kind: (typeof kinds)[number]; hits: Schemas['Hit'][] }) {
  const { t } = useTranslation();
  return (
    <section aria-labelledby={`kind-${kind}`}>
      <h2 id={`kind-${kind}`}>{t(`search.kind.${kind}`)}</h2>
      <ul className="rows">
        {hits.map((h, i) => (
          <li key={i} data-kind={kind}>
            <Link to={where(h)} className="row-link">
              <Icon name={icons[kind]} />
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

/** What can be asked, with things that this ledger has. */
function Examples() {
  const { t } = useTranslation();
  const lots = useQuery({ queryKey: ['lots', 'newest'], queryFn: () => api.lots({ limit: 3 }) });
  const recalls = useQuery({ queryKey: ['recalls'], queryFn: api.recalls });
  const newest = [...(recalls.data?.data.recalls ?? [])].reverse()[0];
  return (
    <section className="card stack-18" aria-labelledby="examples">
      <h2 id="examples" style={{ margin: 0 }}>
        {t('search.examples')}
      </h2>
      <p className="quiet" style={{ margin: 0 }}>
        {t('search.can')}
      </p>
      <ul className="rows">
        {newest && (
          <li>
            <Link to={path('recalls', newest.recallNumber)} className="row-link">
              <Icon name="recall" />
              <strong className="mono">{newest.recallNumber}</strong>
              <span className="quiet">{t('search.newestRecall')}</span>
            </Link>
          </li>
        )}
        {(lots.data?.data.lots ?? []).map((l) => (
          <li key={`${l.gtin}${l.lot}`}>
            <Link to={path('lot', l.gtin, l.lot)} className="row-link">
              <Icon name="make" />
              <strong className="mono">{l.lot}</strong>
              <span className="quiet">{l.product?.name}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

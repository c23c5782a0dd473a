import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { DoneCard } from '../../components/DoneCard';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { Note } from '../../components/Status';
import { api } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { lotPlace } from '../../lib/done';
import { path } from '../../lib/router/address';
import type { PageProps } from '../../lib/router/page';
import { Link } from '../../lib/router/router';
import { OpenRecall } from './OpenRecall';
import { Totals } from './Totals';
import { Units } from './Units';
import './lot.css';

export default function LotPage({ pieces }: PageProps) {
  const { t } = useTranslation();
  const [gtin = '', lot = ''] = pieces;
  const { service } = useMay();
  const query = useQuery({
    queryKey: ['lot', gtin, lot],
    queryFn: () => api.lot(gtin, lot),
    enabled: gtin !== '' && lot !== '',
    refetchInterval: 15_000,
  });
  if (gtin === '' || lot === '') return <Note tone="calm" title={t('lot.noLot')} />;
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton height={320} radius="lg" />;
  const l = query.data.data;
  return (
    <div className="stack-18">
      <div>
        <h1>
          {t('lot.title')} <span className="mono">{l.lot}</span>
        </h1>
        <p style={{ margin: 0 }}>
          {[l.product?.name, l.product?.strength, l.product?.dosageForm, l.product?.netContent].filter(Boolean).join(', ')}
        </p>
        <p className="quiet">
          {l.product?.ndc && `NDC ${l.product.ndc} · `}GTIN <span className="mono">{l.gtin}</span>
          {l.expiry && ` · ${t('lot.expires', { date: l.expiry })}`}
        </p>
        <Freshness rests={query.data.rests} refresh={() => void query.refetch()} />
      </div>
      {(l.recalls ?? []).map((r) => (
        <Note
          key={`${r.recallNumber}${r.party}`}
          tone="bad"
          title={t('lot.recalled', { number: r.recallNumber, classification: r.classification ?? '–' })}
        >
          <p>
            <span lang="en">{r.reason}</span> <Link to={path('recalls', r.recallNumber)}>{t('lot.effectiveness')}</Link>
          </p>
        </Note>
      ))}
      <DoneCard place={lotPlace(l, 'recall')} act="recall" title={t('recallForm.title')} />
      <Totals lot={l} />
      <Units lot={l} />
      {service === 'api' && (l.recalls ?? []).length === 0 && <OpenRecall lot={l} />}
    </div>
  );
}

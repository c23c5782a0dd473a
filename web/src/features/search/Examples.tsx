import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Icon } from '../../components/Icon';
import { Note } from '../../components/Status';
import { api } from '../../lib/api/client';
import { path } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { shown } from '../../lib/scan/wedge';
import { useRecent } from './recent';

/** What can be asked, with things that this ledger has, and what was asked before. */
export function Examples() {
  const { t } = useTranslation();
  const lots = useQuery({ queryKey: ['lots', 'newest'], queryFn: () => api.lots({ limit: 3 }) });
  const recalls = useQuery({ queryKey: ['recalls'], queryFn: api.recalls });
  const recent = useRecent();
  const newest = [...(recalls.data?.data.recalls ?? [])].reverse()[0];
  const list = lots.data?.data.lots ?? [];
  const product = list.find((l) => l.product)?.product;
  const failed = [lots, recalls].find((x) => x.isError);
  const ask = (text: string) => `/search?q=${encodeURIComponent(text)}`;
  return (
    <>
      {recent.length > 0 && (
        <section className="card" aria-labelledby="recent">
          <h2 id="recent">{t('search.recent')}</h2>
          <ul className="rows" style={{ margin: 0 }}>
            {recent.map((r) => (
              <li key={r}>
                <Link to={ask(r)} className="row-link">
                  <Icon name="pending" />
                  <span className="mono">{shown(r)}</span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section className="card stack-18" aria-labelledby="examples">
        <h2 id="examples" style={{ margin: 0 }}>
          {t('search.examples')}
        </h2>
        <ul className="quiet" style={{ margin: 0, paddingLeft: 20 }}>
          {(['scan', 'lot', 'product', 'company', 'block'] as const).map((k) => (
            <li key={k}>{t(`search.can.${k}`)}</li>
          ))}
        </ul>
        {failed ? (
          <Failure error={failed.error} retry={() => void Promise.all([lots.refetch(), recalls.refetch()])} />
        ) : lots.isPending || recalls.isPending ? (
          <Skeleton height={120} radius="lg" />
        ) : list.length === 0 && !newest ? (
          <Note tone="calm" level={3} title={t('search.empty')} />
        ) : (
          <ul className="rows" style={{ margin: 0 }}>
            {newest && (
              <li>
                <Link to={path('recalls', newest.recallNumber)} className="row-link">
                  <Icon name="recall" />
                  <strong className="mono">{newest.recallNumber}</strong>
                  <span className="quiet">{t('search.newestRecall')}</span>
                </Link>
              </li>
            )}
            {list.map((l, i) => (
              <li key={`${l.gtin}${l.lot}`}>
                <Link to={path('lot', l.gtin, l.lot)} className="row-link">
                  <Icon name="make" />
                  <strong className="mono">{l.lot}</strong>
                  <span className="quiet">{[l.product?.name, i === 0 ? t('search.newestLot') : ''].filter(Boolean).join(', ')}</span>
                </Link>
              </li>
            ))}
            {product && (
              <li>
                <Link to={ask(product.name)} className="row-link">
                  <Icon name="dispense" />
                  <strong>{product.name}</strong>
                  <span className="quiet">{t('search.byName')}</span>
                </Link>
              </li>
            )}
          </ul>
        )}
      </section>
    </>
  );
}

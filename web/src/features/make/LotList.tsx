import { Button, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Note, Status } from '../../components/Status';
import { api } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { path } from '../../lib/router/address';
import { Link, useNavigation } from '../../lib/router/router';

export function LotList() {
  const { t } = useTranslation();
  const { route, go } = useNavigation();
  const { party } = useMay();
  const q = route.query.get('q') ?? '';
  const gtin = route.query.get('gtin') ?? '';
  const [text, setText] = useState(q);
  const lots = useQuery({
    queryKey: ['lots', party, q, gtin],
    queryFn: () => api.lots({ party, limit: 100, ...(q ? { q } : {}), ...(gtin ? { gtin } : {}) }),
    enabled: party !== '',
  });
  const list = lots.data?.data.lots ?? [];
  return (
    <div className="stack-18">
      <div>
        <h1>{t('make.lots')}</h1>
        <form
          role="search"
          className="scan"
          onSubmit={(e) => {
            e.preventDefault();
            go(`/lots${text.trim() === '' ? '' : `?q=${encodeURIComponent(text.trim())}`}`);
          }}
        >
          <TextInput size="md" label={t('make.findLot')} value={text} onChange={(e) => setText(e.currentTarget.value)} autoComplete="off" />
          <Button type="submit" size="md">
            {t('make.search')}
          </Button>
          <Link to={`/lots/new${gtin ? `?gtin=${gtin}` : ''}`} className="link-button">
            {t('make.newLot')}
          </Link>
        </form>
      </div>
      {lots.isError && <Failure error={lots.error} retry={() => void lots.refetch()} />}
      {lots.isPending && <Skeleton height={220} radius="lg" />}
      {lots.data && list.length === 0 && (
        <Note tone="calm" title={t('make.noLots')}>
          <p>
            <Link to="/products">{t('make.noLotsHelp')}</Link>
          </p>
        </Note>
      )}
      <ul className="rows">
        {list.map((l) => (
          <li key={`${l.gtin}/${l.lot}`}>
            <Link to={path('lots', l.gtin, l.lot)} className="row-link">
              <strong className="mono">{l.lot}</strong>
              <span>{[l.product?.name, l.product?.strength].filter(Boolean).join(' ')}</span>
              <span className="quiet">{l.expiry && t('make.expires', { date: l.expiry })}</span>
              {l.size ? <span className="quiet">{t('make.planned', { count: l.size })}</span> : null}
              {l.recalled && <Status tone="bad">{t('make.recalled')}</Status>}
            </Link>
          </li>
        ))}
      </ul>
      {lots.data?.data.next && <p className="quiet">{t('make.moreLots')}</p>}
    </div>
  );
}

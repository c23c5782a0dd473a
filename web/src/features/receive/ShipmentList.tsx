import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { ScanField } from '../../components/ScanField';
import { Note, Status } from '../../components/Status';
import { api, type Schemas } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { path } from '../../lib/router/address';
import { Link, useNavigation } from '../../lib/router/router';
import { at } from '../../lib/time';
import { finds } from './match';
import { NotRead } from './ScanResult';
import { unread, type Unread } from './unread';

export function ShipmentList({ found }: { found: (first: { text: string; id: string }) => void }) {
  const { t } = useTranslation();
  const { party } = useMay();
  const { go } = useNavigation();
  const [trouble, setTrouble] = useState<Unread | { kind: 'none' }>();
  const query = useQuery({
    queryKey: ['shipments', party],
    queryFn: () => api.shipments({ to: party, open: true, limit: 100 }),
    enabled: party !== '',
    refetchInterval: 15_000,
  });
  const list = query.data?.data.shipments ?? [];
  const scanned = async (text: string) => {
    setTrouble(undefined);
    try {
      const trace = (await api.trace(text)).data;
      // What was shipped a moment ago may not be in the list yet.
      const hit = finds(trace, list) ?? finds(trace, (await query.refetch()).data?.data.shipments ?? []);
      if (!hit) return setTrouble({ kind: 'none' });
      found({ text, id: hit.id });
      go(path('receive', hit.id));
    } catch (e) {
      setTrouble(await unread(text, e, t('problem.silentHelp')));
    }
  };
  return (
    <div className="stack-18">
      <div>
        <h1>{t('receive.title')}</h1>
        <ScanField
          label={t('receive.field')}
          description={t('receive.fieldHelp')}
          action={t('receive.find')}
          onScan={(x) => void scanned(x)}
        />
        <div aria-live="assertive">
          {trouble?.kind === 'none' && <Note tone="warn" title={t('receive.notFound')} />}
          {trouble?.kind === 'unread' && <NotRead unread={trouble} choose={(x) => void scanned(x)} />}
        </div>
      </div>
      {party === '' && <p className="quiet">{t('receive.nobody')}</p>}
      {query.isError && <Failure error={query.error} retry={() => void query.refetch()} />}
      {party !== '' && query.isPending && <Skeleton height={160} radius="lg" />}
      {query.data && (
        <section className="card" aria-labelledby="coming">
          <h2 id="coming">{t('receive.coming', { count: list.length })}</h2>
          {list.length === 0 ? (
            <p className="quiet">{t('receive.nothing')}</p>
          ) : (
            <ul className="rows">
              {list.map((s) => (
                <Line key={s.id} shipment={s} />
              ))}
            </ul>
          )}
          {query.data.data.next && <p className="quiet">{t('receive.moreShipments')}</p>}
          <Freshness rests={query.data.rests} refresh={() => void query.refetch()} />
        </section>
      )}
    </div>
  );
}

function Line({ shipment: s }: { shipment: Schemas['Shipment'] }) {
  const { t, i18n } = useTranslation();
  return (
    <li>
      <Link to={path('receive', s.id)} className="row-link">
        <strong>{s.from?.name ?? s.from?.id}</strong>
        <span>{t('receive.of', { open: s.open, count: s.total })}</span>
        <span className="quiet">{s.eventTime && at(s.eventTime, i18n.language)}</span>
        {s.return && <Status tone="calm">{t('receive.return')}</Status>}
        {s.open < s.total && <Status tone="warn">{t('receive.partly')}</Status>}
      </Link>
    </li>
  );
}

import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { Note } from '../../components/Status';
import { useMay } from '../../lib/api/setting';
import type { PageProps } from '../../lib/router/page';
import { Link } from '../../lib/router/router';
import { Dock } from './Dock';
import { shipment } from './find';
import { ShipmentList } from './ShipmentList';

export default function ReceivePage({ pieces }: PageProps) {
  // What was scanned to find a shipment has been scanned for it, too.
  const [first, setFirst] = useState<{ text: string; id: string }>();
  const chosen = pieces[0];
  return chosen ? (
    <Shipment key={chosen} id={chosen} first={first?.id === chosen ? first.text : undefined} />
  ) : (
    <ShipmentList found={setFirst} />
  );
}

function Shipment({ id, first }: { id: string; first?: string }) {
  const { t } = useTranslation();
  const { party } = useMay();
  const query = useQuery({
    queryKey: ['shipment', party, id],
    queryFn: () => shipment(party, id),
    enabled: party !== '',
    refetchInterval: 15_000,
  });
  if (query.data?.shipment) {
    return (
      <Dock
        shipment={query.data.shipment}
        first={first}
        freshness={<Freshness rests={query.data.rests} refresh={() => void query.refetch()} />}
      />
    );
  }
  return (
    <div className="stack-18">
      <p style={{ margin: 0 }}>
        <Link to="/receive">{t('receive.back')}</Link>
      </p>
      <h1>{t('receive.title')}</h1>
      {query.isError ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : query.data ? (
        <Note tone="calm" title={t('receive.gone')}>
          <p>{t('receive.goneHelp')}</p>
        </Note>
      ) : party === '' ? (
        <p className="quiet">{t('receive.nobody')}</p>
      ) : (
        <Skeleton height={260} radius="lg" />
      )}
    </div>
  );
}

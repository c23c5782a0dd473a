import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { DoneCard } from '../../components/DoneCard';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { later } from '../../components/Later';
import { SignInFirst } from '../../components/SignInFirst';
import { Status } from '../../components/Status';
import { api } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { lotPlace } from '../../lib/done';
import { path } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { CommissionCard } from './CommissionCard';
import { goneOf } from './holders';
import { PackCard } from './PackCard';
import { RecallCard } from './RecallCard';
import { ShipCard } from './ShipCard';

const LabelCard = later(() => import('./LabelCard'));

/** A lot at its maker's: what is made, packed and sent of it, and what to do next. */
export function Workbench({ gtin, lot }: { gtin: string; lot: string }) {
  const { t, i18n } = useTranslation();
  const { party, may } = useMay();
  const totals = useQuery({ queryKey: ['lot', gtin, lot], queryFn: () => api.lot(gtin, lot) });
  const boxes = useQuery({
    queryKey: ['containers', gtin, lot, party],
    queryFn: () => api.containers(gtin, lot, { holder: party, limit: 1000 }),
    enabled: party !== '',
  });
  if (totals.isPending) return <Skeleton height={300} radius="lg" />;
  if (totals.isError) return <Failure error={totals.error} retry={() => void totals.refetch()} />;
  const l = totals.data.data;
  const here = (l.totals ?? []).filter((x) => x.party === party && x.state === 'on_hand').reduce((n, x) => n + x.units, 0);
  const gone = goneOf(l.commissioned, l.totals ?? [], party);
  const loose = boxes.data?.data.looseUnits ?? 0;
  const ready = (boxes.data?.data.containers ?? []).filter((c) => c.state === 'on_hand');
  const inBoxes = ready.reduce((n, c) => n + c.units, 0);
  const known = boxes.data !== undefined; // nothing is said of what is not known
  const facts: [string, number | undefined][] = [
    ['planned', l.registered?.size],
    ['commissioned', l.commissioned],
    ['here', here],
    ['loose', known ? loose : undefined],
    ['packed', known ? inBoxes : undefined],
    ['boxes', known ? ready.length : undefined],
    ['gone', gone.shipped],
    ...(gone.ended > 0 ? [['ended', gone.ended] as [string, number]] : []),
  ];
  const number = new Intl.NumberFormat(i18n.language);
  return (
    <div className="stack-18">
      <div>
        <p style={{ margin: 0 }}>
          <Link to="/lots">{t('make.lots')}</Link>
        </p>
        <h1>
          {l.product?.name} {l.product?.strength} · <span className="mono">{lot}</span>
        </h1>
        <p className="quiet">
          {t('make.expires', { date: l.expiry ?? '–' })} · NDC <span className="mono">{l.product?.ndc ?? '–'}</span> · GTIN{' '}
          <span className="mono">{gtin}</span> · <Link to={path('lot', gtin, lot)}>{t('make.everywhere')}</Link>
        </p>
        {(l.recalls ?? []).map((r) => (
          <Status key={r.recallNumber} tone="bad">
            {t('make.recalledBy', { number: r.recallNumber })}
          </Status>
        ))}
        <Freshness rests={totals.data.rests} refresh={() => void totals.refetch()} />
      </div>
      <dl className="facts card">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{t(`make.fact.${name}`)}</dt>
            <dd className="big" data-fact={name}>
              {value === undefined ? '–' : number.format(value)}
            </dd>
          </div>
        ))}
      </dl>
      {boxes.isError && <Failure error={boxes.error} retry={() => void boxes.refetch()} />}
      {!may && <SignInFirst />}
      <CommissionCard gtin={gtin} lot={lot} expiry={l.expiry ?? ''} planned={l.registered?.size ?? 0} made={l.commissioned} />
      {known && l.commissioned > 0 && <PackCard gtin={gtin} lot={lot} loose={loose} boxes={ready} party={party} />}
      <DoneCard place={lotPlace(l, 'ship')} act="ship" title={t('make.ship')} />
      {ready.length > 0 && <ShipCard boxes={ready} party={party} lot={l} />}
      {l.commissioned > 0 && <LabelCard gtin={gtin} lot={lot} expiry={l.expiry ?? ''} product={l.product} />}
      <DoneCard place={lotPlace(l, 'recall')} act="recall" title={t('recallForm.title')} />
      {(l.recalls ?? []).length === 0 && l.commissioned > 0 && <RecallCard lot={l} />}
    </div>
  );
}

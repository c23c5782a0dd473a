import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Bar } from '../../components/Bar';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { Status } from '../../components/Status';
import { api } from '../../lib/api/client';
import { path } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { EndRecall } from './EndRecall';
import { Holders } from './Holders';
import { accounted, openParts } from './progress';

const outcomes = ['remaining', 'inTransit', 'quarantined', 'withMaker', 'dispensed', 'destroyed', 'lost'] as const;

const tones = {
  remaining: 'bad',
  inTransit: 'warn',
  quarantined: 'good',
  withMaker: 'good',
  dispensed: 'calm',
  destroyed: 'good',
  lost: 'warn',
} as const;

export function RecallDetail({ number }: { number: string }) {
  const { t } = useTranslation();
  const query = useQuery({ queryKey: ['recall', number], queryFn: () => api.recall(number), refetchInterval: 15_000 });
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton height={320} radius="lg" />;
  const r = query.data.data;
  const e = r.effectiveness;
  const { share } = accounted(e);
  const file = (format: string) => `/v1/recalls/${encodeURIComponent(number)}/units?format=${format}`;
  return (
    <div className="stack-18">
      <div>
        <p style={{ margin: 0 }}>
          <Link to="/recalls">{t('recall.title')}</Link>
        </p>
        <div className="step-head">
          <h1>
            {t('recall.one')} <span className="mono">{r.recallNumber}</span>
          </h1>
          <Status tone={r.status === 'open' ? 'bad' : 'calm'}>{t(`recall.status.${r.status}`)}</Status>
        </div>
        <p>
          <span lang="en">{r.reason}</span>.{' '}
          {t('recall.by', {
            party: r.party.name ?? r.party.id,
            classification: r.classification ?? '–',
            depth: r.depth ? t(`recall.depth.${r.depth}`) : '–',
            date: r.initiatedOn ?? '–',
          })}
        </p>
        <Freshness rests={query.data.rests} refresh={() => void query.refetch()} />
      </div>
      <section className="card stack-18" aria-labelledby="effect">
        <div className="step-head">
          <h2 id="effect" style={{ margin: 0 }}>
            {share === undefined ? t('recall.nothingMade') : t('recall.effect', { share })}
          </h2>
          <div className="actions">
            <a href={file('csv')} download className="link-button">
              {t('recall.csv')}
            </a>
            <a href={file('ndjson')} download={`recall-${number.replace(/[^A-Za-z0-9-]/g, '_')}.ndjson`} className="link-button">
              {t('recall.ndjson')}
            </a>
          </div>
        </div>
        <Bar parts={outcomes.map((o) => ({ key: o, units: e.outcomes[o], tone: tones[o] }))} />
        <dl className="facts">
          <div>
            <dt>{t('recall.units')}</dt>
            <dd className="big">{e.units}</dd>
          </div>
          {outcomes.map((o) => (
            <div key={o}>
              <dt>
                <Status tone={tones[o]}>{t(`recall.outcome.${o}`)}</Status>
              </dt>
              <dd className="big" data-outcome={o}>
                {e.outcomes[o]}
              </dd>
            </div>
          ))}
        </dl>
        <p className="quiet" style={{ margin: 0 }}>
          {t('recall.classes')}
        </p>
      </section>
      <Holders holders={e.holders ?? []} />
      <section className="card" aria-labelledby="scope">
        <h2 id="scope">{t('recall.scope')}</h2>
        <ul className="rows">
          {(r.lots ?? []).map((l) => (
            <li key={`${l.gtin}${l.lot}`}>
              <Link to={path('lot', l.gtin, l.lot)} className="row-link">
                <strong className="mono">{l.lot}</strong>
                <span>{[l.product?.name, l.product?.strength].filter(Boolean).join(' ')}</span>
                <span className="quiet mono">{l.gtin}</span>
                <span>{t('recall.made', { count: l.commissioned })}</span>
              </Link>
            </li>
          ))}
        </ul>
        <EndRecall scope={openParts(r.scope)} by={r.party.id} />
      </section>
    </div>
  );
}

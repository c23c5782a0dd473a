import { Button, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Bar } from '../../components/Bar';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { JobCard } from '../../components/JobCard';
import { SignInFirst } from '../../components/SignInFirst';
import { Note, Status } from '../../components/Status';
import { useCommand } from '../../lib/api/job';
import { api, type Schemas } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { path } from '../../lib/router/address';
import type { PageProps } from '../../lib/router/page';
import { Link } from '../../lib/router/router';
import { newestByNumber } from './newest';
import { accounted, openParts } from './progress';

export default function RecallsPage({ pieces }: PageProps) {
  return pieces[0] ? <Detail key={pieces[0]} number={pieces[0]} /> : <List />;
}

function List() {
  const { t } = useTranslation();
  const recalls = useQuery({ queryKey: ['recalls'], queryFn: api.recalls, refetchInterval: 15_000 });
  const list = newestByNumber(recalls.data?.data.recalls ?? []);
  return (
    <div className="stack-18">
      <h1>{t('recall.title')}</h1>
      {recalls.isError && <Failure error={recalls.error} retry={() => void recalls.refetch()} />}
      {recalls.isPending && <Skeleton height={160} radius="lg" />}
      {recalls.data && list.length === 0 && <Note tone="calm" title={t('recall.none')} />}
      <ul className="rows">
        {list.map((r) => (
          <li key={r.recallNumber}>
            <Link to={path('recalls', r.recallNumber)} className="row-link">
              <strong className="mono">{r.recallNumber}</strong>
              <Status tone={r.status === 'open' ? 'bad' : 'calm'}>{t(`recall.status.${r.status}`)}</Status>
              <span>{t('recall.class', { classification: r.classification ?? '–' })}</span>
              <span className="quiet" lang="en">
                {r.reason}
              </span>
              <span className="quiet">{r.initiatedOn}</span>
            </Link>
          </li>
        ))}
      </ul>
      {recalls.data && <Freshness rests={recalls.data.rests} refresh={() => void recalls.refetch()} />}
    </div>
  );
}

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

function Detail({ number }: { number: string }) {
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
            <a href={file('csv')} download className="signin">
              {t('recall.csv')}
            </a>
            <a href={file('ndjson')} download={`recall-${number.replace(/[^A-Za-z0-9-]/g, '_')}.ndjson`} className="signin">
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
        <End scope={openParts(r.scope)} by={r.party.id} />
      </section>
    </div>
  );
}

/** End ends what is open of a recall, part by part: the ledger has no other way. Who opened it may end it. */
function End({ scope, by }: { scope: Schemas['RecallView'][]; by: string }) {
  const { t } = useTranslation();
  const { may, party } = useMay();
  const [sure, setSure] = useState(false);
  const end = useCommand('recall');
  const s = scope[0];
  const what = s && (s.lot ?? s.gtin ?? t('recall.singleUnits', { count: (s.units ?? []).length }));
  return (
    <>
      {s && by === party && !may && <SignInFirst />}
      {s && by === party && may && (
        <div className="stack-18">
          {scope.length > 1 && <p className="quiet">{t('recall.partsLeft', { count: scope.length })}</p>}
          {sure ? (
            <div className="actions" role="group" aria-label={t('recall.endSure', { what })}>
              <strong>{t('recall.endSure', { what })}</strong>
              <Button
                color="red.9"
                data-testid="end-recall"
                loading={end.busy}
                onClick={() => {
                  setSure(false);
                  end.send({
                    recallNumber: s.recallNumber,
                    ...(s.gtin ? { gtin: s.gtin } : {}),
                    ...(s.lot ? { lot: s.lot } : {}),
                    ...((s.units ?? []).length > 0 ? { units: s.units! } : {}),
                    classification: s.classification as 'I',
                    depth: s.depth as 'retail',
                    reason: s.reason,
                    initiatedOn: s.initiatedOn,
                    status: 'ended',
                  });
                }}
              >
                {t('recall.endNow')}
              </Button>
              <Button variant="default" onClick={() => setSure(false)}>
                {t('recall.keep')}
              </Button>
            </div>
          ) : (
            <div>
              <Button variant="default" loading={end.busy} onClick={() => setSure(true)}>
                {t('recall.end')}
              </Button>
            </div>
          )}
        </div>
      )}
      <JobCard title={t('recall.end')} job={end.job} error={end.error} lost={end.lost} />
    </>
  );
}

function Holders({ holders }: { holders: Schemas['RecallHolder'][] }) {
  const { t } = useTranslation();
  return (
    <section className="card" aria-labelledby="holders">
      <h2 id="holders">{t('recall.holders', { count: holders.length })}</h2>
      {holders.length === 0 ? (
        <p className="quiet">{t('recall.nobody')}</p>
      ) : (
        <table className="data stack" data-testid="holders">
          <thead>
            <tr>
              <th scope="col">{t('recall.holder')}</th>
              <th scope="col" className="num">
                {t('recall.has')}
              </th>
              <th scope="col" className="num">
                {t('recall.aside')}
              </th>
              <th scope="col" className="num">
                {t('recall.left')}
              </th>
              <th scope="col">{t('recall.state')}</th>
            </tr>
          </thead>
          <tbody>
            {holders.map((h) => (
              <tr key={h.party.id}>
                <td data-label={t('recall.holder')}>
                  <span>
                    {h.party.name ?? h.party.id}
                    {h.place?.address && (
                      <span className="quiet" style={{ display: 'block' }}>
                        {h.place.address}
                      </span>
                    )}
                  </span>
                </td>
                <td data-label={t('recall.has')} className="num">
                  {h.units}
                </td>
                <td data-label={t('recall.aside')} className="num">
                  {h.setAside}
                </td>
                <td data-label={t('recall.left')} className="num">
                  {h.remaining}
                </td>
                <td data-label={t('recall.state')}>
                  {h.remaining === 0 ? (
                    <Status tone="good">{t('recall.acted')}</Status>
                  ) : h.setAside > 0 ? (
                    <Status tone="warn">{t('recall.partly')}</Status>
                  ) : (
                    <Status tone="bad">{t('recall.notYet')}</Status>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

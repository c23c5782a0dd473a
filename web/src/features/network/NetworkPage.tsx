import { Skeleton, Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { Hash } from '../../components/Hash';
import { Note, Status } from '../../components/Status';
import { api, type Schemas } from '../../lib/api/client';
import { path } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { age, at } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { Feed } from './Feed';

const everyMs = 5000;

export default function NetworkPage() {
  const { t } = useTranslation();
  const [live, setLive] = useState(true);
  const refetchInterval = live ? everyMs : false;
  const status = useQuery({ queryKey: ['status'], queryFn: api.status, refetchInterval });
  const validators = useQuery({ queryKey: ['validators'], queryFn: api.validators, refetchInterval });
  const blocks = useQuery({ queryKey: ['blocks'], queryFn: () => api.blocks(20), refetchInterval });
  const all = [status, validators, blocks];
  const failed = all.find((q) => q.isError);
  const retry = () => all.forEach((q) => void q.refetch());
  return (
    <div style={{ display: 'grid', gap: 20 }}>
      <div className="step-head">
        <h1>{t('network.title')}</h1>
        <Switch checked={live} onChange={(e) => setLive(e.currentTarget.checked)} label={t('network.live')} />
      </div>
      {failed && <Failure error={failed.error} retry={retry} />}
      {status.data ? <Summary status={status.data.data} /> : !failed && <Skeleton height={120} radius="lg" />}
      <Freshness rests={blocks.data?.rests} refresh={retry} />
      <section className="card" aria-labelledby="validators">
        <h2 id="validators">{t('network.validators')}</h2>
        {validators.data ? <ValidatorTable data={validators.data.data} /> : !failed && <Skeleton height={160} />}
      </section>
      <Feed />
      <section className="card" aria-labelledby="blocks">
        <h2 id="blocks">{t('network.blocks')}</h2>
        {blocks.data ? <BlockTable blocks={blocks.data.data.blocks ?? []} /> : !failed && <Skeleton height={240} />}
      </section>
    </div>
  );
}

function Summary({ status: s }: { status: Schemas['Status'] }) {
  const { t } = useTranslation();
  return (
    <section className="card" aria-label={t('network.summary')}>
      <div className="step-head" style={{ marginBottom: 10 }}>
        <h2 style={{ margin: 0, overflowWrap: 'anywhere' }}>{s.network}</h2>
        {s.development && <Status tone="calm">{t('network.development')}</Status>}
      </div>
      <dl className="facts">
        <div>
          <dt>{t('network.height')}</dt>
          <dd style={{ fontVariantNumeric: 'tabular-nums', fontWeight: 650, fontSize: 20 }}>{s.height}</dd>
        </div>
        <div>
          <dt>{t('network.waiting')}</dt>
          <dd>{s.messagesWaiting}</dd>
        </div>
        <div>
          <dt>{t('network.quorum')}</dt>
          <dd>{t('network.quorumOf', { quorum: s.quorum, count: s.validators })}</dd>
        </div>
        <div>
          <dt>{t('proof.genesisHash')}</dt>
          <dd>
            <Hash value={s.genesisHash} name={t('proof.genesisHash')} />
          </dd>
        </div>
      </dl>
    </section>
  );
}

function Standing({ v }: { v: Schemas['Validator'] }) {
  const { t } = useTranslation();
  if (v.evidence > 0) return <Status tone="bad">{t('network.contradicts', { count: v.evidence })}</Status>;
  if (v.voteHeight === undefined || v.lag === undefined) return <Status tone="warn">{t('network.silent')}</Status>;
  const lag = Number(v.lag);
  return lag <= 1 ? <Status tone="good">{t('network.current')}</Status> : <Status tone="warn">{t('network.lag', { count: lag })}</Status>;
}

function ValidatorTable({ data }: { data: Schemas['Validators'] }) {
  const { t } = useTranslation();
  const now = useNow();
  const list = data.validators ?? [];
  if (list.length === 0) return <p>{t('network.noValidators')}</p>;
  return (
    <>
      <table className="data stack">
        <thead>
          <tr>
            <th scope="col">{t('network.validator')}</th>
            <th scope="col">{t('network.standing')}</th>
            <th scope="col" className="num">
              {t('network.vote')}
            </th>
            <th scope="col" className="num">
              {t('network.round')}
            </th>
            <th scope="col">{t('network.heard')}</th>
            <th scope="col" className="num">
              {t('network.evidence')}
            </th>
          </tr>
        </thead>
        <tbody>
          {list.map((v) => {
            const heard = v.heardAt ? age((now - Date.parse(v.heardAt)) / 1000) : undefined;
            return (
              <tr key={v.name}>
                <td data-label={t('network.validator')}>
                  <span>
                    {v.partyName ?? v.party}
                    <span className="quiet mono" style={{ display: 'block' }}>
                      {v.name}
                    </span>
                  </span>
                </td>
                <td data-label={t('network.standing')}>
                  <Standing v={v} />
                </td>
                <td data-label={t('network.vote')} className="num">
                  {v.voteHeight ?? '–'}
                </td>
                <td data-label={t('network.round')} className="num">
                  {v.voteHeight === undefined ? '–' : v.voteRound}
                </td>
                <td data-label={t('network.heard')}>{heard ? t(`fresh.${heard.unit}`, { count: heard.count }) : '–'}</td>
                <td data-label={t('network.evidence')} className="num">
                  {v.evidence}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {list
        .filter((v) => v.evidence > 0)
        .map((v) => (
          <Note key={v.name} tone="bad" level={3} title={t('network.contradicts', { count: v.evidence })}>
            <p>{t('network.evidenceMeans', { party: v.partyName ?? v.party })}</p>
          </Note>
        ))}
      <p className="quiet" style={{ marginBottom: 0 }}>
        {t('network.hearsay')}
      </p>
    </>
  );
}

function BlockTable({ blocks }: { blocks: Schemas['Block'][] }) {
  const { t, i18n } = useTranslation();
  if (blocks.length === 0) return <Note tone="calm" level={3} title={t('network.noBlocks')} />;
  return (
    <table className="data" data-testid="blocks">
      <thead>
        <tr>
          <th scope="col">{t('network.block')}</th>
          <th scope="col">{t('network.time')}</th>
          <th scope="col" className="num wide">
            {t('network.messages')}
          </th>
          <th scope="col" className="num">
            {t('network.events')}
          </th>
          <th scope="col" className="wide">
            {t('network.hash')}
          </th>
        </tr>
      </thead>
      <tbody>
        {blocks.map((b) => (
          <tr key={b.hash}>
            <td style={{ fontWeight: 600 }}>
              <Link to={path('block', b.header.height)}>{b.header.height}</Link>
            </td>
            <td>{at(b.header.time, i18n.language)}</td>
            <td className="num wide">
              {b.header.lastSequence === '0' ? '0' : String(BigInt(b.header.lastSequence) - BigInt(b.header.firstSequence) + 1n)}
            </td>
            <td className="num">{b.header.events}</td>
            <td className="wide">
              <Hash value={b.hash} name={t('trace.blockHash', { height: b.header.height })} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

import { Button, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, Problem, type Schemas } from '../../api/client';
import type { PageProps } from '../../app/pages';
import { Link, path, tracePath, useNavigation } from '../../app/router';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { JobCard } from '../../components/JobCard';
import { ScanField } from '../../components/ScanField';
import { Note, Status } from '../../components/Status';
import { SignInFirst, useMay } from '../../components/useAct';
import { useCommand } from '../../components/useJob';
import { printed } from '../../lib/printed';
import { at } from '../../lib/time';
import { finds, match, type Scanned } from './match';

export default function ReceivePage({ pieces }: PageProps) {
  const { t } = useTranslation();
  const { party } = useMay();
  const { go } = useNavigation();
  const [trouble, setTrouble] = useState<string>();
  const query = useQuery({
    queryKey: ['shipments', party],
    queryFn: () => api.shipments({ to: party, open: true, limit: 100 }),
    enabled: party !== '',
    refetchInterval: 15_000,
  });
  const list = query.data?.data.shipments ?? [];
  const chosen = pieces[0];
  if (chosen) return <Shipment key={chosen} known={list.find((s) => s.id === chosen)} party={party} loading={query.isPending} />;
  const scanned = async (text: string) => {
    setTrouble(undefined);
    try {
      const found = finds((await api.trace(text)).data, list);
      if (found) go(path('receive', found.id));
      else setTrouble(t('receive.notFound'));
    } catch (e) {
      setTrouble(e instanceof Problem && e.detail ? e.detail : t('problem.silent'));
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
        {trouble && <Note tone="warn" alert title={trouble} />}
      </div>
      {query.isError && <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Skeleton height={160} radius="lg" />}
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

function Shipment({ known, party, loading }: { known?: Schemas['Shipment']; party: string; loading: boolean }) {
  const { t, i18n } = useTranslation();
  const { may } = useMay();
  // What is received meanwhile leaves the list of what is open: the page goes on with what it knew.
  const [kept, setKept] = useState(known);
  if (known && known !== kept) setKept(known);
  const s = known ?? kept;
  const [scanned, setScanned] = useState<string[]>([]);
  const [last, setLast] = useState<Scanned | { kind: 'unread'; why: string }>();
  const [extras, setExtras] = useState<Scanned[]>([]);
  const [rma, setRMA] = useState('');
  const receive = useCommand('receive', () => setScanned([]));
  if (!s)
    return loading ? (
      <Skeleton height={260} radius="lg" />
    ) : (
      <Note tone="calm" title={t('receive.closed')}>
        <Link to="/receive">{t('receive.back')}</Link>
      </Note>
    );
  const items = s.items ?? [];
  const set = new Set(scanned);
  const open = items.filter((i) => i.open);
  const scan = async (text: string) => {
    try {
      const m = match((await api.trace(text)).data, items, set);
      setLast(m);
      if (m.kind === 'expected') setScanned((x) => [...x, m.key]);
      if (m.kind === 'extra') setExtras((x) => [...x.filter((e) => e.key !== m.key), m]);
    } catch (e) {
      setLast({ kind: 'unread', why: e instanceof Problem && e.detail ? e.detail : t('problem.silent') });
    }
  };
  const send = (keys: string[]) =>
    receive.send({
      items: items.filter((i) => keys.includes(i.key)).map((i) => i.digitalLink ?? i.key),
      from: { party: s.from!.id },
      ...(s.return ? { returnAuthorization: rma.trim() } : {}),
    });
  return (
    <div className="stack-18">
      <div>
        <p style={{ margin: 0 }}>
          <Link to="/receive">{t('receive.back')}</Link>
        </p>
        <h1>{t('receive.from', { party: s.from?.name ?? s.from?.id })}</h1>
        <p className="quiet">
          {s.eventTime && t('receive.sent', { time: at(s.eventTime, i18n.language) })}
          {(s.documents ?? []).length > 0 && ` · ${s.documents!.map((d) => t(`receive.document.${d}`, { defaultValue: d })).join(', ')}`}
        </p>
        <ScanField
          label={t('receive.scanItems')}
          description={t('receive.scanHelp')}
          action={t('receive.scan')}
          onScan={(x) => void scan(x)}
        />
        {last && (
          <div aria-live="assertive">
            {last.kind === 'expected' && <Note tone="good" title={t('receive.expected', { name: printed(last.key) })} />}
            {last.kind === 'again' && <Note tone="calm" title={t('receive.again', { name: printed(last.key) })} />}
            {last.kind === 'inside' && <Note tone="warn" title={t('receive.inside', { container: printed(last.container) })} />}
            {last.kind === 'extra' && <Note tone="bad" title={t('receive.extra')} />}
            {last.kind === 'unread' && <Note tone="warn" title={last.why} />}
          </div>
        )}
      </div>
      <section className="card stack-18" aria-labelledby="expected">
        <div className="step-head">
          <h2 id="expected" style={{ margin: 0 }}>
            {t('receive.progress', { scanned: scanned.length, count: open.length })}
          </h2>
          {scanned.length < open.length && (
            <Button variant="default" onClick={() => setScanned(open.map((i) => i.key))}>
              {t('receive.all')}
            </Button>
          )}
        </div>
        <progress
          max={Math.max(1, open.length)}
          value={scanned.length}
          aria-label={t('receive.progress', { scanned: scanned.length, count: open.length })}
        />
        <table className="data stack">
          <thead>
            <tr>
              <th scope="col">{t('receive.item')}</th>
              <th scope="col" className="num">
                {t('receive.contents')}
              </th>
              <th scope="col">{t('receive.state')}</th>
            </tr>
          </thead>
          <tbody>
            {items.slice(0, 300).map((i) => (
              <tr key={i.key} data-item={i.key}>
                <td data-label={t('receive.item')}>
                  <Link to={tracePath(i.key)} className="mono">
                    {printed(i.key)}
                  </Link>
                </td>
                <td data-label={t('receive.contents')} className="num">
                  {i.contents ?? '–'}
                </td>
                <td data-label={t('receive.state')}>
                  {!i.open ? (
                    <Status tone="calm">{t('receive.received')}</Status>
                  ) : set.has(i.key) ? (
                    <Status tone="good">{t('receive.scanned')}</Status>
                  ) : (
                    <Status tone="warn" icon="pending">
                      {t('receive.waiting')}
                    </Status>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {items.length > 300 && <p className="quiet">{t('receive.more', { count: items.length - 300 })}</p>}
        {extras.length > 0 && (
          <Note tone="bad" level={3} title={t('receive.extras', { count: extras.length })}>
            <ul>
              {extras.map(
                (e) =>
                  e.kind === 'extra' && (
                    <li key={e.key}>
                      <Link to={tracePath(e.key)} className="mono">
                        {printed(e.key)}
                      </Link>{' '}
                      {t(`receive.why.${e.why}`, { who: e.who })}
                    </li>
                  ),
              )}
            </ul>
            <p>{t('receive.extrasHelp')}</p>
          </Note>
        )}
        {!may ? (
          <SignInFirst />
        ) : (
          <>
            {s.return && (
              <TextInput size="md" label={t('receive.rma')} value={rma} onChange={(e) => setRMA(e.currentTarget.value)} required />
            )}
            {scanned.length > 0 && scanned.length < open.length && (
              <p style={{ margin: 0 }}>{t('receive.stays', { count: open.length - scanned.length })}</p>
            )}
            <div className="actions">
              <Button
                size="lg"
                disabled={scanned.length === 0 || (s.return && rma.trim() === '')}
                loading={receive.busy}
                onClick={() => send(scanned)}
                data-testid="receive"
              >
                {t('receive.do', { count: scanned.length })}
              </Button>
            </div>
          </>
        )}
        <JobCard title={t('receive.title')} job={receive.job} error={receive.error} lost={receive.lost} />
        {party === '' && <p className="quiet">{t('receive.nobody')}</p>}
      </section>
    </div>
  );
}

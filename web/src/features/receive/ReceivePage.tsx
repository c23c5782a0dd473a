import { Button, Skeleton, Switch, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { JobCard } from '../../components/JobCard';
import { Readings } from '../../components/Readings';
import { ScanField } from '../../components/ScanField';
import { SignInFirst } from '../../components/SignInFirst';
import { Note, Status } from '../../components/Status';
import { useCommand } from '../../lib/api/job';
import { api, Problem, type Schemas } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { printed } from '../../lib/printed';
import { path, tracePath } from '../../lib/router/address';
import type { PageProps } from '../../lib/router/page';
import { Link, useNavigation } from '../../lib/router/router';
import { signal, wantSound, wantsSound } from '../../lib/scan/signal';
import { at } from '../../lib/time';
import { Arrived } from './Arrived';
import { shipment } from './find';
import { finds, isRight, match, type Scanned } from './match';

/** A scan about which the service said nothing that could be held against the shipment. */
type Unread = { kind: 'unread'; why: string; readings: string[]; scan?: Schemas['Answer'] };

async function unread(text: string, e: unknown, silent: string): Promise<Unread> {
  if (!(e instanceof Problem) || e.status >= 500) return { kind: 'unread', why: silent, readings: [] };
  const scan = e.readings.length > 0 ? await api.scan(text).then((a) => a.data, () => undefined) : undefined; // prettier-ignore
  return { kind: 'unread', why: e.detail, readings: e.readings, ...(scan ? { scan } : {}) };
}

export default function ReceivePage({ pieces }: PageProps) {
  // What was scanned to find a shipment has been scanned for it, too.
  const [first, setFirst] = useState<{ text: string; id: string }>();
  const chosen = pieces[0];
  return chosen ? <Shipment key={chosen} id={chosen} first={first?.id === chosen ? first.text : undefined} /> : <List found={setFirst} />;
}

function List({ found }: { found: (first: { text: string; id: string }) => void }) {
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

function NotRead({ unread: u, choose }: { unread: Unread; choose: (text: string) => void }) {
  const { t } = useTranslation();
  if (u.readings.length === 0) {
    return (
      <Note tone="warn" icon="unknown" title={t('receive.unread')}>
        <p>{u.why}</p>
      </Note>
    );
  }
  return (
    <Note tone="warn" icon="unknown" title={t('receive.choose')}>
      <Readings texts={u.readings} scan={u.scan} onChoose={choose} />
    </Note>
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

const rows = 300;

function Dock({ shipment: s, first, freshness }: { shipment: Schemas['Shipment']; first?: string; freshness: ReactNode }) {
  const { t, i18n } = useTranslation();
  const { may, party } = useMay();
  const [scanned, setScanned] = useState<ReadonlySet<string>>(new Set());
  const [last, setLast] = useState<Scanned | Unread>();
  const [extras, setExtras] = useState<(Scanned & { kind: 'extra' })[]>([]);
  const [arrived, setArrived] = useState<string[]>([]);
  const [rma, setRMA] = useState('');
  const [sound, setSound] = useState(wantsSound);
  const sent = useRef<string[]>([]);
  const receive = useCommand('receive', (job) => {
    if (!job.success) return;
    setLast(undefined);
    setArrived((before) => [...new Set([...before, ...sent.current])]);
    setScanned((before) => new Set([...before].filter((k) => !sent.current.includes(k)))); // others may have been scanned meanwhile
  });
  const items = s.items ?? [];
  const came = new Set(arrived);
  const isOpen = (i: Schemas['ShippedItem']) => i.open && !came.has(i.key);
  const open = items.filter(isOpen);
  const ready = open.filter((i) => scanned.has(i.key));
  const stays = s.open - items.filter((i) => i.open && came.has(i.key)).length - ready.length;
  // Scans come faster than answers: they are looked at in their order, each against what the one before it left.
  const state = useRef({ items, scanned, sound });
  useEffect(() => {
    state.current = { items: items.map((i) => ({ ...i, open: isOpen(i) })), scanned, sound };
  });
  const queue = useRef<Promise<unknown>>(Promise.resolve());
  const scan = useCallback(
    (text: string) => {
      queue.current = queue.current.then(async () => {
        let m: Scanned | Unread;
        try {
          const trace = (await api.trace(text)).data;
          m = match(trace, state.current.items, state.current.scanned, party);
        } catch (e) {
          m = await unread(text, e, t('problem.silentHelp'));
        }
        setLast(m);
        if (state.current.sound) signal(m.kind !== 'unread' && isRight(m));
        if (m.kind === 'expected') {
          const next = new Set(state.current.scanned).add(m.key);
          state.current = { ...state.current, scanned: next };
          setScanned(next);
        }
        if (m.kind === 'extra') {
          const extra = m;
          setExtras((x) => [...x.filter((e) => e.key !== extra.key), extra]);
        }
      });
    },
    [party, t],
  );
  const begun = useRef(false);
  useEffect(() => {
    if (first === undefined || begun.current) return;
    begun.current = true;
    scan(first);
  }, [first, scan]);
  const send = () => {
    sent.current = ready.map((i) => i.key);
    receive.send({
      items: ready.map((i) => i.digitalLink ?? i.key),
      from: { party: s.from!.id },
      ...(s.return ? { returnAuthorization: rma.trim() } : {}),
    });
  };
  return (
    <div className="stack-18">
      <div>
        <p style={{ margin: 0 }}>
          <Link to="/receive">{t('receive.back')}</Link>
        </p>
        <h1>{t('receive.from', { party: s.from?.name ?? s.from?.id })}</h1>
        <p className="quiet">
          {s.eventTime && t('receive.sent', { time: at(s.eventTime, i18n.language) })}
          {(s.documents ?? []).length > 0 &&
            ` · ${s.documents!.map((d) => t(`receive.document.${d}`, { defaultValue: d })).join(', ')}`}{' '}
          {s.return && <Status tone="calm">{t('receive.return')}</Status>}
          {s.drop && <Status tone="calm">{t('receive.drop')}</Status>}
        </p>
        <ScanField label={t('receive.scanItems')} description={t('receive.scanHelp')} action={t('receive.scan')} onScan={scan} many />
        <div aria-live="assertive" aria-atomic="true">
          {last && <Last scanned={last} choose={scan} />}
        </div>
      </div>
      <section className="card stack-18" aria-labelledby="progress">
        <div className="step-head">
          <h2 id="progress" style={{ margin: 0 }} className="big">
            {open.length === 0 ? t('receive.complete') : t('receive.progress', { scanned: ready.length, count: open.length })}
          </h2>
          <Switch
            size="md"
            label={t('receive.sound')}
            checked={sound}
            onChange={(e) => {
              setSound(e.currentTarget.checked);
              wantSound(e.currentTarget.checked);
              if (e.currentTarget.checked) signal(true);
            }}
          />
        </div>
        {open.length > 0 && (
          <progress
            max={open.length}
            value={ready.length}
            aria-label={t('receive.progress', { scanned: ready.length, count: open.length })}
          />
        )}
        {s.return && open.length > 0 && (
          <TextInput
            size="lg"
            label={t('receive.rma')}
            description={t('receive.rmaHelp')}
            value={rma}
            onChange={(e) => setRMA(e.currentTarget.value)}
            required
          />
        )}
        {!may && <SignInFirst />}
        {open.length > 0 && (
          <div className="actions">
            <Button
              size="lg"
              disabled={!may || ready.length === 0 || receive.busy || (s.return && rma.trim() === '')}
              onClick={send}
              data-testid="receive"
            >
              {t('receive.do', { count: ready.length })}
            </Button>
            {ready.length < open.length && (
              <Button size="lg" variant="default" onClick={() => setScanned(new Set(open.map((i) => i.key)))}>
                {t('receive.all')}
              </Button>
            )}
          </div>
        )}
        {ready.length > 0 && stays > 0 && <p style={{ margin: 0 }}>{t('receive.stays', { count: stays })}</p>}
        <JobCard title={t('receive.title')} job={receive.job} error={receive.error} lost={receive.lost} />
      </section>
      {extras.length > 0 && (
        <Note tone="bad" title={t('receive.extras', { count: extras.length })}>
          <ul>
            {extras.map((e) => (
              <li key={e.key}>
                <Link to={tracePath(e.key)} className="mono">
                  {printed(e.key)}
                </Link>{' '}
                {t(`receive.why.${e.why}`, { who: e.who })}
              </li>
            ))}
          </ul>
          <p>{t('receive.extrasHelp')}</p>
        </Note>
      )}
      {arrived.length > 0 && <Arrived items={items.filter((i) => came.has(i.key))} />}
      <section className="card stack-18" aria-labelledby="expected">
        <h2 id="expected" style={{ margin: 0 }}>
          {t('receive.items', { count: s.total })}
        </h2>
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
            {items.slice(0, rows).map((i) => (
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
                  {!isOpen(i) ? (
                    <Status tone="calm" icon="good">
                      {t('receive.received')}
                    </Status>
                  ) : scanned.has(i.key) ? (
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
        {s.total > Math.min(items.length, rows) && (
          <p className="quiet">{t('receive.more', { count: s.total - Math.min(items.length, rows) })}</p>
        )}
        {freshness}
      </section>
    </div>
  );
}

/** What the last scan was, big enough to be seen from the pallet. */
function Last({ scanned: m, choose }: { scanned: Scanned | Unread; choose: (text: string) => void }) {
  const { t } = useTranslation();
  switch (m.kind) {
    case 'unread':
      return <NotRead unread={m} choose={choose} />;
    case 'expected':
      return m.recall ? (
        <Note tone="bad" title={t('receive.expectedRecalled', { name: printed(m.key), number: m.recall })}>
          <p>{t('receive.recalledHelp')}</p>
        </Note>
      ) : (
        <Note tone="good" title={t('receive.expected', { name: printed(m.key) })} />
      );
    case 'again':
      return <Note tone="calm" title={t('receive.again', { name: printed(m.key) })} />;
    case 'received':
      return <Note tone="calm" title={t('receive.already', { name: printed(m.key) })} />;
    case 'inside':
      return <Note tone="warn" title={t('receive.inside', { container: printed(m.container) })} />;
    case 'extra':
      return (
        <Note tone="bad" title={t('receive.extra')}>
          <p>
            <span className="mono">{printed(m.key)}</span> {t(`receive.why.${m.why}`, { who: m.who })}
          </p>
        </Note>
      );
  }
}

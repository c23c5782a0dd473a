import { Button, Switch, TextInput } from '@mantine/core';
import { useCallback, useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import { KeptNote } from '../../components/KeptNote';
import { LawNext } from '../../components/LawNext';
import { reasonText } from '../../components/Reasons';
import { ScanField } from '../../components/ScanField';
import { SignInFirst } from '../../components/SignInFirst';
import { Note, Status } from '../../components/Status';
import { api, type Schemas } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';
import { byItself, onReceipt } from '../../lib/guard';
import { keep } from '../../lib/kept';
import { setAsideBy } from '../../lib/outcome';
import { printed } from '../../lib/printed';
import { tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { signal, wantSound, wantsSound } from '../../lib/scan/signal';
import { at } from '../../lib/time';
import { Arrived } from './Arrived';
import { Aside } from './Aside';
import { isRight, isSuspect, match, type Scanned } from './match';
import { isNothing, nothing, remembered } from './remembered';
import { Last } from './ScanResult';
import { unread, type Unread } from './unread';
import { useInside } from './useInside';

const rows = 300;

export function Dock({ shipment: s, first, freshness }: { shipment: Schemas['Shipment']; first?: string; freshness: ReactNode }) {
  const { t, i18n } = useTranslation();
  const { may, party } = useMay();
  const name = `receive.${party}.${s.id}`;
  const [before, setBefore] = useState(() => remembered(name));
  const [scanned, setScanned] = useState<ReadonlySet<string>>(() => new Set(before.scanned));
  const [last, setLast] = useState<Scanned | Unread>();
  const [extras, setExtras] = useState(before.extras);
  // What was set aside is dealt with: it stays on the screen, and is not kept for another day.
  const [handled, setHandled] = useState<readonly string[]>([]);
  const [arrived, setArrived] = useState<string[]>([]);
  const [quarantined, setQuarantined] = useState<ReadonlySet<string>>(new Set());
  const [rma, setRMA] = useState(before.rma);
  const [sound, setSound] = useState(wantsSound);
  const sent = useRef<string[]>([]);
  const bad = useRef<string[]>([]); // of those: what goes into quarantine by itself, as far as it was seen before
  const receive = useCommand('receive', (job) => {
    if (!job.success) return;
    setLast(undefined);
    setRMA('');
    setBefore(nothing);
    setArrived((before) => [...new Set([...before, ...sent.current])]);
    const aside = setAsideBy(job) >= sent.current.length ? sent.current : bad.current;
    setQuarantined((before) => new Set([...before, ...aside]));
    setScanned((before) => new Set([...before].filter((k) => !sent.current.includes(k)))); // others may have been scanned meanwhile
  });
  const underway = receive.job !== undefined && receive.busy;
  useEffect(() => {
    // What the service has taken is not to be sent again by a page that is loaded anew.
    const now = {
      scanned: [...scanned].filter((k) => !underway || !sent.current.includes(k)),
      extras: extras.filter((e) => !handled.includes(e.key)),
      rma: underway ? '' : rma,
    };
    keep(name, isNothing(now) ? undefined : now);
  }, [name, scanned, extras, handled, rma, underway]);
  const clear = () => {
    setScanned(new Set());
    setExtras([]);
    setRMA('');
    setLast(undefined);
    setBefore(nothing);
  };
  const items = s.items ?? [];
  const came = new Set(arrived);
  const isOpen = (i: Schemas['ShippedItem']) => i.open && !came.has(i.key);
  const open = items.filter(isOpen);
  const ready = open.filter((i) => scanned.has(i.key));
  const fromBefore =
    ready.filter((i) => before.scanned.includes(i.key)).length +
    before.extras.filter((b) => !handled.includes(b.key) && extras.some((e) => e.key === b.key)).length;
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
          const [trace, check] = await Promise.all([api.trace(text), api.check(text).catch(() => undefined)]);
          m = match(trace.data, state.current.items, state.current.scanned, party, check?.data);
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
  const inside = useInside(items);
  const goAside = (key: string) => onReceipt(inside.get(key)).some(byItself);
  const send = (now: Schemas['ShippedItem'][]) => {
    sent.current = now.map((i) => i.key);
    bad.current = sent.current.filter((k) => goAside(k) || (last?.kind === 'expected' && last.key === k && last.against?.some(byItself)));
    receive.send({
      items: now.map((i) => i.digitalLink ?? i.key),
      from: { party: s.from!.id },
      ...(s.return ? { returnAuthorization: rma.trim() } : {}),
    });
  };
  const mayTake = may && !receive.busy && !(s.return && rma.trim() === '');
  const asideCount = ready.filter((i) => goAside(i.key)).length;
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
          {last && <Last scanned={last} choose={scan} take={mayTake ? (key) => send(items.filter((i) => i.key === key)) : undefined} />}
        </div>
      </div>
      {before.at !== undefined && fromBefore > 0 && !underway && <KeptNote count={fromBefore} since={before.at} clear={clear} />}
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
            <Button size="lg" disabled={!mayTake || ready.length === 0} onClick={() => send(ready)} data-testid="receive">
              {t('receive.do', { count: ready.length })}
            </Button>
            {ready.length < open.length && (
              <Button size="lg" variant="default" onClick={() => setScanned(new Set(open.map((i) => i.key)))}>
                {t('receive.all')}
              </Button>
            )}
          </div>
        )}
        {asideCount > 0 && <p style={{ margin: 0 }}>{t('receive.goAside', { count: asideCount })}</p>}
        {ready.length > 0 && stays > 0 && <p style={{ margin: 0 }}>{t('receive.stays', { count: stays })}</p>}
        <JobCard title={t('receive.title')} act="receive" job={receive.job} error={receive.error} lost={receive.lost} />
      </section>
      {extras.length > 0 && (
        <Note tone="bad" title={t('receive.extras', { count: extras.length })}>
          <ul className="rows">
            {extras.map((e) => (
              <li key={e.key} className="product" data-extra={e.why}>
                <span>
                  <Link to={tracePath(e.key)} className="mono">
                    {printed(e.key)}
                  </Link>{' '}
                  {t(`receive.why.${e.why}`, { who: e.who })}
                </span>
                {e.why !== 'ours' && may && (
                  <div className="actions">
                    <Aside
                      item={e.link ?? e.key}
                      reason={e.why === 'recalled' ? 'recalled' : 'suspect'}
                      hear={(now) => now === 'done' && setHandled((list) => [...list, e.key])}
                    />
                  </div>
                )}
              </li>
            ))}
          </ul>
          <p>{t('receive.extrasHelp')}</p>
        </Note>
      )}
      {extras.some((e) => isSuspect(e.why)) && <LawNext />}
      {arrived.length > 0 && <Arrived items={items.filter((i) => came.has(i.key))} quarantined={quarantined} />}
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
                  {isOpen(i) &&
                    onReceipt(inside.get(i.key)).map((r, n) => (
                      <div key={n} className="against" data-fault={r.fault}>
                        <Status tone="warn">{reasonText(t, r)}</Status>
                      </div>
                    ))}
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

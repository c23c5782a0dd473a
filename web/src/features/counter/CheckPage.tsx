import { Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Freshness } from '../../components/Freshness';
import { Icon, type IconName } from '../../components/Icon';
import { Readings } from '../../components/Readings';
import { ScanField } from '../../components/ScanField';
import { Status, type Tone } from '../../components/Status';
import { useFollow } from '../../lib/api/job';
import { Problem, useNewest, type Job } from '../../lib/api/client';
import { useHeartbeat } from '../../lib/api/heartbeat';
import { useMay } from '../../lib/api/setting';
import { printed } from '../../lib/printed';
import { decoded, path, tracePath } from '../../lib/router/address';
import type { PageProps } from '../../lib/router/page';
import { Link, useNavigation } from '../../lib/router/router';
import { shown } from '../../lib/scan/wedge';
import { useNow } from '../../lib/useNow';
import { Actions } from './Actions';
import { ask, type Asked } from './ask';
import { remember, rememberAct, usePast, type Act, type Outcome } from './past';
import { kindOf, moving, pair, tones, type Pair } from './verdict';

const toneOf = (o: Outcome): Tone => (o === 'silent' || o === 'box' || o === 'unreadable' ? 'calm' : tones[o]);
const iconOf = (o: Outcome): IconName => (o === 'silent' || o === 'unreadable' ? 'unknown' : o === 'box' ? 'pack' : tones[o]);

export default function CheckPage({ rest }: PageProps) {
  const { t } = useTranslation();
  const { go } = useNavigation();
  const text = decoded(rest);
  // Scanning the same package again asks again, and shows nothing of the answer before.
  const [again, setAgain] = useState(0);
  return (
    <div className="stack-18">
      <div>
        <h1>{t('counter.title')}</h1>
        <ScanField
          label={t('counter.field')}
          description={t('counter.fieldHelp')}
          action={t('counter.check')}
          initial={text}
          keep
          onScan={(wanted) => {
            setAgain((n) => n + 1);
            go(path('check', wanted));
          }}
        />
        {text === '' && <p className="quiet">{t('counter.intro')}</p>}
      </div>
      {text !== '' && <Answer key={`${again} ${text}`} text={text} turn={again} />}
      <Earlier current={text} />
    </div>
  );
}

function Answer({ text, turn }: { text: string; turn: number }) {
  const { t } = useTranslation();
  const { go } = useNavigation();
  const { party } = useMay();
  const [dispensed, setDispensed] = useState(false);
  const query = useQuery({
    queryKey: ['check', text, turn],
    queryFn: () => ask(text),
    refetchInterval: (q) => (q.state.status === 'error' ? 4000 : false),
    refetchIntervalInBackground: true,
    retry: false,
    gcTime: 0,
  });
  // A recall may come while the patient waits: whatever a newer block says is asked for.
  useHeartbeat(3000);
  const newest = useNewest()?.height ?? 0n;
  const asked = query.data;
  const askedAt = asked?.rests?.height;
  const lastAsked = useRef(0n);
  const { refetch } = query;
  useEffect(() => {
    if (askedAt === undefined || newest <= askedAt || newest <= lastAsked.current) return;
    lastAsked.current = newest;
    void refetch();
  }, [askedAt, newest, refetch]);
  const now = useNow(5000);
  const age = asked?.rests ? asked.rests.ageSeconds + Math.max(0, now - asked.rests.arrived) / 1000 : 0;
  const kind = asked?.what === 'unit' ? kindOf(asked.check, age, party, asked.trace) : undefined;
  const outcome: Outcome | undefined = query.isError
    ? 'silent'
    : asked?.what === 'unit'
      ? kind
      : asked?.what === 'box' || asked?.what === 'unreadable'
        ? asked.what
        : undefined;
  const name = nameOf(asked);
  useEffect(() => {
    if (outcome && !dispensed) remember({ text, outcome, at: Date.now(), name });
  }, [outcome, text, name, dispensed]);
  const told = (act: Act, job: Job) => rememberAct(text, act, job);
  return (
    <>
      {/* One region that stays, so that a reader of the screen tells every answer once. */}
      <div aria-live="assertive" aria-atomic="true">
        {query.isPending ? (
          <Panel kind="asking" tone="calm" icon="pending" title={t('counter.asking')} loading />
        ) : query.isError ? (
          <Silent error={query.error} since={asked !== undefined} />
        ) : dispensed ? (
          <Panel kind="dispensed" tone="calm" icon="dispense" title={t('counter.dispensed')}>
            <p>{t('counter.dispensedHelp')}</p>
          </Panel>
        ) : (
          <Told asked={query.data} kind={kind} choose={(reading) => go(path('check', reading))} />
        )}
      </div>
      {(asked?.what === 'unit' || asked?.what === 'box') && (
        <>
          <Facts asked={asked} refresh={() => void query.refetch()} />
          <Actions asked={asked} kind={kind} sure={!query.isError} told={told} dispensed={() => setDispensed(true)} />
        </>
      )}
    </>
  );
}

function nameOf(asked?: Asked): string | undefined {
  const product = asked?.trace?.product;
  return product && [product.name, product.strength].filter(Boolean).join(' ');
}

function Panel({
  kind,
  tone,
  icon,
  title,
  loading,
  children,
}: {
  kind: string;
  tone: Tone;
  icon: IconName;
  title: string;
  loading?: boolean;
  children?: ReactNode;
}) {
  return (
    <div className={`verdict tone-${tone}`} data-testid="verdict" data-kind={kind}>
      {loading ? <Loader size={64} color="gray" /> : <Icon name={icon} size={72} />}
      <div>
        <h2>{title}</h2>
        {children}
      </div>
    </div>
  );
}

/** No answer is not a verdict, and does not look like one. */
function Silent({ error, since }: { error: unknown; since: boolean }) {
  const { t } = useTranslation();
  return (
    <Panel kind="silent" tone="calm" icon="unknown" title={t('counter.silent')}>
      <p>{t(since ? 'counter.silentSince' : 'counter.silentHelp')}</p>
      {error instanceof Problem && error.detail && (
        <p lang="en" className="quiet">
          {error.detail}
        </p>
      )}
    </Panel>
  );
}

function Told({ asked, kind, choose }: { asked: Asked; kind?: ReturnType<typeof kindOf>; choose: (reading: string) => void }) {
  const { t, i18n } = useTranslation();
  const { party } = useMay();
  if (asked.what === 'choose') {
    return (
      <Panel kind="choose" tone="calm" icon="unknown" title={t('counter.choose')}>
        <p>{t('counter.chooseHelp')}</p>
        <Readings texts={asked.readings} scan={asked.printed} onChoose={choose} />
      </Panel>
    );
  }
  if (asked.what === 'unreadable') {
    const problems = asked.printed?.problems ?? [];
    return (
      <Panel kind="unreadable" tone="calm" icon="unknown" title={t('counter.unreadable')}>
        <p>{t('counter.unreadableHelp')}</p>
        <ul lang="en">{problems.length > 0 ? problems.map((p, i) => <li key={i}>{p.detail}</li>) : <li>{asked.detail}</li>}</ul>
      </Panel>
    );
  }
  if (asked.what === 'box') {
    const { trace } = asked;
    const coming = moving(trace) && trace.to?.id === party;
    return (
      <Panel kind="box" tone="calm" icon="pack" title={t('counter.box')}>
        <p>{trace.known ? t('counter.boxHelp', { count: trace.contents ?? 0 }) : t('counter.boxUnknown')}</p>
        <p className="pair">
          <Link to={tracePath(trace.id.key)}>{t('counter.history')}</Link>
          {coming && <Link to="/receive">{t('counter.toReceive')}</Link>}
        </p>
      </Panel>
    );
  }
  const { check, trace } = asked;
  const k = kind!;
  const reasons = check.reasons ?? [];
  const holder = check.holder?.name ?? check.holder?.id ?? '–';
  return (
    <Panel kind={k} tone={tones[k]} icon={tones[k]} title={t(`counter.word.${k}`)}>
      <p>{t(`counter.next.${k}`)}</p>
      {(reasons.length > 0 || k === 'elsewhere') && (
        <ul>
          {reasons.map((r, i) => (
            <li key={i}>
              {i18n.exists(`counter.reason.${r.code}`) && <>{t(`counter.reason.${r.code}`)} </>}
              <span lang="en" className={i18n.exists(`counter.reason.${r.code}`) ? 'quiet' : undefined}>
                {r.detail}
              </span>
            </li>
          ))}
          {k === 'elsewhere' &&
            (moving(trace) ? (
              <li>
                {t('counter.movingTo', { holder, to: trace?.to?.name ?? trace?.to?.id ?? '–' })}{' '}
                {trace?.to?.id === party && <Link to="/receive">{t('counter.toReceive')}</Link>}
              </li>
            ) : (
              <li>{t('counter.heldBy', { holder })}</li>
            ))}
        </ul>
      )}
    </Panel>
  );
}

function Facts({ asked, refresh }: { asked: Asked & { what: 'unit' | 'box' }; refresh: () => void }) {
  const { t } = useTranslation();
  const { trace } = asked;
  const id = asked.what === 'unit' ? asked.check.id : asked.trace.id;
  const of = asked.what === 'unit' ? asked.check : asked.trace;
  const product = trace?.product;
  const rows: [string, ReactNode][] = [
    ['form', product && [product.dosageForm, product.netContent].filter(Boolean).join(', ')],
    ['serial', id.serial && <span className="mono">{id.serial}</span>],
    ['sscc', id.sscc && <span className="mono">{id.sscc}</span>],
    ['gtin', id.gtin && <span className="mono">{id.gtin}</span>],
    ['lot', <Compared key="lot" mono pair={pair(asked.printed?.lot, of.lot)} />],
    ['expiry', <Compared key="expiry" pair={pair(asked.printed?.expiry, of.expiry)} />],
    ['holder', of.holder && (of.holder.name ?? of.holder.id)],
    ['state', of.state && t(`state.${of.state}`, { defaultValue: of.state })],
  ];
  const empty = (name: string, pairs: Pair) => ['lot', 'expiry'].includes(name) && !pairs.printed && !pairs.recorded;
  return (
    <section className="card stack-18" aria-labelledby="package">
      <h2 id="package" style={{ margin: 0 }}>
        {nameOf(asked) ?? (asked.what === 'box' ? printed(id.key) : t('counter.package'))}
      </h2>
      <dl className="facts">
        {rows.map(
          ([name, value]) =>
            value &&
            !empty(name, name === 'lot' ? pair(asked.printed?.lot, of.lot) : pair(asked.printed?.expiry, of.expiry)) && (
              <div key={name}>
                <dt>{t(`counter.fact.${name}`)}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      <Freshness rests={asked.rests} refresh={refresh} />
      <p className="quiet" style={{ margin: 0 }}>
        {t('counter.took', { ms: Math.max(1, Math.round(asked.milliseconds)) })} ·{' '}
        <Link to={tracePath(id.key)}>{t('counter.history')}</Link>
      </p>
    </section>
  );
}

/** What the package says beside what the maker recorded. */
function Compared({ pair: p, mono }: { pair: Pair; mono?: boolean }) {
  const { t } = useTranslation();
  const text = mono ? 'mono' : undefined;
  if (!p.differ) {
    return (
      <>
        <span className={text}>{p.recorded ?? p.printed}</span>
        {p.printed && <div className="quiet">{t(p.recorded ? 'counter.asPrinted' : 'counter.printedOnly')}</div>}
      </>
    );
  }
  return (
    <>
      <div>
        <span className="quiet">{t('counter.printed')}</span> <strong className={text}>{p.printed}</strong>
      </div>
      <div>
        <span className="quiet">{t('counter.recorded')}</span> <strong className={text}>{p.recorded}</strong>
      </div>
      <Status tone="bad">{t('counter.differs')}</Status>
    </>
  );
}

/** What was checked before, for whoever was interrupted. */
function Earlier({ current }: { current: string }) {
  const { t, i18n } = useTranslation();
  const list = usePast().filter((p) => p.text !== current);
  if (list.length === 0) return null;
  const clock = new Intl.DateTimeFormat(i18n.language, { timeStyle: 'medium' });
  return (
    <section aria-labelledby="past">
      <h2 id="past">{t('counter.past')}</h2>
      <ul className="past">
        {list.map((p) => (
          <li key={p.text}>
            <time dateTime={new Date(p.at).toISOString()} className="quiet">
              {clock.format(p.at)}
            </time>
            <Status tone={toneOf(p.outcome)} icon={iconOf(p.outcome)}>
              {t(`counter.short.${p.outcome}`)}
            </Status>
            {p.act && <Acted name={p.act.name} job={p.act.job} />}
            <Link to={path('check', p.text)}>
              {p.name && <>{p.name} </>}
              <span className="mono">{shown(p.text)}</span>
            </Link>
          </li>
        ))}
      </ul>
      <p className="quiet">{t('counter.pastHelp')}</p>
    </section>
  );
}

/** What became of something that was still on its way when the next package was scanned. */
function Acted({ name, job }: { name: Act; job: Job }) {
  const { t } = useTranslation();
  const current = useFollow(job).data ?? job;
  const word = t(`counter.act.${name}`);
  if (current.running) {
    return (
      <Status tone="calm" icon="pending">
        {t('counter.going', { act: word })}
      </Status>
    );
  }
  return current.success ? (
    <Status tone="calm" icon="good">
      {t('counter.went', { act: word })}
    </Status>
  ) : (
    <Status tone="bad">{t('counter.failed', { act: word })}</Status>
  );
}

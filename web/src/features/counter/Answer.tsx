import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Readings } from '../../components/Readings';
import { Problem, useNewest, type Job } from '../../lib/api/client';
import { useHeartbeat } from '../../lib/api/heartbeat';
import { useMay } from '../../lib/api/setting';
import { path, tracePath } from '../../lib/router/address';
import { Link, useNavigation } from '../../lib/router/router';
import { useNow } from '../../lib/useNow';
import { Actions } from './Actions';
import { ask, type Asked } from './ask';
import { nameOf } from './ask';
import { Facts } from './Facts';
import { Panel } from './Panel';
import { remember, rememberAct, type Act, type Outcome } from './past';
import { kindOf, moving, tones } from './verdict';

export function Answer({ text, turn }: { text: string; turn: number }) {
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

import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Inside } from '../../components/Inside';
import { LawNext } from '../../components/LawNext';
import { TakeBack } from '../../components/TakeBack';
import { Readings } from '../../components/Readings';
import { ScanNotes } from '../../components/ScanNotes';
import { ReasonText } from '../../components/Reasons';
import { Problem, useNewest, type Job, type Schemas } from '../../lib/api/client';
import { useHeartbeat } from '../../lib/api/heartbeat';
import { useMay } from '../../lib/api/setting';
import { toneOf } from '../../lib/outcome';
import { path } from '../../lib/router/address';
import { Link, useNavigation } from '../../lib/router/router';
import { dispensedBy, partBy, placeOf, setBy, theftOf } from '../../lib/steps';
import { at } from '../../lib/time';
import { useNow } from '../../lib/useNow';
import { Actions } from './Actions';
import { ask, nameOf, type Asked } from './ask';
import { helpOf, icons, type Ended } from './ended';
import { Facts } from './Facts';
import { Panel } from './Panel';
import { remember, rememberAct, type Act, type Outcome } from './past';
import { comes, isSuspect, kindOf, moving, tones } from './verdict';

export function Answer({ text, turn }: { text: string; turn: number }) {
  const { t } = useTranslation();
  const { go } = useNavigation();
  const { party } = useMay();
  const [ended, setEnded] = useState<Ended>();
  const [undone, setUndone] = useState(0); // what was taken back is not shown as done any more
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
  const kind = asked?.what === 'unit' || asked?.what === 'box' ? kindOf(asked.check, age, party, asked.trace) : undefined;
  const outcome: Outcome | undefined = query.isError ? 'silent' : asked?.what === 'unreadable' ? asked.what : kind;
  const name = nameOf(asked);
  // What was dispensed here a moment ago is used up, and rightly so.
  const here = ended?.act === 'dispense' || ended?.act === 'return';
  const suspect =
    (asked?.what === 'unit' || asked?.what === 'box') && kind !== undefined && !here && isSuspect(kind, asked.check, party, asked.trace);
  useEffect(() => {
    if (outcome && !ended) remember({ text, outcome, at: Date.now(), name });
  }, [outcome, text, name, ended]);
  const told = (act: Act, job: Job) => rememberAct(text, act, job);
  const step = asked?.what === 'unit' && asked.trace ? dispensedBy(asked.trace, party) : undefined;
  return (
    <>
      {/* One region that stays, so that a reader of the screen tells every answer once. */}
      <div aria-live="assertive" aria-atomic="true">
        {query.isPending ? (
          <Panel kind="asking" tone="calm" icon="pending" title={t('counter.asking')} loading />
        ) : query.isError ? (
          <Silent error={query.error} since={asked !== undefined} />
        ) : ended ? (
          <Panel
            kind={`ended-${ended.act}`}
            tone={toneOf(ended.how) === 'warn' ? 'warn' : 'calm'}
            icon={toneOf(ended.how) === 'warn' ? 'warn' : icons[ended.act]}
            title={t(`outcome.${ended.act}.${ended.how}`, { defaultValue: t(`outcome.${ended.act}.flag`) })}
          >
            <p>{helpOf(t, ended)}</p>
          </Panel>
        ) : (
          <Told asked={query.data} kind={kind} choose={(reading) => go(path('check', reading))} />
        )}
      </div>
      {(asked?.what === 'unit' || asked?.what === 'box') && (
        <>
          <Chosen asked={asked} choose={(reading) => go(path('check', reading))} />
          {!(asked.what === 'unit' && asked.check.otherCase) && <Facts asked={asked} refresh={() => void query.refetch()} />}
          {!query.isError && <Inside check={asked.check} />}
          {!query.isError && suspect && <LawNext />}
          <Actions key={undone} asked={asked} kind={kind} sure={!query.isError} told={told} over={ended !== undefined} ended={setEnded} />
          <TakeBack
            event={step && placeOf(step)}
            told={() => {
              setEnded(undefined);
              setUndone((n) => n + 1);
            }}
          />
        </>
      )}
    </>
  );
}

/** What the scan itself was like: readings that were not used, and what its scanner or its label does wrong. */
function Chosen({ asked, choose }: { asked: Asked & { what: 'unit' | 'box' }; choose: (reading: string) => void }) {
  const { t } = useTranslation();
  const { chosen, otherCase } = asked.check;
  const others = chosen?.others ?? [];
  const remarks = chosen?.why ?? (otherCase ? [] : asked.printed?.notes) ?? [];
  if (others.length === 0) return <ScanNotes remarks={remarks} />;
  return (
    <section className="card" data-testid="readings" aria-labelledby="other-readings">
      <p style={{ marginTop: 0 }}>
        <strong>{t('counter.twoReadings', { n: others.length + 1 })}</strong>
      </p>
      <ScanNotes remarks={remarks} />
      <h2 id="other-readings">{t('counter.otherReadings', { count: others.length })}</h2>
      <Readings texts={others.map((r) => r.text)} known={others} onChoose={choose} />
    </section>
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
        <ScanNotes remarks={asked.printed?.problems ?? []} />
        <Readings texts={asked.readings} known={asked.printed?.readings} onChoose={choose} />
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
  const { check, trace } = asked;
  const k = kind!;
  const box = asked.what === 'box';
  const word = box && comes(k, party, trace) ? 'coming' : k;
  const reasons = check.reasons ?? [];
  const holder = check.holder?.name ?? check.holder?.id ?? '–';
  const theft = theftOf(trace);
  const part = partBy(trace?.steps);
  const told = (s: Schemas['Step']) => ({ who: s.publisher.name ?? s.publisher.id, when: at(s.eventTime, i18n.language, s.offset) });
  return (
    <Panel kind={box ? `box-${k}` : k} tone={tones[k]} icon={tones[k]} title={box ? t(`counter.boxWord.${word}`) : t(`counter.word.${k}`)}>
      <p>{box ? t(`counter.boxNext.${word}`) : t(`counter.next.${k}`)}</p>
      {check.otherCase && (
        <p>
          {t('counter.scanned')} <strong className="mono">{check.id.serial}</strong>
          <br />
          {t('counter.recorded')} <strong className="mono">{check.otherCase.serial}</strong>
        </p>
      )}
      {(reasons.length > 0 || k === 'elsewhere' || (box && moving(trace)) || theft || part) && (
        <ul>
          {theft && <li>{t('counter.stolenBy', told(theft))}</li>}
          {reasons.map((r, i) => {
            const end = r.code === 'Not_active' ? setBy(trace?.steps, check.state) : undefined;
            if (check.otherCase && r.code === 'Case_differs') return null; // said above
            if (r.code === 'Not_active' && theft && check.state === 'stolen') return null;
            if (end) return <li key={i}>{t(`counter.gone.${check.state}`, told(end))}</li>;
            return (
              <li key={i}>
                <ReasonText reason={r} />
              </li>
            );
          })}
          {part && check.state === 'active' && <li>{t('counter.partBy', told(part))}</li>}
          {(k === 'elsewhere' || (box && moving(trace) && trace?.to?.id === party)) &&
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

import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem, type Job, type Verdict } from '../lib/api/client';
import { rank, states } from '../lib/api/job';
import { howOf, isTold, toneOf, type Act } from '../lib/outcome';
import { path } from '../lib/router/address';
import { Link } from '../lib/router/router';
import { useNow } from '../lib/useNow';
import { Failure } from './Failure';
import { Icon } from './Icon';
import { Positions } from './Positions';
import { Note, Status } from './Status';
import './JobCard.css';

/**
 * How far something is that a person did, and in the end what became of it, in the words of the act. brief leaves out what did not go
 * through as it stands: a table beside it says so.
 */
export function JobCard({
  job,
  error,
  lost,
  title,
  act,
  brief,
  children,
}: {
  job?: Job;
  error?: unknown;
  lost?: boolean;
  title: string;
  act?: Act;
  brief?: boolean;
  children?: ReactNode;
}) {
  const { t } = useTranslation();
  if (error instanceof Problem && error.status === 401) {
    return (
      <Note tone="warn" alert title={t('job.signInFirst')}>
        <p>{t('job.signInHelp')}</p>
        <Link to="/sign-in">{t('app.signIn')}</Link>
      </Note>
    );
  }
  if (error) return <Failure error={error} />;
  if (!job) return null;
  const verdicts = job.verdicts ?? [];
  const bad = verdicts.filter((v) => v.verdict === 'rejected' || v.verdict === 'refused');
  const flagged = verdicts.filter((v) => v.verdict === 'flagged');
  const settled = !job.running;
  const how = howOf(job, act);
  const tone = settled ? toneOf(how) : 'calm';
  const said = isTold(how);
  return (
    <div
      className={`note tone-${tone}`}
      role="status"
      data-testid="job"
      data-state={job.state}
      data-tone={tone}
      data-act={act}
      data-how={settled ? how : undefined}
    >
      <Icon name={settled ? tone : 'pending'} size={24} />
      <div className="body">
        <h2>
          {settled && act
            ? t(`outcome.${act}.${how}`, { defaultValue: t(`outcome.${act}.flag`) })
            : `${title}: ${
                !settled
                  ? t('job.working')
                  : tone === 'bad'
                    ? t('job.someRejected', { count: bad.length })
                    : tone === 'warn'
                      ? t('job.flagged', { count: flagged.length })
                      : t('job.done')
              }`}
        </h2>
        <ol className="stages">
          {states.map((s) => {
            const there = rank(job.state) >= rank(s);
            return (
              <li key={s} data-there={there} title={t(`job.means.${s}`)}>
                <Icon name={there ? 'good' : 'dot'} size={16} />
                {t(`job.${s}`)}
              </li>
            );
          })}
        </ol>
        <Took key={job.captureID} job={job} />
        {lost && <p>{t('job.lost')}</p>}
        {settled && said && <p>{t(`outcomeHelp.${how}`)}</p>}
        {(brief || said ? [] : [...bad, ...flagged].slice(0, 20)).map((v, i) => (
          <Outcome key={i} v={v} alone={act !== undefined && verdicts.length === 1} />
        ))}
        {(job.notes ?? []).map((n) => (
          <p key={n} lang="en" data-testid="job-note">
            <Status tone="warn">{n}</Status>
          </p>
        ))}
        {settled && <Blocks job={job} />}
        {children}
      </div>
    </div>
  );
}

/** How long it takes, by this clock, and how long it took, by the service's. */
function Took({ job }: { job: Job }) {
  const { t, i18n } = useTranslation();
  const [since] = useState(() => Date.now());
  const seconds = (ms: number) =>
    new Intl.NumberFormat(i18n.language, { maximumFractionDigits: ms < 10_000 ? 1 : 0 }).format(Math.max(0, ms) / 1000);
  if (job.finishedAt) {
    return (
      <p className="quiet">{t('job.took', { seconds: seconds(Math.max(100, Date.parse(job.finishedAt) - Date.parse(job.createdAt))) })}</p>
    );
  }
  return <Since since={since} seconds={seconds} />;
}

function Since({ since, seconds }: { since: number; seconds: (ms: number) => string }) {
  const { t } = useTranslation();
  const now = useNow(500);
  return (
    <p className="quiet" aria-hidden="true">
      {t('job.since', { seconds: seconds(now - since) })}
    </p>
  );
}

/** One event or registration that did not go through as it stands. alone: there is no other that it could be taken for. */
export function Outcome({ v, alone }: { v: Verdict; alone?: boolean }) {
  const { t } = useTranslation();
  const codes = (v.findings ?? []).length > 0 ? v.findings! : v.code ? [{ code: v.code, detail: v.detail, count: 1 }] : [];
  return (
    <div className="outcome">
      {!alone && (
        <Status tone={v.verdict === 'flagged' ? 'warn' : 'bad'}>
          {v.index !== undefined ? t('job.item', { index: v.index }) : v.subject || v.kind}
        </Status>
      )}
      {codes.map((f) => (
        <p key={f.code}>
          {t(`finding.${f.code}`, { defaultValue: '' })} <span className="mono quiet">{f.code}</span>
          <br />
          <span lang="en" className="quiet">
            <Positions text={f.detail ?? ''} />
          </span>
        </p>
      ))}
    </div>
  );
}

function Blocks({ job }: { job: Job }) {
  const { t } = useTranslation();
  const heights = [...new Set((job.parts ?? []).map((p) => p.height).filter((h): h is string => h !== undefined))];
  if (heights.length === 0) return null;
  return (
    <p className="pair">
      {heights.slice(0, 10).map((h) => (
        <Link key={h} to={path('block', h)}>
          {t('job.block', { height: h })}
        </Link>
      ))}
    </p>
  );
}

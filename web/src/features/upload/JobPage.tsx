import { Button, Checkbox, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { JobCard } from '../../components/JobCard';
import { Note, Status, type Tone } from '../../components/Status';
import { useFollow } from '../../lib/api/job';
import { capture, type Job, type Verdict } from '../../lib/api/client';
import { path } from '../../lib/router/address';
import { Link, useNavigation } from '../../lib/router/router';
import { at } from '../../lib/time';
import { Excerpt } from './Excerpt';
import { linesOf } from './excerpt';
import { sentAs } from './sent';

const tones: Record<Verdict['verdict'], Tone> = { accepted: 'good', flagged: 'warn', duplicate: 'calm', rejected: 'bad', refused: 'bad' };

/** What became of a document or command, event by event. */
export function JobPage({ id }: { id: string }) {
  const { t, i18n } = useTranslation();
  const first = useQuery({ queryKey: ['job', id], queryFn: () => capture.job(id) });
  const followed = useFollow(first.data);
  const job = followed.data ?? first.data;
  const sent = sentAs(id);
  return (
    <div className="stack-18">
      <div>
        <p style={{ margin: 0 }}>
          <Link to="/capture">{t('upload.back')}</Link>
        </p>
        <h1>{sent?.name ?? (job ? t(`upload.kind.${job.kind}`, { defaultValue: job.kind }) : t('upload.document'))}</h1>
        <p className="quiet" style={{ margin: 0 }}>
          {job && `${at(job.createdAt, i18n.language)} · `}
          <span className="mono">{id}</span>
        </p>
      </div>
      {first.isPending && <Skeleton height={240} radius="lg" />}
      {first.isError && <Failure error={first.error} retry={() => void first.refetch()} />}
      {job && <Whole job={job} lost={followed.isError} />}
    </div>
  );
}

function Whole({ job, lost }: { job: Job; lost: boolean }) {
  const { t } = useTranslation();
  const sent = sentAs(job.captureID);
  const [lines, setLines] = useState(sent?.lines);
  const errors = (job.errors ?? []).filter((e) => e.line !== undefined); // the others are in the table, with what they mean
  return (
    <>
      <JobCard title={t(job.kind === 'document' ? 'upload.document' : 'upload.command')} job={job} lost={lost} brief />
      {(sent?.notes ?? []).length > 0 && (
        <Note tone="warn" title={t('upload.notes')}>
          <ul lang="en">
            {sent!.notes.map((n) => (
              <li key={n}>{n}</li>
            ))}
          </ul>
        </Note>
      )}
      {errors.length > 0 && (
        <section className="card" aria-labelledby="errors">
          <h2 id="errors">{t('upload.errors', { count: errors.length })}</h2>
          {errors.slice(0, 50).map((e, i) => (
            <div key={i} className="outcome">
              <p>
                <strong>{t('upload.where', { line: e.line, column: e.column ?? 1 })}</strong>{' '}
                {e.event !== undefined && t('job.item', { index: e.event })} <span className="mono quiet">{e.code}</span>
                <br />
                <span lang="en">{e.detail}</span>
              </p>
              {lines && <Excerpt lines={lines} line={e.line!} column={e.column} />}
            </div>
          ))}
          {errors.length > 50 && <p>{t('upload.moreErrors', { count: errors.length - 50 })}</p>}
          {!lines && (
            <label className="drop">
              <input
                type="file"
                accept=".xml,.json,.jsonld,application/xml,text/xml,application/json,application/ld+json"
                onChange={(e) => void e.currentTarget.files?.[0]?.text().then((text) => setLines(linesOf(text)))}
              />
              <strong>{t('upload.again')}</strong>
              <span className="quiet">{t('upload.againHelp')}</span>
            </label>
          )}
        </section>
      )}
      {(job.warnings ?? []).length > 0 && (
        <Note tone="warn" title={t('upload.warnings', { count: job.warnings!.length })}>
          <ul lang="en">
            {job.warnings!.slice(0, 20).map((w, i) => (
              <li key={i}>
                {w.line ? `${t('upload.where', { line: w.line, column: w.column ?? 1 })}: ` : ''}
                {w.message}
              </li>
            ))}
          </ul>
        </Note>
      )}
      {(job.notes ?? []).map((n) => (
        <p key={n} className="quiet" lang="en" style={{ margin: 0 }}>
          {n}
        </p>
      ))}
      {(job.verdicts ?? []).length > 0 && <Verdicts all={job.verdicts ?? []} />}
    </>
  );
}

/** A document may hold twenty thousand events: a browser is given some of them at a time. */
const page = 200;

function Verdicts({ all }: { all: Verdict[] }) {
  const { t } = useTranslation();
  const { route, go } = useNavigation();
  const only = route.query.get('only') === 'bad';
  const [shown, setShown] = useState(page);
  const bad = all.filter((v) => v.verdict !== 'accepted');
  const list = only ? bad : all;
  return (
    <section className="card" aria-labelledby="verdicts">
      <div className="step-head">
        <h2 id="verdicts">{t('job.verdicts', { count: all.length })}</h2>
        {bad.length > 0 && (bad.length < all.length || only) && (
          <Checkbox
            label={t('upload.onlyBad', { count: bad.length })}
            checked={only}
            onChange={(e) => {
              setShown(page);
              go(`/${route.page}/${route.rest}${e.currentTarget.checked ? '?only=bad' : ''}`, { replace: true });
            }}
          />
        )}
      </div>
      <div className="scroll">
        <table className="data stack" data-testid="verdicts">
          <thead>
            <tr>
              <th scope="col">{t('upload.event')}</th>
              <th scope="col">{t('upload.type')}</th>
              <th scope="col">{t('upload.step')}</th>
              <th scope="col">{t('upload.verdict')}</th>
              <th scope="col">{t('upload.why')}</th>
            </tr>
          </thead>
          <tbody>
            {list.slice(0, shown).map((v, i) => (
              <Row key={i} v={v} />
            ))}
          </tbody>
        </table>
      </div>
      {list.length > shown && (
        <div className="actions" style={{ marginTop: 12 }}>
          <Button variant="default" onClick={() => setShown(shown + page)}>
            {t('upload.more', { count: Math.min(page, list.length - shown) })}
          </Button>
          <span className="quiet">{t('upload.shown', { shown, count: list.length })}</span>
        </div>
      )}
    </section>
  );
}

function Row({ v }: { v: Verdict }) {
  const { t, i18n } = useTranslation();
  const codes = new Map((v.code ? [[v.code, v.detail ?? '']] : []) as [string, string][]);
  for (const f of v.findings ?? []) codes.set(f.code, f.detail ?? '');
  const step = v.bizStep && t(`step.${v.bizStep}`, { defaultValue: v.bizStep });
  return (
    <tr data-verdict={v.verdict}>
      <td data-label={t('upload.event')}>{v.index ?? '–'}</td>
      <td data-label={t('upload.type')}>{v.type || t(`block.kind.${v.kind}`, { defaultValue: v.kind })}</td>
      <td data-label={t('upload.step')}>{step || v.subject || '–'}</td>
      <td data-label={t('upload.verdict')}>
        <Status tone={tones[v.verdict]}>{t(`upload.is.${v.verdict}`)}</Status>
        {v.position && (
          <div className="quiet">
            <Link to={path('block', String(v.position.height))}>{t('job.block', { height: String(v.position.height) })}</Link>
          </div>
        )}
      </td>
      <td data-label={t('upload.why')}>
        {codes.size === 0 && '–'}
        {[...codes].map(([code, detail]) => (
          <div key={code}>
            {/* The service says in English what it means and what to do. */}
            {(i18n.language === 'en' && detail) || t(`finding.${code}`, { defaultValue: '' }) || <span lang="en">{detail}</span>}{' '}
            <span className="mono quiet">{code}</span>
          </div>
        ))}
      </td>
    </tr>
  );
}

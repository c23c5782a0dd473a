import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { JobCard } from '../../components/JobCard';
import { Note } from '../../components/Status';
import { capture, type Job } from '../../lib/api/client';
import { useFollow } from '../../lib/api/job';
import { Link } from '../../lib/router/router';
import { at } from '../../lib/time';
import { Excerpt } from './Excerpt';
import { linesOf } from './excerpt';
import { sentAs } from './sent';
import { Verdicts } from './Verdicts';

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
      {(job.verdicts ?? []).length > 0 && <Verdicts all={job.verdicts ?? []} />}
    </>
  );
}

import { Button, Checkbox, Radio, Skeleton, Stack } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type DragEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { capture, onboard, Problem, type Job, type Verdict } from '../../api/client';
import type { PageProps } from '../../app/pages';
import { Link, path, useNavigation } from '../../app/router';
import { useSetting } from '../../app/setting';
import { Failure } from '../../components/Failure';
import { JobCard } from '../../components/JobCard';
import { Note, Status } from '../../components/Status';
import { SignInFirst, useMay } from '../../components/useAct';
import { newKey, useFollow } from '../../components/useJob';
import { at } from '../../lib/time';
import { excerpt } from './excerpt';

export default function CapturePage({ pieces }: PageProps) {
  return pieces[0] ? <OneJob key={pieces[0]} id={pieces[0]} /> : <Send />;
}

// What was sent last from this page: its lines explain the errors. It stays in this browser.
let sent: { id: string; text: string; name: string } | undefined;

function Send() {
  const { t } = useTranslation();
  const { go } = useNavigation();
  const { may } = useMay();
  const development = useSetting().data?.development ?? false;
  const [file, setFile] = useState<File>();
  const [over, setOver] = useState(false);
  const [onError, setOnError] = useState<'rollback' | 'proceed'>('rollback');
  const [register, setRegister] = useState(false);
  const [notes, setNotes] = useState<string[]>([]);
  const [text, setText] = useState('');
  const send = useMutation({
    mutationFn: async (f: File) => {
      const read = await f.text();
      setText(read);
      if (register) setNotes((await onboard(f)).notes ?? []);
      const job = await capture.document(f, onError, newKey());
      sent = { id: job.captureID, text: read, name: f.name };
      return job;
    },
    onSuccess: (job) => go(path('capture', job.captureID)),
  });
  const choose = (list: FileList | null) => {
    send.reset();
    setFile(list?.[0]);
  };
  const drop = (e: DragEvent) => {
    e.preventDefault();
    setOver(false);
    choose(e.dataTransfer.files);
  };
  return (
    <div className="stack-18">
      <h1>{t('upload.title')}</h1>
      <section className="card stack-18">
        <div
          className="drop"
          data-over={over}
          onDragOver={(e) => {
            e.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
        >
          <label>
            <strong>{t('upload.choose')}</strong>
            <input
              type="file"
              accept=".xml,application/xml,text/xml"
              onChange={(e) => choose(e.currentTarget.files)}
              data-testid="document"
            />
          </label>
          <p className="quiet" style={{ margin: 0 }}>
            {file ? t('upload.chosen', { name: file.name, size: (file.size / 1024).toFixed(1) }) : t('upload.drop')}
          </p>
        </div>
        <Radio.Group label={t('upload.onError')} value={onError} onChange={(v) => setOnError(v as 'rollback')}>
          <Stack gap="xs" mt="xs">
            <Radio value="rollback" label={t('upload.rollback')} />
            <Radio value="proceed" label={t('upload.proceed')} />
          </Stack>
        </Radio.Group>
        {development && <Checkbox label={t('upload.register')} checked={register} onChange={(e) => setRegister(e.currentTarget.checked)} />}
        {may ? (
          <div>
            <Button size="md" disabled={!file} loading={send.isPending} onClick={() => send.mutate(file!)} data-testid="send">
              {t('upload.send')}
            </Button>
          </div>
        ) : (
          <SignInFirst />
        )}
        {notes.length > 0 && (
          <Note tone="warn" level={3} title={t('upload.notes')}>
            <ul lang="en">
              {notes.map((n) => (
                <li key={n}>{n}</li>
              ))}
            </ul>
          </Note>
        )}
        {send.error && (
          <div data-testid="refused">
            <Failure error={send.error}>
              {send.error instanceof Problem &&
                send.error.errors.slice(0, 30).map((f, i) => (
                  <div key={i} className="outcome">
                    <p>
                      {f.line ? t('upload.where', { line: f.line, column: f.column ?? 1 }) : f.pointer}{' '}
                      <span className="mono quiet">{f.code}</span>
                      <br />
                      <span lang="en">{f.message}</span>
                    </p>
                    {f.line && <Excerpt text={text} line={f.line} column={f.column} />}
                  </div>
                ))}
            </Failure>
          </div>
        )}
      </section>
      <Earlier />
    </div>
  );
}

function Excerpt({ text, line, column }: { text: string; line: number; column?: number }) {
  const x = excerpt(text, line, column);
  if (!x) return null;
  return (
    <pre className="excerpt">
      <span className="quiet">{line} </span>
      {x.before}
      <mark>{x.at || ' '}</mark>
      {x.after}
    </pre>
  );
}

function Earlier() {
  const { t, i18n } = useTranslation();
  const jobs = useQuery({ queryKey: ['jobs'], queryFn: () => capture.jobs(30) });
  if (jobs.isPending) return <Skeleton height={120} radius="lg" />;
  if (jobs.isError) return <Failure error={jobs.error} retry={() => void jobs.refetch()} />;
  if (jobs.data.length === 0) return null;
  return (
    <section className="card" aria-labelledby="earlier">
      <h2 id="earlier">{t('upload.earlier')}</h2>
      <ul className="rows">
        {jobs.data.map((j) => (
          <li key={j.captureID}>
            <Link to={path('capture', j.captureID)} className="row-link">
              <strong>{t(`upload.kind.${j.kind}`, { defaultValue: j.kind })}</strong>
              <span className="quiet">{at(j.createdAt, i18n.language)}</span>
              <span>{t('upload.events', { count: j.events })}</span>
              <Status tone={j.running ? 'calm' : j.success ? 'good' : 'bad'} icon={j.running ? 'pending' : undefined}>
                {j.running ? t('job.working') : j.success ? t('job.done') : t('upload.notAll')}
              </Status>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function OneJob({ id }: { id: string }) {
  const { t, i18n } = useTranslation();
  const first = useQuery({ queryKey: ['job', id], queryFn: () => capture.job(id) });
  const job = useFollow(first.data).data ?? first.data;
  const [only, setOnly] = useState(false);
  const [shown, setShown] = useState(200);
  if (first.isPending) return <Skeleton height={240} radius="lg" />;
  if (first.isError) return <Failure error={first.error} retry={() => void first.refetch()} />;
  if (!job) return null;
  const verdicts = job.verdicts ?? [];
  const bad = verdicts.filter((v) => v.verdict !== 'accepted');
  const list = only ? bad : verdicts;
  const text = sent?.id === id ? sent.text : '';
  return (
    <div className="stack-18">
      <div>
        <p style={{ margin: 0 }}>
          <Link to="/capture">{t('upload.back')}</Link>
        </p>
        <h1>{sent?.id === id ? sent.name : t(`upload.kind.${job.kind}`, { defaultValue: job.kind })}</h1>
        <p className="quiet">
          {at(job.createdAt, i18n.language)} · <span className="mono">{job.captureID}</span>
        </p>
      </div>
      <JobCard title={t('upload.document')} job={job} />
      {(job.errors ?? []).length > 0 && (
        <section className="card" aria-labelledby="errors">
          <h2 id="errors">{t('upload.errors', { count: job.errors!.length })}</h2>
          {job.errors!.slice(0, 50).map((e, i) => (
            <div key={i} className="outcome">
              <p>
                {e.event !== undefined && `${t('job.item', { index: e.event })} · `}
                {e.line ? `${t('upload.where', { line: e.line, column: e.column ?? 1 })} · ` : ''}
                <span className="mono quiet">{e.code}</span>
                <br />
                <span lang="en">{e.detail}</span>
              </p>
              {e.line !== undefined && text !== '' && <Excerpt text={text} line={e.line} column={e.column} />}
            </div>
          ))}
        </section>
      )}
      {(job.warnings ?? []).length > 0 && (
        <Note tone="warn" title={t('upload.warnings', { count: job.warnings!.length })}>
          <ul lang="en">
            {job.warnings!.slice(0, 20).map((w, i) => (
              <li key={i}>{w.message}</li>
            ))}
          </ul>
        </Note>
      )}
      {verdicts.length > 0 && (
        <section className="card" aria-labelledby="verdicts">
          <div className="step-head">
            <h2 id="verdicts">{t('job.verdicts', { count: verdicts.length })}</h2>
            {bad.length > 0 && bad.length < verdicts.length && (
              <Checkbox
                label={t('upload.onlyBad', { count: bad.length })}
                checked={only}
                onChange={(e) => setOnly(e.currentTarget.checked)}
              />
            )}
          </div>
          <Verdicts list={list.slice(0, shown)} job={job} />
          {list.length > shown && (
            <Button variant="default" onClick={() => setShown(shown + 500)}>
              {t('upload.more', { count: list.length - shown })}
            </Button>
          )}
        </section>
      )}
    </div>
  );
}

function Verdicts({ list }: { list: Verdict[]; job: Job }) {
  const { t } = useTranslation();
  return (
    <table className="data stack" data-testid="verdicts">
      <thead>
        <tr>
          <th scope="col">{t('upload.event')}</th>
          <th scope="col">{t('upload.what')}</th>
          <th scope="col">{t('upload.verdict')}</th>
          <th scope="col">{t('upload.why')}</th>
        </tr>
      </thead>
      <tbody>
        {list.map((v, i) => (
          <tr key={i} data-verdict={v.verdict}>
            <td data-label={t('upload.event')}>{v.index ?? '–'}</td>
            <td data-label={t('upload.what')}>
              {[v.type, v.bizStep && t(`step.${v.bizStep}`, { defaultValue: v.bizStep }), v.subject].filter(Boolean).join(' · ') ||
                t(`block.kind.${v.kind}`, { defaultValue: v.kind })}
            </td>
            <td data-label={t('upload.verdict')}>
              <Status
                tone={v.verdict === 'accepted' ? 'good' : v.verdict === 'flagged' ? 'warn' : v.verdict === 'duplicate' ? 'calm' : 'bad'}
              >
                {t(`upload.is.${v.verdict}`)}
              </Status>
            </td>
            <td data-label={t('upload.why')}>
              {[...new Set([...(v.code ? [v.code] : []), ...(v.findings ?? []).map((f) => f.code)])].map((c) => (
                <div key={c}>
                  {t(`finding.${c}`, { defaultValue: '' })} <span className="mono quiet">{c}</span>
                </div>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

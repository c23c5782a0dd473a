import { Button, Skeleton } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Status } from '../../components/Status';
import { capture, type Job } from '../../lib/api/client';
import { path } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { at } from '../../lib/time';

export function EarlierJobs() {
  const { t } = useTranslation();
  const jobs = useInfiniteQuery({
    queryKey: ['jobs'],
    queryFn: ({ pageParam }) => capture.page(50, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
  });
  const list = jobs.data?.pages.flatMap((p) => p.jobs) ?? [];
  return (
    <section className="card" aria-labelledby="earlier">
      <h2 id="earlier">{t('upload.earlier')}</h2>
      {jobs.isPending && <Skeleton height={120} radius="lg" />}
      {jobs.isError && <Failure error={jobs.error} retry={() => void jobs.refetch()} />}
      {jobs.data && list.length === 0 && <p className="quiet">{t('upload.nothing')}</p>}
      <ul className="rows">
        {runs(list).map((run) =>
          run.length < 4 ? (
            run.map((j) => <Row key={j.captureID} job={j} />)
          ) : (
            <li key={run[0]!.captureID}>
              {/* A lot that is packed is a command for each case. */}
              <details>
                <summary>
                  {t('upload.run', { what: t(`upload.kind.${run[0]!.kind}`, { defaultValue: run[0]!.kind }), count: run.length })}
                </summary>
                <ul className="rows">
                  {run.map((j) => (
                    <Row key={j.captureID} job={j} />
                  ))}
                </ul>
              </details>
            </li>
          ),
        )}
      </ul>
      {jobs.hasNextPage && (
        <Button variant="default" loading={jobs.isFetchingNextPage} onClick={() => void jobs.fetchNextPage()}>
          {t('upload.older')}
        </Button>
      )}
    </section>
  );
}

function Row({ job: j }: { job: Job }) {
  const { t, i18n } = useTranslation();
  return (
    <li>
      <Link to={path('capture', j.captureID)} className="row-link">
        <strong>{t(`upload.kind.${j.kind}`, { defaultValue: j.kind })}</strong>
        <span className="quiet">{at(j.createdAt, i18n.language)}</span>
        {j.events > 0 && <span>{t('upload.events', { count: j.events })}</span>}
        <Status tone={j.running ? 'calm' : j.success ? 'good' : 'bad'} icon={j.running ? 'pending' : undefined}>
          {j.running ? t('job.working') : j.success ? t('job.done') : t('upload.notAll')}
        </Status>
      </Link>
    </li>
  );
}

/** runs puts together what follows on each other, is of one kind and went well. */
function runs(jobs: Job[]): Job[][] {
  const out: Job[][] = [];
  for (const j of jobs) {
    const last = out.at(-1);
    if (last && last[0]!.kind === j.kind && last[0]!.success && j.success && !j.running) last.push(j);
    else out.push([j]);
  }
  return out;
}

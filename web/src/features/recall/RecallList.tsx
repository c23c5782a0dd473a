import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { Note, Status } from '../../components/Status';
import { api } from '../../lib/api/client';
import { path } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { newestByNumber } from './newest';

export function RecallList() {
  const { t } = useTranslation();
  const recalls = useQuery({ queryKey: ['recalls'], queryFn: api.recalls, refetchInterval: 15_000 });
  const list = newestByNumber(recalls.data?.data.recalls ?? []);
  return (
    <div className="stack-18">
      <h1>{t('recall.title')}</h1>
      {recalls.isError && <Failure error={recalls.error} retry={() => void recalls.refetch()} />}
      {recalls.isPending && <Skeleton height={160} radius="lg" />}
      {recalls.data && list.length === 0 && <Note tone="calm" title={t('recall.none')} />}
      <ul className="rows">
        {list.map((r) => (
          <li key={r.recallNumber}>
            <Link to={path('recalls', r.recallNumber)} className="row-link">
              <strong className="mono">{r.recallNumber}</strong>
              <Status tone={r.status === 'open' ? 'bad' : 'calm'}>{t(`recall.status.${r.status}`)}</Status>
              <span>{t('recall.class', { classification: r.classification ?? '–' })}</span>
              <span className="quiet" lang="en">
                {r.reason}
              </span>
              <span className="quiet">{r.initiatedOn}</span>
            </Link>
          </li>
        ))}
      </ul>
      {recalls.data && <Freshness rests={recalls.data.rests} refresh={() => void recalls.refetch()} />}
    </div>
  );
}

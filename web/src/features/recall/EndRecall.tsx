import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import { SignInFirst } from '../../components/SignInFirst';
import type { Schemas } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';

/** EndRecall ends what is open of a recall, part by part: the ledger has no other way. Who opened it may end it. */
export function EndRecall({ scope, by }: { scope: Schemas['RecallView'][]; by: string }) {
  const { t } = useTranslation();
  const { may, party } = useMay();
  const [sure, setSure] = useState(false);
  const end = useCommand('recall');
  const s = scope[0];
  const what = s && (s.lot ?? s.gtin ?? t('recall.singleUnits', { count: (s.units ?? []).length }));
  return (
    <>
      {s && by === party && !may && <SignInFirst />}
      {s && by === party && may && (
        <div className="stack-18">
          {scope.length > 1 && <p className="quiet">{t('recall.partsLeft', { count: scope.length })}</p>}
          {sure ? (
            <div className="actions" role="group" aria-label={t('recall.endSure', { what })}>
              <strong>{t('recall.endSure', { what })}</strong>
              <Button
                color="red.9"
                data-testid="end-recall"
                loading={end.busy}
                onClick={() => {
                  setSure(false);
                  end.send({
                    recallNumber: s.recallNumber,
                    ...(s.gtin ? { gtin: s.gtin } : {}),
                    ...(s.lot ? { lot: s.lot } : {}),
                    ...((s.units ?? []).length > 0 ? { units: s.units! } : {}),
                    classification: s.classification as 'I',
                    depth: s.depth as 'retail',
                    reason: s.reason,
                    initiatedOn: s.initiatedOn,
                    status: 'ended',
                  });
                }}
              >
                {t('recall.endNow')}
              </Button>
              <Button variant="default" onClick={() => setSure(false)}>
                {t('recall.keep')}
              </Button>
            </div>
          ) : (
            <div>
              <Button variant="default" loading={end.busy} onClick={() => setSure(true)}>
                {t('recall.end')}
              </Button>
            </div>
          )}
        </div>
      )}
      <JobCard title={t('recall.end')} job={end.job} error={end.error} lost={end.lost} />
    </>
  );
}

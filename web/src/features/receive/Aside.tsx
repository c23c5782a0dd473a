import { Button, NativeSelect } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import { useCommand } from '../../lib/api/job';
import { howOf } from '../../lib/outcome';

const reasons = ['damaged', 'suspect', 'expired', 'recalled'] as const;
type Reason = (typeof reasons)[number];

/**
 * Aside sets a thing aside: first the reason, then the act. With a reason given nothing is chosen. hear is told while it is asked for,
 * and when it is done.
 */
export function Aside({
  item,
  reason: given,
  disabled,
  hear,
}: {
  item: string;
  reason?: Reason;
  disabled?: boolean;
  hear?: (state: 'asking' | 'done' | undefined) => void;
}) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState<Reason>(given ?? 'damaged');
  const ask = (on: boolean) => {
    setAsking(on);
    hear?.(on ? 'asking' : undefined);
  };
  const quarantine = useCommand('quarantine', (job) => {
    if (!job.success && howOf(job, 'quarantine') !== 'used') return;
    setAsking(false);
    hear?.('done');
  });
  const done = quarantine.job?.state === 'indexed' && (quarantine.job.success || howOf(quarantine.job, 'quarantine') === 'used');
  return (
    <>
      {done ? null : asking ? (
        <>
          {!given && (
            <NativeSelect
              size="md"
              aria-label={t('receive.whyAside')}
              value={reason}
              data={reasons.map((r) => ({ value: r, label: t(`receive.cause.${r}`) }))}
              onChange={(e) => setReason(e.currentTarget.value as Reason)}
            />
          )}
          <Button size="md" loading={quarantine.busy} onClick={() => quarantine.send({ items: [item], reason })} data-testid="aside">
            {t('receive.asideNow')}
          </Button>
          <Button size="md" variant="default" disabled={quarantine.busy} onClick={() => ask(false)}>
            {t('receive.cancel')}
          </Button>
        </>
      ) : (
        <Button size="md" variant="default" disabled={disabled} onClick={() => ask(true)}>
          {t('receive.aside')}
        </Button>
      )}
      {(quarantine.job || quarantine.error) && (
        <div style={{ flex: '1 1 100%' }}>
          <JobCard title={t('receive.aside')} act="quarantine" job={quarantine.job} error={quarantine.error} lost={quarantine.lost} />
        </div>
      )}
    </>
  );
}

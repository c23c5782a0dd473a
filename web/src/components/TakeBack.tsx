import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Job } from '../lib/api/client';
import { useCommand } from '../lib/api/job';
import { useMay } from '../lib/api/setting';
import { howOf } from '../lib/outcome';
import { JobCard } from './JobCard';
import { SignInFirst } from './SignInFirst';
import './Ask.css';

/** focusOnce takes the focus when an element appears. */
const focusOnce = (e: HTMLElement | null) => e?.focus({ preventScroll: true });

/** undid reports whether a declaration took effect. The ledger records one that later events stand in the way of, and undoes nothing. */
const undid = (job: Job): boolean => job.success && howOf(job, 'takeBack') !== 'bad';

/**
 * TakeBack takes a mistaken dispensing back: first it says what that does, then it does it. event is its position on the ledger,
 * height/entry/item; undefined: there is nothing to take back, or not any more.
 */
export function TakeBack({ event, told }: { event?: string; told?: (job: Job) => void }) {
  const { t } = useTranslation();
  const { may } = useMay();
  const [asking, setAsking] = useState(false);
  const command = useCommand('take-back', (job) => {
    if (!undid(job)) return;
    setAsking(false);
    told?.(job);
  });
  const done = command.job?.state === 'indexed' && undid(command.job);
  const offered = event !== undefined && !done;
  if (!offered && !command.job && !command.error) return null;
  return (
    <div className="stack-18" data-testid="take-back-part">
      {offered &&
        (!may ? (
          <SignInFirst />
        ) : asking ? (
          <div
            className="ask stack-18"
            role="group"
            aria-label={t('takeBack.button')}
            tabIndex={-1}
            ref={focusOnce}
            onKeyDown={(e) => e.key === 'Escape' && setAsking(false)}
          >
            <strong>{t('takeBack.dispense')}</strong>
            <p style={{ margin: 0 }}>{t('takeBack.means')}</p>
            <p style={{ margin: 0 }}>{t('takeBack.only')}</p>
            <div className="actions">
              <Button
                size="md"
                loading={command.busy}
                onClick={() => command.send({ event, reason: 'did_not_occur' })}
                data-testid="take-back-now"
              >
                {t('takeBack.now')}
              </Button>
              <Button size="md" variant="default" disabled={command.busy} onClick={() => setAsking(false)}>
                {t('takeBack.no')}
              </Button>
            </div>
          </div>
        ) : (
          <div>
            <Button size="md" variant="default" disabled={command.busy} onClick={() => setAsking(true)} data-testid="take-back">
              {t('takeBack.button')}
            </Button>
          </div>
        ))}
      {(command.job || command.error) && (
        <JobCard title={t('takeBack.button')} act="takeBack" job={command.job} error={command.error} lost={command.lost}>
          {done && <p>{t('takeBack.good')}</p>}
        </JobCard>
      )}
    </div>
  );
}

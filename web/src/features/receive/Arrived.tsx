import { Button, NativeSelect } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import type { Schemas } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { printed } from '../../lib/printed';

const reasons = ['damaged', 'suspect', 'expired', 'recalled'] as const;
const listed = 50;

/** What was received a moment ago: now is when somebody sees that a case is crushed, and when it is opened. */
export function Arrived({ items }: { items: Schemas['ShippedItem'][] }) {
  const { t } = useTranslation();
  return (
    <section className="card stack-18" aria-labelledby="arrived">
      <h2 id="arrived" style={{ margin: 0 }}>
        {t('receive.arrived')}
      </h2>
      <ul className="rows" style={{ margin: 0 }}>
        {items.slice(0, listed).map((i) => (
          <Thing key={i.key} item={i} />
        ))}
      </ul>
      {items.length > listed && <p className="quiet">{t('receive.arrivedMore', { count: items.length - listed })}</p>}
    </section>
  );
}

function Thing({ item: i }: { item: Schemas['ShippedItem'] }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState<(typeof reasons)[number]>('damaged');
  const quarantine = useCommand('quarantine', (job) => job.success && setAsking(false));
  const unpack = useCommand('unpack');
  const name = i.digitalLink ?? i.key;
  const opened = unpack.job?.state === 'indexed' && unpack.job.success;
  const aside = quarantine.job?.state === 'indexed' && quarantine.job.success;
  return (
    <li className="product" data-arrived={i.key}>
      <span>
        <span className="mono">{printed(i.key)}</span>{' '}
        {i.contents ? <span className="quiet">{t('receive.holds', { count: i.contents })}</span> : null}
      </span>
      <div className="actions">
        {asking ? (
          <>
            <NativeSelect
              size="md"
              aria-label={t('receive.whyAside')}
              value={reason}
              data={reasons.map((r) => ({ value: r, label: t(`receive.cause.${r}`) }))}
              onChange={(e) => setReason(e.currentTarget.value as (typeof reasons)[number])}
            />
            <Button size="md" loading={quarantine.busy} onClick={() => quarantine.send({ items: [name], reason })} data-testid="aside">
              {t('receive.asideNow')}
            </Button>
            <Button size="md" variant="default" onClick={() => setAsking(false)}>
              {t('receive.cancel')}
            </Button>
          </>
        ) : (
          <>
            {(i.contents ?? 0) > 0 && !opened && (
              <Button size="md" variant="default" loading={unpack.busy} onClick={() => unpack.send({ parent: name })}>
                {t('receive.open')}
              </Button>
            )}
            {!aside && !opened && (
              <Button size="md" variant="default" disabled={unpack.busy} onClick={() => setAsking(true)}>
                {t('receive.aside')}
              </Button>
            )}
          </>
        )}
      </div>
      {(quarantine.job || quarantine.error) && (
        <JobCard title={t('receive.aside')} job={quarantine.job} error={quarantine.error} lost={quarantine.lost} />
      )}
      {(unpack.job || unpack.error) && <JobCard title={t('receive.open')} job={unpack.job} error={unpack.error} lost={unpack.lost} />}
    </li>
  );
}

import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import { Status } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { printed } from '../../lib/printed';
import { Aside } from './Aside';

const listed = 50;

/** What was received a moment ago: now is when somebody sees that a case is crushed, and when it is opened. */
export function Arrived({ items, quarantined }: { items: Schemas['ShippedItem'][]; quarantined: ReadonlySet<string> }) {
  const { t } = useTranslation();
  return (
    <section className="card stack-18" aria-labelledby="arrived">
      <h2 id="arrived" style={{ margin: 0 }}>
        {t('receive.arrived')}
      </h2>
      <ul className="rows" style={{ margin: 0 }}>
        {items.slice(0, listed).map((i) => (
          <Thing key={i.key} item={i} quarantined={quarantined.has(i.key)} />
        ))}
      </ul>
      {items.length > listed && <p className="quiet">{t('receive.arrivedMore', { count: items.length - listed })}</p>}
    </section>
  );
}

function Thing({ item: i, quarantined }: { item: Schemas['ShippedItem']; quarantined: boolean }) {
  const { t } = useTranslation();
  const [aside, setAside] = useState<'asking' | 'done'>();
  const unpack = useCommand('unpack');
  const name = i.digitalLink ?? i.key;
  const opened = unpack.job?.state === 'indexed' && unpack.job.success;
  return (
    <li className="product" data-arrived={i.key}>
      <span>
        <span className="mono">{printed(i.key)}</span>{' '}
        {i.contents ? <span className="quiet">{t('receive.holds', { count: i.contents })}</span> : null}
      </span>
      <div className="actions">
        {(i.contents ?? 0) > 0 && !opened && aside !== 'asking' && (
          <Button size="md" variant="default" loading={unpack.busy} onClick={() => unpack.send({ parent: name })}>
            {t('receive.open')}
          </Button>
        )}
        {quarantined ? (
          <Status tone="warn">{t('receive.quarantined')}</Status>
        ) : (
          !opened && <Aside item={name} disabled={unpack.busy} hear={setAside} />
        )}
      </div>
      {(unpack.job || unpack.error) && (
        <JobCard title={t('receive.open')} act="unpack" job={unpack.job} error={unpack.error} lost={unpack.lost} />
      )}
    </li>
  );
}

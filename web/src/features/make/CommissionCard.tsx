import { Button, NumberInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import { capture } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';

export function CommissionCard({
  gtin,
  lot,
  expiry,
  planned,
  made,
}: {
  gtin: string;
  lot: string;
  expiry: string;
  planned: number;
  made: number;
}) {
  const { t } = useTranslation();
  const { may } = useMay();
  const [typed, setCount] = useState<number | string>();
  // A commissioning that was on its way when the page was left is found again.
  const found = useQuery({ queryKey: ['running', gtin, lot], queryFn: capture.running, enabled: may, staleTime: Infinity, gcTime: 0 });
  const running = found.data?.find((j) => {
    const made = j.result as { gtin?: string; lot?: string } | undefined;
    return j.kind === 'commission' && made?.gtin === gtin && made.lot === lot;
  });
  const commission = useCommand('commission', () => setCount(undefined), running);
  const missing = Math.min(10_000, Math.max(0, planned - made));
  const count = typed ?? (planned > 0 ? missing || '' : 100);
  const n = typeof count === 'number' ? count : 0;
  return (
    <section className="card stack-18" aria-labelledby="commission">
      <h2 id="commission" style={{ margin: 0 }}>
        {t('make.commission')}
      </h2>
      <div className="actions">
        <NumberInput
          size="md"
          label={t('make.howMany')}
          description={t('make.serialsHelp')}
          value={count}
          onChange={setCount}
          min={1}
          max={100_000}
          allowDecimal={false}
          hideControls
        />
        <Button
          size="md"
          disabled={!may || n < 1 || expiry === ''}
          loading={commission.busy}
          onClick={() => commission.send({ gtin, lot, expiry, count: n })}
          data-testid="commission"
        >
          {t('make.commissionNow', { count: n })}
        </Button>
      </div>
      {planned > 0 && made + n >= planned && made > 0 && !commission.busy && (
        <p className="quiet" style={{ margin: 0 }}>
          {made + n > planned ? t('make.overPlan', { count: made + n - planned }) : n === 0 ? t('make.planReached') : ''}
        </p>
      )}
      <JobCard title={t('make.commission')} job={commission.job} error={commission.error} lost={commission.lost} />
    </section>
  );
}

import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { RecallForm } from '../../components/RecallForm';
import { Note } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { holdersOf } from './holders';

/** The recall that a maker opens. The question says who has the packages now. */
export function RecallCard({ lot: l }: { lot: Schemas['LotTotals'] }) {
  const { t, i18n } = useTranslation();
  const { may } = useMay();
  const holders = holdersOf(l.totals ?? []);
  const dispensed = (l.totals ?? []).filter((x) => x.state === 'dispensed').reduce((n, x) => n + x.units, 0);
  const units = new Intl.NumberFormat(i18n.language);
  return (
    <RecallForm
      lot={l}
      start={{ classification: 'II', depth: 'retail' }}
      back={t('make.recallBack')}
      ask={() => (
        <div>
          <Button type="submit" size="md" variant="default" disabled={!may} data-testid="recall-check">
            {t('make.recallCheck')}
          </Button>
        </div>
      )}
      question={(recall, buttons) => (
        <Note tone="bad" level={3} alert title={t('make.recallMeans', { count: l.commissioned, holders: holders.length })}>
          <p>{t('make.recallSeen')}</p>
          <ul>
            {holders.slice(0, 10).map((h) => (
              <li key={h.party}>
                {h.name}: {units.format(h.units)}
              </li>
            ))}
            {holders.length > 10 && <li>{t('make.recallOthers', { count: holders.length - 10 })}</li>}
            {dispensed > 0 && <li>{t('make.recallDispensed', { count: dispensed })}</li>}
          </ul>
          <p>
            {recall.recallNumber} · {t(`recallForm.classes.${recall.classification}`)} · {t(`recallForm.depths.${recall.depth}`)} ·{' '}
            {recall.reason}
          </p>
          {buttons}
        </Note>
      )}
    />
  );
}

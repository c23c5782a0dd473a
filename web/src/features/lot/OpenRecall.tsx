import { Button } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { RecallForm, type Recall } from '../../components/RecallForm';
import { SignInFirst } from '../../components/SignInFirst';
import type { Schemas } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { holdersOf } from './totals';

/** The recall that a regulator opens: the strictest, unless it is changed. */
export function OpenRecall({ lot: l }: { lot: Schemas['LotTotals'] }) {
  const { t } = useTranslation();
  const { may } = useMay();
  return (
    <RecallForm
      lot={l}
      start={{ classification: 'I', depth: 'consumer' }}
      intro={<p style={{ margin: 0 }}>{t('lot.recallMeans', { count: l.commissioned })}</p>}
      back={t('lot.back')}
      keepsForm
      ask={(proceed, complete) =>
        may ? (
          <div>
            <Button color="red.9" size="md" data-testid="recall-ask" disabled={!complete} onClick={proceed}>
              {t('lot.recallAsk')}
            </Button>
          </div>
        ) : (
          <SignInFirst />
        )
      }
      question={(recall, buttons) => <Question lot={l} recall={recall} buttons={buttons} />}
    />
  );
}

function Question({ lot: l, recall, buttons }: { lot: Schemas['LotTotals']; recall: Recall; buttons: ReactNode }) {
  const { t } = useTranslation();
  const question = useRef<HTMLDivElement>(null);
  useEffect(() => question.current?.focus(), []);
  const holders = holdersOf(l.totals ?? []).filter((h) => h.rows.some((r) => r.state === 'on_hand')).length;
  return (
    <div ref={question} className="question" role="alertdialog" aria-label={t('lot.recallSure')} tabIndex={-1}>
      <p>
        <strong>{t('lot.recallSure')}</strong>
      </p>
      <p>
        {recall.recallNumber} · {t(`recallForm.classes.${recall.classification}`)} · {t(`recallForm.depths.${recall.depth}`)} ·{' '}
        {t('lot.packages', { count: l.commissioned })} · {t('lot.holdersNow', { count: holders })}
      </p>
      <p>{recall.reason}</p>
      <p className="quiet">{t('lot.recallForever')}</p>
      {buttons}
    </div>
  );
}

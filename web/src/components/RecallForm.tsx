import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Body, Job, Schemas } from '../lib/api/client';
import { useCommand } from '../lib/api/job';
import { useMay } from '../lib/api/setting';
import { JobCard } from './JobCard';

const classes = ['I', 'II', 'III'] as const;
const depths = ['wholesale', 'retail', 'consumer'] as const;

/** A recall of a lot as it stands in the form. */
export type Recall = Required<Pick<Body<'recall'>, 'recallNumber' | 'classification' | 'depth' | 'reason'>>;

/**
 * RecallForm opens a recall of a lot: the fields, then a question, then the command. The page gives the first values, the button below
 * the fields and the question.
 */
export function RecallForm({
  lot: l,
  start,
  intro,
  ask,
  question,
  back,
  keepsForm = false,
  whenIndexed,
}: {
  lot: Schemas['LotTotals'];
  start: Pick<Recall, 'classification' | 'depth'>;
  intro?: ReactNode;
  /** What stands below the fields. proceed goes on to the question; complete reports that no field is empty. */
  ask: (proceed: () => void, complete: boolean) => ReactNode;
  /** What is asked before the recall is sent. buttons send it or go back. */
  question: (recall: Recall, buttons: ReactNode) => ReactNode;
  /** The word on the button that goes back to the fields. */
  back: string;
  /** The fields stay to be seen while the question is asked. */
  keepsForm?: boolean;
  whenIndexed: (job: Job, recall: Recall, close: () => void) => void;
}) {
  const { t } = useTranslation();
  const { may } = useMay();
  const [open, setOpen] = useState(false);
  const [sure, setSure] = useState(false);
  const [fields, setFields] = useState<Recall>({ recallNumber: '', reason: '', ...start });
  const given: Recall = { ...fields, recallNumber: fields.recallNumber.trim(), reason: fields.reason.trim() };
  const recall = useCommand('recall', (job) => whenIndexed(job, given, () => setSure(false)));
  const change = (part: Partial<Recall>) => setFields((f) => ({ ...f, ...part }));
  const complete = given.recallNumber !== '' && given.reason !== '';
  const proceed = () => complete && setSure(true);
  const asking = sure && may;
  const buttons = (
    <div className="actions">
      <Button
        color="red.9"
        size="md"
        loading={recall.busy}
        data-testid="recall"
        onClick={() => recall.send({ ...given, gtin: l.gtin, lot: l.lot })}
      >
        {t('recallForm.now')}
      </Button>
      <Button size="md" variant="default" disabled={recall.busy} onClick={() => setSure(false)}>
        {back}
      </Button>
    </div>
  );
  return (
    <section className="card stack-18" aria-labelledby="recall">
      <div className="step-head">
        <h2 id="recall" style={{ margin: 0 }}>
          {t('recallForm.title')}
        </h2>
        <Button variant="default" onClick={() => setOpen((o) => !o)} aria-expanded={open} data-testid="open-recall">
          {t('recallForm.open')}
        </Button>
      </div>
      {open && (!asking || keepsForm) && (
        <form
          className="stack-18"
          onSubmit={(e) => {
            e.preventDefault();
            proceed();
          }}
        >
          {intro}
          <div className="field-row">
            <TextInput
              label={t('recallForm.number')}
              value={fields.recallNumber}
              onChange={(e) => change({ recallNumber: e.currentTarget.value })}
              required
              maxLength={100}
            />
            <NativeSelect
              label={t('recallForm.class')}
              value={fields.classification}
              data={classes.map((c) => ({ value: c, label: t(`recallForm.classes.${c}`) }))}
              onChange={(e) => change({ classification: e.currentTarget.value as Recall['classification'] })}
            />
            <NativeSelect
              label={t('recallForm.depth')}
              value={fields.depth}
              data={depths.map((d) => ({ value: d, label: t(`recallForm.depths.${d}`) }))}
              onChange={(e) => change({ depth: e.currentTarget.value as Recall['depth'] })}
            />
          </div>
          <TextInput
            label={t('recallForm.reason')}
            value={fields.reason}
            onChange={(e) => change({ reason: e.currentTarget.value })}
            required
            maxLength={1000}
          />
          {!asking && ask(proceed, complete)}
        </form>
      )}
      {open && asking && question(given, buttons)}
      <JobCard title={t('recallForm.title')} job={recall.job} error={recall.error} lost={recall.lost} />
    </section>
  );
}

import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { api, Problem, type Body, type Schemas } from '../lib/api/client';
import { useCommand } from '../lib/api/job';
import { useMay } from '../lib/api/setting';
import { dismiss, lotPlace, say } from '../lib/done';
import { path } from '../lib/router/address';
import { JobCard } from './JobCard';
import { Note } from './Status';

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
}) {
  const { t } = useTranslation();
  const { may } = useMay();
  const [open, setOpen] = useState(false);
  const [sure, setSure] = useState(false);
  const [fields, setFields] = useState<Recall>({ recallNumber: '', reason: '', ...start });
  const given: Recall = { ...fields, recallNumber: fields.recallNumber.trim(), reason: fields.reason.trim() };
  const place = lotPlace(l, 'recall');
  const recall = useCommand('recall', (job) => {
    if (!job.success) return;
    say(place, {
      job,
      text: t('done.recalled', { number: given.recallNumber, lot: l.lot }),
      links: [
        { to: path('recalls', given.recallNumber), text: t('done.toRecall') },
        { to: path('lot', l.gtin, l.lot), text: t('done.toLot') },
      ],
    });
    setSure(false);
  });
  const change = (part: Partial<Recall>) => setFields((f) => ({ ...f, ...part }));
  // A recall number is the name of one recall: who uses it again adds to that one, and should know it.
  const lookup = useQuery({
    queryKey: ['recall-number', given.recallNumber],
    queryFn: () => namedSo(given.recallNumber),
    enabled: open && sure,
    retry: 1,
    gcTime: 0,
    staleTime: Infinity, // once it is sent the number is in use, by this recall
  });
  const [joins, setJoins] = useState('');
  const used = lookup.data?.found;
  const complete = given.recallNumber !== '' && given.reason !== '';
  const proceed = () => {
    if (!complete) return;
    dismiss(place);
    setSure(true);
  };
  const asking = sure && may;
  const settled = lookup.isSuccess || lookup.isError;
  const joining = used !== undefined && joins !== given.recallNumber;
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
      {open && asking && !settled && (
        <p className="quiet" role="status">
          {t('app.loading')}…
        </p>
      )}
      {open && asking && settled && joining && (
        <InUse recall={used} lot={l} join={() => setJoins(given.recallNumber)} back={() => setSure(false)} />
      )}
      {open && asking && settled && !joining && (
        <>
          {lookup.isError && <Note tone="warn" level={3} title={t('recallForm.notAsked')} />}
          {question(given, buttons)}
        </>
      )}
      {!(recall.job?.state === 'indexed' && recall.job.success) && (
        <JobCard title={t('recallForm.title')} act="recall" job={recall.job} error={recall.error} lost={recall.lost} />
      )}
    </section>
  );
}

/** namedSo finds the recall that has a number already. That there is none is an answer. */
async function namedSo(number: string): Promise<{ found?: Schemas['RecallDetail'] }> {
  try {
    return { found: (await api.recall(number)).data };
  } catch (e) {
    if (e instanceof Problem && e.status === 404) return {};
    throw e;
  }
}

/** The question whether a lot joins the recall that has its number already. */
function InUse({
  recall: r,
  lot: l,
  join,
  back,
}: {
  recall: Schemas['RecallDetail'];
  lot: Schemas['LotTotals'];
  join: () => void;
  back: () => void;
}) {
  const { t } = useTranslation();
  const name = (p?: Schemas['Product'], gtin?: string) => [p?.name, p?.strength].filter(Boolean).join(' ') || (gtin ?? '');
  const lots = r.lots ?? [];
  return (
    <div data-testid="in-use">
      <Note tone="warn" level={3} alert title={t(`recallForm.inUse.${r.status}`, { number: r.recallNumber })}>
        <ul>
          {lots.slice(0, 5).map((x) => (
            <li key={`${x.gtin} ${x.lot}`}>{t('recallForm.inUseFor', { product: name(x.product, x.gtin), lot: x.lot })}</li>
          ))}
          {lots.length > 5 && <li>{t('recallForm.inUseMore', { count: lots.length - 5 })}</li>}
        </ul>
        <p>
          {t('recallForm.inUseBy', { party: r.party.name ?? r.party.id, classification: r.classification ?? '–' })}{' '}
          <span lang="en">{r.reason}</span>
        </p>
        <p>
          <strong>{t('recallForm.joinAsk', { product: name(l.product, l.gtin), lot: l.lot, number: r.recallNumber })}</strong>
        </p>
        <div className="actions">
          <Button size="md" variant="default" onClick={back} data-testid="other-number">
            {t('recallForm.otherNumber')}
          </Button>
          <Button size="md" color="red.9" onClick={join} data-testid="join">
            {t('recallForm.join')}
          </Button>
        </div>
      </Note>
    </div>
  );
}

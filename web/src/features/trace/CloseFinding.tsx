import { Button, NativeSelect, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import '../../components/Ask.css';
import { SignInFirst } from '../../components/SignInFirst';
import { useCommand } from '../../lib/api/job';
import { useParties } from '../../lib/api/parties';
import { useMay } from '../../lib/api/setting';
import { mayClose, type Finding, type Thing } from './closing';

/** focusOnce takes the focus when an element appears. */
const focusOnce = (e: HTMLElement | null) => e?.focus({ preventScroll: true });

/** CloseFinding says who may close a finding, and lets whoever may do so close it: first the outcome, then the act. */
export function CloseFinding({ finding: f, thing }: { finding: Finding; thing: Thing }) {
  const { t } = useTranslation();
  const { may, party } = useMay();
  const parties = useParties().data ?? [];
  const [asking, setAsking] = useState(false);
  const outcomes = mayClose(f, thing, party, parties);
  const [chosen, setChosen] = useState('');
  const [note, setNote] = useState('');
  const resolve = useCommand('findings/resolve', (job) => job.success && setAsking(false));
  const outcome = outcomes.includes(chosen) ? chosen : (outcomes[0] ?? '');
  const { height, entry, item } = f.position;
  return (
    <div className="stack-18">
      <div className="quiet">
        {f.author && t('closing.raisedBy', { who: f.author.name ?? f.author.id })}{' '}
        {(f.closers ?? []).length > 0 && t('closing.mayClose', { who: f.closers!.map((c) => t(`closing.closer.${c}`)).join(', ') })}{' '}
        {outcomes.length > 0 && <strong>{t('closing.youMay')}</strong>}
      </div>
      {outcomes.length > 0 &&
        (!may ? (
          <SignInFirst />
        ) : asking ? (
          <div
            className="ask stack-18"
            role="group"
            aria-label={t('closing.close')}
            tabIndex={-1}
            ref={focusOnce}
            onKeyDown={(e) => e.key === 'Escape' && setAsking(false)}
          >
            <NativeSelect
              size="md"
              label={t('closing.outcome')}
              value={outcome}
              data={outcomes.map((o) => ({ value: o, label: t(`closing.outcomes.${o}`, { defaultValue: o }) }))}
              onChange={(e) => setChosen(e.currentTarget.value)}
            />
            <Textarea
              size="md"
              label={t('closing.note')}
              description={t('closing.noteHelp')}
              value={note}
              onChange={(e) => setNote(e.currentTarget.value)}
              maxLength={500}
              autosize
              minRows={2}
            />
            <p style={{ margin: 0 }}>{t('closing.closeMeans')}</p>
            <div className="actions">
              <Button
                size="md"
                loading={resolve.busy}
                onClick={() =>
                  resolve.send({
                    event: `${height}/${entry}/${item}`,
                    code: f.code,
                    outcome,
                    units: [f.via ?? thing.name],
                    ...(note.trim() ? { note: note.trim() } : {}),
                  })
                }
                data-testid="close-now"
              >
                {t('closing.closeNow')}
              </Button>
              <Button size="md" variant="default" disabled={resolve.busy} onClick={() => setAsking(false)}>
                {t('closing.cancel')}
              </Button>
            </div>
          </div>
        ) : (
          <div>
            <Button size="md" variant="default" disabled={resolve.busy} onClick={() => setAsking(true)} data-testid="close-finding">
              {t('closing.close')}
            </Button>
          </div>
        ))}
      {(resolve.job || resolve.error) && (
        <JobCard title={t('closing.close')} act="resolve" job={resolve.job} error={resolve.error} lost={resolve.lost} />
      )}
    </div>
  );
}

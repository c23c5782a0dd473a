import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import { PartySelect } from '../../components/PartySelect';
import { SignInFirst } from '../../components/SignInFirst';
import type { Job } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';
import type { Asked } from './ask';
import type { Act } from './past';
import { isAside, moving, sellerOf, type Kind } from './verdict';

const reasons = ['suspect', 'damaged', 'expired', 'recalled', 'stolen'] as const;
type Reason = (typeof reasons)[number];

/** focusOnce takes the focus when an element appears. */
const focusOnce = (e: HTMLElement | null) => e?.focus({ preventScroll: true });

/** What may be done with what was checked, by whoever holds it. Nothing is done by one press alone. */
export function Actions({
  asked,
  kind,
  sure,
  told,
  dispensed,
}: {
  asked: Asked & { what: 'unit' | 'box' };
  kind?: Kind;
  /** The answer above is one, and not the lack of one. */
  sure: boolean;
  told: (act: Act, job: Job) => void;
  dispensed: () => void;
}) {
  const { t } = useTranslation();
  const { may, party, service } = useMay();
  const [open, setOpen] = useState<Act>();
  const [last, setLast] = useState<Act>();
  const [partial, setPartial] = useState(false);
  const [reason, setReason] = useState<Reason>(kind === 'recalled' ? 'recalled' : 'suspect');
  const [to, setTo] = useState<string | null>();
  const [rma, setRMA] = useState('');
  const close = (job: Job) => job.success && setOpen(undefined);
  const commands = {
    dispense: useCommand('dispense', (job) => {
      close(job);
      if (job.success) dispensed();
    }),
    quarantine: useCommand('quarantine', close),
    return: useCommand('return', close),
    release: useCommand('release', close),
    unpack: useCommand('unpack', close),
  };
  const current = last && commands[last];
  const job = current?.job;
  useEffect(() => {
    if (last && job) told(last, job);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- one telling for each job; the list follows it itself
  }, [last, job?.captureID]);
  const { trace } = asked;
  const of = asked.what === 'unit' ? asked.check : asked.trace;
  const item = of.id.digitalLink ?? of.id.key;
  const items = [item];
  const ours = party !== '' && of.holder?.id === party && of.state === 'active' && !moving(trace);
  const busy = Object.values(commands).some((c) => c.busy);
  const seller = to === undefined ? sellerOf(trace?.steps ?? [], party) : to;
  const card = current && <JobCard title={t(`counter.act.${last}`)} job={current.job} error={current.error} lost={current.lost} />;
  if (!ours) {
    const genuine = asked.what === 'box' ? asked.trace.known : asked.check.verified;
    return card ?? (genuine && party !== '' ? <p className="quiet">{t('counter.notOurs')}</p> : null);
  }
  const offers: Act[] =
    asked.what === 'box'
      ? ['unpack', 'quarantine', ...(isAside(trace) ? (['release'] as const) : []), 'return']
      : [
          ...(service === 'pharmacy' ? (['dispense'] as const) : []),
          'quarantine',
          ...(isAside(trace) ? (['release'] as const) : []),
          'return',
        ];
  const barred = (act: Act) => !may || busy || !sure || (act === 'dispense' && kind !== 'dispense');
  const run: Record<Act, () => void> = {
    dispense: () => commands.dispense.send({ items, partial }),
    quarantine: () => commands.quarantine.send({ items, reason }),
    release: () => commands.release.send({ items }),
    unpack: () => commands.unpack.send({ parent: item }),
    return: () => seller && commands.return.send({ items, to: { party: seller }, returnAuthorization: rma.trim() }),
  };
  return (
    <section className="card stack-18" aria-labelledby="act">
      <h2 id="act" style={{ margin: 0 }}>
        {t('counter.acts')}
      </h2>
      {!may && <SignInFirst />}
      <div className="actions">
        {offers.map((o) => (
          <Button
            key={o}
            size="lg"
            variant={o === 'dispense' ? 'filled' : 'default'}
            disabled={barred(o)}
            aria-expanded={open === o}
            onClick={() => setOpen(open === o ? undefined : o)}
          >
            {t(`counter.act.${o}`)}
          </Button>
        ))}
      </div>
      {may && sure && service === 'pharmacy' && asked.what === 'unit' && kind !== 'dispense' && (
        <p className="quiet">{t('counter.notFit')}</p>
      )}
      {open && !barred(open) && (
        // It takes the focus, and not its button: an Enter that is held down must not confirm.
        <div
          key={open}
          className="sure stack-18"
          role="group"
          aria-label={t(`counter.act.${open}`)}
          tabIndex={-1}
          ref={focusOnce}
          onKeyDown={(e) => e.key === 'Escape' && setOpen(undefined)}
        >
          {open === 'dispense' && (
            <Checkbox size="lg" label={t('counter.partial')} checked={partial} onChange={(e) => setPartial(e.currentTarget.checked)} />
          )}
          {open === 'quarantine' && (
            <NativeSelect
              size="lg"
              label={t('counter.why')}
              value={reason}
              data={reasons.map((r) => ({ value: r, label: t(`counter.cause.${r}`) }))}
              onChange={(e) => setReason(e.currentTarget.value as Reason)}
            />
          )}
          {open === 'return' && (
            <div className="field-row">
              <PartySelect size="lg" label={t('counter.to')} value={seller} onChange={setTo} except={party} required />
              <TextInput
                size="lg"
                label={t('counter.rma')}
                description={t('counter.rmaHelp')}
                value={rma}
                onChange={(e) => setRMA(e.currentTarget.value)}
                required
              />
            </div>
          )}
          {(open === 'release' || open === 'unpack') && <p style={{ margin: 0 }}>{t(`counter.${open}Help`)}</p>}
          <div>
            <Button
              size="lg"
              disabled={open === 'return' && (!seller || rma.trim() === '')}
              onClick={() => {
                setLast(open);
                run[open]();
              }}
              data-testid="confirm"
            >
              {t(`counter.confirm.${open}`)}
            </Button>
          </div>
        </div>
      )}
      {card}
    </section>
  );
}

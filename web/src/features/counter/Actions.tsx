import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import { PartySelect } from '../../components/PartySelect';
import { SignInFirst } from '../../components/SignInFirst';
import type { Job } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';
import { howOf } from '../../lib/outcome';
import type { Asked } from './ask';
import type { Ended } from './ended';
import type { Act } from './past';
import { goneHere, inHand, isAside, moving, sellerOf, type Kind } from './verdict';

const reasons = ['suspect', 'damaged', 'expired', 'recalled', 'stolen'] as const;
type Reason = (typeof reasons)[number];
/** Offer is what a button stands for: part of a package is dispensed with that for all of it. */
type Offer = Exclude<Act, 'partial'>;

/** focusOnce takes the focus when an element appears. */
const focusOnce = (e: HTMLElement | null) => e?.focus({ preventScroll: true });

/** What may be done with what was checked, by whoever holds it. Nothing is done by one press alone. */
export function Actions({
  asked,
  kind,
  sure,
  told,
  over,
  ended,
}: {
  asked: Asked & { what: 'unit' | 'box' };
  kind?: Kind;
  /** The answer above is one, and not the lack of one. */
  sure: boolean;
  told: (act: Act, job: Job) => void;
  /** The answer above is what was done here, and not whether it may be dispensed. */
  over: boolean;
  /** What was done is the last word about the package here; undefined: it is not any more. */
  ended: (what: Ended | undefined) => void;
}) {
  const { t } = useTranslation();
  const { may, party, service } = useMay();
  const [open, setOpen] = useState<Offer>();
  const [last, setLast] = useState<Offer>();
  const [partial, setPartial] = useState(false);
  const [reason, setReason] = useState<Reason>(kind === 'recalled' ? 'recalled' : 'suspect');
  const [to, setTo] = useState<string | null>();
  const [rma, setRMA] = useState('');
  const close = (job: Job) => job.success && setOpen(undefined);
  const end = (act: Ended['act'], job: Job) => ended({ act, how: howOf(job, act) });
  const commands = {
    dispense: useCommand('dispense', (job) => {
      close(job);
      if (job.success) end(partial ? 'partial' : 'dispense', job);
    }),
    quarantine: useCommand('quarantine', (job) => {
      close(job);
      if (job.success || howOf(job, 'quarantine') === 'used') {
        setOpen(undefined);
        end('quarantine', job);
      }
    }),
    return: useCommand('return', (job) => {
      close(job);
      if (job.success) end('return', job);
    }),
    release: useCommand('release', (job) => {
      close(job);
      if (job.success) ended(undefined);
    }),
    unpack: useCommand('unpack', close),
  };
  const current = last && commands[last];
  const [wasPartial, setWasPartial] = useState(false);
  const act = last === 'dispense' && wasPartial ? 'partial' : last;
  const job = current?.job;
  useEffect(() => {
    if (last && job) told(act ?? last, job);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- one telling for each job; the list follows it itself
  }, [last, job?.captureID]);
  const { trace } = asked;
  const of = asked.check;
  const item = of.id.digitalLink ?? of.id.key;
  const items = [item];
  const ours = party !== '' && of.holder?.id === party && of.state === 'active' && !moving(trace);
  const busy = Object.values(commands).some((c) => c.busy);
  const seller = to === undefined ? sellerOf(trace?.steps ?? [], party) : to;
  const card = current && act && (
    <JobCard title={t(`counter.act.${act}`)} act={act} job={current.job} error={current.error} lost={current.lost} />
  );
  const aside = !ours && inHand(kind, party, trace) && !goneHere(trace, party);
  if (!ours && !aside) {
    const genuine = asked.what === 'box' ? of.state !== undefined : of.verified;
    return (
      card ?? (genuine && of.state === 'active' && party !== '' && kind !== 'case' ? <p className="quiet">{t('counter.notOurs')}</p> : null)
    );
  }
  if (aside && over) return card;
  const release = isAside(trace) ? (['release'] as const) : [];
  const offers: Offer[] = aside
    ? ['quarantine']
    : asked.what === 'box'
      ? ['unpack', 'quarantine', ...release, 'return']
      : [...(service === 'pharmacy' ? (['dispense'] as const) : []), 'quarantine', ...release, 'return'];
  const barred = (act: Offer) => !may || busy || !sure || (act === 'dispense' && kind !== 'dispense');
  const run: Record<Offer, () => void> = {
    dispense: () => commands.dispense.send({ items, partial }),
    quarantine: () => commands.quarantine.send({ items, reason: aside ? 'suspect' : reason }),
    release: () => commands.release.send({ items }),
    unpack: () => commands.unpack.send({ parent: item }),
    return: () => seller && commands.return.send({ items, to: { party: seller }, returnAuthorization: rma.trim() }),
  };
  return (
    <section className="card stack-18" aria-labelledby="act">
      <h2 id="act" style={{ margin: 0 }}>
        {t(aside ? 'counter.inHand' : 'counter.acts')}
      </h2>
      {aside && (
        <p style={{ margin: 0 }}>{t(`counter.inHandHelp.${!of.state ? 'unknown' : of.state === 'active' ? 'elsewhere' : 'gone'}`)}</p>
      )}
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
            {t(aside ? 'counter.confirm.quarantine' : `counter.act.${o}`)}
          </Button>
        ))}
      </div>
      {!aside && !over && may && sure && service === 'pharmacy' && asked.what === 'unit' && kind !== 'dispense' && (
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
          {open === 'quarantine' && !aside && (
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
          {open === 'quarantine' && aside && <p style={{ margin: 0 }}>{t('counter.inHandSure')}</p>}
          {(open === 'release' || open === 'unpack') && <p style={{ margin: 0 }}>{t(`counter.${open}Help`)}</p>}
          <div>
            <Button
              size="lg"
              disabled={open === 'return' && (!seller || rma.trim() === '')}
              onClick={() => {
                setLast(open);
                setWasPartial(partial);
                run[open]();
              }}
              data-testid="confirm"
            >
              {t(open === 'dispense' && partial ? 'counter.confirm.partial' : `counter.confirm.${open}`)}
            </Button>
          </div>
        </div>
      )}
      {card}
    </section>
  );
}

import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/client';
import { JobCard } from '../../components/JobCard';
import { PartySelect } from '../../components/PartySelect';
import { SignInFirst, useMay } from '../../components/useAct';
import { useCommand } from '../../components/useJob';
import { sellerOf, type Kind } from './verdict';

type Open = '' | 'dispense' | 'quarantine' | 'return' | 'release';
const reasons = ['suspect', 'damaged', 'expired', 'recalled', 'stolen'] as const;

/** What may be done with the package that was checked, by whoever holds it. */
export function Actions({ check, trace, kind }: { check: Schemas['Check']; trace?: Schemas['Trace']; kind: Kind }) {
  const { t } = useTranslation();
  const { may, party, service } = useMay();
  const [open, setOpen] = useState<Open>('');
  const [partial, setPartial] = useState(false);
  const [reason, setReason] = useState<(typeof reasons)[number]>(kind === 'recalled' ? 'recalled' : 'suspect');
  const [to, setTo] = useState<string | null>();
  const [rma, setRMA] = useState('');
  const dispense = useCommand('dispense');
  const quarantine = useCommand('quarantine');
  const giveBack = useCommand('return');
  const release = useCommand('release');
  const all = { dispense, quarantine, return: giveBack, release };
  const busy = Object.values(all).some((c) => c.busy);
  const ours = check.holder?.id === party && check.state === 'active' && trace?.phase !== 'in_transit';
  const items = [check.id.digitalLink ?? check.id.key];
  const seller = to === undefined ? sellerOf(trace?.steps ?? [], party) : to;
  const done = open !== '' && (all[open].job ?? all[open].error) ? open : undefined; // what was asked for last
  const card = done && <JobCard title={t(`counter.act.${done}`)} job={all[done].job} error={all[done].error} lost={all[done].lost} />;
  if (!check.verified && !ours) return card ?? null;
  if (!ours) return card ?? <p className="quiet">{t('counter.notOurs')}</p>;
  if (!may) return <SignInFirst />;
  const aside = (trace?.overlays ?? []).some((o) => ['quarantined', 'suspect', 'damaged', 'recalled'].includes(o));
  return (
    <section className="card stack-18" aria-labelledby="act">
      <h2 id="act" style={{ margin: 0 }}>
        {t('counter.acts')}
      </h2>
      <div className="actions">
        {service === 'pharmacy' && (
          <Button size="lg" disabled={!check.fit || busy} onClick={() => setOpen('dispense')}>
            {t('counter.act.dispense')}
          </Button>
        )}
        <Button size="lg" variant="default" disabled={busy} onClick={() => setOpen('quarantine')}>
          {t('counter.act.quarantine')}
        </Button>
        {aside && (
          <Button size="lg" variant="default" disabled={busy} onClick={() => setOpen('release')}>
            {t('counter.act.release')}
          </Button>
        )}
        <Button size="lg" variant="default" disabled={busy} onClick={() => setOpen('return')}>
          {t('counter.act.return')}
        </Button>
      </div>
      {service === 'pharmacy' && !check.fit && <p className="quiet">{t('counter.notFit')}</p>}
      {open === 'dispense' && (
        <div className="actions">
          <Checkbox size="md" label={t('counter.partial')} checked={partial} onChange={(e) => setPartial(e.currentTarget.checked)} />
          <Button size="lg" loading={dispense.busy} onClick={() => dispense.send({ items, partial })} data-testid="confirm">
            {t('counter.confirmDispense')}
          </Button>
        </div>
      )}
      {open === 'quarantine' && (
        <div className="actions">
          <NativeSelect
            size="lg"
            label={t('counter.why')}
            value={reason}
            data={reasons.map((r) => ({ value: r, label: t(`counter.cause.${r}`) }))}
            onChange={(e) => setReason(e.currentTarget.value as (typeof reasons)[number])}
          />
          <Button size="lg" loading={quarantine.busy} onClick={() => quarantine.send({ items, reason })} data-testid="confirm">
            {t('counter.confirmQuarantine')}
          </Button>
        </div>
      )}
      {open === 'release' && (
        <div className="actions">
          <p style={{ margin: 0 }}>{t('counter.releaseHelp')}</p>
          <Button size="lg" loading={release.busy} onClick={() => release.send({ items })} data-testid="confirm">
            {t('counter.confirmRelease')}
          </Button>
        </div>
      )}
      {open === 'return' && (
        <div className="stack-18">
          <div className="field-row">
            <PartySelect label={t('counter.to')} value={seller} onChange={setTo} except={party} required />
            <TextInput
              size="md"
              label={t('counter.rma')}
              description={t('counter.rmaHelp')}
              value={rma}
              onChange={(e) => setRMA(e.currentTarget.value)}
              required
            />
          </div>
          <div>
            <Button
              size="lg"
              loading={giveBack.busy}
              disabled={!seller || rma.trim() === ''}
              onClick={() => giveBack.send({ items, to: { party: seller! }, returnAuthorization: rma.trim() })}
              data-testid="confirm"
            >
              {t('counter.confirmReturn')}
            </Button>
          </div>
        </div>
      )}
      {card}
    </section>
  );
}

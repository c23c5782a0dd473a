import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { SignInFirst } from '../../components/SignInFirst';
import type { Body } from '../../lib/api/client';
import { useMay, useSetting } from '../../lib/api/setting';
import { badGTIN, gtinOf } from '../../lib/gs1/ndc';

export function ByHand({ send, busy }: { send: (b: Body<'products'>) => void; busy: boolean }) {
  const { t } = useTranslation();
  const { may } = useMay();
  const ours = useSetting().data?.partyName ?? '';
  const [p, setP] = useState({ ndc: '', gtin: '', name: '', strength: '', dosageForm: '', netContent: '', manufacturer: ours });
  const derived = gtinOf(p.ndc);
  const gtin = p.gtin.trim() || derived || '';
  const bad = gtin === '' ? undefined : badGTIN(gtin);
  const field = (name: keyof typeof p, more: { required?: boolean; help?: string; error?: string; placeholder?: string } = {}) => (
    <TextInput
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      label={t(`make.field.${name}`)}
      description={more.help}
      error={more.error}
      placeholder={more.placeholder}
      value={p[name]}
      onChange={(e) => setP({ ...p, [name]: e.currentTarget.value })}
      required={more.required ?? false}
      maxLength={200}
      autoComplete="off"
    />
  );
  return (
    <form
      className="card stack-18"
      aria-label={t('make.byHand')}
      onSubmit={(e) => {
        e.preventDefault();
        if (gtin === '' || bad) return;
        const given = Object.fromEntries(
          Object.entries(p)
            .map(([k, v]) => [k, v.trim()])
            .filter(([, v]) => v !== ''),
        );
        send({ ...given, gtin, name: p.name.trim(), ...(p.ndc.trim() ? { ndcFormat: 'US_FDA_NDC' } : {}) });
      }}
    >
      <div className="field-row" style={{ alignItems: 'start' }}>
        {field('ndc', { help: t('make.ndcHelp') })}
        {field('gtin', {
          required: derived === undefined,
          ...(derived ? { placeholder: derived, help: t('make.gtinDerived') } : {}),
          ...(bad ? { error: t(`make.gtinBad.${bad}`) } : {}),
        })}
        {field('name', { required: true })}
        {field('strength')}
        {field('dosageForm')}
        {field('netContent')}
        {field('manufacturer')}
      </div>
      {may ? (
        <div>
          <Button type="submit" loading={busy} disabled={gtin === '' || bad !== undefined || p.name.trim() === ''}>
            {t('make.register')}
          </Button>
        </div>
      ) : (
        <SignInFirst />
      )}
    </form>
  );
}

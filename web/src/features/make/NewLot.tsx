import { Button, NativeSelect, NumberInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { JobCard } from '../../components/JobCard';
import { SignInFirst } from '../../components/SignInFirst';
import { Note } from '../../components/Status';
import { api } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';
import { path } from '../../lib/router/address';
import { Link, useNavigation } from '../../lib/router/router';

const lotPattern = /^[A-Za-z0-9!"%&'()*+,\-./:;<=>?_]{1,20}$/;

export function NewLot() {
  const { t } = useTranslation();
  const { route, go } = useNavigation();
  const { party, may } = useMay();
  const products = useQuery({ queryKey: ['products', party], queryFn: () => api.products({ party, limit: 200 }), enabled: party !== '' });
  const list = products.data?.data.products ?? [];
  const [gtin, setGTIN] = useState(route.query.get('gtin') ?? '');
  const [lot, setLot] = useState('');
  const [expiry, setExpiry] = useState('');
  const [size, setSize] = useState<number | string>('');
  const chosen = gtin || list[0]?.gtin || '';
  const register = useCommand('lots', (job) => {
    if (job.success) go(path('lots', chosen, lot));
  });
  const bad = lot !== '' && !lotPattern.test(lot);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!bad) register.send({ gtin: chosen, lot, expiry, ...(typeof size === 'number' && size > 0 ? { size } : {}) });
  };
  return (
    <div className="stack-18" style={{ maxWidth: 640 }}>
      <h1>{t('make.newLot')}</h1>
      {products.isError && <Failure error={products.error} retry={() => void products.refetch()} />}
      {products.data && list.length === 0 && (
        <Note tone="calm" title={t('make.noProducts')}>
          <Link to="/products">{t('make.noLotsHelp')}</Link>
        </Note>
      )}
      <form className="card stack-18" onSubmit={submit}>
        <NativeSelect
          size="md"
          label={t('make.product')}
          value={chosen}
          data={list.map((p) => ({ value: p.gtin, label: `${p.name} ${p.strength ?? ''} · ${p.ndc ?? p.gtin}` }))}
          onChange={(e) => setGTIN(e.currentTarget.value)}
          required
        />
        <div className="field-row" style={{ alignItems: 'start' }}>
          <TextInput
            size="md"
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            label={t('make.lot')}
            description={t('make.lotHelp')}
            value={lot}
            onChange={(e) => setLot(e.currentTarget.value)}
            error={bad ? t('make.lotBad') : undefined}
            required
            autoComplete="off"
          />
          <TextInput
            size="md"
            type="date"
            label={t('make.expiry')}
            value={expiry}
            onChange={(e) => setExpiry(e.currentTarget.value)}
            required
          />
          <NumberInput size="md" label={t('make.size')} value={size} onChange={setSize} min={1} max={10_000_000} hideControls />
        </div>
        {may ? (
          <div>
            <Button type="submit" size="lg" loading={register.busy} disabled={chosen === '' || lot === '' || expiry === '' || bad}>
              {t('make.registerLot')}
            </Button>
          </div>
        ) : (
          <SignInFirst />
        )}
        <JobCard title={t('make.newLot')} job={register.job} error={register.error} lost={register.lost} />
      </form>
    </div>
  );
}

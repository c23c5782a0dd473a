import { Button, NativeSelect, NumberInput, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { JobCard } from '../../components/JobCard';
import { SignInFirst } from '../../components/SignInFirst';
import { Note, Status } from '../../components/Status';
import { useCommand } from '../../lib/api/job';
import { api } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { path } from '../../lib/router/address';
import type { PageProps } from '../../lib/router/page';
import { Link, useNavigation } from '../../lib/router/router';
import { Workbench } from './Workbench';

export default function LotsPage({ pieces }: PageProps) {
  if (pieces.length === 2) return <Workbench key={pieces.join('/')} gtin={pieces[0]!} lot={pieces[1]!} />;
  return pieces[0] === 'new' ? <NewLot /> : <List />;
}

function List() {
  const { t } = useTranslation();
  const { route, go } = useNavigation();
  const { party } = useMay();
  const q = route.query.get('q') ?? '';
  const gtin = route.query.get('gtin') ?? '';
  const [text, setText] = useState(q);
  const lots = useQuery({
    queryKey: ['lots', party, q, gtin],
    queryFn: () => api.lots({ party, limit: 100, ...(q ? { q } : {}), ...(gtin ? { gtin } : {}) }),
    enabled: party !== '',
  });
  const list = lots.data?.data.lots ?? [];
  return (
    <div className="stack-18">
      <div>
        <h1>{t('make.lots')}</h1>
        <form
          role="search"
          className="scan"
          onSubmit={(e) => {
            e.preventDefault();
            go(`/lots${text.trim() === '' ? '' : `?q=${encodeURIComponent(text.trim())}`}`);
          }}
        >
          <TextInput size="md" label={t('make.findLot')} value={text} onChange={(e) => setText(e.currentTarget.value)} autoComplete="off" />
          <Button type="submit" size="md">
            {t('make.search')}
          </Button>
          <Link to={`/lots/new${gtin ? `?gtin=${gtin}` : ''}`} className="signin">
            {t('make.newLot')}
          </Link>
        </form>
      </div>
      {lots.isError && <Failure error={lots.error} retry={() => void lots.refetch()} />}
      {lots.isPending && <Skeleton height={220} radius="lg" />}
      {lots.data && list.length === 0 && (
        <Note tone="calm" title={t('make.noLots')}>
          <p>
            <Link to="/products">{t('make.noLotsHelp')}</Link>
          </p>
        </Note>
      )}
      <ul className="rows">
        {list.map((l) => (
          <li key={`${l.gtin}/${l.lot}`}>
            <Link to={path('lots', l.gtin, l.lot)} className="row-link">
              <strong className="mono">{l.lot}</strong>
              <span>{[l.product?.name, l.product?.strength].filter(Boolean).join(' ')}</span>
              <span className="quiet">{l.expiry && t('make.expires', { date: l.expiry })}</span>
              {l.size ? <span className="quiet">{t('make.planned', { count: l.size })}</span> : null}
              {l.recalled && <Status tone="bad">{t('make.recalled')}</Status>}
            </Link>
          </li>
        ))}
      </ul>
      {lots.data?.data.next && <p className="quiet">{t('make.moreLots')}</p>}
    </div>
  );
}

const lotPattern = /^[A-Za-z0-9!"%&'()*+,\-./:;<=>?_]{1,20}$/;

function NewLot() {
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

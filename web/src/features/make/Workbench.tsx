import { Button, NativeSelect, TextInput, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { JobCard } from '../../components/JobCard';
import { SignInFirst } from '../../components/SignInFirst';
import { Note, Status } from '../../components/Status';
import { api, type Schemas } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';
import { path } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { CommissionCard } from './CommissionCard';
import { PackCard } from './PackCard';
import { ShipCard } from './ShipCard';

const LabelCard = lazy(() => import('./LabelCard'));

/** A lot at its maker's: what is made, packed and sent of it, and what to do next. */
export function Workbench({ gtin, lot }: { gtin: string; lot: string }) {
  const { t, i18n } = useTranslation();
  const { party, may } = useMay();
  const totals = useQuery({ queryKey: ['lot', gtin, lot], queryFn: () => api.lot(gtin, lot) });
  const boxes = useQuery({
    queryKey: ['containers', gtin, lot, party],
    queryFn: () => api.containers(gtin, lot, { holder: party, limit: 1000 }),
    enabled: party !== '',
  });
  if (totals.isPending) return <Skeleton height={300} radius="lg" />;
  if (totals.isError) return <Failure error={totals.error} retry={() => void totals.refetch()} />;
  const l = totals.data.data;
  const here = (l.totals ?? []).filter((x) => x.party === party && x.state === 'on_hand').reduce((n, x) => n + x.units, 0);
  const loose = boxes.data?.data.looseUnits ?? 0;
  const ready = (boxes.data?.data.containers ?? []).filter((c) => c.state === 'on_hand');
  const inBoxes = ready.reduce((n, c) => n + c.units, 0);
  const known = boxes.data !== undefined; // nothing is said of what is not known
  const facts: [string, number | undefined][] = [
    ['planned', l.registered?.size],
    ['commissioned', l.commissioned],
    ['here', here],
    ['loose', known ? loose : undefined],
    ['packed', known ? inBoxes : undefined],
    ['boxes', known ? ready.length : undefined],
    ['gone', l.commissioned - here],
  ];
  const number = new Intl.NumberFormat(i18n.language);
  return (
    <div className="stack-18">
      <div>
        <p style={{ margin: 0 }}>
          <Link to="/lots">{t('make.lots')}</Link>
        </p>
        <h1>
          {l.product?.name} {l.product?.strength} · <span className="mono">{lot}</span>
        </h1>
        <p className="quiet">
          {t('make.expires', { date: l.expiry ?? '–' })} · NDC <span className="mono">{l.product?.ndc ?? '–'}</span> · GTIN{' '}
          <span className="mono">{gtin}</span> · <Link to={path('lot', gtin, lot)}>{t('make.everywhere')}</Link>
        </p>
        {(l.recalls ?? []).map((r) => (
          <Status key={r.recallNumber} tone="bad">
            {t('make.recalledBy', { number: r.recallNumber })}
          </Status>
        ))}
        <Freshness rests={totals.data.rests} refresh={() => void totals.refetch()} />
      </div>
      <dl className="facts card">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{t(`make.fact.${name}`)}</dt>
            <dd className="big" data-fact={name}>
              {value === undefined ? '–' : number.format(value)}
            </dd>
          </div>
        ))}
      </dl>
      {boxes.isError && <Failure error={boxes.error} retry={() => void boxes.refetch()} />}
      {!may && <SignInFirst />}
      <CommissionCard gtin={gtin} lot={lot} expiry={l.expiry ?? ''} planned={l.registered?.size ?? 0} made={l.commissioned} />
      {known && l.commissioned > 0 && <PackCard gtin={gtin} lot={lot} loose={loose} boxes={ready} party={party} />}
      {ready.length > 0 && <ShipCard boxes={ready} party={party} />}
      {l.commissioned > 0 && (
        <Suspense fallback={<Skeleton height={200} radius="lg" />}>
          <LabelCard gtin={gtin} lot={lot} expiry={l.expiry ?? ''} product={l.product} />
        </Suspense>
      )}
      {(l.recalls ?? []).length === 0 && l.commissioned > 0 && <RecallCard lot={l} />}
    </div>
  );
}

/** holders are who has packages of a lot, most first; what was dispensed or destroyed is with nobody. */
function holdersOf(totals: Schemas['LotTotal'][]): { party: string; name: string; units: number }[] {
  const by = new Map<string, { party: string; name: string; units: number }>();
  for (const x of totals) {
    if (['dispensed', 'destroyed', 'decommissioned'].includes(x.state)) continue;
    const h = by.get(x.party) ?? { party: x.party, name: x.name ?? x.party, units: 0 };
    by.set(x.party, { ...h, units: h.units + x.units });
  }
  return [...by.values()].sort((a, b) => b.units - a.units);
}

function RecallCard({ lot: l }: { lot: Schemas['LotTotals'] }) {
  const { t, i18n } = useTranslation();
  const { may } = useMay();
  const [open, setOpen] = useState(false);
  const [sure, setSure] = useState(false);
  const [number, setNumber] = useState('');
  const [level, setLevel] = useState<'I' | 'II' | 'III'>('II');
  const [depth, setDepth] = useState<'wholesale' | 'retail' | 'consumer'>('retail');
  const [reason, setReason] = useState('');
  const recall = useCommand('recall', () => setSure(false));
  const holders = holdersOf(l.totals ?? []);
  const dispensed = (l.totals ?? []).filter((x) => x.state === 'dispensed').reduce((n, x) => n + x.units, 0);
  const units = new Intl.NumberFormat(i18n.language);
  return (
    <section className="card stack-18" aria-labelledby="recall">
      <div className="step-head">
        <h2 id="recall" style={{ margin: 0 }}>
          {t('make.recall')}
        </h2>
        <Button variant="default" onClick={() => setOpen((o) => !o)} aria-expanded={open}>
          {t('make.recallOpen')}
        </Button>
      </div>
      {open && !sure && (
        <form
          className="stack-18"
          onSubmit={(e) => {
            e.preventDefault();
            if (number.trim() !== '' && reason.trim() !== '') setSure(true);
          }}
        >
          <div className="field-row">
            <TextInput
              label={t('make.recallNumber')}
              value={number}
              onChange={(e) => setNumber(e.currentTarget.value)}
              required
              maxLength={100}
            />
            <NativeSelect
              label={t('make.recallClass')}
              value={level}
              data={(['I', 'II', 'III'] as const).map((c) => ({ value: c, label: t(`make.class.${c}`) }))}
              onChange={(e) => setLevel(e.currentTarget.value as 'I')}
            />
            <NativeSelect
              label={t('make.recallDepth')}
              value={depth}
              data={(['wholesale', 'retail', 'consumer'] as const).map((d) => ({ value: d, label: t(`make.depth.${d}`) }))}
              onChange={(e) => setDepth(e.currentTarget.value as 'retail')}
            />
          </div>
          <TextInput
            label={t('make.recallReason')}
            value={reason}
            onChange={(e) => setReason(e.currentTarget.value)}
            required
            maxLength={1000}
          />
          <div>
            <Button type="submit" size="md" variant="default" disabled={!may} data-testid="recall-check">
              {t('make.recallCheck')}
            </Button>
          </div>
        </form>
      )}
      {open && sure && (
        <Note tone="bad" level={3} alert title={t('make.recallMeans', { count: l.commissioned, holders: holders.length })}>
          <p>{t('make.recallSeen')}</p>
          <ul>
            {holders.slice(0, 10).map((h) => (
              <li key={h.party}>
                {h.name}: {units.format(h.units)}
              </li>
            ))}
            {holders.length > 10 && <li>{t('make.recallOthers', { count: holders.length - 10 })}</li>}
            {dispensed > 0 && <li>{t('make.recallDispensed', { count: dispensed })}</li>}
          </ul>
          <p>
            {number.trim()} · {t(`make.class.${level}`)} · {t(`make.depth.${depth}`)} · {reason.trim()}
          </p>
          <div className="actions">
            <Button
              color="red.9"
              size="md"
              loading={recall.busy}
              data-testid="recall"
              onClick={() =>
                recall.send({ recallNumber: number.trim(), gtin: l.gtin, lot: l.lot, classification: level, depth, reason: reason.trim() })
              }
            >
              {t('make.recallNow')}
            </Button>
            <Button size="md" variant="default" disabled={recall.busy} onClick={() => setSure(false)}>
              {t('make.recallBack')}
            </Button>
          </div>
        </Note>
      )}
      <JobCard title={t('make.recall')} job={recall.job} error={recall.error} lost={recall.lost} />
    </section>
  );
}

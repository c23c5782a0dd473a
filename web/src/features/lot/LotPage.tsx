import { Button, NativeSelect, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Bar } from '../../components/Bar';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { JobCard } from '../../components/JobCard';
import { SignInFirst } from '../../components/SignInFirst';
import { Note, type Tone } from '../../components/Status';
import { useCommand } from '../../lib/api/job';
import { api, type Schemas } from '../../lib/api/client';
import { useParties } from '../../lib/api/parties';
import { useMay } from '../../lib/api/setting';
import { path } from '../../lib/router/address';
import type { PageProps } from '../../lib/router/page';
import { Link, useNavigation } from '../../lib/router/router';
import { byState, holdersOf } from './totals';
import { UnitRows } from './UnitRows';
import { most, useUnits } from './useUnits';

export default function LotPage({ pieces }: PageProps) {
  const { t } = useTranslation();
  const [gtin = '', lot = ''] = pieces;
  const { service } = useMay();
  const query = useQuery({
    queryKey: ['lot', gtin, lot],
    queryFn: () => api.lot(gtin, lot),
    enabled: gtin !== '' && lot !== '',
    refetchInterval: 15_000,
  });
  if (gtin === '' || lot === '') return <Note tone="calm" title={t('lot.noLot')} />;
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton height={320} radius="lg" />;
  const l = query.data.data;
  return (
    <div className="stack-18">
      <div>
        <h1>
          {t('lot.title')} <span className="mono">{l.lot}</span>
        </h1>
        <p style={{ margin: 0 }}>
          {[l.product?.name, l.product?.strength, l.product?.dosageForm, l.product?.netContent].filter(Boolean).join(', ')}
        </p>
        <p className="quiet">
          {l.product?.ndc && `NDC ${l.product.ndc} · `}GTIN <span className="mono">{l.gtin}</span>
          {l.expiry && ` · ${t('lot.expires', { date: l.expiry })}`}
        </p>
        <Freshness rests={query.data.rests} refresh={() => void query.refetch()} />
      </div>
      {(l.recalls ?? []).map((r) => (
        <Note
          key={`${r.recallNumber}${r.party}`}
          tone="bad"
          title={t('lot.recalled', { number: r.recallNumber, classification: r.classification ?? '–' })}
        >
          <p>
            <span lang="en">{r.reason}</span> <Link to={path('recalls', r.recallNumber)}>{t('lot.effectiveness')}</Link>
          </p>
        </Note>
      ))}
      <Totals lot={l} />
      <Units lot={l} />
      {service === 'api' && (l.recalls ?? []).length === 0 && <OpenRecall lot={l} />}
    </div>
  );
}

const tones: Record<string, Tone | 'rest'> = {
  on_hand: 'rest',
  in_transit: 'calm',
  dispensed: 'good',
  destroyed: 'good',
  decommissioned: 'good',
};

/** Totals shows where the units are: in numbers, as a bar, and in a table by holder. The sum is the number commissioned. */
function Totals({ lot: l }: { lot: Schemas['LotTotals'] }) {
  const { t } = useTranslation();
  const parties = useParties();
  const rows = l.totals ?? [];
  const sum = rows.reduce((n, r) => n + r.units, 0);
  const most = Math.max(1, ...rows.map((r) => r.units));
  const states = byState(rows);
  const state = (s: string) => t(`lot.states.${s}`, { defaultValue: s });
  const address = (party: string) => {
    const p = parties.data?.find((x) => x.id === party)?.places?.[0];
    return p && [p.city, p.state, p.country].filter(Boolean).join(', ');
  };
  return (
    <section className="card stack-18" aria-labelledby="totals">
      <h2 id="totals" style={{ margin: 0 }}>
        {t('lot.where', { count: l.commissioned })}
      </h2>
      {rows.length === 0 ? (
        <p className="quiet">{t('lot.none')}</p>
      ) : (
        <>
          <Bar parts={states.map((s) => ({ key: s.state, units: s.units, tone: tones[s.state] ?? 'warn' }))} />
          <dl className="facts" data-testid="headline">
            {states.map((s) => (
              <div key={s.state}>
                <dt>{state(s.state)}</dt>
                <dd className="big">{s.units}</dd>
              </div>
            ))}
            {(l.registered?.size ?? 0) > 0 && (
              <div>
                <dt>{t('lot.announced')}</dt>
                <dd className="big">{l.registered!.size}</dd>
              </div>
            )}
          </dl>
          {sum !== l.commissioned && <Note tone="warn" level={3} title={t('lot.noSum', { sum, count: l.commissioned })} />}
          <table className="data stack" data-testid="totals">
            <thead>
              <tr>
                <th scope="col">{t('lot.holder')}</th>
                <th scope="col">{t('lot.state')}</th>
                <th scope="col" className="num">
                  {t('lot.units')}
                </th>
                <th scope="col" className="wide">
                  <span className="sr">{t('lot.share')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {holdersOf(rows).flatMap((h) =>
                h.rows.map((r, i) => (
                  <tr key={`${r.party} ${r.state}`}>
                    <td data-label={t('lot.holder')}>
                      <span>
                        {h.name || t('lot.nobody')}
                        {i === 0 && address(h.party) && (
                          <span className="quiet" style={{ display: 'block' }}>
                            {address(h.party)}
                          </span>
                        )}
                      </span>
                    </td>
                    <td data-label={t('lot.state')}>{state(r.state)}</td>
                    <td data-label={t('lot.units')} className="num" data-units={r.units}>
                      <Link to={unitsPath(l, r.party, r.state)}>
                        {r.units}
                        <span className="sr"> {t('lot.showThese')}</span>
                      </Link>
                    </td>
                    <td className="wide" style={{ width: '34%' }}>
                      <div className="share" style={{ width: `${(100 * r.units) / most}%` }} />
                    </td>
                  </tr>
                )),
              )}
            </tbody>
            <tfoot>
              <tr>
                <th scope="row" colSpan={2}>
                  {t('lot.sum')}
                </th>
                <td className="num">{sum}</td>
                <td className="wide" />
              </tr>
            </tfoot>
          </table>
          <p className="quiet" style={{ margin: 0 }}>
            {t('lot.address')}
          </p>
        </>
      )}
    </section>
  );
}

/** unitsPath is the address of some packages of a lot, by holder and state. */
const unitsPath = (l: { gtin: string; lot: string }, holder: string, state: string) => {
  const q = new URLSearchParams({ ...(holder ? { holder } : {}), ...(state ? { state } : {}) }).toString();
  return path('lot', l.gtin, l.lot) + (q ? `?${q}` : '');
};

function Units({ lot: l }: { lot: Schemas['LotTotals'] }) {
  const { t } = useTranslation();
  const { route, go } = useNavigation();
  const holder = route.query.get('holder') ?? '';
  const state = route.query.get('state') ?? '';
  const filtered = holder !== '' || state !== '';
  const [open, setOpen] = useState(filtered);
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(filtered);
  useEffect(() => {
    // A number in the table above leads here.
    if (filtered && !before.current) {
      setOpen(true);
      heading.current?.focus();
    }
    before.current = filtered;
  }, [filtered]);
  const units = useUnits(l.gtin, l.lot, holder, state, open);
  const rows = l.totals ?? [];
  const expected = rows.filter((r) => (!holder || r.party === holder) && (!state || r.state === state)).reduce((n, r) => n + r.units, 0);
  const names = new Map(useParties().data?.map((p) => [p.id, p.name]));
  const filter = { ...(holder ? { holder } : {}), ...(state ? { state } : {}) };
  const choose = (h: string, s: string) => go(unitsPath(l, h, s), { replace: true });
  const file = (format: string) =>
    `/v1/lots/${encodeURIComponent(l.gtin)}/${encodeURIComponent(l.lot)}/units?${new URLSearchParams({ ...filter, format }).toString()}`;
  return (
    <section className="card stack-18" aria-labelledby="units">
      <div className="step-head">
        <h2 id="units" ref={heading} tabIndex={-1} style={{ margin: 0 }}>
          {t('lot.list')}
        </h2>
        <div className="actions">
          <a href={file('csv')} download className="signin">
            {t('lot.csv')}
          </a>
          <a href={file('ndjson')} download={`lot-${l.lot}.ndjson`} className="signin">
            {t('lot.ndjson')}
          </a>
          <Button variant="default" onClick={() => setOpen((o) => !o)} aria-expanded={open}>
            {open ? t('lot.hide') : t('lot.show')}
          </Button>
        </div>
      </div>
      {open && (
        <>
          <div className="field-row">
            <NativeSelect
              label={t('lot.holder')}
              value={holder}
              onChange={(e) => choose(e.currentTarget.value, state)}
              data={[
                { value: '', label: t('lot.any') },
                ...[...new Map(rows.filter((r) => r.party).map((r) => [r.party, r.name || r.party]))].map(([value, label]) => ({
                  value,
                  label,
                })),
              ]}
            />
            <NativeSelect
              label={t('lot.state')}
              value={state}
              onChange={(e) => choose(holder, e.currentTarget.value)}
              data={[
                { value: '', label: t('lot.any') },
                ...[...new Set(rows.map((r) => r.state))].map((value) => ({
                  value,
                  label: t(`lot.states.${value}`, { defaultValue: value }),
                })),
              ]}
            />
          </div>
          <p className="quiet" role="status" style={{ margin: 0 }} data-testid="units-status" data-done={units.done}>
            {units.error
              ? t('lot.cutOff', { count: units.list.length })
              : units.done && units.list.length === 0
                ? t('lot.noUnits')
                : units.more
                  ? t('lot.more', { count: most })
                  : t(units.done ? 'lot.shown' : 'lot.coming', { count: units.list.length, of: expected })}
          </p>
          {units.error !== undefined && <Failure error={units.error} retry={units.again} />}
          {units.list.length > 0 && <UnitRows units={units.list} name={(p) => names.get(p) ?? p} label={t('lot.list')} />}
        </>
      )}
    </section>
  );
}

function OpenRecall({ lot: l }: { lot: Schemas['LotTotals'] }) {
  const { t } = useTranslation();
  const { may } = useMay();
  const { go } = useNavigation();
  const [open, setOpen] = useState(false);
  const [number, setNumber] = useState('');
  const [level, setLevel] = useState<'I' | 'II' | 'III'>('I');
  const [depth, setDepth] = useState<'wholesale' | 'retail' | 'consumer'>('consumer');
  const [reason, setReason] = useState('');
  const [sure, setSure] = useState(false);
  const question = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (sure) question.current?.focus();
  }, [sure]);
  const holders = holdersOf(l.totals ?? []).filter((h) => h.rows.some((r) => r.state === 'on_hand')).length;
  const recall = useCommand('recall', (job) => {
    if (job.success) go(path('recalls', number.trim()));
  });
  return (
    <section className="card stack-18" aria-labelledby="recall">
      <div className="step-head">
        <h2 id="recall" style={{ margin: 0 }}>
          {t('lot.recall')}
        </h2>
        <Button variant="default" onClick={() => setOpen((o) => !o)} aria-expanded={open} data-testid="open-recall">
          {t('lot.recallOpen')}
        </Button>
      </div>
      {open && (
        <>
          <p style={{ margin: 0 }}>{t('lot.recallMeans', { count: l.commissioned })}</p>
          <div className="field-row">
            <TextInput label={t('lot.number')} value={number} onChange={(e) => setNumber(e.currentTarget.value)} required />
            <NativeSelect
              label={t('lot.class')}
              value={level}
              data={(['I', 'II', 'III'] as const).map((c) => ({ value: c, label: t(`lot.classes.${c}`) }))}
              onChange={(e) => setLevel(e.currentTarget.value as 'I')}
            />
            <NativeSelect
              label={t('lot.depth')}
              value={depth}
              data={(['wholesale', 'retail', 'consumer'] as const).map((d) => ({ value: d, label: t(`lot.depths.${d}`) }))}
              onChange={(e) => setDepth(e.currentTarget.value as 'retail')}
            />
          </div>
          <TextInput label={t('lot.reason')} value={reason} onChange={(e) => setReason(e.currentTarget.value)} required />
          {may && sure ? (
            <div ref={question} className="question" role="alertdialog" aria-label={t('lot.recallSure')} tabIndex={-1}>
              <p>
                <strong>{t('lot.recallSure')}</strong>
              </p>
              <p>
                {number.trim()} · {t(`lot.classes.${level}`)} · {t(`lot.depths.${depth}`)} · {t('lot.packages', { count: l.commissioned })}{' '}
                · {t('lot.holdersNow', { count: holders })}
              </p>
              <p>{reason.trim()}</p>
              <p className="quiet">{t('lot.recallForever')}</p>
              <div className="actions">
                <Button
                  color="red.9"
                  size="md"
                  loading={recall.busy}
                  data-testid="recall"
                  onClick={() =>
                    recall.send({
                      recallNumber: number.trim(),
                      gtin: l.gtin,
                      lot: l.lot,
                      classification: level,
                      depth,
                      reason: reason.trim(),
                    })
                  }
                >
                  {t('lot.recallNow')}
                </Button>
                <Button variant="default" size="md" disabled={recall.busy} onClick={() => setSure(false)}>
                  {t('lot.back')}
                </Button>
              </div>
            </div>
          ) : may ? (
            <div>
              <Button
                color="red.9"
                size="md"
                data-testid="recall-ask"
                disabled={number.trim() === '' || reason.trim() === ''}
                onClick={() => setSure(true)}
              >
                {t('lot.recallAsk')}
              </Button>
            </div>
          ) : (
            <SignInFirst />
          )}
        </>
      )}
      <JobCard title={t('lot.recall')} job={recall.job} error={recall.error} lost={recall.lost} />
    </section>
  );
}

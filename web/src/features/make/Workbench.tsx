import { Button, NativeSelect, NumberInput, TextInput, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { JobCard } from '../../components/JobCard';
import { PartySelect } from '../../components/PartySelect';
import { SignInFirst } from '../../components/SignInFirst';
import { Note, Status } from '../../components/Status';
import { useCommand } from '../../lib/api/job';
import { api, capture, type Schemas } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { printed } from '../../lib/printed';
import { path, tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { isCase, palletsOf } from './packing';
import { usePacking } from './usePacking';

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

function CommissionCard({
  gtin,
  lot,
  expiry,
  planned,
  made,
}: {
  gtin: string;
  lot: string;
  expiry: string;
  planned: number;
  made: number;
}) {
  const { t } = useTranslation();
  const { may } = useMay();
  const [typed, setCount] = useState<number | string>();
  // A commissioning that was on its way when the page was left is found again.
  const found = useQuery({ queryKey: ['running', gtin, lot], queryFn: capture.running, enabled: may, staleTime: Infinity, gcTime: 0 });
  const running = found.data?.find((j) => {
    const made = j.result as { gtin?: string; lot?: string } | undefined;
    return j.kind === 'commission' && made?.gtin === gtin && made.lot === lot;
  });
  const commission = useCommand('commission', () => setCount(undefined), running);
  const missing = Math.min(10_000, Math.max(0, planned - made));
  const count = typed ?? (planned > 0 ? missing || '' : 100);
  const n = typeof count === 'number' ? count : 0;
  return (
    <section className="card stack-18" aria-labelledby="commission">
      <h2 id="commission" style={{ margin: 0 }}>
        {t('make.commission')}
      </h2>
      <div className="actions">
        <NumberInput
          size="md"
          label={t('make.howMany')}
          description={t('make.serialsHelp')}
          value={count}
          onChange={setCount}
          min={1}
          max={100_000}
          allowDecimal={false}
          hideControls
        />
        <Button
          size="md"
          disabled={!may || n < 1 || expiry === ''}
          loading={commission.busy}
          onClick={() => commission.send({ gtin, lot, expiry, count: n })}
          data-testid="commission"
        >
          {t('make.commissionNow', { count: n })}
        </Button>
      </div>
      {planned > 0 && made + n >= planned && made > 0 && !commission.busy && (
        <p className="quiet" style={{ margin: 0 }}>
          {made + n > planned ? t('make.overPlan', { count: made + n - planned }) : n === 0 ? t('make.planReached') : ''}
        </p>
      )}
      <JobCard title={t('make.commission')} job={commission.job} error={commission.error} lost={commission.lost} />
    </section>
  );
}

function PackCard({
  gtin,
  lot,
  loose,
  boxes,
  party,
}: {
  gtin: string;
  lot: string;
  loose: number;
  boxes: Schemas['LotContainer'][];
  party: string;
}) {
  const { t } = useTranslation();
  const { may } = useMay();
  const packing = usePacking(gtin, lot, party);
  const [per, setPer] = useState<number | string>(packing.left?.perCase ?? 48);
  const [wanted, setWanted] = useState<number | string>('');
  const [perPallet, setPerPallet] = useState<number | string>(packing.left?.perPallet ?? 0);
  const n = typeof per === 'number' ? per : 0;
  const most = n > 0 ? Math.floor(loose / n) : 0;
  const cases = typeof wanted === 'number' ? Math.min(wanted, most) : most;
  const onPallet = typeof perPallet === 'number' ? perPallet : 0;
  const waiting = boxes.filter((b) => isCase(b, n)).length;
  const pallets = palletsOf(waiting + cases, onPallet);
  const p = packing.progress;
  const left = packing.busy ? undefined : packing.left;
  return (
    <section className="card stack-18" aria-labelledby="pack">
      <h2 id="pack" style={{ margin: 0 }}>
        {t('make.pack')}
      </h2>
      {left && (
        <Note tone="warn" level={3} title={t('make.interrupted')}>
          <p>
            {left.left > 0 ? t('make.casesLeft', { count: left.left, per: left.perCase }) : ''}{' '}
            {left.perPallet > 0 ? t('make.palletsLeft', { count: left.perPallet }) : ''}{' '}
            {left.sent.length > 0 ? t('make.unsettled', { count: left.sent.length }) : ''}
          </p>
          <p className="quiet">{t('make.interruptedHelp')}</p>
          <div className="actions">
            <Button onClick={packing.goOn} disabled={!may} data-testid="go-on">
              {t('make.goOn')}
            </Button>
            {(left.left > 0 || left.perPallet > 0) && (
              <Button variant="default" onClick={packing.forget}>
                {t('make.forget')}
              </Button>
            )}
          </div>
        </Note>
      )}
      <div className="field-row">
        <NumberInput
          size="md"
          label={t('make.perCase')}
          value={per}
          onChange={setPer}
          min={1}
          max={10_000}
          allowDecimal={false}
          hideControls
          disabled={packing.busy}
        />
        <NumberInput
          size="md"
          label={t('make.cases')}
          placeholder={t('make.casesAll', { count: most })}
          value={wanted}
          onChange={setWanted}
          min={0}
          max={100_000}
          allowDecimal={false}
          hideControls
          disabled={packing.busy}
        />
        <NumberInput
          size="md"
          label={t('make.perPallet')}
          value={perPallet}
          onChange={setPerPallet}
          min={0}
          max={1000}
          allowDecimal={false}
          hideControls
          disabled={packing.busy}
        />
      </div>
      {!packing.busy && (
        <p style={{ margin: 0 }} data-testid="plan">
          {cases > 0
            ? t('make.planCases', { count: cases, units: cases * n })
            : loose > 0
              ? t('make.planNothing', { count: loose })
              : t('make.planEmpty')}{' '}
          {cases > 0 && loose - cases * n > 0 ? t('make.planLoose', { count: loose - cases * n }) : ''}{' '}
          {pallets > 0 ? t('make.planPallets', { count: pallets }) : cases > 0 ? t('make.planNoPallets') : ''}{' '}
          {pallets > 0 && waiting > 0 ? t('make.planWaiting', { count: waiting }) : ''}
        </p>
      )}
      <div className="actions">
        <Button
          size="md"
          disabled={!may || (cases < 1 && pallets < 1) || packing.busy}
          loading={packing.busy}
          onClick={() => packing.start({ perCase: n, cases, perPallet: onPallet })}
          data-testid="pack"
        >
          {cases < 1 && pallets > 0 ? t('make.palletsNow', { count: pallets }) : t('make.packNow', { count: cases })}
        </Button>
        {packing.busy && (
          <Button size="md" variant="default" onClick={packing.stop} disabled={packing.stopping} data-testid="stop">
            {packing.stopping ? t('make.stopping') : t('make.stop')}
          </Button>
        )}
      </div>
      {p && (
        <div role="status" data-testid="packing" data-done={p.done === p.total && !packing.busy}>
          <progress max={Math.max(1, p.total)} value={p.done} aria-label={t('make.packed', { done: p.done, count: p.total })} />
          <p style={{ margin: 0 }}>{t('make.packed', { done: p.done, count: p.total })}</p>
        </div>
      )}
      {packing.elsewhere && <Note tone="warn" level={3} alert title={t('make.elsewhere')} />}
      <JobCard title={t('make.pack')} job={packing.refused} error={packing.error} />
    </section>
  );
}

function ShipCard({ boxes, party }: { boxes: Schemas['LotContainer'][]; party: string }) {
  const { t } = useTranslation();
  const { may } = useMay();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [to, setTo] = useState<string | null>(null);
  const [po, setPO] = useState('');
  const [desadv, setDesadv] = useState('');
  const ship = useCommand('ship', () => setChosen(new Set()));
  const there = boxes.filter((b) => chosen.has(b.key));
  const toggle = (key: string) => setChosen((c) => new Set(c.has(key) ? [...c].filter((k) => k !== key) : [...c, key]));
  return (
    <section className="card stack-18" aria-labelledby="ship">
      <div className="step-head">
        <h2 id="ship" style={{ margin: 0 }}>
          {t('make.ship')}
        </h2>
        <Button variant="default" onClick={() => setChosen(there.length === boxes.length ? new Set() : new Set(boxes.map((b) => b.key)))}>
          {there.length === boxes.length ? t('make.chooseNone') : t('make.chooseAll', { count: boxes.length })}
        </Button>
      </div>
      <fieldset className="picks">
        <legend>{t('make.which')}</legend>
        {boxes.slice(0, 120).map((b) => (
          <label key={b.key}>
            <input type="checkbox" checked={chosen.has(b.key)} onChange={() => toggle(b.key)} />
            <span className="mono">{printed(b.key)}</span>
            <span className="quiet">{t('make.holds', { count: b.units })}</span>
            <Link to={tracePath(b.key)}>{t('make.trace')}</Link>
          </label>
        ))}
      </fieldset>
      {boxes.length > 120 && <p className="quiet">{t('make.moreBoxes', { count: boxes.length - 120 })}</p>}
      <div className="field-row">
        <PartySelect label={t('make.to')} value={to} onChange={setTo} except={party} required />
        <TextInput label={t('make.po')} value={po} onChange={(e) => setPO(e.currentTarget.value)} />
        <TextInput label={t('make.desadv')} value={desadv} onChange={(e) => setDesadv(e.currentTarget.value)} />
      </div>
      <div>
        <Button
          size="md"
          disabled={!may || there.length === 0 || to === null}
          loading={ship.busy}
          data-testid="ship"
          onClick={() =>
            ship.send({
              items: there.map((b) => b.digitalLink ?? b.key),
              to: { party: to! },
              ...(po.trim() ? { po: po.trim() } : {}),
              ...(desadv.trim() ? { desadv: desadv.trim() } : {}),
            })
          }
        >
          {t('make.shipNow', { count: there.length })}
        </Button>
      </div>
      <JobCard title={t('make.ship')} job={ship.job} error={ship.error} lost={ship.lost} />
    </section>
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

import { Button, NativeSelect, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, type Schemas } from '../../api/client';
import type { PageProps } from '../../app/pages';
import { Link, path, tracePath, useNavigation } from '../../app/router';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { JobCard } from '../../components/JobCard';
import { Note, Status } from '../../components/Status';
import { SignInFirst, useMay } from '../../components/useAct';
import { useCommand } from '../../components/useJob';

export default function LotPage({ pieces }: PageProps) {
  const { t } = useTranslation();
  const [gtin = '', lot = ''] = pieces;
  const { service } = useMay();
  const query = useQuery({ queryKey: ['lot', gtin, lot], queryFn: () => api.lot(gtin, lot), enabled: gtin !== '' && lot !== '' });
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

/** Totals shows where the units are: a table, with a bar in each row. The sum is the number commissioned. */
function Totals({ lot: l }: { lot: Schemas['LotTotals'] }) {
  const { t } = useTranslation();
  const rows = [...(l.totals ?? [])].sort((a, b) => b.units - a.units);
  const sum = rows.reduce((n, r) => n + r.units, 0);
  const most = Math.max(1, ...rows.map((r) => r.units));
  return (
    <section className="card" aria-labelledby="totals">
      <h2 id="totals">{t('lot.where', { count: l.commissioned })}</h2>
      {rows.length === 0 ? (
        <p className="quiet">{t('lot.none')}</p>
      ) : (
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
            {rows.map((r) => (
              <tr key={`${r.party} ${r.state}`}>
                <td data-label={t('lot.holder')}>{r.name || r.party || '–'}</td>
                <td data-label={t('lot.state')}>{t(`lot.states.${r.state}`, { defaultValue: r.state })}</td>
                <td data-label={t('lot.units')} className="num" data-units={r.units}>
                  {r.units}
                </td>
                <td className="wide" style={{ width: '34%' }}>
                  <div className="share" style={{ width: `${(100 * r.units) / most}%` }} />
                </td>
              </tr>
            ))}
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
      )}
    </section>
  );
}

function Units({ lot: l }: { lot: Schemas['LotTotals'] }) {
  const { t } = useTranslation();
  const { route, go } = useNavigation();
  const holder = route.query.get('holder') ?? '';
  const state = route.query.get('state') ?? '';
  const [open, setOpen] = useState(holder !== '' || state !== '');
  const filter = { ...(holder ? { holder } : {}), ...(state ? { state } : {}) };
  const most = 200;
  const units = useQuery({
    queryKey: ['units', l.gtin, l.lot, holder, state],
    queryFn: () => api.units(l.gtin, l.lot, { ...filter, limit: String(most + 1) }),
    enabled: open,
  });
  const rows = l.totals ?? [];
  const choose = (h: string, s: string) =>
    go(`${path('lot', l.gtin, l.lot)}?${new URLSearchParams({ ...(h ? { holder: h } : {}), ...(s ? { state: s } : {}) }).toString()}`, {
      replace: true,
    });
  const file = (format: string) =>
    `/v1/lots/${encodeURIComponent(l.gtin)}/${encodeURIComponent(l.lot)}/units?${new URLSearchParams({ ...filter, format }).toString()}`;
  return (
    <section className="card stack-18" aria-labelledby="units">
      <div className="step-head">
        <h2 id="units" style={{ margin: 0 }}>
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
          {units.isError && <Failure error={units.error} />}
          {units.isPending && <Skeleton height={120} />}
          {units.data && (
            <>
              <table className="data stack">
                <thead>
                  <tr>
                    <th scope="col">{t('lot.serial')}</th>
                    <th scope="col">{t('lot.holder')}</th>
                    <th scope="col">{t('lot.state')}</th>
                    <th scope="col">{t('lot.marks')}</th>
                  </tr>
                </thead>
                <tbody>
                  {units.data.slice(0, most).map((u) => (
                    <tr key={u.serial}>
                      <td data-label={t('lot.serial')}>
                        <Link to={tracePath(u.digitalLink)} className="mono">
                          {u.serial}
                        </Link>
                      </td>
                      <td data-label={t('lot.holder')}>{rows.find((r) => r.party === u.holder)?.name ?? u.holder ?? '–'}</td>
                      <td data-label={t('lot.state')}>{t(`lot.states.${u.state}`, { defaultValue: u.state })}</td>
                      <td data-label={t('lot.marks')}>
                        <span className="pair">
                          {(u.overlays ?? []).map((o) => (
                            <Status key={o} tone="warn">
                              {t(`overlay.${o}`, { defaultValue: o })}
                            </Status>
                          ))}
                        </span>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {units.data.length > most && <p className="quiet">{t('lot.more', { count: most })}</p>}
              {units.data.length === 0 && <p className="quiet">{t('lot.noUnits')}</p>}
            </>
          )}
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
          {may ? (
            <div>
              <Button
                color="red.9"
                size="md"
                disabled={number.trim() === '' || reason.trim() === ''}
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

import { Button, NativeSelect, Skeleton, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { JobCard } from '../../components/JobCard';
import { SignInFirst } from '../../components/SignInFirst';
import { Note } from '../../components/Status';
import { api, type Schemas } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';
import { path } from '../../lib/router/address';
import type { PageProps } from '../../lib/router/page';
import { Link, useNavigation } from '../../lib/router/router';
import { holdersOf } from './totals';
import { Totals } from './Totals';
import { Units } from './Units';

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

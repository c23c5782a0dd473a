import { Button, NumberInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import { Note } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { isCase, palletsOf } from './packing';
import { usePacking } from './usePacking';

export function PackCard({
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

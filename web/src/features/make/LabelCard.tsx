import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { drawingSVG, gs1datamatrix } from 'bwip-js/browser';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, type Schemas } from '../../api/client';
import { Failure } from '../../components/Failure';
import { elements, lines } from '../../lib/label/label';
import { save } from '../../lib/save';

/** The label of one package, as a printer on the line makes it: a DataMatrix that scanners read, and the same in print. */
export default function LabelCard({
  gtin,
  lot,
  expiry,
  product,
}: {
  gtin: string;
  lot: string;
  expiry: string;
  product?: Schemas['Product'];
}) {
  const { t } = useTranslation();
  const [at, setAt] = useState(0);
  const units = useQuery({ queryKey: ['label', gtin, lot], queryFn: () => api.units(gtin, lot, { limit: '200' }), staleTime: 60_000 });
  const list = units.data ?? [];
  const unit = list[at];
  if (units.isError) return <Failure error={units.error} />;
  if (!unit) return null;
  const label = { gtin, lot, expiry, serial: unit.serial };
  const svg = gs1datamatrix(
    { bcid: 'gs1datamatrix', text: elements(label), parse: true, scale: 4, padding: 4, backgroundcolor: 'FFFFFF' },
    drawingSVG(),
  ) as string;
  return (
    <section className="card stack-18" aria-labelledby="label">
      <div className="step-head">
        <h2 id="label" style={{ margin: 0 }}>
          {t('make.label')}
        </h2>
        <div className="actions">
          <Button variant="default" disabled={at === 0} onClick={() => setAt(at - 1)}>
            {t('make.previous')}
          </Button>
          <Button variant="default" disabled={at >= list.length - 1} onClick={() => setAt(at + 1)}>
            {t('make.next')}
          </Button>
          <Button variant="default" onClick={() => save(new TextEncoder().encode(svg), `label-${unit.serial}.svg`, 'image/svg+xml')}>
            {t('make.download')}
          </Button>
          <Button variant="default" onClick={() => window.print()}>
            {t('make.print')}
          </Button>
        </div>
      </div>
      <div className="label" data-testid="label" data-serial={unit.serial}>
        <img src={`data:image/svg+xml,${encodeURIComponent(svg)}`} alt={t('make.symbol')} width={132} height={132} />
        <div>
          <strong>{[product?.name, product?.strength].filter(Boolean).join(' ')}</strong>
          {product?.ndc && <div>NDC {product.ndc}</div>}
          {lines(label).map(([name, value]) => (
            <div key={name}>
              {name} <span className="mono">{value}</span>
            </div>
          ))}
        </div>
      </div>
      <p className="quiet" style={{ margin: 0 }}>
        {t('make.labelHelp')}
      </p>
    </section>
  );
}

import { Button, NativeSelect } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import type { Schemas } from '../../lib/api/client';
import { useParties } from '../../lib/api/parties';
import { useNavigation } from '../../lib/router/router';
import { unitsPath } from './address';
import { UnitRows } from './UnitRows';
import { most, useUnits } from './useUnits';

export function Units({ lot: l }: { lot: Schemas['LotTotals'] }) {
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
          <a href={file('csv')} download className="link-button">
            {t('lot.csv')}
          </a>
          <a href={file('ndjson')} download={`lot-${l.lot}.ndjson`} className="link-button">
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

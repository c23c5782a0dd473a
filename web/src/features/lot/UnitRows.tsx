import { useMediaQuery } from '@mantine/hooks';
import { useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Status } from '../../components/Status';
import type { LotUnit } from '../../lib/api/client';
import { tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { windowOf } from '../../lib/rows';

/** A list of any length, of which only what can be seen is drawn. It scrolls in itself, by keyboard too. */
export function UnitRows({ units, name, label }: { units: LotUnit[]; name: (party: string) => string; label: string }) {
  const { t } = useTranslation();
  const small = useMediaQuery('(max-width: 640px)') ?? false;
  const row = small ? 88 : 46;
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState({ top: 0, height: 480 });
  const measure = () => {
    if (box.current) setAt({ top: box.current.scrollTop, height: box.current.clientHeight });
  };
  useLayoutEffect(measure, [small]);
  const { from, to } = windowOf(at.top, at.height, row, units.length);
  return (
    <div
      ref={box}
      className="window"
      role="table"
      aria-label={label}
      aria-rowcount={units.length + 1}
      tabIndex={0}
      onScroll={measure}
      style={{ maxHeight: 480 }}
      data-testid="units"
    >
      <div role="row" aria-rowindex={1} className="window-head">
        {(['serial', 'holder', 'state', 'marks'] as const).map((c) => (
          <span key={c} role="columnheader">
            {t(`lot.column.${c}`)}
          </span>
        ))}
      </div>
      <div role="rowgroup" style={{ height: units.length * row, position: 'relative' }}>
        {units.slice(from, to).map((u, i) => (
          <div key={u.serial} role="row" aria-rowindex={from + i + 2} style={{ top: (from + i) * row, height: row }}>
            <span role="cell">
              <Link to={tracePath(u.digitalLink)} className="mono">
                {u.serial}
              </Link>
            </span>
            <span role="cell" className="one-line">
              {u.holder ? name(u.holder) : '–'}
              {u.to && <span className="quiet"> → {name(u.to)}</span>}
            </span>
            <span role="cell">{t(`lot.states.${u.state}`, { defaultValue: u.state })}</span>
            <span role="cell">
              {(u.overlays ?? []).length > 0 && (
                <Status tone="warn">{u.overlays!.map((o) => t(`overlay.${o}`, { defaultValue: o })).join(' · ')}</Status>
              )}
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}

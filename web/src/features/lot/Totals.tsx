import { useTranslation } from 'react-i18next';
import { Bar } from '../../components/Bar';
import { Note, type Tone } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { useParties } from '../../lib/api/parties';
import { Link } from '../../lib/router/router';
import { unitsPath } from './address';
import { byState, holdersOf } from './totals';

const tones: Record<string, Tone | 'rest'> = {
  on_hand: 'rest',
  in_transit: 'calm',
  dispensed: 'good',
  destroyed: 'good',
  decommissioned: 'good',
};

/** Totals shows where the units are: in numbers, as a bar, and in a table by holder. The sum is the number commissioned. */
export function Totals({ lot: l }: { lot: Schemas['LotTotals'] }) {
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

import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../lib/api/client';
import { marksOf, type Check, type Marked } from '../lib/guard';
import { path } from '../lib/router/address';
import { Link } from '../lib/router/router';
import { Status } from './Status';

const listed = 100;

/** Inside lists what a container holds, lot by lot, with how many units have which mark. */
export function Inside({ check }: { check: Check }) {
  const { t, i18n } = useTranslation();
  const { contents } = check;
  const lots = contents?.lots ?? [];
  if (!contents || lots.length === 0) return null;
  const number = new Intl.NumberFormat(i18n.language);
  // What is said of the container counts for what is inside: nothing in there is in order then.
  const outside = (check.reasons ?? []).some((r) => r.where !== 'inside');
  return (
    <section className="card stack-18" aria-labelledby="lots-inside" data-testid="inside">
      <h2 id="lots-inside" style={{ margin: 0 }}>
        {t('guard.insideTitle', { count: contents.units })}
      </h2>
      <table className="data stack">
        <thead>
          <tr>
            <th scope="col">{t('guard.product')}</th>
            <th scope="col">{t('counter.fact.lot')}</th>
            <th scope="col">{t('counter.fact.expiry')}</th>
            <th scope="col" className="num">
              {t('guard.units')}
            </th>
            <th scope="col">{t('guard.marks')}</th>
          </tr>
        </thead>
        <tbody>
          {lots.slice(0, listed).map((l) => {
            const marks = marksOf(l, check.reasons ?? []);
            return (
              <tr key={`${l.gtin} ${l.lot} ${l.expiry}`} data-lot={l.lot}>
                <td data-label={t('guard.product')}>
                  <Product gtin={l.gtin} />
                </td>
                <td data-label={t('counter.fact.lot')}>
                  {l.lot ? (
                    <Link to={path('lot', l.gtin, l.lot)} className="mono">
                      {l.lot}
                    </Link>
                  ) : (
                    t('guard.noLot')
                  )}
                </td>
                <td data-label={t('counter.fact.expiry')}>{l.expiry ?? '–'}</td>
                <td data-label={t('guard.units')} className="num">
                  {number.format(l.units)}
                </td>
                <td data-label={t('guard.marks')}>
                  {marks.length === 0 ? (
                    l.lot ? (
                      outside ? (
                        <span className="quiet">{t('guard.asContainer')}</span>
                      ) : (
                        <Status tone="good">{t('guard.noMarks')}</Status>
                      )
                    ) : (
                      <Status tone="bad">{t('guard.noBirth')}</Status>
                    )
                  ) : (
                    <Marks marks={marks} units={l.units} />
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {lots.length > listed && <p className="quiet">{t('guard.moreLots', { count: lots.length - listed })}</p>}
    </section>
  );
}

function Marks({ marks, units }: { marks: Marked[]; units: number }) {
  const { t } = useTranslation();
  return (
    <span className="pair">
      {marks.map((m) => {
        const word = t(`overlay.${m.mark}`, { defaultValue: m.mark });
        return (
          <Status key={m.mark} tone="bad">
            {m.units === units ? word : t('guard.some', { units: m.units, of: units, what: word })}
          </Status>
        );
      })}
    </span>
  );
}

/** Product is the name of a product, and its number until the name is known. */
function Product({ gtin }: { gtin: string }) {
  const product = useQuery({
    queryKey: ['product', gtin],
    queryFn: async () => (await api.products({ q: gtin, limit: 5 })).data.products?.find((p) => p.gtin === gtin) ?? null,
    staleTime: 600_000,
  }).data;
  const name = product && [product.name, product.strength].filter(Boolean).join(' ');
  return (
    <div>
      {name}
      <div className={name ? 'quiet mono' : 'mono'}>{gtin}</div>
    </div>
  );
}

import { useTranslation } from 'react-i18next';
import { Status } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';

export function Holders({ holders }: { holders: Schemas['RecallHolder'][] }) {
  const { t } = useTranslation();
  return (
    <section className="card" aria-labelledby="holders">
      <h2 id="holders">{t('recall.holders', { count: holders.length })}</h2>
      {holders.length === 0 ? (
        <p className="quiet">{t('recall.nobody')}</p>
      ) : (
        <table className="data stack" data-testid="holders">
          <thead>
            <tr>
              <th scope="col">{t('recall.holder')}</th>
              <th scope="col" className="num">
                {t('recall.has')}
              </th>
              <th scope="col" className="num">
                {t('recall.aside')}
              </th>
              <th scope="col" className="num">
                {t('recall.left')}
              </th>
              <th scope="col">{t('recall.state')}</th>
            </tr>
          </thead>
          <tbody>
            {holders.map((h) => (
              <tr key={h.party.id}>
                <td data-label={t('recall.holder')}>
                  <span>
                    {h.party.name ?? h.party.id}
                    {h.place?.address && (
                      <span className="quiet" style={{ display: 'block' }}>
                        {h.place.address}
                      </span>
                    )}
                  </span>
                </td>
                <td data-label={t('recall.has')} className="num">
                  {h.units}
                </td>
                <td data-label={t('recall.aside')} className="num">
                  {h.setAside}
                </td>
                <td data-label={t('recall.left')} className="num">
                  {h.remaining}
                </td>
                <td data-label={t('recall.state')}>
                  {h.remaining === 0 ? (
                    <Status tone="good">{t('recall.acted')}</Status>
                  ) : h.setAside > 0 ? (
                    <Status tone="warn">{t('recall.partly')}</Status>
                  ) : (
                    <Status tone="bad">{t('recall.notYet')}</Status>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import type { Reason } from '../lib/guard';
import { printed } from '../lib/printed';

/** reasonText says in the reader's language what speaks against a thing: on it, around it, or inside it. */
export function reasonText(t: TFunction, r: Reason): string {
  const about = [
    r.recall && t('guard.recall', { number: r.recall.number, classification: r.recall.classification || '–' }),
    r.where === 'inside' && r.lot && (r.recall || r.expiry) && t('guard.lot', { lot: r.lot }),
    r.expiry && t('guard.expiry', { expiry: r.expiry }),
  ].filter(Boolean);
  const more = about.length > 0 ? ` (${about.join(', ')})` : '';
  if (r.where === 'inside') {
    return `${t(`guard.inside.${r.code}`, { count: r.units ?? 0, units: r.units ?? 0, of: r.of ?? 0, defaultValue: r.detail })}${more}`;
  }
  const said = `${t(`guard.itself.${r.code}`, { defaultValue: r.detail })}${more}`;
  return r.where === 'around' && r.key ? `${said} ${t('guard.around', { container: printed(r.key) })}` : said;
}

/** ReasonText is the same on the screen, with the service's own words where they say more. */
export function ReasonText({ reason: r }: { reason: Reason }) {
  const { t, i18n } = useTranslation();
  const known = r.where === 'inside' ? i18n.exists(`guard.inside.${r.code}`, { count: 2 }) : i18n.exists(`guard.itself.${r.code}`);
  return (
    <>
      {known ? reasonText(t, r) : <span lang="en">{r.detail}</span>}
      {known && !r.fault && r.where !== 'inside' && (
        <>
          {' '}
          <span lang="en" className="quiet">
            {r.detail}
          </span>
        </>
      )}
      {r.recall?.reason && (
        <>
          {' '}
          <span lang="en" className="quiet">
            {r.recall.reason}
          </span>
        </>
      )}
    </>
  );
}

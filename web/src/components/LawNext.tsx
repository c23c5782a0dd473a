import { useTranslation } from 'react-i18next';
import { useMay } from '../lib/api/setting';

/** What the law asks of whoever has a suspect package in hand, step by step (docs/dscsa.md section 4). */
export function LawNext({ level = 2 }: { level?: 2 | 3 }) {
  const { t } = useTranslation();
  const { service } = useMay();
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <section className="card" aria-label={t('law.title')} data-testid="law">
      <Heading style={{ marginTop: 0 }}>{t('law.title')}</Heading>
      <ol className="law">
        <li>{t('law.apart')}</li>
        <li>
          {t('law.investigate')} {service === 'pharmacy' && t('law.three')}
        </li>
        <li>{t('law.cleared')}</li>
        <li>{t('law.illegitimate')}</li>
      </ol>
      <p className="quiet" style={{ margin: 0 }}>
        {t('law.source')}
      </p>
    </section>
  );
}

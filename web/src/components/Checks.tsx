import { useTranslation } from 'react-i18next';
import { steps } from '../lib/proof/steps';
import type { Result } from '../lib/proof/verify';
import { Icon } from './Icon';
import './Checks.css';

/** Every check of a bundle in its order: what was checked, what it means, and what was found. */
export function Checks({ result }: { result: Result }) {
  const { t } = useTranslation();
  const made = new Map(result.checks.map((c) => [c.name, c]));
  return (
    <ol className="checks">
      {steps.map((name) => {
        const c = made.get(name);
        const tone = !c ? 'calm' : c.ok ? 'good' : 'bad';
        return (
          <li key={name} data-check={name} data-state={!c ? 'skipped' : c.ok ? 'ok' : 'failed'}>
            <span style={{ color: `var(--${tone})` }}>
              <Icon name={!c ? 'pending' : c.ok ? 'good' : 'bad'} size={20} />
            </span>
            <div>
              <h3>
                {t(`checks.${name}.title`)}{' '}
                <span style={{ color: `var(--${tone})` }}>{t(!c ? 'checks.skipped' : c.ok ? 'checks.ok' : 'checks.failed')}</span>
              </h3>
              <p className="quiet">{t(`checks.${name}.means`)}</p>
              {c?.ok && <p>{t(`checks.${name}.found`, c.facts)}</p>}
              {c && !c.ok && (
                <p style={{ color: 'var(--bad)' }}>
                  {t('checks.reason')} <span lang="en">{c.reason}</span>
                </p>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

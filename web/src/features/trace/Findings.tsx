import { useTranslation } from 'react-i18next';
import { Status, type Tone } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { printed } from '../../lib/printed';

const tones: Record<string, Tone> = { reject: 'bad', hold: 'warn', flag: 'warn' };

/** Findings of the ledger: code, severity and state, and what that means in plain words. */
export function FindingList({ findings }: { findings: Schemas['FindingView'][] }) {
  const { t } = useTranslation();
  return (
    <ul className="findings">
      {findings.map((f) => (
        <li key={`${f.code} ${f.position.height}/${f.position.entry}/${f.position.item} ${f.via ?? ''}`}>
          <span className="pair">
            <Status tone={f.state === 'closed' ? 'calm' : (tones[f.severity] ?? 'warn')}>
              {t(`severity.${f.severity}`, { defaultValue: f.severity })} · {t(`findingState.${f.state}`, { defaultValue: f.state })}
            </Status>
            <span className="mono">{f.code}</span>
          </span>
          <div>{t(`finding.${f.code}`, { defaultValue: t('finding.other') })}</div>
          {f.detail && (
            <div className="quiet" lang="en">
              {f.detail}
            </div>
          )}
          {f.changes?.map((c) => (
            <div className="quiet" key={c.state}>
              {t(`findingChange.${c.state}`, { height: c.height })}
            </div>
          ))}
          {f.via && <div className="quiet">{t('trace.findingVia', { container: printed(f.via) })}</div>}
        </li>
      ))}
    </ul>
  );
}

import { useTranslation } from 'react-i18next';
import { Status, type Tone } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { printed } from '../../lib/printed';
import { at } from '../../lib/time';
import { Positions } from '../../components/Positions';
import { CloseFinding } from './CloseFinding';
import { closedBy, type Thing } from './closing';

const tones: Record<string, Tone> = { reject: 'bad', hold: 'warn', flag: 'warn' };

/**
 * Findings of the ledger: code, severity and state, what that means in plain words, and how they were closed. With a thing, they are
 * its findings now: who may close them is said, and whoever may do so does it here.
 */
export function FindingList({ findings, thing }: { findings: Schemas['FindingView'][]; thing?: Thing }) {
  const { t, i18n } = useTranslation();
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
              <Positions text={f.detail} />
            </div>
          )}
          {f.changes
            ?.filter((c) => c !== closedBy(f))
            .map((c, i) => (
              <div className="quiet" key={i}>
                {t(`findingChange.${c.state}`, { height: c.height })}
              </div>
            ))}
          <Closed change={closedBy(f)} language={i18n.language} />
          {f.via && <div className="quiet">{t('trace.findingVia', { container: printed(f.via) })}</div>}
          {thing && f.state !== 'closed' && <CloseFinding finding={f} thing={thing} />}
        </li>
      ))}
    </ul>
  );
}

/** Closed says who closed a finding, when, with which outcome, and what for. */
function Closed({ change: c, language }: { change?: Schemas['FindingChange']; language: string }) {
  const { t } = useTranslation();
  if (!c) return null;
  const told = {
    who: c.by?.name ?? c.by?.id ?? '–',
    when: c.time ? at(c.time, language) : t('trace.block', { height: c.height }),
    outcome: t(`closing.outcomes.${c.outcome}`, { defaultValue: c.meaning ?? c.outcome }),
  };
  return (
    <div data-testid="closed-by">
      {c.byAuthor ? t('closing.closedByAuthor', told) : t('closing.closedBy', told)}
      {c.note && <div className="quiet">{c.note}</div>}
    </div>
  );
}

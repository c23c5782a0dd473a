import { useTranslation } from 'react-i18next';
import { Hash } from '../../components/Hash';
import { Icon, type IconName } from '../../components/Icon';
import { Status, type Tone } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { printed } from '../../lib/printed';
import { path, tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { stepName } from '../../lib/steps';
import { at } from '../../lib/time';
import type { StepProof } from './compare';
import { fieldName } from './fields';
import { FindingList } from './Findings';

const icons: Record<string, IconName> = {
  commissioning: 'make',
  packing: 'pack',
  unpacking: 'unpack',
  shipping: 'ship',
  receiving: 'receive',
  dispensing: 'dispense',
};
const verdictTone: Record<string, Tone> = { accepted: 'calm', flagged: 'warn', rejected: 'bad', duplicate: 'calm' };

export function Timeline({
  self,
  steps,
  pending,
  proofs,
}: {
  self: string;
  steps: Schemas['Step'][];
  pending: boolean;
  proofs?: Map<string, StepProof>;
}) {
  return (
    <ol className="timeline">
      {steps.map((s) => {
        const position = `${s.position.height}/${s.position.entry}/${s.position.item}`;
        return <StepCard key={position} self={self} step={s} position={position} pending={pending} proof={proofs?.get(position)} />;
      })}
    </ol>
  );
}

function StepCard({
  self,
  step: s,
  position,
  pending,
  proof,
}: {
  self: string;
  step: Schemas['Step'];
  position: string;
  pending: boolean;
  proof?: StepProof;
}) {
  const { t, i18n } = useTranslation();
  const place = s.readPoint ?? s.bizLocation;
  const name = (p: Schemas['PartyRef']) => p.name ?? p.id;
  const moves = s.source && s.destination;
  const carried = (s.via ?? []).length > 0;
  const containers = (carried ? s.via! : s.parent ? [s.parent] : []).filter((c) => c !== self);
  return (
    <li
      id={`step-${s.position.height}-${s.position.entry}-${s.position.item}`}
      data-step={s.bizStep}
      data-proof={proof?.status ?? (pending ? 'pending' : 'none')}
    >
      <span className={`dot tone-${verdictTone[s.verdict] ?? 'calm'}`}>
        <Icon name={icons[s.bizStep] ?? 'dot'} size={18} />
      </span>
      <article className="card">
        <div className="step-head">
          <h3>{t(`step.${stepName(s)}`, { defaultValue: s.bizStep })}</h3>
          <span className="pair">
            {s.takenBack && (
              <Status tone="warn" icon="calm">
                {t('takeBack.was')}
              </Status>
            )}
            <StepStatus pending={pending} proof={proof} />
          </span>
        </div>
        <p className="quiet" style={{ margin: '2px 0 8px' }}>
          <time dateTime={s.eventTime}>{at(s.eventTime, i18n.language, s.offset)}</time>
        </p>
        <dl className="facts">
          <div>
            <dt>{t(moves ? 'trace.fromTo' : 'trace.by')}</dt>
            <dd>
              {moves ? (
                <>
                  {name(s.source!)} <span aria-hidden="true">→</span> {name(s.destination!)}
                  <div className="quiet">{t('trace.toldBy', { party: name(s.publisher) })}</div>
                </>
              ) : (
                name(s.publisher)
              )}
            </dd>
          </div>
          {place && (
            <div>
              <dt>{t('trace.place')}</dt>
              <dd>
                {place.name ?? place.key}
                {place.address && <div className="quiet">{place.address}</div>}
                {place.gln && (
                  <div className="quiet">
                    GLN <span className="mono">{place.gln}</span>
                  </div>
                )}
              </dd>
            </div>
          )}
          {containers.length > 0 && (
            <div>
              <dt>{t(carried ? 'trace.carriedIn' : 'trace.intoContainer')}</dt>
              <dd>
                {containers.map((c) => (
                  <div key={c}>
                    <Link to={tracePath(c)} className="mono">
                      {printed(c)}
                    </Link>
                  </div>
                ))}
              </dd>
            </div>
          )}
          {(s.documents ?? []).length > 0 && (
            <div>
              <dt>{t('trace.documents')}</dt>
              <dd>
                {s.documents!.map((d, i) => (
                  <div key={i}>
                    {t(`document.${d.type ?? 'other'}`, { defaultValue: d.type })}{' '}
                    {d.sealed ? <span className="quiet">({t('trace.sealed')})</span> : <span className="mono">{d.value}</span>}
                  </div>
                ))}
              </dd>
            </div>
          )}
          {s.lot && (
            <div>
              <dt>{t('trace.lotExpiry')}</dt>
              <dd>
                <span className="mono">{s.lot}</span>
                {s.expiry && <> · {s.expiry}</>}
              </dd>
            </div>
          )}
        </dl>
        <p className="foot pair">
          <span>
            <Link to={path('block', s.position.height)}>{t('trace.block', { height: s.position.height })}</Link>{' '}
            <span className="quiet">({position})</span>
          </span>
          <Hash value={s.blockHash} name={t('trace.blockHash', { height: s.position.height })} />
          <span>
            {t(`verdict.${s.verdict}`, { defaultValue: s.verdict })}
            {s.code && <span className="mono"> {s.code}</span>}
          </span>
        </p>
        {(s.findings ?? []).length > 0 && <FindingList findings={s.findings!} />}
        {proof?.status === 'differs' && (
          <p style={{ color: 'var(--bad)', marginBottom: 0 }}>
            {t('trace.differs')} <span className="mono">{proof.what.join(', ')}</span>
          </p>
        )}
        {proof && proof.status !== 'missing' && (
          <details style={{ marginTop: 8 }}>
            <summary>{t('trace.disclosed', { count: proof.proven.fields.length })}</summary>
            <div className="scroll" tabIndex={0} role="region" aria-label={t('trace.disclosed', { count: proof.proven.fields.length })}>
              <table className="data">
                <thead>
                  <tr>
                    <th scope="col">{t('trace.fieldPath')}</th>
                    <th scope="col">{t('trace.fieldText')}</th>
                  </tr>
                </thead>
                <tbody>
                  {[...proof.proven.fields]
                    .sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }))
                    .map((f) => (
                      <tr key={f.path}>
                        <td className="mono" title={f.path}>
                          {fieldName(f.path)}
                        </td>
                        <td className="mono">{f.text}</td>
                      </tr>
                    ))}
                  {proof.proven.units.map((u) => (
                    <tr key={`${u.list} ${u.key}`}>
                      <td className="mono">{u.list}</td>
                      <td className="mono">{u.form}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        )}
      </article>
    </li>
  );
}

function StepStatus({ pending, proof }: { pending: boolean; proof?: StepProof }) {
  const { t } = useTranslation();
  if (proof?.status === 'verified') return <Status tone="good">{t('proof.stepVerified')}</Status>;
  if (proof?.status === 'differs') return <Status tone="bad">{t('proof.stepDiffers')}</Status>;
  if (pending) {
    return (
      <Status tone="calm" icon="pending">
        {t('proof.checking')}
      </Status>
    );
  }
  return <Status tone="warn">{t('proof.stepUnproven')}</Status>;
}

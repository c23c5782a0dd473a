import { useTranslation } from 'react-i18next';
import { Note, Status } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { printed } from '../../lib/printed';
import { path, tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { partBy, setBy, theftOf } from '../../lib/steps';
import { at } from '../../lib/time';
import { FindingList } from './Findings';
import { InsideHere } from './InsideHere';
import { TakeBackHere } from './TakeBackHere';

/** The present state. It is what the server works out of the steps, and says so. */
export function Present({ trace: x }: { trace: Schemas['Trace'] }) {
  const { t, i18n } = useTranslation();
  const theft = theftOf(x);
  const end = theft ? undefined : setBy(x.steps, x.state);
  const part = x.state === 'active' ? partBy(x.steps) : undefined;
  const told = (s: Schemas['Step']) => ({ who: s.publisher.name ?? s.publisher.id, when: at(s.eventTime, i18n.language, s.offset) });
  const title = x.product
    ? [x.product.name, x.product.strength].filter(Boolean).join(' ')
    : t(x.id.kind === 'sscc' ? 'trace.container' : 'trace.unit');
  const recalls = x.recalls ?? [];
  const findings = (x.findings ?? []).filter((f) => f.state !== 'closed');
  const closed = (x.findings ?? []).filter((f) => f.state === 'closed');
  const thing = { key: x.id.key, name: x.id.digitalLink ?? x.id.key, ...(x.holder ? { holder: x.holder } : {}) };
  const row = (label: string, value: React.ReactNode) =>
    value ? (
      <div>
        <dt>{t(`trace.${label}`)}</dt>
        <dd>{value}</dd>
      </div>
    ) : null;
  const place = x.place && (
    <>
      {x.place.name ?? x.place.gln ?? x.place.key}
      {x.place.address && <div className="quiet">{x.place.address}</div>}
    </>
  );
  return (
    <section className="card" aria-labelledby="what" style={{ display: 'grid', gap: 14 }}>
      <div className="step-head">
        <h2 id="what" style={{ margin: 0, fontSize: 22 }}>
          {title}
        </h2>
        <span className="pair">
          {x.known ? (
            <Status tone={recalls.length > 0 || x.state === 'stolen' ? 'bad' : 'calm'}>
              {[
                t(`state.${part ? 'partly' : (x.state ?? 'unknown')}`, { defaultValue: x.state }),
                recalls.length > 0 ? t('trace.recalled') : '',
              ]
                .filter(Boolean)
                .join(' · ')}
            </Status>
          ) : (
            <Status tone={x.otherCase ? 'warn' : 'bad'}>{t('trace.noRecord')}</Status>
          )}
          {(x.overlays ?? [])
            .filter((o) => o !== 'recalled')
            .map((o) => (
              <Status key={o} tone="warn">
                {t(`overlay.${o}`, { defaultValue: o })}
              </Status>
            ))}
        </span>
      </div>
      {x.otherCase && (
        <Note tone="warn" level={3} title={t('trace.caseTitle')}>
          <p>
            {t('trace.caseHelp')} <span className="mono">{x.otherCase.serial}</span>
          </p>
        </Note>
      )}
      {!x.known && !x.otherCase && (
        <Note tone="bad" level={3} title={t('trace.unknownTitle')}>
          <p>{t('trace.unknownHelp')}</p>
        </Note>
      )}
      {theft && (
        <Note tone="bad" level={3} title={t('trace.stolenTitle')}>
          <p>{t('trace.stolenBy', told(theft))}</p>
          <p>{t('trace.stolenHelp')}</p>
        </Note>
      )}
      {end && <p style={{ margin: 0 }}>{t('trace.endedBy', { ...told(end), state: t(`state.${x.state}`, { defaultValue: x.state }) })}</p>}
      {part && <p style={{ margin: 0 }}>{t('trace.endedBy', { ...told(part), state: t('state.partly') })}</p>}
      {recalls.map((r) => (
        <Note key={r.recallNumber} tone="bad" level={3} title={t('trace.recallTitle', { number: r.recallNumber })}>
          <p>
            {r.reason && <span lang="en">{r.reason}. </span>}
            {t('trace.recallHelp', { classification: r.classification ?? '–', date: r.initiatedOn ?? '–', party: r.party })}
          </p>
        </Note>
      ))}
      <InsideHere trace={x} />
      {findings.length > 0 && (
        <section aria-labelledby="open-findings" data-testid="open-findings">
          <h3 id="open-findings" style={{ margin: 0, fontSize: 17 }}>
            {t('closing.open', { count: findings.length })}
          </h3>
          <FindingList findings={findings} thing={thing} />
        </section>
      )}
      {closed.length > 0 && (
        <details data-testid="closed-findings">
          <summary>{t('closing.closed', { count: closed.length })}</summary>
          <FindingList findings={closed} />
        </details>
      )}
      <TakeBackHere trace={x} />
      <dl className="facts">
        {row('serial', x.id.serial && <span className="mono">{x.id.serial}</span>)}
        {row('gtin', x.id.gtin && <span className="mono">{x.id.gtin}</span>)}
        {row('sscc', x.id.sscc && <span className="mono">{x.id.sscc}</span>)}
        {row('ndc', x.product?.ndc && <span className="mono">{x.product.ndc}</span>)}
        {row(
          'lot',
          x.lot && (
            <Link to={path('lot', x.id.gtin ?? '', x.lot)} className="mono">
              {x.lot}
            </Link>
          ),
        )}
        {row('expiry', x.expiry)}
        {row('form', x.product && [x.product.dosageForm, x.product.netContent].filter(Boolean).join(', '))}
        {row('manufacturer', x.product?.manufacturer)}
        {row('holder', x.holder && (x.holder.name ?? x.holder.id))}
        {row('phase', x.phase && t(`phase.${x.phase}`, { defaultValue: x.phase }))}
        {row('to', x.to && (x.to.name ?? x.to.id))}
        {row('place', place)}
        {row('contents', x.contents ? String(x.contents) : '')}
        {row(
          'inside',
          (x.containers ?? []).length > 0 &&
            x.containers!.map((c) => (
              <div key={c}>
                <Link to={tracePath(c)} className="mono">
                  {printed(c)}
                </Link>
              </div>
            )),
        )}
      </dl>
      {x.known && (
        <p className="quiet" style={{ margin: 0 }}>
          {t('trace.derived')}
        </p>
      )}
    </section>
  );
}

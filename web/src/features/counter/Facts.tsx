import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Freshness } from '../../components/Freshness';
import { Status } from '../../components/Status';
import { printed } from '../../lib/printed';
import { tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { partBy } from '../../lib/steps';
import { nameOf, type Asked } from './ask';
import { pair, type Pair } from './verdict';

export function Facts({ asked, refresh }: { asked: Asked & { what: 'unit' | 'box' }; refresh: () => void }) {
  const { t } = useTranslation();
  const { trace, check: of } = asked;
  const { id } = of;
  const product = trace?.product;
  const rows: [string, ReactNode][] = [
    ['form', product && [product.dosageForm, product.netContent].filter(Boolean).join(', ')],
    ['serial', id.serial && <span className="mono">{id.serial}</span>],
    ['sscc', id.sscc && <span className="mono">{id.sscc}</span>],
    ['gtin', id.gtin && <span className="mono">{id.gtin}</span>],
    ['lot', <Compared key="lot" mono pair={pair(asked.printed?.lot, of.lot)} />],
    ['expiry', <Compared key="expiry" pair={pair(asked.printed?.expiry, of.expiry)} />],
    ['holder', of.holder && (of.holder.name ?? of.holder.id)],
    ['state', of.state && t(`state.${of.state === 'active' && partBy(trace?.steps) ? 'partly' : of.state}`, { defaultValue: of.state })],
  ];
  const empty = (name: string, pairs: Pair) => ['lot', 'expiry'].includes(name) && !pairs.printed && !pairs.recorded;
  return (
    <section className="card stack-18" aria-labelledby="package">
      <h2 id="package" style={{ margin: 0 }}>
        {nameOf(asked) ?? (asked.what === 'box' ? printed(id.key) : t('counter.package'))}
      </h2>
      <dl className="facts">
        {rows.map(
          ([name, value]) =>
            value &&
            !empty(name, name === 'lot' ? pair(asked.printed?.lot, of.lot) : pair(asked.printed?.expiry, of.expiry)) && (
              <div key={name}>
                <dt>{t(`counter.fact.${name}`)}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      <Freshness rests={asked.rests} refresh={refresh} />
      <p className="quiet" style={{ margin: 0 }}>
        {t('counter.took', { ms: Math.max(1, Math.round(asked.milliseconds)) })} ·{' '}
        <Link to={tracePath(id.key)}>{t('counter.history')}</Link>
      </p>
    </section>
  );
}

/** What the package says beside what the maker recorded. */
function Compared({ pair: p, mono }: { pair: Pair; mono?: boolean }) {
  const { t } = useTranslation();
  const text = mono ? 'mono' : undefined;
  if (!p.differ) {
    return (
      <>
        <span className={text}>{p.recorded ?? p.printed}</span>
        {p.printed && <div className="quiet">{t(p.recorded ? 'counter.asPrinted' : 'counter.printedOnly')}</div>}
      </>
    );
  }
  return (
    <>
      <div>
        <span className="quiet">{t('counter.printed')}</span> <strong className={text}>{p.printed}</strong>
      </div>
      <div>
        <span className="quiet">{t('counter.recorded')}</span> <strong className={text}>{p.recorded}</strong>
      </div>
      <Status tone={p.printed?.toLowerCase() === p.recorded?.toLowerCase() ? 'warn' : 'bad'}>{t('counter.differs')}</Status>
    </>
  );
}

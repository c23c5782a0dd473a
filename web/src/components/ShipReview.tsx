import { Button } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../lib/api/client';
import { useParties } from '../lib/api/parties';
import { Note } from './Status';

/** Load is what a shipment takes along of one product and lot. */
export interface Load {
  name: string;
  lot?: string;
  /** Containers and packages that are named. */
  things: number;
  /** What is known to be inside them. */
  inside: number;
}

/** loadsOf puts what is alike together, in the order in which it comes. */
export function loadsOf(list: Load[]): Load[] {
  const by = new Map<string, Load>();
  for (const x of list) {
    const key = JSON.stringify([x.name, x.lot]);
    const before = by.get(key);
    by.set(key, before ? { ...before, things: before.things + x.things, inside: before.inside + x.inside } : { ...x });
  }
  return [...by.values()];
}

/** addressOf is where a party has its first place. */
const addressOf = (p?: Schemas['Party']): string => {
  const place = p?.places?.[0];
  return place ? [place.name, place.streetOne, place.streetTwo, place.city, place.state, place.postalCode].filter(Boolean).join(', ') : '';
};

/** ShipReview shows a shipment before it is sent: to whom, where, what, how much, and the papers. Nothing is sent by one press alone. */
export function ShipReview({
  to,
  loads,
  po,
  desadv,
  rma,
  busy,
  send,
  back,
}: {
  to: string;
  loads: Load[];
  po: string;
  desadv: string;
  /** Number of the return authorisation under which all of it goes back. */
  rma?: string;
  busy: boolean;
  send: () => void;
  back: () => void;
}) {
  const { t, i18n } = useTranslation();
  const party = useParties().data?.find((p) => p.id === to);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []); // and not its button: an Enter that is held down must not send
  const things = loads.reduce((n, l) => n + l.things, 0);
  const number = new Intl.NumberFormat(i18n.language);
  const papers = [po && `${t('document.po')} ${po}`, desadv && `${t('document.desadv')} ${desadv}`].filter(Boolean);
  return (
    <div
      ref={box}
      className="review"
      role="group"
      aria-label={t('review.title')}
      tabIndex={-1}
      data-testid="review"
      onKeyDown={(e) => e.key === 'Escape' && !busy && back()}
    >
      <h3>{t('review.title')}</h3>
      {rma && <Note tone="warn" level={3} title={t('review.goesBack', { rma })} />}
      <dl className="facts">
        <div>
          <dt>{t('review.to')}</dt>
          <dd>
            <strong>{party?.name ?? to}</strong> <span className="quiet mono">{to}</span>
          </dd>
        </div>
        <div>
          <dt>{t('review.where')}</dt>
          <dd>{addressOf(party) || t('review.noPlace')}</dd>
        </div>
        <div>
          <dt>{t('review.papers')}</dt>
          <dd>{papers.length > 0 ? papers.map((p) => <div key={p}>{p}</div>) : t('review.noPapers')}</dd>
        </div>
      </dl>
      <table className="data stack">
        <thead>
          <tr>
            <th scope="col">{t('review.what')}</th>
            <th scope="col">{t('trace.lot')}</th>
            <th scope="col" className="num">
              {t('review.things')}
            </th>
            <th scope="col" className="num">
              {t('review.inside')}
            </th>
          </tr>
        </thead>
        <tbody>
          {loads.map((l) => (
            <tr key={`${l.name} ${l.lot}`}>
              <td data-label={t('review.what')}>{l.name}</td>
              <td data-label={t('trace.lot')} className="mono">
                {l.lot ?? '–'}
              </td>
              <td data-label={t('review.things')} className="num">
                {number.format(l.things)}
              </td>
              <td data-label={t('review.inside')} className="num">
                {l.inside > 0 ? number.format(l.inside) : '–'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="actions">
        <Button size="lg" loading={busy} onClick={send} data-testid="ship">
          {t(rma ? 'review.sendBack' : 'review.send', { count: things })}
        </Button>
        <Button size="lg" variant="default" disabled={busy} onClick={back}>
          {t('review.back')}
        </Button>
      </div>
    </div>
  );
}

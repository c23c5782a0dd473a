import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Status } from '../../components/Status';
import { useParties } from '../../lib/api/parties';
import { path } from '../../lib/router/address';
import { stepName } from '../../lib/steps';
import { Link } from '../../lib/router/router';
import { at } from '../../lib/time';
import { kept, useFeed, type Mode } from './useFeed';

const tones: Record<Mode, 'good' | 'warn' | 'calm'> = {
  opening: 'calm',
  open: 'good',
  broken: 'warn',
  polling: 'calm',
  silent: 'warn',
  paused: 'calm',
};

/** What is in every new block as it comes. */
export function Feed() {
  const { t, i18n } = useTranslation();
  const [live, setLive] = useState(true);
  const { mode, blocks } = useFeed(live);
  const names = new Map(useParties().data?.map((p) => [p.id, p.name]));
  const rows = blocks.flatMap((b) => (b.items ?? []).map((item) => ({ b, item }))).slice(0, kept.items);
  const more = blocks.filter((b) => (b.more ?? 0) > 0 && rows.some((r) => r.b === b));
  return (
    <section className="card" aria-labelledby="feed">
      <div className="step-head">
        <h2 id="feed">{t('network.feed')}</h2>
        <div className="pair">
          <span role="status">
            <Status tone={tones[mode]} icon={mode === 'open' ? undefined : 'pending'}>
              {t(`network.feedMode.${mode}`)}
            </Status>
          </span>
          <Button variant="default" size="sm" aria-pressed={!live} onClick={() => setLive((l) => !l)}>
            {t('network.feedPause')}
          </Button>
        </div>
      </div>
      <p className="quiet" style={{ margin: '0 0 10px' }}>
        {blocks[0] ? t('network.feedUpTo', { height: blocks[0].height, time: at(blocks[0].time, i18n.language) }) : t('network.feedNone')}
      </p>
      {rows.length > 0 && (
        <ul className="rows" data-testid="feed" data-height={blocks[0]?.height}>
          {rows.map(({ b, item }) => {
            const found = (item.findings ?? []).length;
            return (
              <li key={`${item.position.height}/${item.position.entry}/${item.position.item}`}>
                <Link to={path('block', b.height)} className="row-link">
                  <strong>
                    {item.bizStep
                      ? t(`step.${stepName(item)}`, { defaultValue: item.bizStep })
                      : t(`block.kind.${item.kind}`, { defaultValue: item.kind })}
                  </strong>
                  <span>{item.party && (item.party.name ?? names.get(item.party.id) ?? item.party.id)}</span>
                  {item.objects > 0 && <span className="quiet">{t('network.objects', { count: item.objects })}</span>}
                  {item.verdict !== 'accepted' && (
                    <Status tone={item.verdict === 'flagged' ? 'warn' : item.verdict === 'duplicate' ? 'calm' : 'bad'}>
                      {t(`verdict.${item.verdict}`, { defaultValue: item.verdict })}
                    </Status>
                  )}
                  {found > 0 && <span className="quiet">{t('graph.findings', { count: found })}</span>}
                  <span className="quiet">
                    {t('trace.block', { height: b.height })}, {at(b.time, i18n.language)}
                  </span>
                </Link>
              </li>
            );
          })}
        </ul>
      )}
      {more.length > 0 && (
        <p className="quiet">
          {more.map((b) => (
            <span key={b.height}>{t('network.feedMore', { height: b.height, count: b.more })} </span>
          ))}
        </p>
      )}
    </section>
  );
}

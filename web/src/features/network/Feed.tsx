import { Switch } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/client';
import { Link, path } from '../../app/router';
import { Status } from '../../components/Status';
import { at } from '../../lib/time';

const kept = 40;

/** Every new block as it comes, over one connection that the browser opens again when it breaks. */
export function Feed() {
  const { t, i18n } = useTranslation();
  const [live, setLive] = useState(true);
  const [open, setOpen] = useState(false);
  const [blocks, setBlocks] = useState<Schemas['FeedBlock'][]>([]);
  useEffect(() => {
    if (!live || typeof EventSource === 'undefined') return;
    const source = new EventSource('/v1/feed');
    source.onopen = () => setOpen(true);
    source.onerror = () => setOpen(false);
    source.addEventListener('block', (e) => {
      const b = JSON.parse((e as MessageEvent<string>).data) as Schemas['FeedBlock'];
      setBlocks((list) => [b, ...list.filter((x) => x.height !== b.height)].slice(0, kept));
    });
    return () => {
      source.close();
      setOpen(false);
    };
  }, [live]);
  const rows = blocks.flatMap((b) => (b.items ?? []).map((item) => ({ b, item }))).slice(0, kept);
  return (
    <section className="card" aria-labelledby="feed">
      <div className="step-head">
        <h2 id="feed">{t('network.feed')}</h2>
        <div className="pair">
          <Status tone={open ? 'good' : 'warn'} icon={open ? undefined : 'pending'}>
            {open ? t('network.feedOpen') : live ? t('network.feedBroken') : t('network.feedPaused')}
          </Status>
          <Switch checked={live} onChange={(e) => setLive(e.currentTarget.checked)} label={t('network.feedLive')} />
        </div>
      </div>
      {rows.length === 0 ? (
        <p className="quiet">{t('network.feedQuiet', { height: blocks[0]?.height ?? '–' })}</p>
      ) : (
        <ul className="rows" data-testid="feed">
          {rows.map(({ b, item }) => (
            <li key={`${item.position.height}/${item.position.entry}/${item.position.item}`}>
              <Link to={path('block', b.height)} className="row-link">
                <strong>
                  {item.bizStep
                    ? t(`step.${item.bizStep}`, { defaultValue: item.bizStep })
                    : t(`block.kind.${item.kind}`, { defaultValue: item.kind })}
                </strong>
                <span>{item.party?.name ?? item.party?.id}</span>
                <span className="quiet">{t('network.objects', { count: item.objects })}</span>
                {item.verdict !== 'accepted' && (
                  <Status tone={item.verdict === 'flagged' ? 'warn' : item.verdict === 'duplicate' ? 'calm' : 'bad'}>
                    {t(`verdict.${item.verdict}`, { defaultValue: item.verdict })}
                  </Status>
                )}
                <span className="quiet">{at(b.time, i18n.language)}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useNewest, type Rests } from '../lib/api/client';
import { useHeartbeat } from '../lib/api/heartbeat';
import { age, at } from '../lib/time';
import { useNow } from '../lib/useNow';
import { Status } from './Status';

/** From this age on nothing is called current: the network writes a block at least every 20 seconds. */
export const staleSeconds = 60;

/** From then on the page says that it has not heard of the ledger: it asks every ten seconds, so this is no slow answer. */
export const silentSeconds = 30;

export type Standing = { is: 'silent'; seconds: number } | { is: 'stale' } | { is: 'behind'; blocks: bigint } | { is: 'newest' };

/**
 * standing is what may be said of an answer. That no block has come is said only when the service said so itself, not when this page
 * has not asked since.
 */
export function standing(rests: Rests, newest: Rests | undefined, now: number): Standing {
  const known = newest && newest.height >= rests.height ? newest : rests;
  const unheard = (now - known.arrived) / 1000;
  if (unheard > silentSeconds) return { is: 'silent', seconds: unheard };
  if (known.ageSeconds + unheard > staleSeconds) return { is: 'stale' };
  return known.height > rests.height ? { is: 'behind', blocks: known.height - rests.height } : { is: 'newest' };
}

/** Says honestly which block an answer rests on, how old that is, and how far it has fallen behind since. */
export function Freshness({ rests, refresh }: { rests?: Rests; refresh?: () => void }) {
  const { t, i18n } = useTranslation();
  const newest = useNewest();
  const now = useNow();
  // Whatever page shows this stays open: it asks now and then how far the ledger is.
  useHeartbeat();
  if (!rests) return <p className="quiet">{t('fresh.unknown')}</p>;
  const seconds = rests.ageSeconds + (now - rests.arrived) / 1000;
  const s = standing(rests, newest, now);
  const unheard = s.is === 'silent' ? age(s.seconds) : undefined;
  const a = age(seconds);
  return (
    <div className="pair quiet" data-testid="freshness">
      <span title={at(rests.blockTime, i18n.language)}>
        {t('fresh.asOf', { height: String(rests.height) })} · {t(`fresh.${a.unit}`, { count: a.count })}
      </span>
      {unheard ? (
        <Status tone="warn">{t('fresh.silent', { when: t(`fresh.${unheard.unit}`, { count: unheard.count }) })}</Status>
      ) : s.is === 'stale' ? (
        <Status tone="warn">{t('fresh.stale')}</Status>
      ) : s.is === 'behind' ? (
        <Status tone="calm" icon="pending">
          {t('fresh.behind', { count: Number(s.blocks) })}
        </Status>
      ) : (
        <Status tone="calm" icon="pending">
          {t('fresh.newest')}
        </Status>
      )}
      {s.is !== 'newest' && refresh && (
        <Button size="compact-sm" variant="default" onClick={refresh}>
          {t('fresh.refresh')}
        </Button>
      )}
    </div>
  );
}

import { Button } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNewest, type Rests } from '../api/client';
import { age, at } from '../lib/time';
import { Status } from './Status';

/** From this age on nothing is called current: the network writes a block at least every 20 seconds. */
export const staleSeconds = 60;

export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const id = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(id);
  }, [everyMs]);
  return now;
}

/** Says honestly which block an answer rests on, how old that is, and how far it has fallen behind since. */
export function Freshness({ rests, refresh }: { rests?: Rests; refresh?: () => void }) {
  const { t, i18n } = useTranslation();
  const newest = useNewest();
  const now = useNow();
  if (!rests) return <p className="quiet">{t('fresh.unknown')}</p>;
  const seconds = rests.ageSeconds + (now - rests.arrived) / 1000;
  const behind = newest && newest.height > rests.height ? newest.height - rests.height : 0n;
  const newestSeconds = newest ? newest.ageSeconds + (now - newest.arrived) / 1000 : seconds;
  const a = age(seconds);
  return (
    <div className="pair quiet" data-testid="freshness">
      <span title={at(rests.blockTime, i18n.language)}>
        {t('fresh.asOf', { height: String(rests.height) })} · {t(`fresh.${a.unit}`, { count: a.count })}
      </span>
      {newestSeconds > staleSeconds ? (
        <Status tone="warn">{t('fresh.stale')}</Status>
      ) : behind > 0n ? (
        <Status tone="calm" icon="pending">
          {t('fresh.behind', { count: Number(behind) })}
        </Status>
      ) : (
        <Status tone="calm" icon="pending">
          {t('fresh.newest')}
        </Status>
      )}
      {behind > 0n && refresh && (
        <Button size="compact-sm" variant="default" onClick={refresh}>
          {t('fresh.refresh')}
        </Button>
      )}
    </div>
  );
}

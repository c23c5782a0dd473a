import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { at, offsetHere } from '../lib/time';
import { Note } from './Status';

/** KeptNote says that scans come from before the page was loaded, and lets somebody forget them. */
export function KeptNote({ count, since, clear }: { count: number; since: number; clear: () => void }) {
  const { t, i18n } = useTranslation();
  return (
    <div data-testid="kept">
      <Note tone="calm" title={t('kept.title', { count })}>
        <p>{t('kept.help', { time: at(since, i18n.language, offsetHere(since)) })}</p>
        <Button mt="xs" size="sm" variant="default" onClick={clear}>
          {t('kept.clear')}
        </Button>
      </Note>
    </div>
  );
}

import { useTranslation } from 'react-i18next';
import { Button } from '@mantine/core';
import { ReasonText } from '../../components/Reasons';
import { Readings } from '../../components/Readings';
import { Note } from '../../components/Status';
import { printed } from '../../lib/printed';
import { byItself } from '../../lib/guard';
import type { Scanned } from './match';
import type { Unread } from './unread';

/** What the last scan was, big enough to be seen from the pallet. */
export function Last({
  scanned: m,
  choose,
  take,
}: {
  scanned: Scanned | Unread;
  choose: (text: string) => void;
  /** Receives this one thing at once; undefined: that cannot be done now. */
  take?: (key: string) => void;
}) {
  const { t } = useTranslation();
  switch (m.kind) {
    case 'unread':
      return <NotRead unread={m} choose={choose} />;
    case 'expected':
      return m.against ? (
        <Note
          tone="warn"
          title={t(m.against.every(byItself) ? 'receive.expectedAside' : 'receive.expectedAgainst', { name: printed(m.key) })}
        >
          <ul className="plain" data-testid="against">
            {m.against.map((r, i) => (
              <li key={i}>
                <ReasonText reason={r} />
              </li>
            ))}
          </ul>
          <p>{t(m.against.some(byItself) ? 'receive.asideHelp' : 'receive.recalledHelp')}</p>
          {take && m.against.some(byItself) && (
            <Button mt="xs" size="lg" onClick={() => take(m.key)} data-testid="into-quarantine">
              {t('receive.intoQuarantine')}
            </Button>
          )}
        </Note>
      ) : (
        <Note tone="good" title={t('receive.expected', { name: printed(m.key) })} />
      );
    case 'again':
      return <Note tone="calm" title={t('receive.again', { name: printed(m.key) })} />;
    case 'received':
      return <Note tone="calm" title={t('receive.already', { name: printed(m.key) })} />;
    case 'inside':
      return <Note tone="warn" title={t('receive.inside', { container: printed(m.container) })} />;
    case 'case':
      return (
        <Note tone="warn" title={t('receive.case')}>
          <p>
            <span className="mono">{printed(m.key)}</span> {t('receive.caseHelp', { other: m.other })}
          </p>
        </Note>
      );
    case 'extra':
      return (
        <Note tone="bad" title={t('receive.extra')}>
          <p>
            <span className="mono">{printed(m.key)}</span> {t(`receive.why.${m.why}`, { who: m.who })}
          </p>
        </Note>
      );
  }
}

export function NotRead({ unread: u, choose }: { unread: Unread; choose: (text: string) => void }) {
  const { t } = useTranslation();
  if (u.readings.length === 0) {
    return (
      <Note tone="warn" icon="unknown" title={t('receive.unread')}>
        <p>{u.why}</p>
      </Note>
    );
  }
  return (
    <Note tone="warn" icon="unknown" title={t('receive.choose')}>
      <Readings texts={u.readings} known={u.scan?.readings} onChoose={choose} />
    </Note>
  );
}

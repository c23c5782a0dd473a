import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Problem } from '../lib/api/client';
import { licencesIn } from '../lib/guard';
import { Positions } from './Positions';
import { Note } from './Status';

/** What went wrong, and what to do. The service explains its refusals itself, in English. */
export function Failure({ error, retry, children }: { error: unknown; retry?: () => void; children?: React.ReactNode }) {
  const { t, i18n } = useTranslation();
  const problem = error instanceof Problem ? error : undefined;
  const refused = problem !== undefined && problem.status < 500;
  // What to do in the reader's language: then the service's own words only say which goods, which recall or which licence.
  const help = refused && i18n.exists(`problemHelp.${problem.code}`) ? t(`problemHelp.${problem.code}`) : undefined;
  const licences = help && problem ? licencesIn(problem.detail) : [];
  return (
    <Note
      tone={refused ? 'warn' : 'calm'}
      icon={refused ? undefined : 'pending'}
      alert
      title={refused ? t(`problem.${problem.code}`, { defaultValue: t('problem.refused') }) : t('problem.silent')}
    >
      {help && <p>{help}</p>}
      {licences.length > 0 && (
        <ul className="plain">
          {licences.map((l) => (
            <li key={l}>{t(`licence.${l}`)}</li>
          ))}
        </ul>
      )}
      {problem?.detail ? (
        <p lang="en" className={help ? 'quiet' : undefined}>
          <Positions text={(help && problem.errors[0]?.message) || problem.detail} />
        </p>
      ) : (
        <p>{t('problem.silentHelp')}</p>
      )}
      {problem?.instance && <p className="quiet mono">{t('problem.request', { id: problem.instance })}</p>}
      {children}
      {retry && !refused && (
        <Button mt="xs" size="sm" onClick={retry}>
          {t('problem.retry')}
        </Button>
      )}
    </Note>
  );
}

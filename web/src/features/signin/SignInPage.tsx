import { Button, PasswordInput } from '@mantine/core';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Note } from '../../components/Status';
import { Problem } from '../../lib/api/client';
import { useSession, useSignIn } from '../../lib/api/setting';
import { useNavigation } from '../../lib/router/router';

/** A link from the terminal holds the token behind #, which browsers keep to themselves. */
export default function SignInPage() {
  const { t } = useTranslation();
  const { go } = useNavigation();
  const session = useSession().data;
  const signIn = useSignIn();
  const [token, setToken] = useState('');
  const tried = useRef(false);
  const begin = signIn.mutate;
  useEffect(() => {
    const linked = window.location.hash.slice(1);
    if (linked === '' || tried.current) return;
    tried.current = true;
    window.history.replaceState(null, '', '/sign-in'); // not into the history, nor a bookmark
    begin(linked, { onSuccess: () => go('/', { replace: true }) });
  }, [begin, go]);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (token.trim() !== '') begin(token.trim(), { onSuccess: () => go('/', { replace: true }) });
  };
  const refused = signIn.error instanceof Problem && signIn.error.status === 401;
  return (
    <div style={{ display: 'grid', gap: 16, maxWidth: 520 }}>
      <h1>{t('signin.title')}</h1>
      {session?.signedIn && <Note tone="good" title={t('signin.already', { party: session.partyName || session.party })} level={2} />}
      {session && !session.required && <Note tone="calm" title={t('signin.open')} level={2} />}
      <p className="quiet">{t('signin.intro')}</p>
      {refused ? (
        <Note tone="bad" alert title={t('signin.wrong')}>
          <p>{t('signin.wrongHelp')}</p>
        </Note>
      ) : (
        signIn.error && <Failure error={signIn.error} />
      )}
      <form onSubmit={submit} style={{ display: 'grid', gap: 12 }}>
        <PasswordInput
          label={t('signin.token')}
          description={t('signin.tokenHelp')}
          value={token}
          onChange={(e) => setToken(e.currentTarget.value)}
          autoComplete="off"
          size="md"
        />
        <Button type="submit" size="md" loading={signIn.isPending}>
          {t('app.signIn')}
        </Button>
      </form>
    </div>
  );
}

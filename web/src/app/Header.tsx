import { ActionIcon, Button, NativeSelect, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Icon } from '../components/Icon';
import { languages, setLanguage, type Language } from '../i18n';
import { navigation, startOf } from './pages';
import { Link, useNavigation } from '../lib/router/router';
import { useSession, useSetting, useSignOut } from '../lib/api/setting';

export function Header() {
  const { t, i18n } = useTranslation();
  const { route } = useNavigation();
  const setting = useSetting().data;
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'dark' ? 'light' : 'dark';
  const current = route.page === '' && setting ? startOf(setting.service) : route.page;
  return (
    <header className="bar">
      <div className="frame">
        <Link to="/" className="brand">
          <img src="/icon.svg" alt="" />
          Verilot
        </Link>
        {setting && (
          <span className="whose">
            {setting.partyName || setting.party}
            <span className="quiet">{t(`service.${setting.service}`)}</span>
          </span>
        )}
        <div className="controls">
          <SignedIn />
          <NativeSelect
            aria-label={t('app.language')}
            size="sm"
            value={i18n.language}
            data={languages.map((l) => ({ value: l, label: l === 'en' ? 'English' : 'Español' }))}
            onChange={(e) => void setLanguage(e.currentTarget.value as Language)}
          />
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t(`app.${other}`)}
            title={t(`app.${other}`)}
            onClick={() => setColorScheme(other)}
          >
            <Icon name={other === 'dark' ? 'moon' : 'sun'} />
          </ActionIcon>
        </div>
        {setting && (
          <nav className="nav" aria-label={t('app.pages')}>
            {navigation(setting.service).map((p) => (
              <Link key={p} to={`/${p}`} current={current === p}>
                {t(`pages.${p}`)}
              </Link>
            ))}
          </nav>
        )}
      </div>
    </header>
  );
}

function SignedIn() {
  const { t } = useTranslation();
  const session = useSession().data;
  const out = useSignOut();
  if (!session || !session.required) return null;
  if (!session.signedIn) {
    return (
      <Link to="/sign-in" className="link-button">
        {t('app.signIn')}
      </Link>
    );
  }
  return (
    <Button variant="default" size="sm" loading={out.isPending} onClick={() => out.mutate()}>
      {t('app.signOut')}
    </Button>
  );
}

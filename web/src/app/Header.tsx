import { ActionIcon, NativeSelect, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Icon } from '../components/Icon';
import { languages, setLanguage, type Language } from '../i18n';
import { Link, useNavigation } from './router';

const pages = ['trace', 'verify', 'network'] as const;

export function Header() {
  const { t, i18n } = useTranslation();
  const { route } = useNavigation();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <header className="bar">
      <div className="frame">
        <Link to="/trace" className="brand">
          <img src="/icon.svg" alt="" />
          Verilot
        </Link>
        <nav className="nav" aria-label={t('app.pages')}>
          {pages.map((p) => (
            <Link key={p} to={`/${p}`} current={route.page === p}>
              {t(`pages.${p}`)}
            </Link>
          ))}
        </nav>
        <div className="controls">
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
      </div>
    </header>
  );
}

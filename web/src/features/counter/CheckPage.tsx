import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ScanField } from '../../components/ScanField';
import { decoded, path } from '../../lib/router/address';
import type { PageProps } from '../../lib/router/page';
import { useNavigation } from '../../lib/router/router';
import { Answer } from './Answer';
import { Earlier } from './Earlier';
import './counter.css';

export default function CheckPage({ rest }: PageProps) {
  const { t } = useTranslation();
  const { go } = useNavigation();
  const text = decoded(rest);
  // Scanning the same package again asks again, and shows nothing of the answer before.
  const [again, setAgain] = useState(0);
  return (
    <div className="stack-18">
      <div>
        <h1>{t('counter.title')}</h1>
        <ScanField
          label={t('counter.field')}
          description={t('counter.fieldHelp')}
          action={t('counter.check')}
          initial={text}
          keep
          onScan={(wanted) => {
            setAgain((n) => n + 1);
            go(path('check', wanted));
          }}
        />
        {text === '' && <p className="quiet">{t('counter.intro')}</p>}
      </div>
      {text !== '' && <Answer key={`${again} ${text}`} text={text} turn={again} />}
      <Earlier current={text} />
    </div>
  );
}

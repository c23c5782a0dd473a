import { useTranslation } from 'react-i18next';
import { Link } from '../lib/router/router';

/** SignInFirst stands where somebody would act who has not signed in. */
export function SignInFirst() {
  const { t } = useTranslation();
  return (
    <p className="quiet">
      {t('job.signInHelp')} <Link to="/sign-in">{t('app.signIn')}</Link>
    </p>
  );
}

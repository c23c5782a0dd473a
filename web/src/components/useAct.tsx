import { useTranslation } from 'react-i18next';
import { Link } from '../lib/router/router';
import { useSession, useSetting } from '../lib/api/setting';

/** useMay tells whether custody may be changed from this page, and whose. */
export function useMay(): { may: boolean; party: string; service: string } {
  const setting = useSetting().data;
  const session = useSession().data;
  return {
    may: session !== undefined && (session.signedIn || !session.required),
    party: setting?.party ?? '',
    service: setting?.service ?? '',
  };
}

/** SignInFirst stands where somebody would act who has not signed in. */
export function SignInFirst() {
  const { t } = useTranslation();
  return (
    <p className="quiet">
      {t('job.signInHelp')} <Link to="/sign-in">{t('app.signIn')}</Link>
    </p>
  );
}

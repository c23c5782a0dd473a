import { useTranslation } from 'react-i18next';
import type { IconName } from '../../components/Icon';
import { Status, type Tone } from '../../components/Status';
import type { Job } from '../../lib/api/client';
import { useFollow } from '../../lib/api/job';
import { path } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { shown } from '../../lib/scan/wedge';
import { usePast, type Act, type Outcome } from './past';
import { tones } from './verdict';

const toneOf = (o: Outcome): Tone => (o === 'silent' || o === 'unreadable' ? 'calm' : tones[o]);

const iconOf = (o: Outcome): IconName => (o === 'silent' || o === 'unreadable' ? 'unknown' : tones[o]);

/** What was checked before, for whoever was interrupted. */
export function Earlier({ current }: { current: string }) {
  const { t, i18n } = useTranslation();
  const list = usePast().filter((p) => p.text !== current);
  if (list.length === 0) return null;
  const clock = new Intl.DateTimeFormat(i18n.language, { timeStyle: 'medium' });
  return (
    <section aria-labelledby="past">
      <h2 id="past">{t('counter.past')}</h2>
      <ul className="past">
        {list.map((p) => (
          <li key={p.text}>
            <time dateTime={new Date(p.at).toISOString()} className="quiet">
              {clock.format(p.at)}
            </time>
            <Status tone={toneOf(p.outcome)} icon={iconOf(p.outcome)}>
              {t(`counter.short.${p.outcome}`)}
            </Status>
            {p.act && <Acted name={p.act.name} job={p.act.job} />}
            <Link to={path('check', p.text)}>
              {p.name && <>{p.name} </>}
              <span className="mono">{shown(p.text)}</span>
            </Link>
          </li>
        ))}
      </ul>
      <p className="quiet">{t('counter.pastHelp')}</p>
    </section>
  );
}

/** What became of something that was still on its way when the next package was scanned. */
function Acted({ name, job }: { name: Act; job: Job }) {
  const { t } = useTranslation();
  const current = useFollow(job).data ?? job;
  const word = t(`counter.act.${name}`);
  if (current.running) {
    return (
      <Status tone="calm" icon="pending">
        {t('counter.going', { act: word })}
      </Status>
    );
  }
  return current.success ? (
    <Status tone="calm" icon="good">
      {t('counter.went', { act: word })}
    </Status>
  ) : (
    <Status tone="bad">{t('counter.failed', { act: word })}</Status>
  );
}

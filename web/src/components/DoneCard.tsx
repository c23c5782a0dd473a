import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { dismiss, useDone } from '../lib/done';
import type { Act } from '../lib/outcome';
import { Link } from '../lib/router/router';
import { JobCard } from './JobCard';

/** DoneCard shows what was done last at a place, with where to look at it, until somebody dismisses it. */
export function DoneCard({ place, act, title }: { place: string; act: Act; title: string }) {
  const { t } = useTranslation();
  const done = useDone(place);
  if (!done) return null;
  return (
    <div data-testid="done">
      <JobCard title={title} act={act} job={done.job}>
        <p>{done.text}</p>
        <p className="pair">
          {done.links.map((l) => (
            <Link key={l.to} to={l.to}>
              {l.text}
            </Link>
          ))}
        </p>
        <Button mt="xs" size="sm" variant="default" onClick={() => dismiss(place)} data-testid="dismiss">
          {t('done.dismiss')}
        </Button>
      </JobCard>
    </div>
  );
}

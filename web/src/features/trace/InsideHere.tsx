import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Inside } from '../../components/Inside';
import { ReasonText } from '../../components/Reasons';
import { Note } from '../../components/Status';
import { api, type Schemas } from '../../lib/api/client';

/** What speaks against what is in a container, in the words of a check. The state of a container alone says nothing of it. */
export function InsideHere({ trace: x }: { trace: Schemas['Trace'] }) {
  const { t } = useTranslation();
  const check = useQuery({
    queryKey: ['check', x.id.key, x.restsOn?.height],
    queryFn: async () => (await api.check(x.id.digitalLink ?? x.id.key)).data,
    enabled: x.known && (x.contents ?? 0) > 0,
  }).data;
  if (!check) return null;
  const reasons = check.reasons ?? [];
  return (
    <>
      {check.colour !== 'green' && reasons.length > 0 && (
        <div data-testid="speaks-against">
          <Note tone={check.colour === 'red' ? 'bad' : 'warn'} level={3} title={t('trace.speaksAgainst')}>
            <ul className="plain">
              {reasons.map((r, i) => (
                <li key={i}>
                  <ReasonText reason={r} />
                </li>
              ))}
            </ul>
          </Note>
        </div>
      )}
      <Inside check={check} />
    </>
  );
}

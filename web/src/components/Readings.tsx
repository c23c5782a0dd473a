import { useTranslation } from 'react-i18next';
import type { Schemas } from '../lib/api/client';
import './Readings.css';

/** The ways in which a scan that is not certain can be read. Nobody guesses: who has the package in hand compares. */
export function Readings({
  texts,
  known: list,
  onChoose,
}: {
  texts: string[];
  known?: Schemas['Reading'][] | null;
  onChoose: (text: string) => void;
}) {
  const { t } = useTranslation();
  const known = new Map((list ?? []).map((r) => [r.text, r]));
  return (
    <ul className="readings">
      {texts.map((text) => {
        const r = known.get(text);
        return (
          <li key={text}>
            <button type="button" className="reading" onClick={() => onChoose(text)}>
              {r ? (
                <>
                  {(
                    [
                      ['serial', r.serial || r.sscc],
                      ['lot', r.lot],
                      ['expiry', r.expiry],
                    ] as const
                  ).map(([name, value]) => (
                    <span key={name}>
                      <span className="quiet">{t(`scan.reading.${name}`)}</span>{' '}
                      <span className="mono">{value || t('scan.reading.none')}</span>
                    </span>
                  ))}
                  <span className="mono quiet whole">{text}</span>
                </>
              ) : (
                <span className="mono">{text}</span>
              )}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

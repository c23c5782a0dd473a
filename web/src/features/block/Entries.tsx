import { useTranslation } from 'react-i18next';
import { Status } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { path } from '../../lib/router/address';
import { stepName } from '../../lib/steps';
import { Link } from '../../lib/router/router';
import './block.css';

const shown = 300;

export function Entries({ entries, names }: { entries: Schemas['Entry'][]; names: Map<string, string> }) {
  const { t } = useTranslation();
  const rows: { e: Schemas['Entry']; item?: Schemas['Item'] }[] = entries.flatMap((e) =>
    (e.items ?? []).length > 0 ? e.items!.map((item) => ({ e, item })) : [{ e }],
  );
  return (
    <section className="card" aria-labelledby="entries">
      <h2 id="entries">{t('block.entries', { count: entries.length })}</h2>
      <table className="data stack" data-testid="entries">
        <thead>
          <tr>
            <th scope="col">{t('block.what')}</th>
            <th scope="col">{t('block.by')}</th>
            <th scope="col" className="num">
              {t('block.objects')}
            </th>
            <th scope="col">{t('block.verdict')}</th>
            <th scope="col">{t('block.remarks')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map(({ e, item }, i) => (
            <tr key={i}>
              <td data-label={t('block.what')}>
                <span>
                  {item
                    ? item.bizStep
                      ? t(`step.${stepName(item)}`, { defaultValue: item.bizStep })
                      : t(`block.kind.${item.kind}`, { defaultValue: item.kind })
                    : t(`block.kind.${e.kind}`, { defaultValue: e.kind })}{' '}
                  {item && (
                    <span className="quiet mono">
                      {item.position.entry}/{item.position.item}
                    </span>
                  )}
                </span>
              </td>
              <td data-label={t('block.by')}>{e.party ? (names.get(e.party) ?? e.party) : '–'}</td>
              <td data-label={t('block.objects')} className="num">
                {item?.units ?? '–'}
              </td>
              <td data-label={t('block.verdict')}>
                {item?.verdict ? (
                  <Status
                    tone={
                      item.verdict === 'accepted'
                        ? 'good'
                        : item.verdict === 'flagged'
                          ? 'warn'
                          : item.verdict === 'duplicate'
                            ? 'calm'
                            : 'bad'
                    }
                  >
                    {t(`verdict.${item.verdict}`, { defaultValue: item.verdict })}
                  </Status>
                ) : e.code ? (
                  <span className="mono">{e.code}</span>
                ) : (
                  '–'
                )}
              </td>
              <td data-label={t('block.remarks')}>
                {/* In one piece: on a phone a cell lays its pieces beside its name. */}
                <span>
                  {item?.code && (
                    <span className="remark">
                      {t(`finding.${item.code}`, { defaultValue: t('finding.other') })} <span className="mono quiet">{item.code}</span>
                    </span>
                  )}
                  {item?.detail && (
                    <span className="remark quiet" lang="en">
                      {item.detail}
                    </span>
                  )}
                  {item?.repeats && (
                    <span className="remark">
                      <Link to={path('block', item.repeats.height)}>
                        {t('block.repeats', { position: `${item.repeats.height}/${item.repeats.entry}/${item.repeats.item}` })}
                      </Link>
                    </span>
                  )}
                  {(item?.findings ?? []).map((f) => (
                    <span className="remark" key={f.code}>
                      <Status tone={f.severity === 'reject' ? 'bad' : 'warn'}>
                        {t(`severity.${f.severity}`, { defaultValue: f.severity })}
                      </Status>{' '}
                      {t(`finding.${f.code}`, { defaultValue: t('finding.other') })} <span className="mono quiet">{f.code}</span>
                      {(f.count ?? 0) > 1 && <span className="quiet"> · {t('network.objects', { count: f.count })}</span>}
                    </span>
                  ))}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && <p className="quiet">{t('block.more', { count: rows.length - shown })}</p>}
    </section>
  );
}

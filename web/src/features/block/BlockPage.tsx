import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, type Schemas } from '../../api/client';
import type { PageProps } from '../../app/pages';
import { Link, path } from '../../app/router';
import { Failure } from '../../components/Failure';
import { Hash } from '../../components/Hash';
import { Note, Status } from '../../components/Status';
import { at } from '../../lib/time';

export default function BlockPage({ pieces }: PageProps) {
  const { t, i18n } = useTranslation();
  const height = /^\d{1,19}$/.test(pieces[0] ?? '') ? pieces[0]! : '';
  const query = useQuery({ queryKey: ['block', height], queryFn: () => api.block(height), enabled: height !== '', staleTime: Infinity });
  if (height === '') return <Note tone="warn" title={t('block.noHeight')} />;
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton height={320} radius="lg" />;
  const b = query.data.data;
  const n = BigInt(height);
  const signers = b.certificate ?? [];
  return (
    <div className="stack-18">
      <div>
        <p className="pair" style={{ margin: 0 }}>
          {n > 0n && <Link to={path('block', String(n - 1n))}>{t('block.previous')}</Link>}
          <Link to={path('block', String(n + 1n))}>{t('block.next')}</Link>
          <Link to="/network">{t('block.newest')}</Link>
        </p>
        <h1>{t('block.title', { height })}</h1>
        <p className="quiet">{at(b.header.time, i18n.language)}</p>
      </div>
      <section className="card stack-18" aria-labelledby="signed">
        <h2 id="signed" style={{ margin: 0 }}>
          {signers.length === 0 ? t('block.genesis') : t('block.signed', { count: signers.length })}
        </h2>
        <ul className="rows" style={{ margin: 0 }}>
          {signers.map((s) => (
            <li key={s.validator} className="pair">
              <Status tone="good">{s.party}</Status>
              <span className="mono quiet">{s.validator}</span>
              <span className="quiet">{at(s.time, i18n.language)}</span>
            </li>
          ))}
        </ul>
        <dl className="facts">
          {(
            [
              ['hash', b.hash],
              ['parent', b.header.parent],
              ['entriesRoot', b.header.entriesRoot],
              ['verdictsRoot', b.header.verdictsRoot],
              ['stateRoot', b.header.stateRoot],
            ] as const
          ).map(([name, value]) => (
            <div key={name}>
              <dt>{t(`block.field.${name}`)}</dt>
              <dd>
                <Hash value={value} name={t(`block.field.${name}`)} />
              </dd>
            </div>
          ))}
          <div>
            <dt>{t('block.field.sequences')}</dt>
            <dd>
              {b.header.firstSequence} – {b.header.lastSequence}
            </dd>
          </div>
          <div>
            <dt>{t('block.field.events')}</dt>
            <dd>{b.header.events}</dd>
          </div>
        </dl>
        <p style={{ margin: 0 }}>
          <a href={`/v1/blocks/${height}`} download={`block-${height}.json`}>
            {t('block.download')}
          </a>
        </p>
      </section>
      <Entries entries={b.entries ?? []} />
      {(b.amendments ?? []).length > 0 && (
        <section className="card" aria-labelledby="amendments">
          <h2 id="amendments">{t('block.amendments')}</h2>
          <ul className="rows">
            {b.amendments!.map((a, i) => (
              <li key={i} className="pair">
                <Status tone={a.to === 'held' ? 'bad' : 'good'}>{t(`block.to.${a.to}`)}</Status>
                <span>{t(`finding.${a.code}`, { defaultValue: t('finding.other') })}</span>
                <Link to={path('block', a.position.height)}>
                  {a.position.height}/{a.position.entry}/{a.position.item}
                </Link>
                <span className="quiet">{a.cause ? t('block.cause') : t('block.timer')}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

const shown = 300;

function Entries({ entries }: { entries: Schemas['Entry'][] }) {
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
                {item
                  ? item.bizStep
                    ? t(`step.${item.bizStep}`, { defaultValue: item.bizStep })
                    : t(`block.kind.${item.kind}`, { defaultValue: item.kind })
                  : t(`block.kind.${e.kind}`, { defaultValue: e.kind })}
              </td>
              <td data-label={t('block.by')}>{e.party || '–'}</td>
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
                {[...new Set([...(item?.code ? [item.code] : []), ...(item?.findings ?? []).map((f) => f.code)])].map((c) => (
                  <div key={c}>
                    {t(`finding.${c}`, { defaultValue: '' })} <span className="mono quiet">{c}</span>
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && <p className="quiet">{t('block.more', { count: rows.length - shown })}</p>}
    </section>
  );
}

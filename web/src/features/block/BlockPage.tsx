import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Hash } from '../../components/Hash';
import { Note, Status } from '../../components/Status';
import { api } from '../../lib/api/client';
import { useHeartbeat } from '../../lib/api/heartbeat';
import { useParties } from '../../lib/api/parties';
import { path } from '../../lib/router/address';
import type { PageProps } from '../../lib/router/page';
import { Link } from '../../lib/router/router';
import { at } from '../../lib/time';
import { Entries } from './Entries';

export default function BlockPage({ pieces }: PageProps) {
  const { t, i18n } = useTranslation();
  const height = /^\d{1,19}$/.test(pieces[0] ?? '') ? pieces[0]! : '';
  const query = useQuery({ queryKey: ['block', height], queryFn: () => api.block(height), enabled: height !== '', staleTime: Infinity });
  const status = useHeartbeat();
  const validators = useQuery({ queryKey: ['validators'], queryFn: api.validators, staleTime: 60_000 });
  const names = new Map(useParties().data?.map((p) => [p.id, p.name]));
  if (height === '') return <Note tone="warn" title={t('block.noHeight')} />;
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton height={320} radius="lg" />;
  const b = query.data.data;
  const n = BigInt(height);
  const signers = b.certificate ?? [];
  const newest = status.data && BigInt(status.data.data.height) <= n;
  // The set of validators may have been another one then: who is missing is said of today's only when it is the same.
  const same = b.header.validatorSetHash === b.header.nextValidatorSetHash;
  const all = validators.data?.data.validators ?? [];
  const missing = signers.length > 0 && same ? all.filter((v) => !signers.some((s) => s.validator === v.name)) : [];
  return (
    <div className="stack-18">
      <div>
        <p className="pair" style={{ margin: 0 }}>
          {n > 0n && <Link to={path('block', String(n - 1n))}>{t('block.previous')}</Link>}
          {newest ? (
            <span className="quiet">{t('block.isNewest')}</span>
          ) : (
            <Link to={path('block', String(n + 1n))}>{t('block.next')}</Link>
          )}
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
              <Status tone="good">{names.get(s.party) ?? s.party}</Status>
              <span className="mono quiet">{s.validator}</span>
              <span className="quiet">{at(s.time, i18n.language)}</span>
              <Hash value={s.signature} name={t('block.signature', { validator: s.validator })} />
            </li>
          ))}
          {missing.map((v) => (
            <li key={v.name} className="pair">
              <Status tone="calm">{v.partyName ?? v.party}</Status>
              <span className="mono quiet">{v.name}</span>
              <span className="quiet">{t('block.notIn')}</span>
            </li>
          ))}
        </ul>
        <p className="quiet" style={{ margin: 0 }}>
          {t('block.unverified')}
        </p>
        <dl className="facts">
          {(
            [
              ['hash', b.hash],
              ['parent', b.header.parent],
              ['entriesRoot', b.header.entriesRoot],
              ['verdictsRoot', b.header.verdictsRoot],
              ['stateRoot', b.header.stateRoot],
              ['validatorSet', b.header.validatorSetHash],
              ['nextValidatorSet', b.header.nextValidatorSetHash],
              ['rawHeader', b.rawHeader],
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
          {(['verdictLeaves', 'rulesVersion', 'epoch'] as const).map((name) => (
            <div key={name}>
              <dt>{t(`block.field.${name}`)}</dt>
              <dd>{b.header[name]}</dd>
            </div>
          ))}
        </dl>
        <p style={{ margin: 0 }}>
          <a href={`/v1/blocks/${height}`} download={`block-${height}.json`}>
            {t('block.download')}
          </a>
        </p>
      </section>
      <Entries entries={b.entries ?? []} names={names} />
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

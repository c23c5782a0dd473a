import { Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, Problem, type Schemas } from '../../api/client';
import type { PageProps } from '../../app/pages';
import { decoded, Link, path, tracePath, useNavigation } from '../../app/router';
import { Freshness } from '../../components/Freshness';
import { Icon } from '../../components/Icon';
import { ScanField } from '../../components/ScanField';
import { Status, type Tone } from '../../components/Status';
import { shown } from '../../lib/scan/wedge';
import { Actions } from './Actions';
import { kindOf, type Kind } from './verdict';

const tones: Record<Kind, Tone> = { dispense: 'good', recalled: 'bad', unverified: 'bad', unfit: 'bad', stale: 'warn' };

interface Past {
  text: string;
  kind: Kind | 'silent';
  at: number;
}

export default function CheckPage({ rest }: PageProps) {
  const { t } = useTranslation();
  const { go } = useNavigation();
  const text = decoded(rest);
  const [past, setPast] = useState<Past[]>([]);
  // Scanning the same package again asks again.
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
      </div>
      {text === '' ? (
        <p className="quiet">{t('counter.intro')}</p>
      ) : (
        <Answer
          key={`${text}\n${again}`}
          text={text}
          heard={(p) => setPast((list) => [p, ...list.filter((x) => x.text !== p.text)].slice(0, 20))}
        />
      )}
      {past.length > 1 && (
        <section aria-labelledby="past">
          <h2 id="past">{t('counter.past')}</h2>
          <ul className="past">
            {past.slice(1).map((p) => (
              <li key={p.text}>
                <Status tone={p.kind === 'silent' ? 'calm' : tones[p.kind]} icon={p.kind === 'silent' ? 'pending' : undefined}>
                  {t(`counter.short.${p.kind}`)}
                </Status>{' '}
                <Link to={path('check', p.text)} className="mono">
                  {shown(p.text)}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Answer({ text, heard }: { text: string; heard: (p: Past) => void }) {
  const { t } = useTranslation();
  const { go } = useNavigation();
  // While the page is open it asks again: a recall may come while the patient waits.
  const query = useQuery({
    queryKey: ['check', text],
    queryFn: async () => {
      const started = performance.now();
      return { ...(await api.check(text)), milliseconds: performance.now() - started };
    },
    refetchInterval: 10_000,
    retry: false,
    gcTime: 0,
  });
  const kind = query.isError ? 'silent' : query.data ? kindOf(query.data.data) : undefined;
  const told = query.isError && query.error instanceof Problem && query.error.status < 500 ? undefined : kind;
  useEffect(() => {
    if (told) heard({ text, kind: told, at: Date.now() });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- heard is new at every render; what was heard is not
  }, [told, text]);
  if (query.isPending) {
    return (
      <div className="verdict tone-calm" role="status" aria-label={t('app.loading')}>
        <Loader size={56} />
        <h2>{t('counter.asking')}</h2>
      </div>
    );
  }
  if (query.isError) {
    const problem = query.error instanceof Problem && query.error.status < 500 ? query.error : undefined;
    return (
      <div className="verdict tone-calm" role="alert" data-testid="verdict" data-kind={problem ? 'unreadable' : 'silent'}>
        <Icon name="pending" size={64} />
        <h2>{problem ? t('counter.unreadable') : t('counter.silent')}</h2>
        <p>{problem ? <span lang="en">{problem.detail}</span> : t('counter.silentHelp')}</p>
        {problem && problem.readings.length > 0 && (
          <ul>
            {problem.readings.map((r) => (
              <li key={r}>
                <button type="button" className="plain mono" onClick={() => go(path('check', r))}>
                  {r}
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    );
  }
  return (
    <Verdict check={query.data.data} milliseconds={query.data.milliseconds} rests={query.data.rests} refresh={() => void query.refetch()} />
  );
}

function Verdict({
  check,
  milliseconds,
  rests,
  refresh,
}: {
  check: Schemas['Check'];
  milliseconds: number;
  rests: Parameters<typeof Freshness>[0]['rests'];
  refresh: () => void;
}) {
  const { t, i18n } = useTranslation();
  const kind = kindOf(check);
  const tone = tones[kind];
  const trace = useQuery({ queryKey: ['trace', check.id.key], queryFn: () => api.trace(check.id.key), retry: false }).data?.data;
  const product = trace?.product;
  return (
    <>
      <div className={`verdict tone-${tone}`} role="status" data-testid="verdict" data-kind={kind}>
        <Icon name={tone} size={72} />
        <h2>{t(`counter.word.${kind}`)}</h2>
        <p>{t(`counter.next.${kind}`)}</p>
        {(check.reasons ?? []).length > 0 && (
          <ul>
            {check.reasons!.map((r, i) => (
              <li key={i}>
                {t(`counter.reason.${r.code}`, { defaultValue: '' })}{' '}
                <span lang="en" className={i18n.exists(`counter.reason.${r.code}`) ? 'quiet' : undefined}>
                  {r.detail}
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <section className="card stack-18" aria-labelledby="package">
        <h2 id="package" style={{ margin: 0 }}>
          {product ? [product.name, product.strength].filter(Boolean).join(' ') : t('counter.package')}
        </h2>
        <dl className="facts">
          {[
            ['form', product && [product.dosageForm, product.netContent].filter(Boolean).join(', ')],
            ['serial', check.id.serial],
            ['gtin', check.id.gtin],
            ['lot', check.lot],
            ['expiry', check.expiry],
            ['holder', check.holder && (check.holder.name ?? check.holder.id)],
          ].map(
            ([name, value]) =>
              value && (
                <div key={name}>
                  <dt>{t(`counter.fact.${name!}`)}</dt>
                  <dd className={['serial', 'gtin', 'lot'].includes(name!) ? 'mono' : undefined}>{value}</dd>
                </div>
              ),
          )}
        </dl>
        <Freshness rests={rests} refresh={refresh} />
        <p className="quiet" style={{ margin: 0 }}>
          {t('counter.took', { ms: Math.max(1, Math.round(milliseconds)) })} ·{' '}
          <Link to={tracePath(check.id.key)}>{t('counter.history')}</Link>
        </p>
      </section>
      <Actions key={check.id.key} check={check} trace={trace} kind={kind} />
    </>
  );
}

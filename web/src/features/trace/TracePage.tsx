import { Button, Skeleton, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { Freshness } from '../../components/Freshness';
import { later } from '../../components/Later';
import { Note } from '../../components/Status';
import { Problem } from '../../lib/api/client';
import { decoded, tracePath } from '../../lib/router/address';
import type { PageProps } from '../../lib/router/page';
import { Link, useNavigation } from '../../lib/router/router';
import { compare, keyOfText } from './compare';
import { Present } from './Present';
import { ProofCard } from './ProofCard';
import { Timeline } from './Timeline';
import { useProof, useTrace } from './useTrace';
import './trace.css';

const GraphCard = later(() => import('./GraphCard'));

export default function TracePage({ rest }: PageProps) {
  const { t } = useTranslation();
  const id = decoded(rest); // in one piece: what was scanned may hold slashes
  return (
    <>
      <h1>{t('trace.title')}</h1>
      <Search id={id} />
      {id === '' ? <p className="quiet">{t('trace.intro')}</p> : <Answer key={id} id={id} />}
    </>
  );
}

function Search({ id }: { id: string }) {
  const { t } = useTranslation();
  const { go } = useNavigation();
  const [text, setText] = useState(id);
  const [shown, setShown] = useState(id);
  if (shown !== id) {
    setShown(id); // the address changed: the field follows it
    setText(id);
  }
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const wanted = text.trim();
    if (wanted !== '') go(tracePath(wanted));
  };
  return (
    <form
      role="search"
      onSubmit={submit}
      style={{ display: 'flex', flexWrap: 'wrap', gap: 8, alignItems: 'flex-end', margin: '12px 0 20px' }}
    >
      <TextInput
        label={t('trace.field')}
        description={t('trace.fieldHelp')}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
        style={{ flex: '1 1 280px' }}
        size="md"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      />
      <Button type="submit" size="md">
        {t('trace.search')}
      </Button>
    </form>
  );
}

function Answer({ id }: { id: string }) {
  const { t } = useTranslation();
  const query = useTrace(id);
  const trace = query.data?.data;
  const steps = trace?.steps ?? [];
  const proof = useProof(steps.length > 0 ? trace!.id.key : '', trace?.restsOn.height);
  if (query.isPending) {
    return (
      <div role="status" aria-label={t('app.loading')}>
        <Skeleton height={150} mb="md" radius="lg" />
        <Skeleton height={110} mb="sm" radius="lg" />
        <Skeleton height={110} radius="lg" />
      </div>
    );
  }
  if (query.isError) return <Refusal error={query.error} retry={() => void query.refetch()} />;
  if (!trace) return null;
  const verified = proof.data?.result.ok ? compare(trace.id.key, steps, proof.data.result.report, proof.data.parties) : undefined;
  const asked = keyOfText(id);
  if (asked !== undefined && asked !== trace.id.key) {
    return (
      <Note tone="bad" alert title={t('trace.anotherTitle')}>
        <p>{t('trace.another', { key: trace.id.key })}</p>
      </Note>
    );
  }
  return (
    <div style={{ display: 'grid', gap: 20 }}>
      <Freshness rests={query.data?.rests} refresh={() => void query.refetch()} />
      <Present trace={trace} />
      {steps.length > 0 && (
        <>
          <ProofCard name={trace.id.key} proof={proof} compared={verified} shown={steps.length} />
          <section aria-labelledby="history">
            <h2 id="history">{t('trace.history', { count: steps.length })}</h2>
            {(trace.gaps ?? []).length > 0 && (
              <div style={{ marginBottom: 12 }}>
                <Note tone="warn" level={3} title={t('trace.gaps')}>
                  {trace.gaps!.map((g) => (
                    <p key={g} lang="en">
                      {g}
                    </p>
                  ))}
                </Note>
              </div>
            )}
            <details className="card" style={{ marginBottom: 16 }} open={steps.length > 1}>
              <summary>{t('graph.title')}</summary>
              <GraphCard key={trace.id.key} self={trace.id.key} steps={steps} />
            </details>
            <Timeline self={trace.id.key} steps={steps} pending={proof.isPending} proofs={verified?.steps} />
          </section>
        </>
      )}
    </div>
  );
}

function Refusal({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useTranslation();
  const readings = error instanceof Problem ? error.readings : [];
  return (
    <Failure error={error} retry={retry}>
      {readings.length > 0 && (
        <>
          <p>{t('trace.readings')}</p>
          <ul>
            {readings.map((r) => (
              <li key={r}>
                <Link to={tracePath(r)} className="mono">
                  {r}
                </Link>
              </li>
            ))}
          </ul>
        </>
      )}
    </Failure>
  );
}

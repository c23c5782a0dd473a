import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Checks } from '../../components/Checks';
import { Failure } from '../../components/Failure';
import { Hash } from '../../components/Hash';
import { Icon } from '../../components/Icon';
import { Note } from '../../components/Status';
import { Link } from '../../lib/router/router';
import { save } from '../../lib/save';
import type { compare } from './compare';
import type { useProof } from './useTrace';

interface Props {
  name: string;
  proof: ReturnType<typeof useProof>;
  compared?: ReturnType<typeof compare>;
  shown: number;
}

/** What this browser found out about the proof, with every check, and the files for somebody else to check. */
export function ProofCard({ name, proof, compared, shown }: Props) {
  const { t } = useTranslation();
  if (proof.isPending) {
    return (
      <div role="status">
        <Note tone="calm" icon="pending" title={t('proof.checking')}>
          <p>{t('proof.checkingHelp')}</p>
        </Note>
      </div>
    );
  }
  if (proof.isError) {
    return (
      <Failure error={proof.error} retry={() => void proof.refetch()}>
        <p>{t('proof.notVerified')}</p>
      </Failure>
    );
  }
  if (!proof.data) {
    return (
      <Note tone="warn" title={t('proof.none')}>
        <p>{t('proof.notVerified')}</p>
      </Note>
    );
  }
  const { result, bundle, genesis, genesisHash, milliseconds } = proof.data;
  const good = [...(compared?.steps.values() ?? [])].filter((s) => s.status === 'verified').length;
  const bad = [...(compared?.steps.values() ?? [])].filter((s) => s.status === 'differs').length;
  const all = result.ok && good === shown && compared?.unshown === 0;
  const tone = !result.ok || bad > 0 ? 'bad' : all ? 'good' : 'warn';
  return (
    <section
      className="card"
      aria-live="polite"
      aria-label={t('proof.region')}
      data-testid="proof"
      data-tone={tone}
      style={{ display: 'grid', gap: 14 }}
    >
      <Note tone={tone} title={t(!result.ok ? 'proof.failed' : bad > 0 ? 'proof.differs' : all ? 'proof.verified' : 'proof.partly')}>
        {result.ok ? (
          <>
            <p>
              {t('proof.counted', { good, count: shown })}{' '}
              {t('proof.signers', {
                signers: result.report.signers.length,
                validators: result.checks.find((c) => c.name === 'certificate')?.facts.validators,
                size: String(result.report.checkpoint.size),
              })}
            </p>
            {compared && compared.unshown > 0 && <p>{t('proof.unshown', { count: compared.unshown })}</p>}
          </>
        ) : (
          <p>
            {t('proof.failedAt', { check: t(`checks.${result.failed}.title`) })} <span lang="en">{result.reason}</span>
          </p>
        )}
      </Note>
      <details>
        <summary>{t('proof.checks', { count: result.checks.length })}</summary>
        <Checks result={result} />
        <p className="quiet">{t('proof.took', { ms: Math.max(1, Math.round(milliseconds)), kb: Math.ceil(bundle.length / 1024) })}</p>
      </details>
      <details>
        <summary>{t('proof.limits')}</summary>
        <ul className="quiet">
          <li>
            {t('proof.limitGenesis')} <Hash value={genesisHash} name={t('proof.genesisHash')} />
          </li>
          <li>{t('proof.limitNames')}</li>
          <li>{t('proof.limitSealed')}</li>
          <li>{t('proof.limitAll')}</li>
        </ul>
      </details>
      <div className="pair">
        <Button
          variant="default"
          leftSection={<Icon name="download" />}
          onClick={() => save(bundle, `verilot-proof-${name.replace(/[^A-Za-z0-9-]/g, '_')}.json`)}
        >
          {t('proof.download')}
        </Button>
        <Button variant="default" leftSection={<Icon name="download" />} onClick={() => save(genesis, 'verilot-genesis.json')}>
          {t('proof.downloadGenesis')}
        </Button>
        <Link to="/verify">{t('proof.toVerify')}</Link>
      </div>
    </section>
  );
}

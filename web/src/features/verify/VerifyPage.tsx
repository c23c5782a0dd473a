import { Button } from '@mantine/core';
import { useMemo, useState, type DragEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Checks } from '../../components/Checks';
import { Failure } from '../../components/Failure';
import { Hash } from '../../components/Hash';
import { Note, Status } from '../../components/Status';
import { api } from '../../lib/api/client';
import { hex, parseGenesis, positionText, Refused, verifyBytes, type Genesis, type Result } from '../../lib/proof';
import { stepName } from '../../lib/steps';
import { at } from '../../lib/time';
import './verify.css';

interface Dropped {
  name: string;
  bytes: Uint8Array;
}

type Outcome = { genesis?: Genesis; genesisTrouble?: string; result?: Result };

function judge(bundle?: Dropped, genesis?: Dropped): Outcome {
  if (!genesis) return {};
  try {
    const g = parseGenesis(genesis.bytes);
    return { genesis: g, result: bundle && verifyBytes(bundle.bytes, g) };
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    return { genesisTrouble: e.message };
  }
}

export default function VerifyPage() {
  const { t } = useTranslation();
  const [bundle, setBundle] = useState<Dropped>();
  const [genesis, setGenesis] = useState<Dropped>();
  const [trouble, setTrouble] = useState<unknown>();
  const outcome = useMemo(() => judge(bundle, genesis), [bundle, genesis]);
  const fetchGenesis = () => {
    setTrouble(undefined);
    api.genesis().then((bytes) => setGenesis({ name: t('verify.fromServer'), bytes }), setTrouble);
  };
  return (
    <div style={{ display: 'grid', gap: 20 }}>
      <div>
        <h1>{t('verify.title')}</h1>
        <p className="quiet" style={{ margin: 0 }}>
          {t('verify.intro')}
        </p>
      </div>
      <div className="grid2" style={{ alignItems: 'start' }}>
        <FileDrop label={t('verify.bundle')} help={t('verify.bundleHelp')} file={bundle} onFile={setBundle} id="bundle" />
        <div style={{ display: 'grid', gap: 8, alignContent: 'start' }}>
          <FileDrop label={t('verify.genesis')} help={t('verify.genesisHelp')} file={genesis} onFile={setGenesis} id="genesis" />
          <div className="pair">
            <Button variant="default" size="sm" onClick={fetchGenesis}>
              {t('verify.useServer')}
            </Button>
            <span className="quiet">{t('verify.useServerHelp')}</span>
          </div>
        </div>
      </div>
      {trouble !== undefined && <Failure error={trouble} retry={fetchGenesis} />}
      <div aria-live="polite" style={{ display: 'grid', gap: 20 }}>
        {outcome.genesisTrouble !== undefined && (
          <Note tone="bad" title={t('verify.badGenesis')}>
            <p lang="en">{outcome.genesisTrouble}</p>
            <p>{t('verify.badGenesisHelp')}</p>
          </Note>
        )}
        {outcome.genesis && (
          <p className="pair quiet" style={{ margin: 0 }}>
            {t('verify.network', { name: outcome.genesis.name, count: outcome.genesis.validators.length })}{' '}
            <Hash value={hex(outcome.genesis.hash)} name={t('proof.genesisHash')} />
          </p>
        )}
        {outcome.result && <ResultCard result={outcome.result} />}
        {!outcome.result && !outcome.genesisTrouble && (
          <Note tone="calm" title={t('verify.waiting')}>
            <p>{t(bundle ? 'verify.needGenesis' : genesis ? 'verify.needBundle' : 'verify.needBoth')}</p>
          </Note>
        )}
      </div>
    </div>
  );
}

function FileDrop({
  id,
  label,
  help,
  file,
  onFile,
}: {
  id: string;
  label: string;
  help: string;
  file?: Dropped;
  onFile: (f: Dropped) => void;
}) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  const take = (f: File | undefined | null) => {
    if (f) void f.arrayBuffer().then((b) => onFile({ name: f.name, bytes: new Uint8Array(b) }));
  };
  const drop = (e: DragEvent) => {
    e.preventDefault();
    setOver(false);
    take(e.dataTransfer.files[0]);
  };
  return (
    <label
      className={over ? 'drop over' : 'drop'}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <input
        type="file"
        name={id}
        data-testid={`${id}-file`}
        aria-describedby={`${id}-help`}
        onChange={(e) => take(e.currentTarget.files?.[0])}
      />
      <strong>{label}</strong>
      <span id={`${id}-help`} className="quiet">
        {help}
      </span>
      <span style={{ display: 'block', marginTop: 8 }}>
        {file ? (
          <Status tone="calm" icon="file">
            {file.name} · {Math.ceil(file.bytes.length / 1024)} KB
          </Status>
        ) : (
          <span style={{ color: 'var(--link)', fontWeight: 600 }}>{t('verify.choose')}</span>
        )}
      </span>
    </label>
  );
}

function ResultCard({ result }: { result: Result }) {
  const { t, i18n } = useTranslation();
  return (
    <>
      <div data-testid="verdict" data-ok={result.ok}>
        {result.ok ? (
          <Note tone="good" title={t('verify.good')}>
            <p>
              {t('proof.signers', {
                signers: result.report.signers.length,
                validators: result.checks.find((c) => c.name === 'certificate')?.facts.validators,
                size: String(result.report.checkpoint.size),
              })}
            </p>
          </Note>
        ) : (
          <Note tone="bad" title={t('verify.bad')}>
            <p>
              {t('proof.failedAt', { check: t(`checks.${result.failed}.title`) })} <span lang="en">{result.reason}</span>
            </p>
            <p>{t('verify.badHelp')}</p>
          </Note>
        )}
      </div>
      {result.ok && (
        <section className="card" aria-labelledby="shows">
          <h2 id="shows">{t('verify.shows', { count: result.report.steps.length })}</h2>
          <table className="data stack">
            <thead>
              <tr>
                <th scope="col">{t('verify.position')}</th>
                <th scope="col">{t('verify.recorded')}</th>
                <th scope="col">{t('verify.party')}</th>
                <th scope="col">{t('verify.item')}</th>
                <th scope="col">{t('verify.verdict')}</th>
              </tr>
            </thead>
            <tbody>
              {result.report.steps.map((s) => {
                const word = (path: string) =>
                  s.fields
                    .find((f) => f.path === path)
                    ?.text.split(':')
                    .pop() ?? '';
                const step = word('field(10)');
                return (
                  <tr key={positionText(s.position)}>
                    <td className="mono" data-label={t('verify.position')}>
                      {positionText(s.position)}
                    </td>
                    <td data-label={t('verify.recorded')}>{at(Number(s.time), i18n.language)}</td>
                    <td data-label={t('verify.party')}>{s.party}</td>
                    <td data-label={t('verify.item')}>
                      {s.kind === 11 && step
                        ? t(`step.${stepName({ bizStep: step, disposition: word('field(11)') })}`, { defaultValue: step })
                        : t(`kind.${s.kind}`, { defaultValue: String(s.kind) })}
                    </td>
                    <td data-label={t('verify.verdict')}>
                      <span>
                        {t(`verdict.${s.verdict}`)}{' '}
                        <span className="mono">{[s.code, ...s.findings.map((f) => f.code)].filter(Boolean).join(' ')}</span>
                      </span>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </section>
      )}
      <section className="card" aria-labelledby="checks">
        <h2 id="checks">{t('verify.checks')}</h2>
        <Checks result={result} />
      </section>
    </>
  );
}

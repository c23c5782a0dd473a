import { Button, Checkbox, Radio, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type DragEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { SignInFirst } from '../../components/SignInFirst';
import { Note } from '../../components/Status';
import { capture, onboard, Problem } from '../../lib/api/client';
import { newKey } from '../../lib/api/job';
import { useMay, useSetting } from '../../lib/api/setting';
import { path } from '../../lib/router/address';
import { useNavigation } from '../../lib/router/router';
import { EarlierJobs } from './EarlierJobs';
import { Excerpt } from './Excerpt';
import { linesOf, mostShown, objection, typeOf, type Objection } from './excerpt';
import { remember } from './sent';

const shown = 30;

interface Chosen {
  file: File;
  bad?: Objection;
}

export function Send() {
  const { t, i18n } = useTranslation();
  const { go } = useNavigation();
  const { may } = useMay();
  const development = useSetting().data?.development ?? false;
  const [chosen, setChosen] = useState<Chosen>();
  const [over, setOver] = useState(false);
  const [onError, setOnError] = useState<'rollback' | 'proceed'>('rollback');
  const [register, setRegister] = useState(false);
  const [lines, setLines] = useState<string[]>([]);
  // Sending the same file in the same way again is the same thing meant: an answer that was lost makes no second job.
  const meant = useRef<{ file?: File; onError?: string; key: string }>({ key: '' });
  const send = useMutation({
    mutationFn: async (file: File) => {
      const type = typeOf(await file.slice(0, 200).text());
      const read = file.size > mostShown ? [] : linesOf(await file.text());
      setLines(read);
      const notes = register ? ((await onboard(file, type)).notes ?? []) : [];
      if (meant.current.file !== file || meant.current.onError !== onError) meant.current = { file, onError, key: newKey() };
      const job = await capture.document(file, type, onError, meant.current.key);
      remember({ id: job.captureID, name: file.name, lines: read, notes });
      return job;
    },
    onSuccess: (job) => {
      meant.current = { key: '' };
      go(path('capture', job.captureID));
    },
  });
  const choose = async (list: FileList | null) => {
    const file = list?.[0];
    send.reset();
    if (!file) return setChosen(undefined);
    const bad = objection(file.size, await file.slice(0, 200).text());
    setChosen({ file, ...(bad ? { bad } : {}) });
  };
  const drop = (e: DragEvent) => {
    e.preventDefault();
    setOver(false);
    void choose(e.dataTransfer.files);
  };
  const number = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 });
  const size = (bytes: number) => (bytes < 1 << 20 ? `${number.format(bytes / 1024)} KB` : `${number.format(bytes / (1 << 20))} MB`);
  const errors = send.error instanceof Problem ? send.error.errors : [];
  return (
    <div className="stack-18">
      <div>
        <h1>{t('upload.title')}</h1>
        <p className="quiet" style={{ margin: 0 }}>
          {t('upload.intro')}
        </p>
      </div>
      <section className="card stack-18" aria-label={t('upload.document')}>
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
            accept=".xml,.json,.jsonld,application/xml,text/xml,application/json,application/ld+json"
            onChange={(e) => void choose(e.currentTarget.files)}
            data-testid="document"
          />
          <strong>{t('upload.choose')}</strong>
          <span className={chosen ? undefined : 'quiet'}>
            {chosen
              ? t('upload.chosen', { name: chosen.file.name, size: size(chosen.file.size), type: chosen.file.type || t('upload.noType') })
              : t('upload.drop')}
          </span>
        </label>
        {chosen?.bad && (
          <Note tone="warn" alert title={t(`upload.bad.${chosen.bad}`)}>
            <p>{t('upload.badHelp')}</p>
          </Note>
        )}
        <Radio.Group label={t('upload.onError')} value={onError} onChange={(v) => setOnError(v as 'rollback')}>
          <Stack gap="xs" mt="xs">
            <Radio value="rollback" label={t('upload.rollback')} description={t('upload.rollbackHelp')} />
            <Radio value="proceed" label={t('upload.proceed')} description={t('upload.proceedHelp')} />
          </Stack>
        </Radio.Group>
        {development && (
          <Checkbox
            label={t('upload.register')}
            description={t('upload.registerHelp')}
            checked={register}
            onChange={(e) => setRegister(e.currentTarget.checked)}
          />
        )}
        {may ? (
          <div>
            <Button
              size="md"
              disabled={!chosen || chosen.bad === 'empty' || chosen.bad === 'large'}
              loading={send.isPending}
              onClick={() => chosen && send.mutate(chosen.file)}
              data-testid="send"
            >
              {t('upload.send')}
            </Button>
          </div>
        ) : (
          <SignInFirst />
        )}
        {send.error && (
          <div data-testid="refused">
            <Failure error={send.error} retry={() => chosen && send.mutate(chosen.file)}>
              {errors.slice(0, shown).map((f, i) => (
                <div key={i} className="outcome">
                  <p>
                    <strong>{f.line ? t('upload.where', { line: f.line, column: f.column ?? 1 }) : f.pointer}</strong>{' '}
                    {f.event !== undefined && t('job.item', { index: f.event })} <span className="mono quiet">{f.code}</span>
                    <br />
                    <span lang="en">{f.message}</span>
                    {f.hint && (
                      <>
                        <br />
                        <span className="quiet" lang="en">
                          {f.hint}
                        </span>
                      </>
                    )}
                  </p>
                  {f.line !== undefined && <Excerpt lines={lines} line={f.line} column={f.column} />}
                </div>
              ))}
              {errors.length > shown && <p>{t('upload.moreErrors', { count: errors.length - shown })}</p>}
            </Failure>
          </div>
        )}
      </section>
      <EarlierJobs />
    </div>
  );
}

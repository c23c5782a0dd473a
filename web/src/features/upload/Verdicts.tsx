import { Button, Checkbox } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Status, type Tone } from '../../components/Status';
import type { Verdict } from '../../lib/api/client';
import { path } from '../../lib/router/address';
import { Link, useNavigation } from '../../lib/router/router';

const tones: Record<Verdict['verdict'], Tone> = { accepted: 'good', flagged: 'warn', duplicate: 'calm', rejected: 'bad', refused: 'bad' };

/** A document may hold twenty thousand events: a browser is given some of them at a time. */
const page = 200;

export function Verdicts({ all }: { all: Verdict[] }) {
  const { t } = useTranslation();
  const { route, go } = useNavigation();
  const only = route.query.get('only') === 'bad';
  const [shown, setShown] = useState(page);
  const bad = all.filter((v) => v.verdict !== 'accepted');
  const list = only ? bad : all;
  return (
    <section className="card" aria-labelledby="verdicts">
      <div className="step-head">
        <h2 id="verdicts">{t('job.verdicts', { count: all.length })}</h2>
        {bad.length > 0 && (bad.length < all.length || only) && (
          <Checkbox
            label={t('upload.onlyBad', { count: bad.length })}
            checked={only}
            onChange={(e) => {
              setShown(page);
              go(`/${route.page}/${route.rest}${e.currentTarget.checked ? '?only=bad' : ''}`, { replace: true });
            }}
          />
        )}
      </div>
      <div className="scroll">
        <table className="data stack" data-testid="verdicts">
          <thead>
            <tr>
              <th scope="col">{t('upload.event')}</th>
              <th scope="col">{t('upload.type')}</th>
              <th scope="col">{t('upload.step')}</th>
              <th scope="col">{t('upload.verdict')}</th>
              <th scope="col">{t('upload.why')}</th>
            </tr>
          </thead>
          <tbody>
            {list.slice(0, shown).map((v, i) => (
              <Row key={i} v={v} />
            ))}
          </tbody>
        </table>
      </div>
      {list.length > shown && (
        <div className="actions" style={{ marginTop: 12 }}>
          <Button variant="default" onClick={() => setShown(shown + page)}>
            {t('upload.more', { count: Math.min(page, list.length - shown) })}
          </Button>
          <span className="quiet">{t('upload.shown', { shown, count: list.length })}</span>
        </div>
      )}
    </section>
  );
}

function Row({ v }: { v: Verdict }) {
  const { t, i18n } = useTranslation();
  const codes = new Map((v.code ? [[v.code, v.detail ?? '']] : []) as [string, string][]);
  for (const f of v.findings ?? []) codes.set(f.code, f.detail ?? '');
  const step = v.bizStep && t(`step.${v.bizStep}`, { defaultValue: v.bizStep });
  return (
    <tr data-verdict={v.verdict}>
      <td data-label={t('upload.event')}>{v.index ?? '–'}</td>
      <td data-label={t('upload.type')}>{v.type || t(`block.kind.${v.kind}`, { defaultValue: v.kind })}</td>
      <td data-label={t('upload.step')}>{step || v.subject || '–'}</td>
      <td data-label={t('upload.verdict')}>
        <Status tone={tones[v.verdict]}>{t(`upload.is.${v.verdict}`)}</Status>
        {v.position && (
          <div className="quiet">
            <Link to={path('block', String(v.position.height))}>{t('job.block', { height: String(v.position.height) })}</Link>
          </div>
        )}
      </td>
      <td data-label={t('upload.why')}>
        {codes.size === 0 && '–'}
        {[...codes].map(([code, detail]) => (
          <div key={code}>
            {/* The service says in English what it means and what to do. */}
            {(i18n.language === 'en' && detail) || t(`finding.${code}`, { defaultValue: '' }) || <span lang="en">{detail}</span>}{' '}
            <span className="mono quiet">{code}</span>
          </div>
        ))}
      </td>
    </tr>
  );
}

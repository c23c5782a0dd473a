import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { JobCard } from '../../components/JobCard';
import { PartySelect } from '../../components/PartySelect';
import type { Schemas } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';
import { printed } from '../../lib/printed';
import { tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import './picks.css';

export function ShipCard({ boxes, party }: { boxes: Schemas['LotContainer'][]; party: string }) {
  const { t } = useTranslation();
  const { may } = useMay();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [to, setTo] = useState<string | null>(null);
  const [po, setPO] = useState('');
  const [desadv, setDesadv] = useState('');
  const ship = useCommand('ship', () => setChosen(new Set()));
  const there = boxes.filter((b) => chosen.has(b.key));
  const toggle = (key: string) => setChosen((c) => new Set(c.has(key) ? [...c].filter((k) => k !== key) : [...c, key]));
  return (
    <section className="card stack-18" aria-labelledby="ship">
      <div className="step-head">
        <h2 id="ship" style={{ margin: 0 }}>
          {t('make.ship')}
        </h2>
        <Button variant="default" onClick={() => setChosen(there.length === boxes.length ? new Set() : new Set(boxes.map((b) => b.key)))}>
          {there.length === boxes.length ? t('make.chooseNone') : t('make.chooseAll', { count: boxes.length })}
        </Button>
      </div>
      <fieldset className="picks">
        <legend>{t('make.which')}</legend>
        {boxes.slice(0, 120).map((b) => (
          <label key={b.key}>
            <input type="checkbox" checked={chosen.has(b.key)} onChange={() => toggle(b.key)} />
            <span className="mono">{printed(b.key)}</span>
            <span className="quiet">{t('make.holds', { count: b.units })}</span>
            <Link to={tracePath(b.key)}>{t('make.trace')}</Link>
          </label>
        ))}
      </fieldset>
      {boxes.length > 120 && <p className="quiet">{t('make.moreBoxes', { count: boxes.length - 120 })}</p>}
      <div className="field-row">
        <PartySelect label={t('make.to')} value={to} onChange={setTo} except={party} required />
        <TextInput label={t('make.po')} value={po} onChange={(e) => setPO(e.currentTarget.value)} />
        <TextInput label={t('make.desadv')} value={desadv} onChange={(e) => setDesadv(e.currentTarget.value)} />
      </div>
      <div>
        <Button
          size="md"
          disabled={!may || there.length === 0 || to === null}
          loading={ship.busy}
          data-testid="ship"
          onClick={() =>
            ship.send({
              items: there.map((b) => b.digitalLink ?? b.key),
              to: { party: to! },
              ...(po.trim() ? { po: po.trim() } : {}),
              ...(desadv.trim() ? { desadv: desadv.trim() } : {}),
            })
          }
        >
          {t('make.shipNow', { count: there.length })}
        </Button>
      </div>
      <JobCard title={t('make.ship')} job={ship.job} error={ship.error} lost={ship.lost} />
    </section>
  );
}

import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, Problem, type Schemas } from '../../api/client';
import { Link, tracePath } from '../../app/router';
import { JobCard } from '../../components/JobCard';
import { PartySelect } from '../../components/PartySelect';
import { ScanField } from '../../components/ScanField';
import { Note, Status } from '../../components/Status';
import { SignInFirst, useMay } from '../../components/useAct';
import { useCommand } from '../../components/useJob';
import { printed } from '../../lib/printed';
import { hindrance } from './hindrance';

/** Scan what stands at the dock, say where it goes. What may not leave is said before anything is sent. */
export default function ShipPage() {
  const { t } = useTranslation();
  const { party, may } = useMay();
  const [things, setThings] = useState<Schemas['Trace'][]>([]);
  const [trouble, setTrouble] = useState<string>();
  const [to, setTo] = useState<string | null>(null);
  const [po, setPO] = useState('');
  const [desadv, setDesadv] = useState('');
  const ship = useCommand('ship', (job) => {
    if (job.success) setThings([]);
  });
  const scan = async (text: string) => {
    setTrouble(undefined);
    try {
      const trace = (await api.trace(text)).data;
      setThings((list) => [trace, ...list.filter((x) => x.id.key !== trace.id.key)]);
    } catch (e) {
      setTrouble(e instanceof Problem && e.detail ? e.detail : t('problem.silent'));
    }
  };
  const good = things.filter((x) => hindrance(x, party) === undefined);
  return (
    <div className="stack-18">
      <div>
        <h1>{t('ship.title')}</h1>
        <ScanField label={t('ship.field')} description={t('ship.fieldHelp')} action={t('ship.add')} onScan={(x) => void scan(x)} />
        {trouble && <Note tone="warn" alert title={trouble} />}
      </div>
      <section className="card stack-18" aria-labelledby="things">
        <h2 id="things" style={{ margin: 0 }}>
          {t('ship.things', { count: good.length })}
        </h2>
        {things.length === 0 && <p className="quiet">{t('ship.nothing')}</p>}
        <ul className="rows">
          {things.map((x) => {
            const why = hindrance(x, party);
            return (
              <li key={x.id.key} className="product">
                <div>
                  <Link to={tracePath(x.id.key)} className="mono">
                    {printed(x.id.key)}
                  </Link>
                  <div className="quiet">
                    {[x.product?.name, x.lot && t('ship.lot', { lot: x.lot }), x.contents ? t('ship.inside', { count: x.contents }) : '']
                      .filter(Boolean)
                      .join(' · ')}
                  </div>
                </div>
                <div className="actions">
                  {why ? (
                    <Status tone="bad">
                      {t(`ship.why.${why}`, { who: x.holder?.name ?? x.holder?.id, container: printed(x.containers?.[0] ?? '') })}
                    </Status>
                  ) : (
                    <Status tone="good">{t('ship.ready')}</Status>
                  )}
                  <Button variant="default" onClick={() => setThings((list) => list.filter((y) => y !== x))}>
                    {t('ship.remove')}
                  </Button>
                </div>
              </li>
            );
          })}
        </ul>
        <div className="field-row">
          <PartySelect label={t('ship.to')} value={to} onChange={setTo} except={party} required />
          <TextInput label={t('ship.po')} value={po} onChange={(e) => setPO(e.currentTarget.value)} />
          <TextInput label={t('ship.desadv')} value={desadv} onChange={(e) => setDesadv(e.currentTarget.value)} />
        </div>
        {may ? (
          <div>
            <Button
              size="lg"
              disabled={good.length === 0 || to === null}
              loading={ship.busy}
              onClick={() =>
                ship.send({
                  items: good.map((x) => x.id.digitalLink ?? x.id.key),
                  to: { party: to! },
                  ...(po.trim() ? { po: po.trim() } : {}),
                  ...(desadv.trim() ? { desadv: desadv.trim() } : {}),
                })
              }
            >
              {t('ship.send', { count: good.length })}
            </Button>
          </div>
        ) : (
          <SignInFirst />
        )}
        <JobCard title={t('ship.title')} job={ship.job} error={ship.error} lost={ship.lost} />
      </section>
    </div>
  );
}

import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { JobCard } from '../../components/JobCard';
import { PartySelect } from '../../components/PartySelect';
import { Readings } from '../../components/Readings';
import { ScanField } from '../../components/ScanField';
import { SignInFirst } from '../../components/SignInFirst';
import { Status } from '../../components/Status';
import { api, Problem, type Schemas } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useMay } from '../../lib/api/setting';
import { printed } from '../../lib/printed';
import { tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { hindrance } from './hindrance';

/** Scan what stands at the dock, say where it goes. What may not leave is said before anything is sent. */
export default function ShipPage() {
  const { t } = useTranslation();
  const { party, may } = useMay();
  const [things, setThings] = useState<Schemas['Trace'][]>([]);
  const [trouble, setTrouble] = useState<{ text: string; error: unknown }>();
  const [asking, setAsking] = useState(0);
  const [to, setTo] = useState<string | null>(null);
  const [po, setPO] = useState('');
  const [desadv, setDesadv] = useState('');
  const ship = useCommand('ship', (job) => {
    if (job.success) setThings([]);
  });
  const scan = async (text: string) => {
    setTrouble(undefined);
    setAsking((n) => n + 1);
    try {
      const trace = (await api.trace(text)).data;
      setThings((list) => [trace, ...list.filter((x) => x.id.key !== trace.id.key)]);
    } catch (error) {
      setTrouble({ text, error });
    } finally {
      setAsking((n) => n - 1);
    }
  };
  const good = things.filter((x) => hindrance(x, party) === undefined);
  return (
    <div className="stack-18">
      <div>
        <h1>{t('ship.title')}</h1>
        <ScanField label={t('ship.field')} description={t('ship.fieldHelp')} action={t('ship.add')} onScan={(x) => void scan(x)} />
        {trouble && (
          <Failure error={trouble.error} retry={() => void scan(trouble.text)}>
            <p className="mono">{trouble.text}</p>
            {trouble.error instanceof Problem && trouble.error.readings.length > 0 && (
              <Readings texts={trouble.error.readings} onChoose={(r) => void scan(r)} />
            )}
          </Failure>
        )}
      </div>
      <section className="card stack-18" aria-labelledby="things">
        <h2 id="things" style={{ margin: 0 }}>
          {t('ship.things', { count: good.length })}
        </h2>
        {things.length === 0 && asking === 0 && <p className="quiet">{t('ship.nothing')}</p>}
        {asking > 0 && (
          <p className="quiet" role="status">
            {t('app.loading')}…
          </p>
        )}
        {things.length > good.length && <p style={{ margin: 0 }}>{t('ship.left', { count: things.length - good.length })}</p>}
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
                    {[
                      t(x.id.kind === 'sscc' ? 'trace.container' : 'trace.unit'),
                      [x.product?.name, x.product?.strength].filter(Boolean).join(' '),
                      x.lot && t('ship.lot', { lot: x.lot }),
                      x.contents ? t('ship.inside', { count: x.contents }) : '',
                    ]
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

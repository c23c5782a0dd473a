import { Button, TextInput } from '@mantine/core';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../../components/Failure';
import { JobCard } from '../../components/JobCard';
import { PartySelect } from '../../components/PartySelect';
import { ReasonText } from '../../components/Reasons';
import { ShipReview } from '../../components/ShipReview';
import { Note } from '../../components/Status';
import type { Schemas } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useParties } from '../../lib/api/parties';
import { useMay } from '../../lib/api/setting';
import { dismiss, lotPlace, say } from '../../lib/done';
import { mustStay } from '../../lib/guard';
import { printed } from '../../lib/printed';
import { path, tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { useLook } from './useLook';
import './picks.css';

export function ShipCard({ boxes, party, lot: l }: { boxes: Schemas['LotContainer'][]; party: string; lot: Schemas['LotTotals'] }) {
  const { t } = useTranslation();
  const { may } = useMay();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [to, setTo] = useState<string | null>(null);
  const [po, setPO] = useState('');
  const [desadv, setDesadv] = useState('');
  const [sure, setSure] = useState(false);
  const parties = useParties();
  const place = lotPlace(l, 'ship');
  const there = boxes.filter((b) => chosen.has(b.key));
  const look = useLook(there, sure);
  const sent = useRef({ boxes: [] as Schemas['LotContainer'][], to: '' });
  const ship = useCommand('ship', (job) => {
    if (!job.success) return;
    const { boxes, to } = sent.current;
    say(place, {
      job,
      text: t('done.shippedUnits', { count: boxes.length, units: boxes.reduce((n, b) => n + b.units, 0), to }),
      links: [
        ...boxes.slice(0, 5).map((b) => ({ to: tracePath(b.key), text: t('done.trace', { what: printed(b.key) }) })),
        { to: path('capture', job.captureID), text: t('done.record') },
      ],
    });
    setChosen(new Set());
    setSure(false);
    setPO('');
    setDesadv('');
  });
  const send = () => {
    sent.current = { boxes: there, to: parties.data?.find((p) => p.id === to)?.name ?? to! };
    dismiss(place);
    ship.send({
      items: there.map((b) => b.digitalLink ?? b.key),
      to: { party: to! },
      ...(po.trim() ? { po: po.trim() } : {}),
      ...(desadv.trim() ? { desadv: desadv.trim() } : {}),
    });
  };
  const toggle = (key: string) => {
    setSure(false);
    setChosen((c) => new Set(c.has(key) ? [...c].filter((k) => k !== key) : [...c, key]));
  };
  const asking = sure && to !== null && there.length > 0;
  const red = look.data?.filter((x) => mustStay(x.check)) ?? [];
  const takeOut = (keys: string[]) => {
    setSure(false);
    setChosen((c) => new Set([...c].filter((k) => !keys.includes(k))));
  };
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
      {asking && look.isError && <Failure error={look.error} retry={() => void look.refetch()} />}
      {asking && look.isFetching && (
        <p className="quiet" role="status">
          {t('app.loading')}…
        </p>
      )}
      {asking && red.length > 0 && (
        <div data-testid="red">
          <Note tone="bad" level={3} alert title={t('make.red', { count: red.length })}>
            <ul>
              {red.slice(0, 20).map(({ box, check }) => (
                <li key={box.key}>
                  <span className="mono">{printed(box.key)}</span>
                  <ul className="plain">
                    {(check.reasons ?? []).map((r, i) => (
                      <li key={i}>
                        <ReasonText reason={r} />
                      </li>
                    ))}
                  </ul>
                </li>
              ))}
            </ul>
            <Button mt="xs" color="red.9" onClick={() => takeOut(red.map((x) => x.box.key))} data-testid="take-out">
              {t('make.takeOut')}
            </Button>
          </Note>
        </div>
      )}
      {asking && look.isSuccess && (ship.busy || !look.isFetching) && red.length === 0 ? (
        <ShipReview
          to={to}
          loads={[
            {
              name: [l.product?.name, l.product?.strength].filter(Boolean).join(' ') || l.gtin,
              lot: l.lot,
              things: there.length,
              inside: there.reduce((n, b) => n + b.units, 0),
            },
          ]}
          po={po.trim()}
          desadv={desadv.trim()}
          busy={ship.busy}
          send={send}
          back={() => setSure(false)}
        />
      ) : (
        <>
          <div className="field-row">
            <PartySelect label={t('make.to')} value={to} onChange={setTo} except={party} required />
            <TextInput label={t('make.po')} value={po} onChange={(e) => setPO(e.currentTarget.value)} maxLength={100} />
            <TextInput label={t('make.desadv')} value={desadv} onChange={(e) => setDesadv(e.currentTarget.value)} maxLength={100} />
          </div>
          <div>
            <Button size="md" disabled={!may || there.length === 0 || to === null} onClick={() => setSure(true)} data-testid="to-review">
              {t('review.open', { count: there.length })}
            </Button>
          </div>
        </>
      )}
      {!(ship.job?.state === 'indexed' && ship.job.success) && (
        <JobCard title={t('make.ship')} act="ship" job={ship.job} error={ship.error} lost={ship.lost} />
      )}
    </section>
  );
}

import { Button, TextInput } from '@mantine/core';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { DoneCard } from '../../components/DoneCard';
import { Failure } from '../../components/Failure';
import { JobCard } from '../../components/JobCard';
import { KeptNote } from '../../components/KeptNote';
import { PartySelect } from '../../components/PartySelect';
import { Readings } from '../../components/Readings';
import { ReasonText } from '../../components/Reasons';
import { ScanField } from '../../components/ScanField';
import { loadsOf, ShipReview } from '../../components/ShipReview';
import { SignInFirst } from '../../components/SignInFirst';
import { Note, Status } from '../../components/Status';
import { api, Problem, type Job, type Schemas } from '../../lib/api/client';
import { useCommand } from '../../lib/api/job';
import { useParties } from '../../lib/api/parties';
import { useMay } from '../../lib/api/setting';
import { dismiss, say } from '../../lib/done';
import { mayGoBack, type Check } from '../../lib/guard';
import { keep } from '../../lib/kept';
import { printed } from '../../lib/printed';
import { path, tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { hindrance, unsure } from './hindrance';
import { isNothing, nothing, remembered } from './remembered';

const place = 'ship';
const returnPlace = 'ship/return';
const pause = 8000; // ms until what nobody answered is asked again

/** Scan what stands at the dock, say where it goes. What may not leave is said before anything is sent. */
export default function ShipPage() {
  const { party } = useMay();
  return <Dock key={party} party={party} />;
}

/** A thing that was scanned: what is known of it, and what speaks against moving it. */
type Thing = Schemas['Trace'] & { check: Check };

const nameOf = (x: Thing): string => x.id.digitalLink ?? x.id.key;

function Dock({ party }: { party: string }) {
  const { t } = useTranslation();
  const { may } = useMay();
  const parties = useParties();
  const name = `ship.${party}`;
  const [before, setBefore] = useState(() => remembered(name));
  const [things, setThings] = useState<Thing[]>([]);
  // What was kept, and has not been asked about since.
  const [waiting, setWaiting] = useState(before.things);
  const [trouble, setTrouble] = useState<{ texts: string[]; error: unknown }>();
  const [asking, setAsking] = useState(0);
  const [to, setTo] = useState(before.to);
  const [po, setPO] = useState(before.po);
  const [desadv, setDesadv] = useState(before.desadv);
  const [rma, setRMA] = useState(before.rma);
  const [sure, setSure] = useState(false);
  const clear = () => {
    setThings([]);
    setWaiting([]);
    setTo(null);
    setPO('');
    setDesadv('');
    setRMA('');
    setSure(false);
    setTrouble(undefined);
    setBefore(nothing);
  };
  const goesBack = rma.trim() !== '';
  const whyNot = (x: Thing) => {
    const why = hindrance(x, party, x.check);
    return why === 'fault' && goesBack && mayGoBack(x.check) ? undefined : why;
  };
  const good = things.filter((x) => whyNot(x) === undefined);
  const red = things.filter((x) => whyNot(x) !== undefined);
  const sent = useRef({ items: [] as Thing[], to: '', po: '', desadv: '', rma: '' });
  const done = (job: Job) => {
    if (!job.success) return;
    const { items, to, ...papers } = sent.current;
    say(papers.rma ? returnPlace : place, {
      job,
      text: [
        t('done.shipped', { count: items.length, to }),
        papers.po && `${t('document.po')} ${papers.po}.`,
        papers.desadv && `${t('document.desadv')} ${papers.desadv}.`,
        papers.rma && `${t('ship.rma')} ${papers.rma}.`,
      ]
        .filter(Boolean)
        .join(' '),
      links: [
        ...items.slice(0, 5).map((x) => ({ to: tracePath(x.id.key), text: t('done.trace', { what: printed(x.id.key) }) })),
        { to: path('capture', job.captureID), text: t('done.record') },
      ],
    });
    clear();
  };
  const sale = useCommand('ship', done);
  const goingBack = useCommand('return', done);
  const [isReturn, setIsReturn] = useState(false);
  const ship = isReturn ? goingBack : sale;
  const underway = ship.job !== undefined && ship.busy;
  useEffect(() => {
    // What the service has taken is not to be sent again by a page that is loaded anew.
    const now = underway ? nothing : { things: [...things.map(nameOf), ...waiting], to, po, desadv, rma };
    keep(name, isNothing(now) ? undefined : now);
  }, [name, things, waiting, to, po, desadv, rma, underway]);
  const scan = useCallback(async (texts: string[]) => {
    setTrouble(undefined);
    setAsking((n) => n + 1);
    let [error, missed]: [unknown, string[]] = [undefined, []];
    for (const text of texts) {
      try {
        const [trace, check] = await Promise.all([api.trace(text), api.check(text)]);
        const thing = { ...trace.data, check: check.data };
        setThings((list) => [thing, ...list.filter((x) => x.id.key !== thing.id.key)]);
        setWaiting((list) => list.filter((x) => x !== text));
      } catch (e) {
        [error, missed] = [e, [...missed, text]];
      }
    }
    if (missed.length > 0) setTrouble({ texts: missed, error });
    setAsking((n) => n - 1);
  }, []);
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current || before.things.length === 0) return;
    begun.current = true;
    void scan([...before.things].reverse()); // the newest ends on top
  }, [before, scan]);
  const fromBefore = before.things.filter((b) => waiting.includes(b) || things.some((x) => nameOf(x) === b)).length;
  useEffect(() => {
    // What nobody answered is asked again by itself.
    if (!trouble || (trouble.error instanceof Problem && trouble.error.status < 500)) return;
    const again = () => void scan(trouble.texts);
    const timer = setTimeout(again, pause);
    window.addEventListener('online', again);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('online', again);
    };
  }, [trouble, scan]);
  const refused = ship.error;
  const [past, setPast] = useState<unknown>(); // a refusal of goods that are not the ones here any more
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!refused) return;
    section.current?.scrollIntoView({ block: 'end' }); // the answer is at its end
    if (!(refused instanceof Problem) || !refused.code.startsWith('goods_')) return;
    // The service knows better what speaks against the goods than what was found when they were scanned.
    void scan(sent.current.items.map(nameOf).reverse()).then(() => setSure(false));
  }, [refused, scan]);
  const send = () => {
    sent.current = { items: good, to: parties.data?.find((p) => p.id === to)?.name ?? to!, po: '', desadv: '', rma: rma.trim() };
    dismiss(place);
    dismiss(returnPlace);
    setIsReturn(goesBack);
    if (goesBack) return goingBack.send({ items: good.map(nameOf), to: { party: to! }, returnAuthorization: rma.trim() });
    sent.current = { ...sent.current, po: po.trim(), desadv: desadv.trim() };
    sale.send({
      items: good.map(nameOf),
      to: { party: to! },
      ...(po.trim() ? { po: po.trim() } : {}),
      ...(desadv.trim() ? { desadv: desadv.trim() } : {}),
    });
  };
  const added = (text: string) => {
    dismiss(place);
    dismiss(returnPlace);
    setSure(false); // what was looked at is not what would be sent
    setPast(refused ?? undefined);
    void scan([text]);
  };
  return (
    <div className="stack-18">
      <div>
        <h1>{t('ship.title')}</h1>
        <ScanField label={t('ship.field')} description={t('ship.fieldHelp')} action={t('ship.add')} onScan={added} />
        {trouble && (
          <Failure error={trouble.error} retry={() => void scan(trouble.texts)}>
            {trouble.texts.map((text) => (
              <p key={text} className="mono">
                {text}
              </p>
            ))}
            {trouble.error instanceof Problem && trouble.error.readings.length > 0 && (
              <Readings texts={trouble.error.readings} onChoose={added} />
            )}
          </Failure>
        )}
      </div>
      {before.at !== undefined && fromBefore > 0 && !underway && <KeptNote count={fromBefore} since={before.at} clear={clear} />}
      <DoneCard place={place} act="ship" title={t('ship.title')} />
      <DoneCard place={returnPlace} act="return" title={t('ship.title')} />
      <section className="card stack-18" aria-labelledby="things" ref={section}>
        <h2 id="things" style={{ margin: 0 }}>
          {t('ship.things', { count: good.length })}
        </h2>
        {things.length === 0 && asking === 0 && <p className="quiet">{t('ship.nothing')}</p>}
        {asking > 0 && (
          <p className="quiet" role="status">
            {t('app.loading')}…
          </p>
        )}
        {red.length > 0 && (
          <Note tone="bad" level={3} title={t('ship.red', { count: red.length })}>
            <p>{t('ship.redHelp')}</p>
            {!goesBack && red.some((x) => whyNot(x) === 'fault' && mayGoBack(x.check)) && <p>{t('ship.redBack')}</p>}
            <Button
              mt="xs"
              color="red.9"
              disabled={ship.busy}
              onClick={() => setThings((list) => list.filter((x) => !red.includes(x)))}
              data-testid="take-out"
            >
              {t('ship.takeOut')}
            </Button>
          </Note>
        )}
        <ul className="rows">
          {things.map((x) => {
            const why = whyNot(x);
            const faults = why === 'fault' || (goesBack && !x.check.sellable) ? (x.check.reasons ?? []) : [];
            const doubts = why || faults.length > 0 ? [] : (unsure(x.check) ?? []);
            return (
              <li key={x.id.key} className="product" data-thing={x.id.key} data-why={why}>
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
                  {faults.length + doubts.length > 0 && (
                    <ul className="plain" data-testid="reasons">
                      {[...faults, ...doubts].map((r, i) => (
                        <li key={i}>
                          <ReasonText reason={r} />
                        </li>
                      ))}
                    </ul>
                  )}
                  {why === 'fault' && <p style={{ margin: '6px 0 0' }}>{t(`guard.todo.${faults[0]?.fault ?? 'other'}`)}</p>}
                </div>
                <div className="actions">
                  {why ? (
                    <Status tone="bad">
                      {t(`ship.why.${why}`, { who: x.holder?.name ?? x.holder?.id, container: printed(x.containers?.[0] ?? '') })}
                    </Status>
                  ) : faults.length > 0 ? (
                    <Status tone="warn">{t('ship.goesBack', { rma: rma.trim() })}</Status>
                  ) : doubts.length > 0 ? (
                    <Status tone="warn">{t('ship.unsure')}</Status>
                  ) : (
                    <Status tone="good">{t('ship.ready')}</Status>
                  )}
                  <Button
                    variant="default"
                    disabled={ship.busy}
                    onClick={() => {
                      setSure(false);
                      setPast(refused ?? undefined);
                      setThings((list) => list.filter((y) => y !== x));
                    }}
                  >
                    {t('ship.remove')}
                  </Button>
                </div>
              </li>
            );
          })}
        </ul>
        {sure && to !== null && good.length > 0 && red.length === 0 ? (
          <ShipReview
            to={to}
            loads={loadsOf(
              good.map((x) => ({
                name: [x.product?.name, x.product?.strength].filter(Boolean).join(' ') || t('trace.container'),
                lot: x.lot,
                things: 1,
                inside: x.contents ?? 0,
              })),
            )}
            po={po.trim()}
            desadv={desadv.trim()}
            rma={rma.trim()}
            busy={ship.busy}
            send={send}
            back={() => setSure(false)}
          />
        ) : (
          <>
            <div className="field-row">
              <PartySelect label={t('ship.to')} value={to} onChange={setTo} except={party} required />
              <TextInput label={t('ship.po')} value={po} onChange={(e) => setPO(e.currentTarget.value)} maxLength={100} />
              <TextInput label={t('ship.desadv')} value={desadv} onChange={(e) => setDesadv(e.currentTarget.value)} maxLength={100} />
              <TextInput
                label={t('ship.rma')}
                description={t('ship.rmaHelp')}
                value={rma}
                onChange={(e) => setRMA(e.currentTarget.value)}
                maxLength={100}
              />
            </div>
            {may ? (
              <div>
                <Button
                  size="lg"
                  disabled={good.length === 0 || red.length > 0 || to === null || asking > 0}
                  onClick={() => setSure(true)}
                  data-testid="to-review"
                >
                  {good.length === 0 ? t('review.none') : t('review.open', { count: good.length })}
                </Button>
              </div>
            ) : (
              <SignInFirst />
            )}
          </>
        )}
        {!(ship.job?.state === 'indexed' && ship.job.success) && (
          <JobCard
            title={t('ship.title')}
            act={isReturn ? 'return' : 'ship'}
            job={ship.job}
            error={refused === past ? undefined : refused}
            lost={ship.lost}
          />
        )}
      </section>
    </div>
  );
}

// A foreign client: epcis2.js, the JavaScript library of EPCIS 2.0, builds events with its builders, captures them at a maker's
// service and asks for them again, over the EPCIS interface alone, on a network that is started for this.
//
//   make build && (cd tools/epcis2js && npm ci && npm test)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { startNetwork } from '../../web/scripts/network.mjs';

const epcis = createRequire(import.meta.url)('epcis2.js');
const started = Date.now();
const network = await startNetwork(spawn, Number(process.env.PORTS_BASE ?? 19380), ['--validators', '1']);

/** ask reads an address of a service as its party. */
async function ask(service, path) {
  const answer = await fetch(network[service] + path, { headers: { authorization: `Bearer ${network.tokens[service]}` } });
  return { status: answer.status, header: answer.headers, body: await answer.json() };
}

/** captured sends a document through the library and waits for the verdicts. */
async function captured(events) {
  const document = new epcis.EPCISDocument();
  document.setCreationDate(new Date().toISOString());
  for (const event of events) document.addEvent(event);
  assert.ok(document.isValid());
  const answer = await epcis.capture(document);
  assert.equal(answer.status, 202, await answer.clone().text());
  const job = await ask('manufacturer', `${answer.headers.get('location')}?wait=indexed&timeout=60s`);
  assert.equal(job.body.success, true, JSON.stringify(job.body.errors));
  return job.body;
}

/** found asks a service for events, page by page, and returns them. */
async function found(service, query) {
  const events = [];
  for (let path = `/events?${query}`; path; ) {
    const page = await ask(service, path);
    assert.equal(page.status, 200, JSON.stringify(page.body));
    assert.ok(new epcis.EPCISDocument({ ...page.body, type: 'EPCISDocument' }), 'the library reads the answer');
    events.push(...page.body.epcisBody.queryResults.resultsBody.eventList);
    path = /<([^>]+)>; rel="next"/.exec(page.header.get('link') ?? '')?.[1];
  }
  return events;
}

try {
  epcis.setup({
    apiUrl: network.manufacturer,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${network.tokens.manufacturer}` },
    eventTimeZoneOffset: '+00:00',
  });
  const gtin = '00399990012347';
  const place = 'urn:epc:id:sgln:0399990.00001.0';
  const units = ['EPCISJS000001', 'EPCISJS000002'].map((serial) => `https://id.gs1.org/01/${gtin}/21/${serial}`);
  const container = 'https://id.gs1.org/00/003999900000099997';
  const at = (seconds) => new Date(Date.now() - 60_000 + seconds * 1000).toISOString();
  const placed = (event, seconds) =>
    event
      .setEventTime(at(seconds))
      .setEventTimeZoneOffset('+00:00')
      .setReadPoint(new epcis.ReadPoint().setId(place))
      .setBizLocation(new epcis.BizLocation().setId(place));

  // The lot is registered as a maker does it; everything else goes over the EPCIS interface.
  const lot = await fetch(`${network.manufacturer}/v1/lots`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${network.tokens.manufacturer}` },
    body: JSON.stringify({ gtin, lot: 'EPCISJS', expiry: '2028-12-28' }),
  });
  assert.equal(lot.status, 202);
  await ask('manufacturer', `${lot.headers.get('location')}?wait=indexed&timeout=60s`);

  const made = placed(new epcis.ObjectEvent(), 0)
    .setAction('ADD')
    .addEPCList(units)
    .setBizStep(epcis.cbv.bizSteps.commissioning)
    .setDisposition(epcis.cbv.dispositions.active)
    .setIlmd(new epcis.Ilmd({ 'cbvmda:lotNumber': 'EPCISJS', 'cbvmda:itemExpirationDate': '2028-12-28' }));
  const numbered = placed(new epcis.ObjectEvent(), 1)
    .setAction('ADD')
    .addEPC(container)
    .setBizStep(epcis.cbv.bizSteps.commissioning)
    .setDisposition(epcis.cbv.dispositions.active);
  const packed = placed(new epcis.AggregationEvent(), 2)
    .setAction('ADD')
    .setParentId(container)
    .addChildEPCList(units)
    .setBizStep(epcis.cbv.bizSteps.packing)
    .setDisposition(epcis.cbv.dispositions.in_progress);
  const looked = placed(new epcis.ObjectEvent(), 3)
    .setAction('OBSERVE')
    .addEPC(container)
    .setBizStep(epcis.cbv.bizSteps.inspecting)
    .setDisposition(epcis.cbv.dispositions.in_progress)
    .addBizTransaction(new epcis.BizTransactionElement({ type: 'po', bizTransaction: 'urn:epc:id:gdti:0399990.00001.4711' }));
  looked.generateHashID({ 'cbvmda': 'urn:epcglobal:cbv:mda:' });
  const events = [made, numbered, packed, looked];
  for (const event of events) assert.ok(event.isValid());
  const job = await captured(events);
  assert.deepEqual(
    job.verdicts.filter((v) => v.kind === 'event').map((v) => v.verdict),
    events.map(() => 'accepted'),
    JSON.stringify(job.verdicts),
  );

  // The maker asks for what it sent, by package and by container, a page at a time.
  const steps = (list) => list.map((event) => event.bizStep);
  const byUnit = await found('manufacturer', `MATCH_anyEPC=${encodeURIComponent(units[0])}&orderBy=eventTime&orderDirection=ASC&perPage=1`);
  assert.deepEqual(steps(byUnit), ['commissioning', 'packing']);
  assert.deepEqual(byUnit[0].epcList, units);
  assert.deepEqual(byUnit[1].childEPCs, units);
  for (const event of byUnit) assert.ok(epcis.objectToEvent(event), 'the library reads an event');
  const byParent = await found('manufacturer', `MATCH_anyEPC=${encodeURIComponent(container)}&EQ_bizStep=inspecting`);
  assert.equal(byParent.length, 1);
  assert.deepEqual(steps(byParent), ['inspecting']);
  // Another party sees none of it, and nobody gets in without a token.
  assert.deepEqual(await found('pharmacy', `MATCH_anyEPC=${encodeURIComponent(units[0])}`), []);
  const stranger = await epcis.capture(new epcis.EPCISDocument().setCreationDate(at(0)).addEvent(looked), { headers: { authorization: 'Bearer wrong' } });
  assert.equal(stranger.status, 401);
  // What the ledger would not take is refused with a reason that names the event.
  const broken = await epcis.capture(new epcis.EPCISDocument().setCreationDate(at(0)).addEvent(placed(new epcis.ObjectEvent(), 9e6).setAction('OBSERVE').addEPCList(units)));
  assert.equal(broken.status, 400);
  assert.equal((await broken.json()).errors[0].event, 0);
} finally {
  await network.stop();
}
console.log(`epcis2.js: built, captured and found in ${((Date.now() - started) / 1000).toFixed(1)} s`);

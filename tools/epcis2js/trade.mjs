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

try {
  epcis.setup({
    apiUrl: network.manufacturer,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${network.tokens.manufacturer}` },
    eventTimeZoneOffset: '+00:00',
  });
  const gtin = '00399990012347';
  const place = 'urn:epc:id:sgln:0399990.00001.0';
  const lot = /Lot (\w+) of GTIN/.exec(network.output())[1];
  const units = ['EPCISJS000001', 'EPCISJS000002'].map((serial) => `https://id.gs1.org/01/${gtin}/21/${serial}`);
  const container = 'https://id.gs1.org/00/003999900000099994';
  const at = (seconds) => new Date(Date.now() - 60_000 + seconds * 1000).toISOString();
  const placed = (event) => event.setReadPoint(new epcis.ReadPoint(place)).setBizLocation(new epcis.BizLocation(place));

  const made = placed(new epcis.ObjectEvent())
    .setEventTime(at(0))
    .setAction('ADD')
    .addEPCList(units)
    .setBizStep(epcis.cbv.bizSteps.commissioning)
    .setDisposition(epcis.cbv.dispositions.active)
    .setIlmd(new epcis.Ilmd({ 'cbvmda:lotNumber': lot, 'cbvmda:itemExpirationDate': '2028-12-28' }));
  const looked = placed(new epcis.ObjectEvent())
    .setEventTime(at(1))
    .setAction('OBSERVE')
    .addEPCList(units)
    .setBizStep(epcis.cbv.bizSteps.inspecting)
    .setDisposition(epcis.cbv.dispositions.in_progress);
  for (const event of [made, looked]) {
    assert.ok(event.isValid());
  }
  const job = await captured([looked]);
  console.log(JSON.stringify(job.verdicts).slice(0, 800));
} finally {
  await network.stop();
}
console.log(`epcis2.js: built, captured and found in ${((Date.now() - started) / 1000).toFixed(1)} s`);

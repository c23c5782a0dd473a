// Writes src/lib/api/schema.d.ts from the openapi.json of running services: the binary's own, started for this. The documents of the
// api and of a partner's service are merged, so that what both describe is generated once.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { startNetwork } from './network.mjs';

/** add merges from into to, down to a depth. Below it, a key that both have must have the same value. */
function add(to, from, name, depth) {
  for (const [key, value] of Object.entries(from)) {
    if (!(key in to)) to[key] = value;
    else if (depth > 0) add(to[key], value, `${name}${key} `, depth - 1);
    else if (!isDeepStrictEqual(to[key], value)) throw new Error(`two services describe ${name}${key} differently`);
  }
}

const network = await startNetwork(spawn, 19080, ['--empty', '--validators', '1']);
const folder = mkdtempSync(join(tmpdir(), 'verilot-api-'));
try {
  // The manufacturer's document has every command; what another service does not offer it refuses.
  const all = { openapi: '3.1.0', info: { title: 'Verilot', version: '1' }, paths: {}, components: {} };
  for (const base of [network.api, network.manufacturer]) {
    const document = await (await fetch(`${base}/openapi.json`)).json();
    // The pages ask under /v1 and /capture; the EPCIS interface is for programs.
    for (const path of Object.keys(document.paths)) if (!/^\/(v1|capture)\b/.test(path)) delete document.paths[path];
    // Operations are found by path and method. Their names are each service's own, and two of them would clash.
    for (const path of Object.values(document.paths)) for (const operation of Object.values(path)) delete operation.operationId;
    add(all.paths, document.paths, 'path ', 1);
    delete document.components.securitySchemes; // every service has a cookie of its own name
    add(all.components, document.components, 'component ', 1);
  }
  const document = join(folder, 'openapi.json');
  writeFileSync(document, JSON.stringify(all));
  const out = fileURLToPath(new URL('../src/lib/api/schema.d.ts', import.meta.url));
  execFileSync('npx', ['openapi-typescript', document, '-o', out], { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true });
  await network.stop();
}

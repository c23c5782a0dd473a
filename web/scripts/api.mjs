// Writes src/lib/api/schema.d.ts and partner.d.ts from the openapi.json of running services: the binary's own, started for this.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNetwork } from './network.mjs';

const network = await startNetwork(spawn, 19080, ['--empty', '--validators', '1']);
const folder = mkdtempSync(join(tmpdir(), 'verilot-api-'));
try {
  // The manufacturer's document has every command; what another service does not offer it refuses.
  for (const [name, base] of [
    ['schema', network.api],
    ['partner', network.manufacturer],
  ]) {
    const document = join(folder, `${name}.json`);
    writeFileSync(document, await (await fetch(`${base}/openapi.json`)).text());
    const out = fileURLToPath(new URL(`../src/lib/api/${name}.d.ts`, import.meta.url));
    execFileSync('npx', ['openapi-typescript', document, '-o', out], { stdio: 'inherit' });
  }
} finally {
  rmSync(folder, { recursive: true });
  await network.stop();
}

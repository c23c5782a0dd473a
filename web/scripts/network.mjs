// Starts a whole network of the built binary and waits until its api answers (and its story is told).
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const binary = process.env.VERILOT ?? fileURLToPath(new URL('../../bin/verilot', import.meta.url));

export async function startNetwork(spawn, portsBase, extra = [], command = 'up') {
  // What `up` remembers for its user is not for the user who runs this.
  const config = mkdtempSync(join(tmpdir(), 'verilot-config-'));
  const child = spawn(binary, [command, '--data', join(config, 'network'), '--ports-base', String(portsBase), ...extra], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, XDG_CONFIG_HOME: config },
  });
  let output = '';
  let exited;
  const gone = new Promise((resolve) => child.on('exit', (code) => resolve((exited = code ?? -1))));
  child.on('error', (e) => {
    output += `${e.message}\nbuild it first: make build\n`;
    exited = -1;
  });
  child.stdout.on('data', (d) => (output += d));
  child.stderr.on('data', (d) => (output += d));
  const ready = /Stop with Ctrl-C/; // the last that is said
  for (const end = Date.now() + 120_000; !ready.test(output);) {
    if (exited !== undefined || Date.now() > end) throw new Error(`the network did not start:\n${output}`);
    await new Promise((r) => setTimeout(r, 100));
  }
  // Sign-in links by service, as people get them, and the tokens in them, as programs send them (Authorization: Bearer).
  const links = Object.fromEntries([...output.matchAll(/^Sign in: +(\w+) +(\S+)$/gm)].map(([, name, link]) => [name, link]));
  const tokens = Object.fromEntries(Object.entries(links).map(([name, link]) => [name, link.slice(link.indexOf('#') + 1)]));
  return {
    links,
    tokens,
    api: `http://127.0.0.1:${portsBase}`,
    manufacturer: `http://127.0.0.1:${portsBase + 1}`,
    distributor: `http://127.0.0.1:${portsBase + 2}`,
    pharmacy: `http://127.0.0.1:${portsBase + 3}`,
    output: () => output,
    // What the national story left to look at.
    story: existsSync(join(config, 'network', 'demo.json'))
      ? JSON.parse(readFileSync(join(config, 'network', 'demo.json'), 'utf8'))
      : undefined,
    stop: async () => {
      if (exited === undefined) child.kill('SIGINT');
      await gone;
      rmSync(config, { recursive: true, force: true });
    },
  };
}

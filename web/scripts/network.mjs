// Starts a whole network of the built binary and waits until its api answers (and its story is told).
import { fileURLToPath } from 'node:url';

const binary = process.env.VERILOT ?? fileURLToPath(new URL('../../bin/verilot', import.meta.url));

export async function startNetwork(spawn, portsBase, extra = []) {
  const child = spawn(binary, ['up', '--ephemeral', '--ports-base', String(portsBase), ...extra], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let exited;
  const gone = new Promise((resolve) => child.on('exit', (code) => resolve((exited = code ?? -1))));
  child.on('error', (e) => {
    output += `${e.message}\nbuild it first: make build\n`;
    exited = -1;
  });
  child.stdout.on('data', (d) => (output += d));
  child.stderr.on('data', (d) => (output += d));
  const ready = extra.includes('--empty') ? /is up/ : /The story is told/;
  for (const end = Date.now() + 60_000; !ready.test(output);) {
    if (exited !== undefined || Date.now() > end) throw new Error(`the network did not start:\n${output}`);
    await new Promise((r) => setTimeout(r, 100));
  }
  return {
    api: `http://127.0.0.1:${portsBase}`,
    manufacturer: `http://127.0.0.1:${portsBase + 1}`,
    distributor: `http://127.0.0.1:${portsBase + 2}`,
    pharmacy: `http://127.0.0.1:${portsBase + 3}`,
    output: () => output,
    stop: async () => {
      if (exited === undefined) child.kill('SIGINT');
      await gone;
    },
  };
}

/** A local EVM node: anvil, started by path on a free port of loopback, ended by its process id. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../lib/local/free-port.ts';

const BINARY = join(
  import.meta.dirname,
  '../../node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil',
);
const LOOKS_MAX = 200;

/** Whether there is a node for this platform. */
export const hasAnvil = process.platform === 'linux' && existsSync(BINARY);

/** A running node. Its chain is 31337. */
export type Anvil = { readonly url: string; readonly stop: () => Promise<void> };

/** Starts one and waits until it answers. */
export async function startAnvil(): Promise<Anvil> {
  const port = await freePort();
  const child = spawn(BINARY, ['--host', '127.0.0.1', '--port', `${port}`, '--silent'], {
    stdio: 'ignore',
  });
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  const url = `http://127.0.0.1:${port}`;
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
    if (answer?.ok) return { url, stop };
    await sleep(25);
  }
  await stop();
  throw new Error('anvil did not answer');
}

/** Starts what the service needs on this machine: a node (anvil) and Breakwater, as child processes. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A child process that listens. `kill` is a crash, `stop` an orderly end; both resolve once it is gone. */
export type Running = {
  readonly url: string;
  readonly pid: number | undefined;
  readonly stop: () => Promise<void>;
  readonly kill: () => Promise<void>;
};

/** The test accounts that every anvil begins with: known to everybody, worth nothing on any other chain. */
export const ANVIL_MNEMONIC = 'test test test test test test test test test test test junk';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ANVIL = `${ROOT}node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil`;
const READY_MAX_MS = 20_000;
const LOOK_EVERY_MS = 50;

/** Whether there is an anvil for this platform: its package has one for Linux x64 only. */
export function isAnvilInstalled(): boolean {
  return existsSync(ANVIL);
}

/** Starts a chain of its own on loopback, gone when the process ends. */
export async function startAnvil(): Promise<Running> {
  const port = await freePort();
  const args = ['--silent', '--host', '127.0.0.1', '--port', `${port}`];
  const child = spawn(ANVIL, args, { stdio: 'ignore' });
  const running = supervise(child, `http://127.0.0.1:${port}`);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' });
  const headers = { 'content-type': 'application/json' };
  await ready(running, child, async () => {
    return (await fetch(running.url, { method: 'POST', headers, body })).ok;
  });
  return running;
}

/**
 * Starts `breakwater local` and waits until it has proven that it is in order and lets this wallet pay.
 *
 * @param place.cwd where it leaves word for the other commands where it listens.
 */
export async function startBreakwater(
  policyFile: string,
  place: { readonly folder: string; readonly cwd: string; readonly wallet: string },
): Promise<Running> {
  const cli = [`${ROOT}bin/breakwater.ts`, '--json', 'local', '--tick', '1s'];
  const args = [...cli, '--folder', place.folder, '--policy', policyFile];
  const { cwd } = place;
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [first] = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
  if (first === undefined) throw new Error('breakwater local did not start');
  const running = supervise(child, JSON.parse(first).url);
  const question = new URLSearchParams({ wallet: place.wallet });
  await ready(running, child, async () => {
    const flag = await (await fetch(`${running.url}/flag?${question}`)).json();
    const { enabled, wouldBe = enabled } = flag as { enabled: boolean; wouldBe?: boolean };
    return wouldBe;
  });
  return running;
}

/** Runs a command of the CLI as an operator would; gives what it printed. */
export async function operate(breakwaterUrl: string, ...words: readonly string[]): Promise<string> {
  const args = [`${ROOT}bin/breakwater.ts`, '--url', breakwaterUrl, ...words];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  for await (const chunk of child.stdout) printed += chunk;
  return printed;
}

function supervise(child: ChildProcess, url: string): Running {
  const end = async (signal: NodeJS.Signals) => {
    if (isGone(child)) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return { url, pid: child.pid, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

async function ready(
  running: Running,
  child: ChildProcess,
  look: () => Promise<boolean>,
): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_MAX_MS; waitedMs += LOOK_EVERY_MS) {
    if (await look().catch(() => false)) return;
    if (isGone(child)) break;
    await sleep(LOOK_EVERY_MS);
  }
  await running.stop();
  throw new Error(`${child.spawnfile} did not get ready at ${running.url}`);
}

function isGone(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** A real EVM node: anvil, as a child process on loopback, with accounts whose keys everybody knows. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hex } from 'viem';
import { UNDER_WATCH } from './engine.ts';
import { freePort } from './free-port.ts';

/** A running node. */
export type Anvil = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** One JSON-RPC call. @throws {Error} with the node's own message. */
  readonly rpc: (method: string, ...params: readonly unknown[]) => Promise<unknown>;
  /** Ends the process and removes its files. */
  readonly stop: () => Promise<void>;
};

/** How to start. Without `blockTimeS` and with `automine` off, blocks come only by `anvil_mine`. */
export type AnvilParameters = {
  readonly chainId?: number;
  readonly port?: number;
  readonly blockTimeS?: number;
  /** Whether each transaction is mined at once; default yes. */
  readonly automine?: boolean;
  readonly accounts?: number;
  /** Default `prague`, which has EIP-7702. Before `cancun`, mining thousands of blocks takes a second. */
  readonly hardfork?: 'prague' | 'shanghai';
  /** How many states are kept: balances of older blocks cannot be asked for, as on a full node. */
  readonly statesMax?: number;
  /** Where the state is read at the start and written at the end: survives a restart. */
  readonly stateFile?: string;
  /** How often the state is written meanwhile: survives a kill, too. */
  readonly stateEveryS?: number;
};

/** The same as Ethereum's, so that identifiers read as people know them. */
const CHAIN_ID_DEFAULT = 1;

/**
 * Private keys that everybody knows: those of the mnemonic "test test test … junk", which anvil and
 * hardhat fund. Never send anything of value to their addresses.
 */
export const WELL_KNOWN_KEYS: readonly Hex[] = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
  '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6',
  '0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a',
];

const NOT_INSTALLED = 'its package @foundry-rs/anvil-linux-amd64 is for Linux on x64 only';
const STARTS_MAX = 3;
const READY_MAX_MS = 10_000;
const READY_POLL_MS = 10;
const STOP_MAX_MS = 3_000;

/** The binary for this platform, if it is installed: what needs a chain is left out without it. */
export function findAnvil(): string | undefined {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `@foundry-rs/anvil-${process.platform}-${arch}/package.json`,
    );
    const binary = join(dirname(manifest), 'bin', 'anvil');
    accessSync(binary);
    return binary;
  } catch {
    return undefined;
  }
}

/**
 * Starts a node and waits until it answers. It never outlives this process.
 *
 * @throws {NotStartedError} not installed, or silent.
 */
export async function startAnvil(parameters: AnvilParameters = {}): Promise<Anvil> {
  const binary = findAnvil();
  if (binary === undefined) throw new NotStartedError({ reason: NOT_INSTALLED });
  // It keeps old states under the home folder.
  const home = await mkdtemp(join(tmpdir(), 'breakwater-anvil-'));
  for (let start = 1; ; start++) {
    const port = parameters.port ?? (await freePort());
    const child = launch([binary, ...argumentsOf(parameters, port)], home);
    const anvil = describeAnvil(child, { port, home });
    if (await isReady(child, anvil)) return anvil;
    await end(child);
    if (start >= STARTS_MAX) {
      await rm(home, { recursive: true, force: true });
      const reason = `it did not answer on port ${port} in ${READY_MAX_MS} ms`;
      throw new NotStartedError({ reason });
    }
  }
}

/** In a group of its own, so that Ctrl-C reaches this process only, which ends the node last. */
function launch(command: readonly string[], home: string): ChildProcess {
  const child = spawn('/bin/sh', ['-c', UNDER_WATCH, 'anvil', ...command], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    env: { HOME: home },
  });
  const watch = child.stdio[3];
  watch?.on('error', () => {});
  child.once('exit', () => {
    if (watch && 'end' in watch) watch.end('stopped\n');
  });
  child.on('error', () => {});
  return child;
}

function argumentsOf(parameters: AnvilParameters, port: number): string[] {
  const { blockTimeS, automine = true, accounts = 10, hardfork = 'prague' } = parameters;
  const { statesMax, stateFile, stateEveryS } = parameters;
  return [
    '--silent',
    ...['--host', '127.0.0.1', '--port', String(port)],
    ...['--hardfork', hardfork, '--accounts', String(accounts)],
    ...['--chain-id', String(parameters.chainId ?? CHAIN_ID_DEFAULT)],
    ...(blockTimeS === undefined ? [] : ['--block-time', String(blockTimeS)]),
    ...(automine ? [] : ['--no-mining']),
    ...(statesMax === undefined ? [] : ['--prune-history', String(statesMax)]),
    ...(stateFile === undefined
      ? []
      : [
          '--state',
          stateFile,
          '--preserve-historical-states',
          '--transaction-block-keeper',
          '1000',
        ]),
    ...(stateEveryS === undefined ? [] : ['--state-interval', String(stateEveryS)]),
  ];
}

function describeAnvil(
  child: ChildProcess,
  place: { readonly port: number; readonly home: string },
): Anvil {
  const url = `http://127.0.0.1:${place.port}`;
  return {
    url,
    port: place.port,
    pid: child.pid ?? 0,
    rpc: (method, ...params) => callRpc(url, method, params),
    stop: async () => {
      await end(child);
      await rm(place.home, { recursive: true, force: true });
    },
  };
}

async function callRpc(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

async function isReady(child: ChildProcess, anvil: Anvil): Promise<boolean> {
  const deadlineMs = performance.now() + READY_MAX_MS;
  while (performance.now() < deadlineMs && !isGone(child)) {
    try {
      await anvil.rpc('eth_chainId');
      // On a port that somebody else took, that one answers and this one is about to end.
      await sleep(READY_POLL_MS);
      return !isGone(child);
    } catch {
      await sleep(READY_POLL_MS);
    }
  }
  return false;
}

async function end(child: ChildProcess): Promise<void> {
  if (isGone(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
  await gone;
  clearTimeout(killing);
}

function isGone(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/** There is no node for this platform, or it does not answer. */
export class NotStartedError extends Error {
  override readonly name = 'ChainNode.NotStartedError';
  constructor(details: { readonly reason: string }) {
    super(`anvil was not started: ${details.reason}`);
  }
}

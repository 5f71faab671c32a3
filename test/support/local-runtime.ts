/** What tests of the embedded runtime share: a policy, wire events, and HTTP as a service would speak it. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Flag } from '../../lib/domain/flag.ts';
import type { Message } from '../../lib/domain/page.ts';
import { type Options, type Runtime, startRuntime } from '../../lib/local/runtime.ts';
import * as Build from './builders.ts';

/** Looks at the processes, at most, until those wanted are gone. */
const LOOKS_MAX = 200;

/** The wallets of the builders; an hour's limit of 1 000 USD on each, and a lease of 15 s. */
export const POLICY = `
version: 1
name: local-test
mode: enforce
resume: trial
chains:
  - { id: "${Build.CHAIN}", name: Ethereum }
  - { id: "${Build.OTHER_CHAIN}", name: BNB Chain }
assets:
  - { id: "${Build.USDC}", symbol: USDC, decimals: 6, floorPriceUsd: "1" }
  - { id: "${Build.ETH}", symbol: ETH, decimals: 18, floorPriceUsd: "1500" }
wallets:
  - { name: hot-1, keyDomain: vault-a, addresses: ["${Build.HOT_1}", "${Build.HOT_1_OTHER_CHAIN}"] }
  - { name: hot-2, keyDomain: vault-a, addresses: ["${Build.HOT_2}"] }
  - { name: hot-3, keyDomain: vault-b, addresses: ["${Build.HOT_3}"] }
limits:
  - { id: wallet-hour, scope: wallet, metric: notional, window: 1h, limit: "1000", action: pause }
unmatched: { scope: key-domain }
conflict: { scope: wallet }
timing: { lease: 15s }
`;

/** A running runtime, what it told people, and its log of errors. */
export type Launched = Runtime & {
  readonly pages: Message[];
  readonly errors: Readonly<Record<string, unknown>>[];
};

/** Starts a runtime in this process on a free port, with {@link POLICY} unless another is named. */
export async function launch(options: Options = {}): Promise<Launched> {
  const pages: Message[] = [];
  const errors: Readonly<Record<string, unknown>>[] = [];
  const runtime = await startRuntime({
    port: 0,
    policySource: POLICY,
    onPage: (page) => pages.push(page),
    log: {
      info: () => undefined,
      error: (message, fields) => errors.push({ message, ...fields }),
    },
    ...options,
  });
  return { ...runtime, pages, errors };
}

/**
 * A folder of its own to work in, since a runtime writes where it listens into the current one.
 * `leave` goes back and removes it.
 */
export async function enterFolder(): Promise<{
  readonly path: string;
  readonly leave: () => Promise<void>;
}> {
  const before = process.cwd();
  const path = await mkdtemp(join(tmpdir(), 'breakwater-test-'));
  process.chdir(path);
  const leave = async () => {
    process.chdir(before);
    await rm(path, { recursive: true, force: true });
  };
  return { path, leave };
}

/** A report of 1 USDC from `hot-1`, as it travels. */
export function report(withdrawalId: string, overrides: Readonly<Record<string, unknown>> = {}) {
  const transfer = { wallet: Build.HOT_1, asset: Build.USDC, destination: Build.CUSTOMER };
  return {
    'detail-type': 'withdrawal.reported',
    detail: { withdrawalId, ...transfer, actor: 'customer-1', amount: '1000000', ...overrides },
  };
}

/** An outflow of 1 USDC from `hot-1` that names no withdrawal, as it travels. */
export function observation(
  transaction: string,
  overrides: Readonly<Record<string, unknown>> = {},
) {
  const transfer = { wallet: Build.HOT_1, asset: Build.USDC, destination: Build.STRANGER };
  return {
    'detail-type': 'outflow.observed',
    detail: { transaction, place: 'log:0', ...transfer, amount: '1000000', ...overrides },
  };
}

/** The status and the JSON of an answer. */
export type Answer = { readonly status: number; readonly body: unknown };

/** Posts JSON; a text goes as it is. */
export async function post(
  at: { readonly url: string },
  path: string,
  body: unknown,
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = await fetch(`${at.url}${path}`, { method: 'POST', body: text });
  return { status: answer.status, body: await answer.json() };
}

/** Sends events and waits until they are decided and told. Throws if they were not taken. */
export async function send(runtime: Runtime, ...events: readonly unknown[]): Promise<void> {
  const answer = await post(runtime, '/events', events);
  if (answer.status !== 202) throw new Error(JSON.stringify(answer));
  await runtime.idle();
}

/** Gives a command or asks a question. */
export function ask(
  at: { readonly url: string },
  request: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  return post(at, '/commands', request);
}

/** Asks the flag as a withdrawal service would. */
export async function flagOf(
  at: { readonly url: string },
  question: Readonly<Record<string, string>>,
): Promise<Flag> {
  const answer = await fetch(`${at.url}/flag?${new URLSearchParams(question)}`);
  return (await answer.json()) as Flag;
}

/** Processes with this text in their command line, this one left out. Linux only, as the engine is. */
export async function processesOn(
  text: string,
): Promise<readonly { readonly pid: number; readonly command: readonly string[] }[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const all = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return { pid, command: line.split('\0') };
    }),
  );
  return all.filter(({ command }) => command.some((argument) => argument.includes(text)));
}

/** The command lines of {@link processesOn} once no more of them end: what watches an engine ends just after it. */
export async function allGone(text: string): Promise<readonly string[]> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    if ((await processesOn(text)).length === 0) return [];
    await sleep(10);
  }
  return (await processesOn(text)).map(({ command }) => command.join(' '));
}

/** The engine that works on this folder. */
export async function enginePidOf(folder: string): Promise<number> {
  const engines = (await processesOn(folder)).filter(({ command }) =>
    command[0]?.endsWith('/dynoxide'),
  );
  const [engine] = engines;
  if (!engine || engines.length > 1) throw new Error(`${engines.length} engines on ${folder}`);
  return engine.pid;
}

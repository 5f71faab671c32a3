/** Runs the watcher in this process, over the tables of a running Breakwater. */

import { resolve } from 'node:path';
import { createPolicyInForce } from '../../actions/policy-in-force.ts';
import type { Step } from '../../actions/watch-chain.ts';
import { fromCompiled } from '../../adapters/compiled-policy.ts';
import { createDynamoClient } from '../../adapters/dynamodb/client.ts';
import { createDynamoStore } from '../../adapters/dynamodb/store.ts';
import { listenForHeads } from '../../adapters/evm/new-heads.ts';
import type { RpcSettings } from '../../adapters/evm/rpc-settings.ts';
import { nodeDigest } from '../../adapters/node-digest.ts';
import { nodeIds } from '../../adapters/node-ids.ts';

import { stringify } from '../../adapters/wire/json.ts';
import type { ChainId } from '../../domain/caip.ts';
import * as Watch from '../../domain/watch.ts';
import { readRpcFile } from '../../local/watching.ts';
import { cancellableWait, followUntil } from '../../runtime/follow-chains.ts';
import { random, sleep, systemClock } from '../../runtime/system.ts';
import { createWatcher, type WatchWorld } from '../../runtime/watcher.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { interruptible } from '../interrupt.ts';
import { type Entry, logLine } from '../render/local.ts';
import { clean } from '../render/text.ts';
import type { Session } from '../session.ts';
import type { Tables } from '../transport.ts';

/** Options of `watch`. */
export type WatchOptions = { readonly rpc: string; readonly restart?: ChainId };

/** How often a chain is looked at that announces nothing, ms. */
const EVERY_MS = 2_000;

/** Runs until it is interrupted. @throws {StoppedError} the file or the tables cannot be read. */
export async function watchHere(session: Session, options: WatchOptions): Promise<undefined> {
  const file = resolve(session.io.cwd, options.rpc);
  const settings = await readRpcFile(file).catch((cause: Error) => {
    const hint = 'docs/watching.md shows what the file of --rpc holds.';
    throw new StoppedError({ exitCode: EXIT.usage, message: clean(cause.message), hint, cause });
  });
  const transport = await session.connect();
  const tables = await transport.tables();
  const world = worldOver(tables, (entry) => show(session, entry));
  if (options.restart !== undefined) await restart(world, options.restart);
  const watcher = createWatcher(world, {
    settings: () => readRpcFile(file),
    onStep: (chain, step) => tellStep(session, chain, step),
  });
  session.warn(`Watching for ${transport.target}; Ctrl-C ends it.`);
  await interruptible(async (signal) => {
    const alarm = createAlarm(signal);
    const ends = listen(session, settings, alarm.wake);
    try {
      await followUntil(watcher, world, {
        everyMs: EVERY_MS,
        isOver: () => signal.aborted,
        wait: alarm.wait,
      });
    } finally {
      for (const end of ends) end();
    }
  });
  return undefined;
}

function worldOver(tables: Tables, log: (entry: Entry) => void): WatchWorld {
  const { ledger, control, client } = tables;
  const clock = systemClock;
  const store = createDynamoStore({
    client: createDynamoClient(client),
    tables: { ledger, control },
    wallClock: clock,
  });
  const { decisions, policies } = store;
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  return {
    store,
    clock,
    decision: { decisions, policy, clock, ids: nodeIds, digest: nodeDigest, sleep, random },
    log: {
      info: (message, fields) => log({ level: 'info', message, fields }),
      error: (message, fields) => log({ level: 'error', message, fields }),
    },
  };
}

async function restart({ store, clock }: WatchWorld, chain: ChainId): Promise<void> {
  const state = await store.watches.load(chain);
  if (!state) return;
  const saved = await store.watches.save(Watch.restart(state, clock.nowMs()));
  if (saved === 'saved') return;
  throw new StoppedError({
    exitCode: EXIT.refused,
    message: `Another watcher has moved on ${chain} meanwhile; nothing was changed.`,
    hint: 'Look at breakwater status, then try again.',
  });
}

/** Listens to every socket that is named; without any, the chains are asked every few seconds. */
function listen(
  session: Session,
  settings: RpcSettings,
  wake: (chain: ChainId) => void,
): readonly (() => void)[] {
  return [...settings].flatMap(([chain, { endpoints }]) =>
    endpoints.flatMap(({ name, socket }) => {
      if (socket === undefined) return [];
      const onDeaf = () => session.warn(`${name} of ${chain} announces no blocks; it is asked.`);
      return [listenForHeads({ socket, onHead: () => wake(chain), onDeaf })];
    }),
  );
}

/** Waits that a new block ends. One that comes while nobody waits ends the next wait at once. */
function createAlarm(signal: AbortSignal): {
  readonly wait: (ms: number, chain: ChainId) => Promise<void>;
  readonly wake: (chain: ChainId) => void;
} {
  const rung = new Set<ChainId>();
  const waiting = new Map<ChainId, AbortController>();
  return {
    wait: async (ms, chain) => {
      if (rung.delete(chain)) return;
      const bell = new AbortController();
      waiting.set(chain, bell);
      await cancellableWait(AbortSignal.any([signal, bell.signal]))(ms);
      waiting.delete(chain);
      rung.delete(chain);
    },
    wake: (chain) => {
      rung.add(chain);
      waiting.get(chain)?.abort();
    },
  };
}

function show(session: Session, entry: Entry): void {
  const atMs = session.io.nowMs();
  const { level, message, fields } = entry;
  const at = new Date(atMs).toISOString();
  if (session.json) session.io.stdout.write(`${stringify({ at, level, message, ...fields })}\n`);
  else session.print([logLine(entry, { atMs, paint: session.paint })]);
}

function tellStep(session: Session, chain: ChainId, step: Step): void {
  if (session.json || step.kind !== 'read') return;
  const { from, to, behind } = step;
  const range = from === to ? `block ${to}` : `blocks ${from} to ${to}`;
  const left = behind > 0 ? `, ${behind} to go` : '';
  session.print([session.paint.dim(`${chain}  ${range}${left}`)]);
}

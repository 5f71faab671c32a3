/** The watcher of the embedded runtime: the deployed one, with the nodes in a file. */

import { readFile } from 'node:fs/promises';
import { parseRpcSettings, type RpcSettings } from '../adapters/evm/rpc-settings.ts';
import { PUBLIC_PRICES } from '../adapters/price/http.ts';
import { cancellableWait, followUntil, type Pace } from '../runtime/follow-chains.ts';
import { createObserver } from '../runtime/observer.ts';
import { createWatcher, isHurried, type Watcher } from '../runtime/watcher.ts';
import type { World } from '../runtime/world.ts';

/** Steps of one {@link Watching.catchUp} along one chain, at most. */
const STEPS_MAX = 1_000;

/** A watcher at work. */
export type Watching = {
  /** Steps along every chain until nothing is new. */
  readonly catchUp: () => Promise<void>;
  /** Ends it; steps under way are waited for. */
  readonly stop: () => Promise<void>;
};

/**
 * Starts to watch. The file is read before every step: a node that is changed in it is asked without
 * a restart. Without a file nothing is watched.
 *
 * @throws {RpcFileError} the file is not there or not of its form.
 */
export async function startWatching(
  world: World,
  parameters: { readonly file: string | undefined; readonly everyMs: number },
): Promise<Watching> {
  const { file, everyMs } = parameters;
  if (file === undefined) return { catchUp: async () => undefined, stop: async () => undefined };
  await readRpcFile(file);
  const settings = () => readRpcFile(file);
  const watcher = createWatcher(world, { settings });
  const observe = createObserver(world, { settings, provider: async () => PUBLIC_PRICES });
  const abort = new AbortController();
  const pace = { everyMs, wait: cancellableWait(abort.signal), isOver: () => abort.signal.aborted };
  const following = everyMs > 0 ? followUntil(watcher, world, pace) : Promise.resolve();
  const observing = everyMs > 0 ? observeUntil(observe, pace) : Promise.resolve();
  return {
    catchUp: async () => {
      await observe();
      const chains = await watcher.chains();
      await Promise.all(chains.map((chain) => catchUp(watcher, chain)));
    },
    stop: async () => {
      abort.abort();
      await Promise.all([following, observing]);
    },
  };
}

/** Looks for what is due as often as for new blocks. */
async function observeUntil(observe: () => Promise<void>, pace: Pace): Promise<void> {
  while (!pace.isOver()) {
    await observe();
    await pace.wait(pace.everyMs, 'eip155:0');
  }
}

async function catchUp(watcher: Watcher, chain: Parameters<Watcher['step']>[0]): Promise<void> {
  for (let steps = 0; steps < STEPS_MAX; steps += 1) {
    if (!isHurried(await watcher.step(chain))) return;
  }
}

/** Reads a file of nodes. @throws {RpcFileError} */
export async function readRpcFile(path: string): Promise<RpcSettings> {
  try {
    return parseRpcSettings(await readFile(path, 'utf8'));
  } catch (cause) {
    const isOfFile = cause instanceof Error && cause.name === 'RpcSettings.RpcSettingsError';
    throw new RpcFileError({ path, why: isOfFile ? cause.message : 'cannot be read', cause });
  }
}

/** The file with the nodes is not there or not of its form. */
export class RpcFileError extends Error {
  override readonly name = 'Watching.RpcFileError';
  constructor(details: { readonly path: string; readonly why: string; readonly cause: unknown }) {
    super(`${details.path}: ${details.why}`, { cause: details.cause });
  }
}

/** Follows every chain that the policy wants to be watched and whose nodes are known. */

import { createDoubtTeller, type TellDoubts } from '../actions/tell-doubts.ts';
import { type Step, watchChain } from '../actions/watch-chain.ts';
import { createChainReader, type ReaderLimits } from '../adapters/evm/chain-reader.ts';
import type { ChainNodes, RpcSettings } from '../adapters/evm/rpc-settings.ts';
import { stringify } from '../adapters/wire/json.ts';
import type { ChainId } from '../domain/caip.ts';
import * as Health from '../domain/health.ts';
import type { Policy } from '../domain/policy.ts';
import { accountsOn } from '../domain/watch.ts';
import type { ChainReader } from '../ports.ts';
import type { World } from './world.ts';

/** What watching takes of a world. */
export type WatchWorld = Pick<World, 'decision' | 'clock' | 'log'> & {
  readonly store: Pick<World['store'], 'watches' | 'health' | 'alerts'>;
};

/** How it watches. */
export type Options = {
  /** The nodes as they are set up now. @throws where they cannot be read: then nothing is watched. */
  readonly settings: () => Promise<RpcSettings>;
  readonly limits?: ReaderLimits | undefined;
  /** Told of each step that did anything. */
  readonly onStep?: ((chain: ChainId, step: Step) => void) | undefined;
};

/** A watcher of many chains. */
export type Watcher = {
  /** Chains to follow now. One that the policy wants and that has no nodes is logged, and stays blind. */
  readonly chains: () => Promise<readonly ChainId[]>;
  /** One step along one chain; `undefined` if it failed, which is logged. Never throws. */
  readonly step: (chain: ChainId) => Promise<Step | undefined>;
};

type Known = { readonly key: string; readonly reader: ChainReader };
type Watching = {
  readonly world: WatchWorld;
  readonly options: Options;
  readonly readers: Map<ChainId, Known>;
  readonly tellers: Map<ChainId, TellDoubts>;
};

/** A watcher that has asked nothing yet. Readers are made again when wallets or nodes change. */
export function createWatcher(world: WatchWorld, options: Options): Watcher {
  const watching: Watching = { world, options, readers: new Map(), tellers: new Map() };
  return {
    chains: async () => {
      const { policy } = await world.decision.policy.refresh();
      const settings = await options.settings();
      const wanted = Health.watchedOf(policy);
      const without = wanted.filter((chain) => !settings.has(chain));
      if (without.length > 0) world.log.error('chains without nodes are not watched', { without });
      return wanted.filter((chain) => settings.has(chain));
    },
    step: async (chain) => {
      try {
        const step = await take(watching, chain);
        report(world, chain, step);
        options.onStep?.(chain, step);
        return step;
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unknown';
        world.log.error('chain not watched', { chain, reason });
        return undefined;
      }
    },
  };
}

/** Whether the next step may do more than this one at once. */
export function isHurried(step: Step | undefined): boolean {
  if (step?.kind === 'read') return step.behind > 0;
  // One that removed nothing comes again at once, for as long as the nodes disagree.
  return step?.kind === 'again' || (step?.kind === 'reorg' && step.blocks > 0);
}

async function take(watching: Watching, chain: ChainId): Promise<Step> {
  const { world, options, tellers } = watching;
  const { policy } = await world.decision.policy.current();
  const nodes = (await options.settings()).get(chain);
  if (!nodes) return { kind: 'unwatched' };
  const { watches, health, alerts } = world.store;
  const teller = tellers.get(chain) ?? createDoubtTeller({ alerts, clock: world.clock }, chain);
  tellers.set(chain, teller);
  return watchChain(
    { ...world.decision, watches, health, alerts },
    {
      chain,
      reader: readerOf(watching, { chain, nodes, policy }),
      tellDoubts: teller,
      looksAhead: nodes.pending,
      startAt: nodes.startAt,
    },
  );
}

function readerOf(
  { readers, options }: Watching,
  of: { readonly chain: ChainId; readonly nodes: ChainNodes; readonly policy: Policy },
): ChainReader {
  const { chain, nodes, policy } = of;
  const { native, endpoints } = nodes;
  const scope = { native, accounts: accountsOn(policy, chain), endpoints };
  const key = JSON.stringify(scope);
  const known = readers.get(chain);
  if (known?.key === key) return known.reader;
  const reader = createChainReader(scope, options.limits);
  readers.set(chain, { key, reader });
  return reader;
}

function report({ log }: WatchWorld, chain: ChainId, step: Step): void {
  switch (step.kind) {
    case 'idle':
    case 'read':
    case 'reorg': {
      const told = step.outcomes.filter(({ result }) => result !== 'expected');
      if (step.kind === 'reorg') log.info('blocks removed', { chain, blocks: step.blocks });
      for (const outcome of told) {
        log.info('event decided', { chain, ...JSON.parse(stringify(outcome)) });
      }
      return;
    }
    case 'failed': {
      const reason = step.error instanceof Error ? step.error.message : 'unknown';
      log.error('event not committed', { chain, reason });
      return;
    }
    case 'stopped':
      log.error('chain not watched', { chain, reason: step.why });
      return;
    case 'again':
    case 'unwatched':
      return;
    default:
      step satisfies never;
  }
}

/** A real chain, and the deployed watcher over the in-memory store, with the host's clock. */

import { recordEvents } from '../../lib/actions/record-events.ts';
import type { Step } from '../../lib/actions/watch-chain.ts';
import type { ReaderLimits } from '../../lib/adapters/evm/chain-reader.ts';
import type { ChainNodes, RpcSettings } from '../../lib/adapters/evm/rpc-settings.ts';
import type { ChainId } from '../../lib/domain/caip.ts';
import type * as Decision from '../../lib/domain/decision.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Withdrawal from '../../lib/domain/withdrawal.ts';
import { createWatcher, isHurried, type Watcher } from '../../lib/runtime/watcher.ts';
import { NATIVE } from '../adapters/evm/chain-world.ts';
import { readyWorld, type TestWorld } from './action-world.ts';
import { CHAIN } from './builders.ts';

const STEPS_MAX = 1_000;

/** What is watched, and everything that the watcher did. */
export type WatchedChain = {
  readonly made: TestWorld;
  readonly watcher: Watcher;
  readonly steps: Step[];
  /** Outcomes of outflows and risks, in order. */
  readonly outcomes: Decision.Outcome[];
  /** Steps until nothing is new; gives what was decided meanwhile. */
  readonly catchUp: (chain?: ChainId) => Promise<readonly Decision.Outcome[]>;
  /** Reports a withdrawal, without a hash. */
  readonly approve: (withdrawalId: string, transfer: Withdrawal.Transfer) => Promise<void>;
  /** Another watcher over the same store, as after a restart of the process. */
  readonly restarted: () => WatchedChain;
};

/** A policy whose every chain is watched; what is not known of money alerts. */
export function watchedPolicy(
  policy: Policy.Policy,
  watch: Partial<Policy.Watch> = {},
): Policy.Policy {
  const rule = { withdrawal: 'allow', outflow: 'alert', scope: 'wallet' } as const;
  return {
    ...policy,
    chains: policy.chains.map((chain) => ({
      ...chain,
      watch: { confirmations: 0, blindAfterMs: 60_000, ...watch },
    })),
    unknown: { wallet: rule, asset: rule, chain: rule, price: rule },
  };
}

/** Nodes of the chain of tests. */
export function nodesAt(...urls: readonly string[]): ChainNodes {
  const endpoints = urls.map((url, at) => ({ name: `node-${at + 1}`, url }));
  return { native: NATIVE, endpoints };
}

/** Puts the policy in force and makes a watcher. Nothing runs by itself. */
export async function watchedChain(
  policy: Policy.Policy,
  nodes: ChainNodes,
  limits?: ReaderLimits,
): Promise<WatchedChain> {
  const made = await readyWorld(policy, () => ({ clock: { nowMs: () => Date.now() } }));
  return over(made, new Map([[CHAIN, nodes]]), limits);
}

function over(made: TestWorld, nodes: RpcSettings, limits?: ReaderLimits): WatchedChain {
  const steps: Step[] = [];
  const outcomes: Decision.Outcome[] = [];
  const watcher = createWatcher(made.world, {
    settings: async () => nodes,
    limits,
    onStep: (_chain, step) => {
      steps.push(step);
      if ('outcomes' in step) outcomes.push(...step.outcomes);
    },
  });
  return {
    made,
    watcher,
    steps,
    outcomes,
    catchUp: async (chain = CHAIN) => {
      const from = outcomes.length;
      for (let step = 0; step < STEPS_MAX; step += 1) {
        if (!isHurried(await watcher.step(chain))) return outcomes.slice(from);
      }
      throw new Error('the watcher does not reach the head');
    },
    approve: async (withdrawalId, transfer) => {
      const event = { kind: 'withdrawal', withdrawalId, transfer } as const;
      const bodyHash = made.world.digest.hash(Withdrawal.canonicalBody(transfer));
      const incoming = { kind: 'transfer', event, bodyHash, lagMs: 0 } as const;
      const [recorded] = await recordEvents(made.world.decision, [incoming]);
      if (recorded?.kind !== 'decided' || recorded.outcome.trips.length > 0) {
        throw new Error(`not approved: ${JSON.stringify(recorded, (_, v) => String(v))}`);
      }
    },
    restarted: () => over(made, nodes, limits),
  };
}

import { describe, expect, test } from 'vitest';
import { watchChain } from '../../lib/actions/watch-chain.ts';
import type { ChainReader, WatchStore } from '../../lib/ports.ts';
import { type Chain, createChain } from '../simulation/chain.ts';
import type { Unit } from '../simulation/plan.ts';
import { readyWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';

const WATCH = { confirmations: 0, blindAfterMs: 60_000 };
const RULES = Build.policy({
  chains: [{ pattern: Build.CHAIN, name: 'Ethereum', watch: WATCH }],
});
const THEFT: Unit = {
  number: 1,
  withdrawalId: 'w-1',
  transaction: `0x${'1'.repeat(64)}`,
  place: 'log:0',
  feeWei: 0n,
  transfer: Build.transfer({ account: Build.HOT_1, asset: Build.USDC, amount: 7n }),
};
const ROW = `outflow:${Build.CHAIN}:${THEFT.transaction}:log:0`;

function readerOf(chain: Chain): ChainReader {
  const doubts = [] as const;
  return {
    head: async () => ({ head: chain.head(), doubts }),
    header: async (number) => chain.block(number)?.header,
    block: async (number) => ({ block: chain.block(number), doubts }),
    blocks: async ({ from, to }) => {
      const numbers = Array.from({ length: to - from + 1 }, (_, at) => from + at);
      return { blocks: numbers.flatMap((number) => chain.block(number) ?? []), doubts };
    },
    pending: async () => ({ pending: [], doubts }),
  };
}

/** While it is dying, a step remembers what it is about to tell, and nothing of what it has told. */
function dying(watches: WatchStore): WatchStore & { isDying: boolean } {
  const mortal = {
    ...watches,
    isDying: false,
    save: async (state: Parameters<WatchStore['save']>[0]) => {
      if (mortal.isDying && state.begun.length === 0) throw new Error('died');
      return watches.save(state);
    },
  };
  return mortal;
}

describe('watchChain', () => {
  test('behavior: H66 what a broken step took back is counted when it is back on the chain', async () => {
    const { world } = await readyWorld(RULES);
    const { decision, store } = world;
    const chain = createChain(() => Build.T0_MS);
    const watches = dying(store.watches);
    const deps = { ...decision, watches, health: store.health, alerts: store.alerts };
    const watched = {
      chain: Build.CHAIN,
      reader: readerOf(chain),
      tellDoubts: async () => undefined,
    };
    const stateOf = async () =>
      (await store.decisions.load({ rows: [ROW], items: [] })).rows.get(ROW)?.state;
    await watchChain(deps, watched);
    watches.isDying = true;
    chain.submit(THEFT, Build.HOT_1);
    chain.mine();
    await expect(watchChain(deps, watched)).rejects.toThrow('died');
    expect(await stateOf()).toBe('unmatched');
    chain.drop(THEFT);
    await expect(watchChain(deps, watched)).rejects.toThrow('died');
    expect(await stateOf()).toBe('removed');
    chain.submit(THEFT, Build.HOT_1);
    chain.mine();
    watches.isDying = false;
    await watchChain(deps, watched);
    expect(await stateOf()).toBe('unmatched');
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findAnvil } from '../../lib/local/chain-node.ts';
import { startWorld, type World } from '../adapters/evm/chain-world.ts';
import { mix } from '../support/mixed-outflows.ts';
import { nodesAt, watchedChain, watchedPolicy } from '../support/watched-chain.ts';

describe.skipIf(!findAnvil())('watchChain, a mix of outflows', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
    await world.anvil.rpc('evm_setAutomine', false);
  });
  afterAll(() => world?.anvil.stop());

  test('behavior: H62 H63 of 300 approved and 10 unapproved ones all 10 trip, and no other', async () => {
    const watched = await watchedChain(watchedPolicy(world.policy), nodesAt(world.anvil.url));
    await watched.catchUp();
    const mixed = await mix(world, watched, { approved: 300, unapproved: 10, seed: 1 });
    expect(mixed).toMatchObject({ missed: 0, falseTrips: 0, matched: 300 });
  }, 60_000);
});

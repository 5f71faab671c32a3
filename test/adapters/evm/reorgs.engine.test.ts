import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createChainReader } from '../../../lib/adapters/evm/chain-reader.ts';
import { findAnvil, startAnvil } from '../../../lib/local/chain-node.ts';
import { idOf, NATIVE, startWorld, type World } from './chain-world.ts';
import { createFollower, type Follower } from './follow.ts';

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.anvil.stop();
});

async function start(parameters: Parameters<typeof startWorld>[0] = {}): Promise<World> {
  const world = await startWorld(parameters);
  worlds.push(world);
  return world;
}

function readerOf(world: World) {
  return createChainReader({
    native: NATIVE,
    accounts: [idOf(world.hot.account.address)],
    endpoints: [{ name: 'one', url: world.anvil.url }],
  });
}

const amounts = (follower: Follower) =>
  [...follower.standing.values()].map(({ outflow }) => outflow.transfer.amount).sort();

/** What the chain itself says left, by its balances. */
async function lossOf(world: World, from: bigint): Promise<bigint> {
  return from - (await world.hot.getBalance({ address: world.hot.account.address }));
}

function totalOf(follower: Follower): bigint {
  return [...follower.standing.values()].reduce(
    (sum, { outflow: { transfer } }) => sum + transfer.amount + (transfer.fee?.amount ?? 0n),
    0n,
  );
}

describe.skipIf(!findAnvil())('search and advance, on a real chain', () => {
  test.each([1, 5, 20])(
    'behavior: H66 a reorg of depth %i: re-included counts once, removed for good is returned',
    async (depth) => {
      const world = await start();
      const follower = createFollower(readerOf(world), { policy: world.policy });
      await follower.catchUp();
      const balance = await world.hot.getBalance({ address: world.hot.account.address });

      await world.hot.sendTransaction({ to: world.customer, value: 1n });
      const kept = await follower.catchUp();
      expect(kept).toBe('idle');
      for (let at = 0; at < depth - 1; at++) await world.mine();
      const dropped = await world.hot.sendTransaction({ to: world.customer, value: 2n });
      await follower.catchUp();
      expect(amounts(follower)).toEqual([1n, 2n]);

      // The last blocks go; the transaction of the last one comes back, in an earlier block.
      const raw = await world.hot.getTransaction({ hash: dropped });
      const again = {
        from: world.hot.account.address,
        to: world.customer,
        value: 3n,
        nonce: raw.nonce,
      };
      await world.anvil.rpc('anvil_reorg', depth, [
        [{ ...again, value: '0x3', nonce: `0x${raw.nonce.toString(16)}` }, 0],
      ]);
      await world.mine();
      await follower.catchUp();
      expect(amounts(follower)).toEqual([1n, 3n]);
      expect(follower.removed).toEqual([`outflow:eip155:1:${dropped}:top`]);
      expect(totalOf(follower)).toBe(await lossOf(world, balance));
      expect(follower.doubts).toEqual([]);
    },
  );

  test.each([1, 5, 20])(
    'behavior: H66 a reorg of depth %i with the same transaction again: removed and counted once',
    async (depth) => {
      const world = await start();
      const follower = createFollower(readerOf(world), { policy: world.policy });
      await follower.catchUp();
      const balance = await world.hot.getBalance({ address: world.hot.account.address });
      const request = await world.hot.prepareTransactionRequest({ to: world.customer, value: 2n });
      const signed = await world.hot.signTransaction(request);
      const hash = await world.hot.sendRawTransaction({ serializedTransaction: signed });
      for (let at = 0; at < depth - 1; at++) await world.mine();
      await follower.catchUp();
      await world.anvil.rpc('anvil_reorg', depth, [[signed, depth - 1]]);
      await world.mine();
      await follower.catchUp();
      const id = `outflow:eip155:1:${hash}:top`;
      expect(follower.removed).toEqual([id]);
      expect(follower.seen.filter((one) => one === id)).toHaveLength(2);
      expect([...follower.standing.keys()]).toEqual([id]);
      expect(totalOf(follower)).toBe(await lossOf(world, balance));
    },
  );

  test('behavior: H66 a rollback: what is gone stands until the chain goes another way', async () => {
    const world = await start();
    const follower = createFollower(readerOf(world), { policy: world.policy });
    await follower.catchUp();
    await world.hot.sendTransaction({ to: world.customer, value: 2n });
    await follower.catchUp();
    await world.anvil.rpc('anvil_rollback', 1);
    expect(await follower.catchUp()).toBe('idle');
    expect(follower.standing.size).toBe(1);
    await world.mine(2);
    await follower.catchUp();
    expect(follower.standing.size).toBe(0);
    expect(follower.removed).toHaveLength(1);
  });

  test('behavior: H73 blocks are confirmed once, when they are deep enough', async () => {
    const world = await start();
    const policy = world.policy;
    const follower = createFollower(readerOf(world), { policy, confirmations: 3 });
    await follower.catchUp();
    const first = follower.cursor.recent.at(-1)?.number ?? 0;
    expect(follower.confirmed).toEqual([]);
    await world.mine(2);
    await follower.catchUp();
    expect(follower.confirmed).toEqual([]);
    await world.mine(3);
    await follower.catchUp();
    expect(follower.confirmed).toEqual([first, first + 1, first + 2]);
  });

  test('behavior: H68 a gap of 10,000 blocks on a node that keeps no old states', async () => {
    const world = await start({ hardfork: 'shanghai', statesMax: 128 });
    const balance = await world.hot.getBalance({ address: world.hot.account.address });
    const follower = createFollower(readerOf(world), { policy: world.policy });
    await follower.catchUp();
    for (let at = 0; at < 5; at++) {
      await world.mine(2_000);
      await world.hot.sendTransaction({ to: world.customer, value: BigInt(at + 1) });
    }
    await follower.catchUp();
    expect(amounts(follower)).toEqual([1n, 2n, 3n, 4n, 5n]);
    expect(totalOf(follower)).toBe(await lossOf(world, balance));
    expect(follower.cursor.recent).toHaveLength(256);
    expect(new Set(follower.doubts.map(({ kind }) => kind))).toEqual(new Set(['unverified']));
  }, 120_000);

  test('behavior: H67 a node that restarts with an old state is ignored, and one with a younger one goes on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'breakwater-chain-'));
    const stateFile = join(folder, 'state.json');
    try {
      const world = await start({ stateFile });
      const follower = createFollower(readerOf(world), { policy: world.policy });
      await follower.catchUp();
      await world.hot.sendTransaction({ to: world.customer, value: 1n });
      await follower.catchUp();
      const { port } = world.anvil;
      await world.anvil.stop();
      await expect(follower.catchUp()).rejects.toThrow(/^no endpoint of the chain can be read/);

      const again = await startAnvil({ port, stateFile });
      worlds.push({ ...world, anvil: again });
      await world.hot.sendTransaction({ to: world.customer, value: 2n });
      await follower.catchUp();
      expect(amounts(follower)).toEqual([1n, 2n]);
      expect(follower.removed).toEqual([]);
      await again.stop();

      const empty = await startAnvil({ port });
      worlds.push({ ...world, anvil: empty });
      expect(await follower.catchUp()).toBe('old');
      expect(follower.standing.size).toBe(2);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFunctionData, parseEther, zeroAddress } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import type * as Decision from '../../lib/domain/decision.ts';
import * as Meter from '../../lib/domain/meter.ts';
import * as Withdrawal from '../../lib/domain/withdrawal.ts';
import { findAnvil, startAnvil } from '../../lib/local/chain-node.ts';
import {
  call,
  deploy,
  erc20,
  idOf,
  type LyingNode,
  NATIVE,
  policyOf,
  startProxy,
  startWorld,
  type World,
} from '../adapters/evm/chain-world.ts';
import { CHAIN } from '../support/builders.ts';
import {
  nodesAt,
  type WatchedChain,
  watchedChain,
  watchedPolicy,
} from '../support/watched-chain.ts';

const tripsOf = (outcomes: readonly Decision.Outcome[]) =>
  outcomes.flatMap(({ trips }) => trips.map(({ scope }) => scope));
const resultsOf = (outcomes: readonly Decision.Outcome[]) => outcomes.map(({ result }) => result);

/** Resolves when everything that was sent is in a block: the node answers before it mines. */
async function mined(world: World): Promise<void> {
  const ofBoth = (blockTag: 'latest' | 'pending') =>
    Promise.all(
      [world.hot, world.stranger].map((one) =>
        one.getTransactionCount({ address: one.account.address, blockTag }),
      ),
    );
  await expect
    .poll(async () => `${await ofBoth('latest')}`, { interval: 5 })
    .toBe(`${await ofBoth('pending')}`);
}

/** What a wallet's meters say has left, base units of an asset. */
async function metered(watched: WatchedChain, wallet: string, asset: string): Promise<bigint> {
  const { decisions } = watched.made.world.store;
  const { items } = await decisions.load({ rows: [], items: [`wallet-asset:${wallet}|${asset}`] });
  const item = items.get(`wallet-asset:${wallet}|${asset}`);
  if (!item) return 0n;
  return Meter.outflow(item.meter, {
    metric: 'amount',
    windowMs: 86_400_000,
    widenMs: 0,
    nowMs: Date.now() + 60_000,
  });
}

describe.skipIf(!findAnvil())('watchChain, whatever leaves', () => {
  let world: World;
  let proofs: {
    readonly name: string;
    readonly legs: () => Promise<readonly Withdrawal.Transfer[]>;
    readonly send: () => Promise<unknown>;
  }[] = [];

  beforeAll(async () => {
    world = await startWorld();
    const { hot, stranger, token, contracts, customer } = world;
    const from = idOf(hot.account.address);
    const to = idOf(customer);
    const safe = await deploy(hot, contracts.ContractWallet, {
      args: [hot.account.address],
      value: parseEther('5'),
    });
    const disperse = await deploy(stranger, contracts.Disperse);
    const nft = await deploy(stranger, contracts.Collectible);
    const delegate = await deploy(stranger, contracts.Delegate);
    await call(stranger, { at: nft, is: contracts.Collectible }, ['mint', hot.account.address, 1n]);
    await call(stranger, { at: nft, is: contracts.Collectible }, ['mint', hot.account.address, 2n]);
    await call(hot, { at: token, is: contracts.Token }, ['approve', disperse, 10n ** 9n]);
    await call(hot, { at: token, is: contracts.Token }, ['approve', stranger.account.address, 9n]);
    const policy = policyOf({ token, accounts: [from, idOf(safe)] });
    world = { ...world, policy };
    const other = `0x${'d'.repeat(40)}` as const;
    let collectible = 0n;
    proofs = [
      {
        name: 'native',
        legs: async () => [{ account: from, asset: NATIVE, destination: to, amount: 11n }],
        send: () => hot.sendTransaction({ to: customer, value: 11n }),
      },
      {
        name: 'ERC-20',
        legs: async () => [{ account: from, asset: erc20(token), destination: to, amount: 12n }],
        send: () => call(hot, { at: token, is: contracts.Token }, ['transfer', customer, 12n]),
      },
      {
        name: 'internal transfer of a contract wallet',
        legs: async () => [{ account: idOf(safe), asset: NATIVE, destination: to, amount: 13n }],
        send: () =>
          call(hot, { at: safe, is: contracts.ContractWallet }, [
            'execTransaction',
            customer,
            13n,
            '0x',
          ]),
      },
      {
        name: 'multicall batch',
        legs: async () => [
          { account: from, asset: erc20(token), destination: to, amount: 14n },
          { account: from, asset: erc20(token), destination: idOf(other), amount: 15n },
        ],
        send: () =>
          call(hot, { at: disperse, is: contracts.Disperse }, [
            'disperseToken',
            token,
            [customer, other],
            [14n, 15n],
          ]),
      },
      {
        name: 'ERC-721',
        legs: async () => [
          {
            account: from,
            asset: `eip155:1/erc721:${nft.toLowerCase()}`,
            destination: to,
            amount: 1n,
          },
        ],
        send: () => {
          collectible += 1n;
          return call(hot, { at: nft, is: contracts.Collectible }, [
            'transferFrom',
            hot.account.address,
            customer,
            collectible,
          ]);
        },
      },
      {
        name: 'approval and transferFrom by another party',
        legs: async () => [{ account: from, asset: erc20(token), destination: to, amount: 4n }],
        send: () =>
          call(stranger, { at: token, is: contracts.Token }, [
            'transferFrom',
            hot.account.address,
            customer,
            4n,
          ]),
      },
      {
        name: 'EIP-7702 delegation',
        legs: async () => [{ account: from, asset: NATIVE, destination: to, amount: 16n }],
        send: async () => {
          const authorization = await hot.signAuthorization({
            contractAddress: delegate,
            executor: stranger.account,
          });
          await stranger.sendTransaction({
            to: hot.account.address,
            authorizationList: [authorization],
            gas: 300_000n,
            data: encodeFunctionData({
              abi: contracts.Delegate.abi,
              functionName: 'execute',
              args: [[customer], [16n], ['0x']],
            }),
          });
          const ended = await hot.signAuthorization({
            contractAddress: zeroAddress,
            executor: stranger.account,
          });
          await stranger.sendTransaction({
            to: zeroAddress,
            authorizationList: [ended],
            gas: 200_000n,
          });
        },
      },
    ];
  }, 30_000);
  afterAll(() => world?.anvil.stop());

  const names = [
    'native',
    'ERC-20',
    'internal transfer of a contract wallet',
    'multicall batch',
    'ERC-721',
    'approval and transferFrom by another party',
    'EIP-7702 delegation',
  ];
  const proofOf = (name: string) => proofs.find((one) => one.name === name)!;

  test.each(names)('behavior: H62 %s: unapproved trips at first sight', async (name) => {
    const watched = await watchedChain(watchedPolicy(world.policy), nodesAt(world.anvil.url));
    await watched.catchUp();
    await proofOf(name).send();
    await mined(world);
    const outcomes = await watched.catchUp();
    expect(tripsOf(outcomes)).toContain('key-domain:vault');
    expect(resultsOf(outcomes)).toContain('unmatched-outflow');
  });

  test.each(names)('behavior: H63 %s: approved passes and counts once', async (name) => {
    const base = watchedPolicy(world.policy);
    const policy = { ...base, unmatched: { ...base.unmatched, risks: 'alert' as const } };
    const watched = await watchedChain(policy, nodesAt(world.anvil.url));
    await watched.catchUp();
    const legs = await proofOf(name).legs();
    const before = new Map<string, bigint>();
    for (const { asset } of legs) before.set(asset, await metered(watched, 'hot', asset));
    for (const [at, transfer] of legs.entries()) await watched.approve(`w-${at}`, transfer);
    await proofOf(name).send();
    await mined(world);
    const outcomes = await watched.catchUp();
    expect(tripsOf(outcomes)).toEqual([]);
    expect(resultsOf(outcomes).filter((one) => one === 'matched-outflow')).toHaveLength(
      legs.length,
    );
    for (const asset of new Set(legs.map((leg) => leg.asset))) {
      if (asset === NATIVE) continue;
      const sum = legs.filter((leg) => leg.asset === asset).reduce((a, leg) => a + leg.amount, 0n);
      expect(await metered(watched, 'hot', asset)).toBe((before.get(asset) ?? 0n) + sum);
    }
    // The same money again finds nothing that waits for it.
    if (name === 'ERC-20') {
      await proofOf(name).send();
      await mined(world);
      expect(tripsOf(await watched.catchUp())).toContain('key-domain:vault');
    }
  });

  test('behavior: H72 a stranger’s fake token, a zero value and a look-alike trip nothing', async () => {
    const { stranger, contracts, hot, token, customer } = world;
    // What came before is not this watcher's.
    await world.mine();
    const watched = await watchedChain(watchedPolicy(world.policy), nodesAt(world.anvil.url));
    await watched.catchUp();
    const approved = {
      account: idOf(hot.account.address),
      asset: erc20(token),
      destination: idOf(customer),
      amount: 21n,
    };
    await watched.approve('real', approved);
    const fake = await deploy(stranger, contracts.FakeToken);
    const lookAlike = `0x${'c'.repeat(36)}beef` as const;
    const by = { at: fake, is: contracts.FakeToken };
    await call(stranger, by, ['lie', hot.account.address, customer, 10n ** 24n]);
    await call(stranger, by, ['lie', hot.account.address, lookAlike, 21n]);
    await call(stranger, by, ['lieApproval', hot.account.address, stranger.account.address, 1n]);
    await call(stranger, by, ['malformed', hot.account.address, customer]);
    const real = { at: token, is: contracts.Token };
    await call(stranger, real, ['transferFrom', hot.account.address, lookAlike, 0n]);
    await mined(world);
    const outcomes = await watched.catchUp();
    expect(tripsOf(outcomes)).toEqual([]);
    expect(resultsOf(outcomes)).not.toContain('matched-outflow');
    expect(watched.made.records.map(({ type }) => type)).not.toContain('incident-opened');
    // What was approved still waits for its own outflow.
    await call(hot, real, ['transfer', customer, 21n]);
    await mined(world);
    expect(resultsOf(await watched.catchUp())).toEqual(['matched-outflow']);
  });
});

describe.skipIf(!findAnvil())('watchChain, when the chain or a node misbehaves', () => {
  const worlds: World[] = [];
  const proxies: LyingNode[] = [];
  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy.stop();
    for (const world of worlds.splice(0)) await world.anvil.stop();
  });

  async function start(parameters: Parameters<typeof startWorld>[0] = {}): Promise<World> {
    const world = await startWorld(parameters);
    worlds.push(world);
    return world;
  }

  async function follow(world: World, confirmations = 0, urls = [world.anvil.url]) {
    const watched = await watchedChain(
      watchedPolicy(world.policy, { confirmations }),
      nodesAt(...urls),
    );
    await watched.catchUp();
    return watched;
  }

  const submit = (world: World, value: bigint) =>
    world.hot.sendTransaction({ to: world.customer, value });
  const send = async (world: World, value: bigint) => {
    const hash = await submit(world, value);
    await mined(world);
    return hash;
  };
  const transferOf = (world: World, amount: bigint): Withdrawal.Transfer => ({
    account: idOf(world.hot.account.address),
    asset: NATIVE,
    destination: idOf(world.customer),
    amount,
  });
  const balanceOf = (world: World) => world.hot.getBalance({ address: world.hot.account.address });

  test.each([1, 5, 20])(
    'behavior: H66 a reorg of depth %i, with and without re-inclusion: meters equal the chain',
    async (depth) => {
      const world = await start();
      const watched = await follow(world);
      const balance = await balanceOf(world);
      await send(world, 10n ** 15n);
      await watched.catchUp();
      for (let at = 1; at < depth; at += 1) await world.mine();
      const dropped = await send(world, 2n * 10n ** 15n);
      await watched.catchUp();
      expect(await metered(watched, 'hot', NATIVE)).toBe(balance - (await balanceOf(world)));

      const { nonce } = await world.hot.getTransaction({ hash: dropped });
      const sent = { from: world.hot.account.address, to: world.customer };
      const other = { ...sent, nonce: `0x${nonce.toString(16)}`, value: '0x38d7ea4c68001' };
      await world.anvil.rpc('anvil_reorg', depth, [[other, 0]]);
      await world.mine();
      const outcomes = await watched.catchUp();
      expect(resultsOf(outcomes).filter((one) => one === 'removed')).toHaveLength(1);
      expect(await metered(watched, 'hot', NATIVE)).toBe(balance - (await balanceOf(world)));

      // The same transactions, in other blocks.
      const raw = await world.hot.getBlock();
      await world.anvil.rpc('anvil_reorg', depth, []);
      await world.mine();
      await watched.catchUp();
      expect((await world.hot.getBlock()).number).toBeGreaterThan(raw.number ?? 0n);
      expect(await metered(watched, 'hot', NATIVE)).toBe(balance - (await balanceOf(world)));
    },
    30_000,
  );

  test('behavior: H66 a withdrawal whose outflow a reorg took waits for it again, and meets it again', async () => {
    const world = await start();
    const watched = await follow(world);
    await watched.approve('w-1', transferOf(world, 5n));
    const hash = await send(world, 5n);
    expect(resultsOf(await watched.catchUp())).toEqual(['matched-outflow']);
    const raw = await world.hot.getTransaction({ hash });
    const again = {
      from: world.hot.account.address,
      to: world.customer,
      value: '0x5',
      nonce: `0x${raw.nonce.toString(16)}`,
    };
    await world.anvil.rpc('anvil_reorg', 2, [[again, 1]]);
    await world.mine();
    const outcomes = await watched.catchUp();
    expect(resultsOf(outcomes)).toEqual(['removed', 'matched-outflow']);
    expect(tripsOf(outcomes)).toEqual([]);
  });

  test('behavior: a step that breaks off is taken again, and what left the chain meanwhile is taken back', async () => {
    const world = await start();
    const watched = await follow(world);
    const balance = await balanceOf(world);
    await send(world, 7n);
    const { watches } = watched.made.world.store;
    const before = (await watches.load(CHAIN))!;
    await watched.catchUp();
    const after = (await watches.load(CHAIN))!;
    // As if the process had ended after the ledger was written and before that was remembered.
    const begun = after.told.flatMap(({ rowIds }) =>
      rowIds.map((rowId) => ({ rowId, number: after.cursor.recent.at(-1)!.number })),
    );
    await watches.save({ ...before, version: after.version, sequence: after.sequence, begun });
    await world.anvil.rpc('anvil_reorg', 1, []);
    await world.anvil.rpc('anvil_dropAllTransactions');
    await world.mine(2);
    await watched.restarted().catchUp();
    expect(await metered(watched, 'hot', NATIVE)).toBe(balance - (await balanceOf(world)));
  });

  test('behavior: H63 what was reserved before it was signed passes, and is charged nothing but its fee', async () => {
    const world = await start();
    const watched = await follow(world);
    const balance = await balanceOf(world);
    const made = watched.made.world;
    const untilMs = Date.now() + 60_000;
    await made.store.health.renew({ [CHAIN]: untilMs }, Date.now());
    const transfer = transferOf(world, 8n);
    const bodyHash = made.digest.hash(Withdrawal.canonicalBody(transfer));
    const withdrawal = { kind: 'withdrawal', withdrawalId: 'r-1', transfer } as const;
    const asks = [{ withdrawal, bodyHash }];
    const [answer] = await reserveWithdrawals(made.reserve, { asks, audience: 'signer' });
    expect(answer).toMatchObject({ kind: 'allow' });
    await send(world, 8n);
    const outcomes = await watched.catchUp();
    expect(resultsOf(outcomes)).toEqual(['matched-outflow']);
    expect(tripsOf(outcomes)).toEqual([]);
    expect(await metered(watched, 'hot', NATIVE)).toBe(balance - (await balanceOf(world)));
  });

  test('behavior: H67 a node that restarts goes on; one that comes back with an old chain is ignored', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'breakwater-chain-'));
    const stateFile = join(folder, 'state.json');
    const world = await start({ stateFile });
    const watched = await follow(world);
    const balance = await balanceOf(world);
    await send(world, 1n);
    await watched.catchUp();
    const { port } = world.anvil;
    await world.anvil.stop();
    expect(await watched.watcher.step(CHAIN)).toBeUndefined();
    const again = await startAnvil({ port, stateFile });
    worlds.push({ ...world, anvil: again });
    await send(world, 2n);
    expect(resultsOf(await watched.catchUp())).toEqual(['unmatched-outflow']);
    const left = balance - (await balanceOf(world));
    expect(await metered(watched, 'hot', NATIVE)).toBe(left);
    await again.stop();
    worlds.push({ ...world, anvil: await startAnvil({ port }) });
    expect(await watched.catchUp()).toEqual([]);
    expect(await metered(watched, 'hot', NATIVE)).toBe(left);
    await rm(folder, { recursive: true, force: true });
  });

  test('behavior: H69 two endpoints on different forks: both blocks are held against approvals, and people hear of it', async () => {
    const world = await start();
    const other = await start();
    const watched = await follow(world, 0, [world.anvil.url, other.anvil.url]);
    await world.mine(2);
    await other.mine();
    for (let at = 0; at < 4; at += 1) {
      await send(world, 1n);
      await watched.catchUp();
    }
    const told = watched.made.records.flatMap((one) =>
      one.type === 'alert-raised' && one.alert.kind === 'watch' ? [one.alert.text] : [],
    );
    expect(told.join()).toMatch(/node-[12] (has block|is|does not)/);
    expect(tripsOf(watched.outcomes)).toContain('key-domain:vault');
  });

  test('behavior: two watchers at once count everything once', async () => {
    const world = await start();
    const watched = await follow(world);
    const balance = await balanceOf(world);
    const other = watched.restarted();
    for (let at = 0; at < 5; at += 1) {
      await send(world, 9n);
      await Promise.all([watched.catchUp(), other.catchUp()]);
    }
    expect(await metered(watched, 'hot', NATIVE)).toBe(balance - (await balanceOf(world)));
    const unmatched = [...watched.outcomes, ...other.outcomes].filter(
      ({ result }) => result === 'unmatched-outflow',
    );
    expect(unmatched.length).toBeLessThanOrEqual(5);
  });

  test('behavior: H67 H66 a reorg deeper than what is remembered stops the watcher until a person acts', async () => {
    const world = await start();
    const watched = await follow(world);
    await world.mine(3);
    await watched.catchUp();
    const { watches } = watched.made.world.store;
    const state = (await watches.load(CHAIN))!;
    const recent = state.cursor.recent.map((seen) => ({ ...seen, hash: `0x${'e'.repeat(64)}` }));
    await watches.save({ ...state, beganAt: 0, cursor: { ...state.cursor, recent } });
    await world.mine();
    await watched.catchUp();
    expect(watched.steps.at(-1)).toMatchObject({ kind: 'stopped' });
    await world.mine();
    await watched.catchUp();
    expect(watched.steps.at(-1)).toMatchObject({ kind: 'stopped' });
    const alerts = watched.made.records.filter(({ type }) => type === 'alert-raised');
    expect(alerts).toMatchObject([{ alert: { kind: 'watch' } }]);
    const sights = await watched.made.world.store.health.sights([CHAIN]);
    expect(sights.get(CHAIN)?.stopped).toContain('reorganised deeper');
  });

  test('behavior: H70 H69 empty logs from one of two endpoints: the union counts, and people hear of it', async () => {
    const world = await start();
    const proxy = await startProxy(world.anvil);
    proxies.push(proxy);
    proxy.lie = ({ method }) => (method === 'eth_getLogs' ? { result: [] } : 'pass');
    const watched = await follow(world, 0, [proxy.url, world.anvil.url]);
    const { token, contracts, hot, stranger, customer } = world;
    const at = { at: token, is: contracts.Token };
    await call(hot, at, ['approve', stranger.account.address, 50n]);
    await mined(world);
    await watched.catchUp();
    await call(stranger, at, ['transferFrom', hot.account.address, customer, 31n]);
    await mined(world);
    const outcomes = await watched.catchUp();
    expect(tripsOf(outcomes)).toContain('key-domain:vault');
    expect(await metered(watched, 'hot', erc20(token))).toBe(31n);
    const told = watched.made.records.flatMap((one) =>
      one.type === 'alert-raised' && one.alert.kind === 'watch' ? [one.alert.text] : [],
    );
    expect(told.join()).toContain('node-1');
  });

  test('behavior: one endpoint that is down for three steps is told once; both down throw nothing on', async () => {
    const world = await start();
    const watched = await follow(world, 0, [world.anvil.url, 'http://127.0.0.1:9']);
    for (let at = 0; at < 4; at += 1) {
      await world.mine();
      await watched.catchUp();
    }
    const told = watched.made.records.flatMap((one) =>
      one.type === 'alert-raised' && one.alert.kind === 'watch' ? [one.alert.alertId] : [],
    );
    expect(told.filter((id) => id.includes('down|node-2'))).toHaveLength(1);
  });

  test('behavior: a gap of 10,000 blocks is filled, and every outflow in it counts once', async () => {
    const world = await start({ hardfork: 'shanghai' });
    const watched = await follow(world);
    const balance = await balanceOf(world);
    await watched.approve('w-1', transferOf(world, 3n));
    await world.mine(4_000);
    await send(world, 3n);
    await world.mine(6_000);
    const outcomes = await watched.catchUp();
    expect(resultsOf(outcomes)).toEqual(['matched-outflow']);
    expect(watched.steps.filter(({ kind }) => kind === 'read').length).toBeGreaterThan(50);
    // What was approved was charged when it was reported; its fee when it was seen.
    expect(await metered(watched, 'hot', NATIVE)).toBe(balance - (await balanceOf(world)));
  }, 300_000);

  test('behavior: H73 with confirmations first sight trips, and accounting follows once', async () => {
    const world = await start();
    const watched = await follow(world, 3);
    const balance = await balanceOf(world);
    await watched.approve('w-1', transferOf(world, 3n));
    await send(world, 3n);
    expect(resultsOf(await watched.catchUp())).toEqual(['expected']);
    await send(world, 4n);
    const first = await watched.catchUp();
    expect(resultsOf(first)).toEqual(['sighted']);
    expect(tripsOf(first)).toEqual(['key-domain:vault']);
    expect(await metered(watched, 'hot', NATIVE)).toBe(3n);
    await world.mine(5);
    const later = await watched.catchUp();
    expect(resultsOf(later)).toEqual(['matched-outflow', 'unmatched-outflow']);
    expect(tripsOf(later)).toEqual([]);
    expect(await metered(watched, 'hot', NATIVE)).toBe(balance - (await balanceOf(world)));
  });

  test('behavior: H73 a transaction that waits in the pool trips before it is mined', async () => {
    const world = await start({ automine: true });
    const watched = await watchedChain(watchedPolicy(world.policy), {
      ...nodesAt(world.anvil.url),
      pending: true,
    });
    await watched.catchUp();
    await world.anvil.rpc('evm_setAutomine', false);
    await submit(world, 6n);
    const waiting = await watched.catchUp();
    expect(resultsOf(waiting)).toEqual(['sighted']);
    expect(tripsOf(waiting)).toEqual(['key-domain:vault']);
    await world.mine();
    const mined = await watched.catchUp();
    expect(resultsOf(mined)).toContain('unmatched-outflow');
    expect(tripsOf(mined)).toEqual([]);
  });
});

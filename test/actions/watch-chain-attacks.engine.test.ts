import { randomUUID } from 'node:crypto';
import { encodeFunctionData, type Hex, zeroAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import type * as Decision from '../../lib/domain/decision.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import { findAnvil } from '../../lib/local/chain-node.ts';
import {
  call,
  deploy,
  erc20,
  idOf,
  policyOf,
  signer,
  startWorld,
  type World,
} from '../adapters/evm/chain-world.ts';
import { nodesAt, watchedChain, watchedPolicy } from '../support/watched-chain.ts';

const tripsOf = (outcomes: readonly Decision.Outcome[]) =>
  outcomes.flatMap(({ trips }) => trips.map(({ scope }) => scope));
const resultsOf = (outcomes: readonly Decision.Outcome[]) => outcomes.map(({ result }) => result);

describe.skipIf(!findAnvil())('watchChain, against whoever knows how it works', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world?.anvil.stop());

  async function follow(policy: Policy.Policy = world.policy) {
    const watched = await watchedChain(watchedPolicy(policy), nodesAt(world.anvil.url));
    // What came before is not this watcher's.
    await world.mine();
    await watched.catchUp();
    return watched;
  }

  const mined = (hash: Hex) => world.hot.waitForTransactionReceipt({ hash });

  /** A wallet that is the proxy of a Safe. */
  async function startSafe() {
    const { stranger, contracts, token } = world;
    const singleton = await deploy(stranger, contracts.WalletSingleton);
    const thief = await deploy(stranger, contracts.WalletThief);
    const safe = await deploy(stranger, contracts.WalletProxy, { args: [singleton] });
    const by = { at: safe, is: contracts.WalletSingleton };
    await mined(await call(stranger, by, ['addOwner', stranger.account.address]));
    const policy = policyOf({ token, accounts: [idOf(world.hot.account.address), idOf(safe)] });
    const run = async (data: Hex) => mined(await call(stranger, by, ['delegate', thief, data]));
    const encode = (functionName: string, args: readonly unknown[]) =>
      encodeFunctionData({ abi: contracts.WalletThief.abi, functionName, args });
    return { by, thief, policy, run, encode };
  }

  test('behavior: H65 H82 code run in the name of a Safe changes its implementation and logs nothing: trips', async () => {
    const { policy, run, encode, thief } = await startSafe();
    const watched = await follow(policy);
    await run(encode('replace', [thief]));
    expect(tripsOf(await watched.catchUp())).toEqual(['key-domain:vault']);
    const texts = watched.made.records.flatMap((one) =>
      one.type === 'incident-opened' && !one.incident.quarantinedBy
        ? [one.incident.first.text]
        : [],
    );
    expect(texts).toMatchObject([expect.stringContaining('runs other code than before')]);
    // Told once: the next block says nothing new.
    await world.mine();
    expect(await watched.catchUp()).toEqual([]);
  });

  test('behavior: H65 H82 an owner that a log names is told once, one that it hides trips', async () => {
    const { by, policy, run, encode } = await startSafe();
    const { customer, stranger, hot } = world;
    const cold = idOf(customer);
    const watched = await follow({ ...policy, own: [cold] });
    await mined(await call(stranger, by, ['addOwner', customer]));
    const honest = await watched.catchUp();
    expect([resultsOf(honest), tripsOf(honest)]).toEqual([['risk'], []]);
    // It logs that the cold wallet became an owner, and makes somebody else one.
    await run(encode('own', [`0x${'e'.repeat(40)}`, hot.account.address]));
    expect(tripsOf(await watched.catchUp())).toEqual(['key-domain:vault']);
  });

  test('behavior: H63 H65 a token that logs what is left of an allowance: an approved payout trips nothing', async () => {
    const { hot, stranger, contracts, customer } = world;
    const loud = { at: await deploy(stranger, contracts.LoudToken), is: contracts.LoudToken };
    const disperse = { at: await deploy(stranger, contracts.Disperse), is: contracts.Disperse };
    await mined(await call(stranger, loud, ['mint', hot.account.address, 100n]));
    const policy = policyOf({ token: loud.at, accounts: [idOf(hot.account.address)] });
    const watched = await follow(policy);
    // The allowance is news, and trips: nobody declared it.
    await mined(await call(hot, loud, ['approve', disperse.at, 50n]));
    expect(tripsOf(await watched.catchUp())).toEqual(['key-domain:vault']);
    const transfer = {
      account: idOf(hot.account.address),
      asset: erc20(loud.at),
      destination: idOf(customer),
      amount: 7n,
    };
    await watched.approve('w-1', transfer);
    await mined(await call(hot, disperse, ['disperseToken', loud.at, [customer], [7n]]));
    const paid = await watched.catchUp();
    expect([resultsOf(paid), tripsOf(paid)]).toEqual([['matched-outflow'], []]);
    // Without an approval of the money it trips as ever.
    await mined(await call(hot, disperse, ['disperseToken', loud.at, [customer], [8n]]));
    expect(tripsOf(await watched.catchUp())).toEqual(['key-domain:vault']);
  });

  test('behavior: H65 an old delegation, and one for another chain, that a stranger brings stop nothing', async () => {
    const { hot, stranger, contracts } = world;
    const delegate = await deploy(stranger, contracts.Delegate);
    const by = { contractAddress: delegate, executor: stranger.account };
    const old = await hot.signAuthorization(by);
    await mined(await hot.sendTransaction({ to: world.customer, value: 1n }));
    const elsewhere = await hot.signAuthorization({ ...by, chainId: 56 });
    const watched = await follow();
    for (const authorizationList of [[old], [elsewhere]]) {
      await mined(
        await stranger.sendTransaction({ to: zeroAddress, authorizationList, gas: 200_000n }),
      );
    }
    const told = await watched.catchUp();
    expect(tripsOf(told)).toEqual([]);
    expect(resultsOf(told)).toEqual(['risk']);
    // The same, with its own nonce: it has an effect.
    const live = await hot.signAuthorization(by);
    const decoy = { ...by, contractAddress: hot.account.address };
    const lists = [live, await hot.signAuthorization(decoy)];
    await mined(
      await stranger.sendTransaction({
        to: zeroAddress,
        authorizationList: lists,
        gas: 200_000n,
      }),
    );
    expect(tripsOf(await watched.catchUp())).toContain('key-domain:vault');
    const ended = await hot.signAuthorization({ ...by, contractAddress: zeroAddress });
    await mined(
      await stranger.sendTransaction({
        to: zeroAddress,
        authorizationList: [ended],
        gas: 200_000n,
      }),
    );
  });

  test('behavior: H64 the emergency sweep to an own address passes while everything is paused', async () => {
    const { hot, contracts, token } = world;
    const cold = `0x${'c01d'.repeat(10)}` as const;
    const watched = await follow({ ...world.policy, own: [idOf(cold)] });
    const { store, decision, compilePolicy } = watched.made.world;
    const deps = { ...decision, incidents: store.incidents, compilePolicy };
    const scope = 'global' as const;
    const command = { kind: 'pause', commandId: randomUUID(), scope, reason: 'a drill' } as const;
    const paused = await operateBreaker(deps, { command, actor: 'operator' });
    expect(paused).toMatchObject({ kind: 'paused', scope: 'global' });
    await mined(await call(hot, { at: token, is: contracts.Token }, ['transfer', cold, 1_000n]));
    await mined(await hot.sendTransaction({ to: cold, value: 10n ** 18n }));
    const swept = await watched.catchUp();
    expect([resultsOf(swept), tripsOf(swept)]).toEqual([['moved-outflow', 'moved-outflow'], []]);
    // To anybody else it is a theft under a pause.
    await mined(await hot.sendTransaction({ to: world.customer, value: 1n }));
    expect(tripsOf(await watched.catchUp())).toEqual(['key-domain:vault']);
  });

  test('behavior: H82 a break-glass wallet is watched like any other', async () => {
    const glass = signer(world.anvil, 2);
    const { token, customer } = world;
    const base = policyOf({ token, accounts: [idOf(world.hot.account.address)] });
    const sealed = {
      name: 'break-glass',
      keyDomain: 'safe',
      addresses: [idOf(glass.account.address)],
    };
    const watched = await follow({ ...base, wallets: [...base.wallets, sealed] });
    await mined(await glass.sendTransaction({ to: customer, value: 1n }));
    expect(tripsOf(await watched.catchUp())).toEqual(['key-domain:safe']);
  });

  test('behavior: H69 the same transaction at two heights of two forks counts once', async () => {
    const other = await startWorld();
    try {
      const urls = [world.anvil.url, other.anvil.url] as const;
      const watched = await watchedChain(watchedPolicy(world.policy), nodesAt(...urls));
      const { hot } = world;
      const nonce = await hot.getTransactionCount({ address: hot.account.address });
      await other.anvil.rpc('anvil_setNonce', hot.account.address, `0x${nonce.toString(16)}`);
      await other.mine(
        Number(await hot.getBlockNumber()) - Number(await other.hot.getBlockNumber()),
      );
      await watched.catchUp();
      await world.mine();
      const request = await hot.prepareTransactionRequest({
        to: world.customer,
        value: 77n,
        nonce,
      });
      const raw = await hot.signTransaction(request);
      await other.anvil.rpc('eth_sendRawTransaction', raw);
      await watched.catchUp();
      await mined((await world.anvil.rpc('eth_sendRawTransaction', raw)) as Hex);
      await other.mine();
      await watched.catchUp();
      expect(resultsOf(watched.outcomes)).toEqual(['unmatched-outflow', 'duplicate']);
    } finally {
      await other.anvil.stop();
    }
  }, 30_000);
});

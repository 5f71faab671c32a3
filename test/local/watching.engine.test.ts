import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findAnvil } from '../../lib/local/chain-node.ts';
import { idOf, NATIVE, startWorld, type World } from '../adapters/evm/chain-world.ts';
import { CHAIN, CUSTOMER, OTHER_CHAIN } from '../support/builders.ts';
import { enterFolder, flagOf, type Launched, launch, send } from '../support/local-runtime.ts';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'breakwater.ts');

describe.skipIf(!findAnvil())('startWatching, in the embedded runtime', () => {
  let world: World;
  let folder: Awaited<ReturnType<typeof enterFolder>>;
  let runtime: Launched | undefined;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world?.anvil.stop());
  afterEach(async () => {
    await runtime?.stop();
    runtime = undefined;
    await folder.leave();
  });

  const hot = () => idOf(world.hot.account.address);
  const policySource = (blindAfter: string) => `
version: 1
name: watched
mode: enforce
resume: trial
chains:
  - { id: "${CHAIN}", name: Ethereum, watch: { confirmations: 0, blindAfter: ${blindAfter} } }
  - { id: "${OTHER_CHAIN}", name: BNB Chain }
assets:
  - { id: "${NATIVE}", symbol: ETH, decimals: 18, floorPriceUsd: "1500" }
wallets:
  - { name: hot, keyDomain: vault, addresses: ["${hot()}"] }
  - { name: other, keyDomain: other, addresses: ["eip155:56:0x${'1'.repeat(40)}"] }
limits:
  - { id: wallet-hour, scope: wallet, metric: notional, window: 1h, limit: "100000", action: pause }
unmatched: { scope: key-domain }
conflict: { scope: wallet }
timing: { lease: 15s }
`;
  const rpcFile = async (endpoints: readonly Record<string, string>[]) => {
    const path = join(folder.path, 'rpc.json');
    await writeFile(path, JSON.stringify({ [CHAIN]: { native: NATIVE, endpoints } }));
    return path;
  };
  const question = (wallet: string, chain: string) => ({ wallet, chain });
  const report = (withdrawalId: string, amount: bigint) => ({
    'detail-type': 'withdrawal.reported',
    detail: {
      withdrawalId,
      wallet: hot(),
      asset: NATIVE,
      destination: CUSTOMER,
      amount: amount.toString(),
    },
  });
  const pay = async (transfer: { readonly to: `0x${string}`; readonly value: bigint }) => {
    const hash = await world.hot.sendTransaction(transfer);
    await world.hot.waitForTransactionReceipt({ hash });
  };
  const customer = `0x${CUSTOMER.slice(-40)}` as const;

  test('default: what was reported passes, the thief’s transfer trips, and nothing else does', async () => {
    folder = await enterFolder();
    const rpc = await rpcFile([{ name: 'anvil', url: world.anvil.url }]);
    runtime = await launch({ rpc, policySource: policySource('10m') });
    await runtime.watch();
    await runtime.tick();
    expect((await flagOf(runtime, question('hot', CHAIN))).enabled).toBe(true);

    await send(runtime, report('w-1', 7n));
    await pay({ to: customer, value: 7n });
    await runtime.watch();
    expect((await flagOf(runtime, question('hot', CHAIN))).enabled).toBe(true);

    await pay({ to: world.customer, value: 1n });
    await runtime.watch();
    await runtime.idle();
    expect(await flagOf(runtime, question('hot', CHAIN))).toMatchObject({
      enabled: false,
      scope: 'wallet:hot',
    });
    const other = await flagOf(runtime, question('other', OTHER_CHAIN));
    expect(other.enabled).toBe(true);
    expect(runtime.pages.map(({ subject }) => subject).join()).toContain('TRIPPED key-domain');
  });

  test('behavior: H71 a blind watcher: that chain is not enabled, the other one is, and a page says so', async () => {
    folder = await enterFolder();
    const rpc = await rpcFile([{ name: 'anvil', url: world.anvil.url }]);
    const clock = { startMs: Date.now(), speed: 1 };
    runtime = await launch({ rpc, clock, policySource: policySource('30s') });
    await runtime.tick();
    expect((await flagOf(runtime, question('hot', CHAIN))).enabled).toBe(false);
    await world.mine();
    await runtime.watch();
    await runtime.tick();
    expect((await flagOf(runtime, question('hot', CHAIN))).enabled).toBe(true);

    runtime.clock.advanceTo(runtime.clock.nowMs() + 40_000);
    await runtime.watch();
    await runtime.tick();
    const blind = await flagOf(runtime, question('hot', CHAIN));
    expect(blind).toMatchObject({ enabled: false, reason: 'lease-lapsed' });
    expect((await flagOf(runtime, question('other', OTHER_CHAIN))).enabled).toBe(true);
    const pages = runtime.pages.filter(({ subject }) => subject.includes('blind'));
    expect(pages).toHaveLength(1);
    expect(pages[0]?.subject).toContain(`NOT ENABLED on ${CHAIN}`);
  });

  test('behavior: breakwater watch trips at a new block that its socket announces', async () => {
    folder = await enterFolder();
    const socket = world.anvil.url.replace('http', 'ws');
    const rpc = await rpcFile([{ name: 'anvil', url: world.anvil.url, socket }]);
    runtime = await launch({ policySource: policySource('10m') });
    const argv = [BIN, 'watch', '--json', '--rpc', rpc, '--url', runtime.url];
    const child = spawn(process.execPath, argv, {
      cwd: folder.path,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const said: unknown[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)));
    const health = runtime.world.store.health;
    await expect.poll(async () => (await health.sights([CHAIN])).size, { timeout: 10_000 }).toBe(1);
    await world.hot.sendTransaction({ to: world.customer, value: 2n });
    const there = runtime;
    await expect
      .poll(async () => (await flagOf(there, question('hot', CHAIN))).reason, { timeout: 5_000 })
      .toBe('breaker-open');
    await expect.poll(() => said.length).toBeGreaterThan(0);
    expect(said).toMatchObject([{ message: 'event decided', result: 'unmatched-outflow' }]);
    child.kill('SIGINT');
    expect(await ended).toEqual([null, 'SIGINT']);
  }, 30_000);

  // The last one: the node's clock stays ahead.
  test('behavior: H67 a node whose blocks are stamped ahead proves nothing, however new they are', async () => {
    folder = await enterFolder();
    const rpc = await rpcFile([{ name: 'anvil', url: world.anvil.url }]);
    const clock = { startMs: Date.now(), speed: 1 };
    runtime = await launch({ rpc, clock, policySource: policySource('10m') });
    await world.anvil.rpc('evm_increaseTime', 3_600);
    await world.mine();
    await runtime.watch();
    await runtime.tick();
    const ahead = await flagOf(runtime, question('hot', CHAIN));
    expect(ahead).toMatchObject({ enabled: false, reason: 'lease-lapsed' });
    expect((await flagOf(runtime, question('other', OTHER_CHAIN))).enabled).toBe(true);
  });
});

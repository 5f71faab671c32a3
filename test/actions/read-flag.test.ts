import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { type Deps, type Question, readFlag } from '../../lib/actions/read-flag.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { stringify } from '../../lib/adapters/wire/json.ts';
import type { Policy } from '../../lib/domain/policy.ts';
import type { World } from '../../lib/runtime/world.ts';
import { putInForce, readyWorld, type TestWorld, testWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';

const QUESTION: Question = { wallet: 'hot-1', chain: Build.CHAIN, asset: Build.USDC };

function depsOf(world: World): Deps {
  const { decisions, health } = world.store;
  return { decisions, health, policy: world.decision.policy, clock: world.clock };
}

function ask({ world }: TestWorld, question: Partial<Question> = {}) {
  return readFlag(depsOf(world), { ...QUESTION, ...question });
}

async function pause({ world }: TestWorld, scope: string): Promise<void> {
  const { incidents } = world.store;
  const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
  const command = { kind: 'pause', commandId: `pause ${scope}`, scope, reason: 'drill' } as const;
  await operateBreaker(deps, { command, actor: 'test' });
}

const failing = async () => {
  throw new Error('not now');
};
const allowed = { withdrawal: 'allow', outflow: 'alert', scope: 'wallet' } as const;

describe('readFlag', () => {
  test('default', async () => {
    const made = await readyWorld(Build.policy());
    expect(await ask(made)).toEqual({
      enabled: true,
      reason: 'enabled',
      text: 'withdrawals are enabled',
      inForceUntilMs: Build.T0_MS + Build.DAY_MS,
    });
  });

  test.each([
    ['global', false],
    ['key-domain:vault-a', false],
    ['key-domain:vault-b', true],
    [`chain:${Build.CHAIN}`, false],
    [`chain:${Build.OTHER_CHAIN}`, true],
    [`asset:${Build.USDC}`, false],
    [`asset:${Build.ETH}`, true],
    ['wallet:hot-1', false],
    ['wallet:hot-2', true],
    [`wallet-asset:hot-1|${Build.USDC}`, false],
    [`wallet-asset:hot-1|${Build.ETH}`, true],
    [`destination:${Build.CUSTOMER}`, true],
  ])('H33: with %s open: %s', async (scope, enabled) => {
    const made = await readyWorld(Build.policy());
    await pause(made, scope);
    const flag = await ask(made);
    expect(flag.enabled).toBe(enabled);
    if (enabled) return;
    const [incident] = await made.world.store.incidents.list(1);
    const { incidentId, openedAtMs: sinceMs } = incident ?? {};
    expect(flag).toMatchObject({ reason: 'breaker-open', scope, incidentId, sinceMs });
  });

  test('args: destination', async () => {
    const made = await readyWorld(Build.policy());
    await pause(made, `destination:${Build.CUSTOMER}`);
    const upper = Build.CUSTOMER.replaceAll('c', 'C');
    expect(await ask(made, { destination: Build.CUSTOMER })).toMatchObject({ enabled: false });
    expect(await ask(made, { destination: upper })).toMatchObject({ enabled: false });
    expect(await ask(made, { destination: Build.STRANGER })).toMatchObject({ enabled: true });
  });

  test('H33: a paused destination is stopped under every memo', async () => {
    const made = await readyWorld(Build.policy());
    await pause(made, `destination:${Build.CUSTOMER}`);
    const destination = Build.CUSTOMER;
    expect(await ask(made, { destination })).toMatchObject({ enabled: false });
    expect(await ask(made, { destination, memo: '77' })).toMatchObject({
      enabled: false,
      scope: `destination:${Build.CUSTOMER}`,
    });
  });

  test('args: memo', async () => {
    const made = await readyWorld(Build.policy());
    await pause(made, `destination:${Build.CUSTOMER}|tag-1`);
    const destination = Build.CUSTOMER;
    expect(await ask(made, { destination, memo: 'tag-1' })).toMatchObject({ enabled: false });
    expect(await ask(made, { destination, memo: 'tag-2' })).toMatchObject({ enabled: true });
    expect(await ask(made, { destination })).toMatchObject({ enabled: true });
  });

  test('args: actor', async () => {
    const made = await readyWorld(Build.policy());
    await pause(made, 'actor:customer-1');
    expect(await ask(made, { actor: 'customer-1' })).toMatchObject({ enabled: false });
    expect(await ask(made, { actor: 'customer-2' })).toMatchObject({ enabled: true });
    expect(await ask(made)).toMatchObject({ enabled: true });
  });

  test('H43: leaving the actor out escapes no breaker that such money tripped', async () => {
    const limits = [Build.limit({ scope: 'actor', action: { kind: 'pause', scope: 'actor' } })];
    const made = await readyWorld(Build.policy({ limits }));
    const nobody = Build.withdrawal('w-1', { actor: undefined, amount: Build.usd(1_001) });
    await recordEvents(made.world.decision, [Build.incoming(nobody)]);
    expect(await ask(made)).toMatchObject({ enabled: false, reason: 'breaker-open' });
    expect(await ask(made, { actor: 'customer-1' })).toMatchObject({ enabled: true });
  });

  test('H33, H35: a leaked key stops its whole domain and no wallet under other keys', async () => {
    const made = await readyWorld(Build.policy());
    const stolen = Build.outflow({ transaction: '0x1' }, { account: Build.HOT_2, amount: 1n });
    await recordEvents(made.world.decision, [Build.incoming(stolen)]);
    const flags = ['hot-1', 'hot-2', 'hot-3'].map((wallet) => ask(made, { wallet }));
    expect((await Promise.all(flags)).map(({ enabled }) => enabled)).toEqual([false, false, true]);
  });

  test('H35: a volume limit stops the wallet that it names and no sibling', async () => {
    const made = await readyWorld(Build.policy({ limits: [Build.limit()] }));
    const large = Build.withdrawal('w-1', { amount: Build.usd(1_001) });
    await recordEvents(made.world.decision, [Build.incoming(large)]);
    const flags = ['hot-1', 'hot-2', 'hot-3'].map((wallet) => ask(made, { wallet }));
    expect((await Promise.all(flags)).map(({ enabled }) => enabled)).toEqual([false, true, true]);
  });

  test('args: the address of a wallet in place of its name', async () => {
    const made = await readyWorld(Build.policy());
    await pause(made, 'wallet:hot-1');
    expect(await readFlag(depsOf(made.world), { wallet: Build.HOT_1 })).toMatchObject({
      scope: 'wallet:hot-1',
    });
    expect(await readFlag(depsOf(made.world), { wallet: Build.HOT_3 })).toMatchObject({
      enabled: true,
    });
  });

  test('H26: an asset that shares a budget is stopped with it', async () => {
    const made = await readyWorld(Build.policy());
    await pause(made, `asset:${Build.ETH}`);
    const question = { chain: Build.OTHER_CHAIN, asset: Build.WRAPPED_ETH };
    expect(await ask(made, question)).toMatchObject({ scope: `asset:${Build.ETH}` });
  });

  test.each<[string, Partial<Question>, string]>([
    ['a wallet that the policy does not name', { wallet: Build.STRANGER }, 'wallet'],
    [
      'a wallet on a chain where it has no address',
      { wallet: 'hot-3', chain: Build.OTHER_CHAIN, asset: undefined },
      'wallet',
    ],
    ['an asset that the policy does not name', { asset: Build.UNLISTED }, 'asset'],
    ['the price of an asset without one', { asset: Build.PRICELESS }, 'price'],
    [
      'a chain that the policy does not name',
      { wallet: 'hot-3', chain: 'eip155:999', asset: undefined },
      'wallet',
    ],
  ])('H40: %s is unknown, so not enabled', async (_name, question, what) => {
    const made = await readyWorld(Build.policy());
    const flag = await ask(made, question);
    expect(flag).toMatchObject({ enabled: false, reason: 'unknown' });
    expect(flag.text).toContain(what);
  });

  test('H40: an unknown chain of a known wallet is unknown', async () => {
    const chains = [{ pattern: Build.OTHER_CHAIN, name: 'BNB Chain' }];
    const made = await readyWorld(Build.policy({ chains }));
    expect(await ask(made)).toMatchObject({
      reason: 'unknown',
      text: expect.stringContaining('chain'),
    });
  });

  test('behavior: what the policy lets pass unknown still needs its chain in force', async () => {
    const unknown = { wallet: allowed, asset: allowed, chain: allowed, price: allowed };
    const made = await readyWorld(Build.policy({ unknown }));
    expect(await ask(made, { wallet: Build.STRANGER })).toMatchObject({ enabled: true });
    const elsewhere = {
      wallet: 'eip155:5:0x1111111111111111111111111111111111111111',
      chain: undefined,
      asset: undefined,
    };
    expect(await ask(made, elsewhere)).toMatchObject({ reason: 'lease-lapsed' });
  });

  test('H32: without a policy, and without a lease, nothing is enabled', async () => {
    const made = testWorld();
    expect(await ask(made)).toMatchObject({ enabled: false, reason: 'unknown' });
    await putInForce(made.world, Build.policy());
    expect(await ask(made)).toMatchObject({ enabled: false, reason: 'lease-lapsed' });
  });

  test('H32, P7: a lease ends at its time', async () => {
    const made = await readyWorld(Build.policy());
    made.clock.nowMs += Build.DAY_MS - 1;
    expect(await ask(made)).toMatchObject({ enabled: true });
    made.clock.nowMs += 1;
    expect(await ask(made)).toMatchObject({ enabled: false, reason: 'lease-lapsed' });
  });

  test('P7: a lapsed chain stops no other chain', async () => {
    const made = await readyWorld(Build.policy());
    await made.world.store.health.renew({ [Build.CHAIN]: Build.T0_MS + 1_000 }, Build.T0_MS);
    expect(await ask(made)).toMatchObject({ enabled: true });
    const other = await ask(made, { chain: Build.OTHER_CHAIN, asset: Build.WRAPPED_ETH });
    expect(other).toMatchObject({ enabled: false, reason: 'lease-lapsed' });
  });

  test.each(['decisions', 'leases', 'policy', 'clock'] as const)(
    'H32: %s unreachable is not enabled',
    async (what) => {
      const made = await readyWorld(Build.policy());
      const deps = depsOf(made.world);
      const broken: Record<typeof what, Partial<Deps>> = {
        decisions: { decisions: { ...deps.decisions, load: failing } },
        leases: { health: { ...deps.health, leases: failing } },
        policy: { policy: { current: failing, adopt: failing, refresh: failing } },
        clock: {
          clock: {
            nowMs: () => {
              throw new Error('not now');
            },
          },
        },
      };
      expect(await readFlag({ ...deps, ...broken[what] }, QUESTION)).toEqual({
        enabled: false,
        reason: 'unreachable',
        text: 'cannot tell, so not enabled: not now',
      });
    },
  );

  test.each<[string, Partial<Question>, string]>([
    ['an asset on another chain', { asset: Build.WRAPPED_ETH }, `is not on ${Build.CHAIN}`],
    [
      'a destination on another chain',
      { destination: Build.HOT_1_OTHER_CHAIN },
      `is not on ${Build.CHAIN}`,
    ],
    [
      'an account on another chain',
      { wallet: Build.HOT_1_OTHER_CHAIN },
      `is not on ${Build.CHAIN}`,
    ],
    [
      'a wallet on two chains without a chain',
      { chain: undefined, asset: undefined },
      'is on 2 chains',
    ],
    [
      'a name that nobody has, without a chain',
      { wallet: 'hot-9', chain: undefined },
      'is unknown',
    ],
    ['a chain that is none', { chain: 'ethereum' }, 'is not a CAIP-2 chain'],
    ['an asset that is none', { asset: 'USDC' }, 'is not a CAIP-19 asset'],
    ['a destination that is none', { destination: '0x1' }, 'is not a CAIP-10 account'],
    ['an account that is none', { wallet: 'eip155:1:0x1' }, 'is not a CAIP-10 account'],
  ])('error: %s', async (_name, question, why) => {
    const made = await readyWorld(Build.policy());
    const flag = await ask(made, question);
    expect(flag).toMatchObject({ enabled: false, reason: 'unreachable' });
    expect(flag.text).toContain(why);
  });

  test('H49: the policy that came into force since decides', async () => {
    const made = await readyWorld(Build.policy());
    await ask(made);
    const other = await readyWorld(Build.policy(), () => ({
      store: made.world.store,
      ids: made.world.ids,
    }));
    const wallets = [{ name: 'hot-1', keyDomain: 'vault-z', addresses: [Build.HOT_1] }];
    await putInForce(other.world, Build.policy({ name: 'second', wallets }));
    await pause(other, 'key-domain:vault-z');
    expect(await ask(made)).toMatchObject({ scope: 'key-domain:vault-z' });
  });

  test('H49: a wallet that only the newest policy names is found', async () => {
    const made = await readyWorld(Build.policy());
    await ask(made);
    const other = await readyWorld(Build.policy(), () => ({
      store: made.world.store,
      ids: made.world.ids,
    }));
    const wallets = [{ name: 'hot-9', keyDomain: 'vault-z', addresses: [Build.STRANGER] }];
    await putInForce(other.world, Build.policy({ name: 'second', wallets }));
    expect(await readFlag(depsOf(made.world), { wallet: 'hot-9' })).toMatchObject({
      enabled: true,
    });
  });

  test('behavior: a policy that changes at every look is not waited for', async () => {
    const made = await readyWorld(Build.policy());
    const deps = depsOf(made.world);
    const inForce = await deps.policy.current();
    let version = 1;
    const adopt = async () => {
      version += 1;
      return { ...inForce, version: version + 100 };
    };
    const policy = { current: adopt, adopt, refresh: adopt };
    expect(await readFlag({ ...deps, policy }, QUESTION)).toMatchObject({ reason: 'unreachable' });
    expect(version).toBe(5);
  });

  test('behavior: in shadow mode everything is enabled, with what it would be', async () => {
    const made = await readyWorld(Build.policy({ mode: 'shadow' }));
    expect(await ask(made)).toMatchObject({ enabled: true, wouldBe: true });
    await pause(made, 'wallet:hot-1');
    expect(await ask(made)).toMatchObject({
      enabled: true,
      wouldBe: false,
      reason: 'breaker-open',
    });
  });

  test('P6: once a trip has committed, no flag that is read afterwards is enabled', async () => {
    const made = await readyWorld(Build.policy());
    const flags: boolean[] = [];
    for (let n = 0; n < 3; n += 1) {
      const stolen = Build.outflow({ transaction: `0x${n}` });
      const [recorded] = await recordEvents(made.world.decision, [Build.incoming(stolen)]);
      expect(recorded?.kind).toBe('decided');
      flags.push((await ask(made)).enabled);
    }
    expect(flags).toEqual([false, false, false]);
  });

  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.constantFrom<string>(
      Build.HOT_1,
      Build.STRANGER,
      'hot-1',
      'hot-3',
      Build.CHAIN,
      Build.USDC,
      Build.UNLISTED,
    ),
    fc.constantFrom('__proto__', 'constructor', 'eip155:1:__proto__'),
  );
  const optional = fc.option(text, { nil: undefined });
  test.prop([
    fc.record({
      wallet: text,
      chain: optional,
      asset: optional,
      destination: optional,
      memo: optional,
      actor: optional,
    }),
    fc.constantFrom<Policy['mode']>('enforce', 'shadow'),
  ])(
    'behavior: any question gets an answer that JSON can carry, and never one by accident',
    async (question, mode) => {
      const made = await readyWorld(Build.policy({ mode }));
      await pause(made, 'global');
      const flag = await readFlag(depsOf(made.world), question);
      expect(JSON.parse(stringify(flag))).toMatchObject({ enabled: flag.enabled });
      expect(flag.wouldBe ?? flag.enabled).toBe(false);
    },
  );
});

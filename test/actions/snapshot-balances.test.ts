import { describe, expect, test } from 'vitest';
import { reportBalance, snapshotBalances } from '../../lib/actions/snapshot-balances.ts';
import type { Limit, Policy } from '../../lib/domain/policy.ts';
import type { BalanceReader } from '../../lib/ports.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import {
  DAY_MS,
  ETH,
  eth,
  HOT_1,
  HOT_1_OTHER_CHAIN,
  HOUR_MS,
  MINUTE_MS,
  policy,
  STRANGER,
  UNLISTED,
  USDC,
  WRAPPED_ETH,
} from '../support/builders.ts';

const SHARE: Limit = {
  limitId: 'quarter',
  scope: 'wallet-asset',
  where: { asset: ETH, wallet: 'hot-1' },
  metric: 'share',
  windowMs: HOUR_MS,
  allowed: 2_500n,
  action: { kind: 'hold' },
  mode: 'shadow',
};
const SCOPE = `wallet-asset:hot-1|${ETH}`;
const BOTH = new Set(['eip155:1', 'eip155:56']);

function holding(amounts: Readonly<Record<string, bigint | Error>>): BalanceReader {
  return {
    read: async (holdings) =>
      holdings.map(
        ({ account, asset }) => amounts[`${account} ${asset}`] ?? new Error('not there'),
      ),
  };
}

async function ready(overrides: Partial<Policy> = { limits: [SHARE] }): Promise<TestWorld> {
  return readyWorld(policy(overrides));
}

function depsOf({ world }: TestWorld) {
  const { balances, alerts } = world.store;
  const sleep = () => new Promise<void>(() => undefined);
  return { balances, alerts, policy: world.decision.policy, clock: world.clock, sleep };
}

const alerts = (made: TestWorld) =>
  made.records.flatMap((record) => (record.type === 'alert-raised' ? [record.alert] : []));

const AT_BOTH = { [`${HOT_1} ${ETH}`]: eth(3), [`${HOT_1_OTHER_CHAIN} ${WRAPPED_ETH}`]: 10n ** 8n };

describe('snapshotBalances', () => {
  test('default: H26 the sum over all addresses and ids, in the decimals of the budget', async () => {
    const made = await ready();
    const deps = { ...depsOf(made), chains: BOTH, reader: holding(AT_BOTH) };
    expect(await snapshotBalances(deps)).toEqual([]);
    const { value, version } = await made.world.store.balances.load(SCOPE);
    expect([value?.newest, version]).toEqual([eth(4), 1]);
  });

  test('behavior: what is no news is not written', async () => {
    const made = await ready();
    const deps = { ...depsOf(made), chains: BOTH, reader: holding(AT_BOTH) };
    await snapshotBalances(deps);
    made.clock.nowMs += MINUTE_MS;
    await snapshotBalances(deps);
    expect((await made.world.store.balances.load(SCOPE)).version).toBe(1);
  });

  test('error: H38 a part that cannot be read leaves the whole unknown, and people hear once an hour', async () => {
    const made = await ready();
    const reader = holding({ [`${HOT_1} ${ETH}`]: eth(3) });
    const deps = { ...depsOf(made), chains: BOTH, reader };
    const [unread] = await snapshotBalances(deps);
    await snapshotBalances(deps);
    expect(unread).toMatchObject({ holding: { scope: SCOPE }, why: 'not there' });
    expect((await made.world.store.balances.load(SCOPE)).value).toBeUndefined();
    expect(alerts(made).map(({ kind }) => kind)).toEqual(['balance']);
  });

  test('error: a reader that hangs is given up', async () => {
    const made = await ready();
    const reader: BalanceReader = { read: () => new Promise(() => undefined) };
    const sleep = async () => undefined;
    const [unread] = await snapshotBalances({ ...depsOf(made), chains: BOTH, reader, sleep });
    expect(unread?.why).toBe('no answer in time');
  });

  test('args: chains that are not read here are left to whoever reports', async () => {
    const made = await ready();
    const chains = new Set(['eip155:1']);
    expect(await snapshotBalances({ ...depsOf(made), chains, reader: holding({}) })).toEqual([]);
  });

  test('behavior: a wallet under its floor is told of once a day', async () => {
    const [hot1, ...others] = policy().wallets;
    if (!hot1) throw new Error('no wallet');
    const wallets = [{ ...hot1, floors: [{ asset: USDC, amount: 100n }] }, ...others];
    const made = await ready({ wallets });
    const look = (amount: bigint) => {
      const reader = holding({ [`${HOT_1} ${USDC}`]: amount });
      return snapshotBalances({ ...depsOf(made), chains: BOTH, reader });
    };
    await look(100n);
    expect(alerts(made)).toEqual([]);
    await look(99n);
    await look(98n);
    expect(alerts(made)).toMatchObject([
      {
        kind: 'balance',
        scope: `wallet-asset:hot-1|${USDC}`,
        text: 'wallet hot-1 holds 0.000099 USDC, under its floor of 0.0001 USDC',
      },
    ]);
    made.clock.nowMs += DAY_MS;
    await look(98n);
    expect(alerts(made)).toHaveLength(2);
  });
});

describe('reportBalance', () => {
  const reported = (made: TestWorld) => ({
    account: HOT_1,
    asset: ETH,
    amount: eth(5),
    atMs: made.clock.nowMs,
  });

  test('default', async () => {
    const made = await ready();
    expect(await reportBalance(depsOf(made), reported(made))).toBe('noted');
    expect((await made.world.store.balances.load(SCOPE)).value?.newest).toBe(eth(5));
  });

  test('behavior: H13 a time slightly ahead counts as now, one far ahead is refused', async () => {
    const made = await ready();
    const { nowMs } = made.clock;
    const at = (atMs: number) => reportBalance(depsOf(made), { ...reported(made), atMs });
    expect(await at(nowMs + 5 * MINUTE_MS + 1)).toBe('unknown');
    expect(await at(nowMs + 5 * MINUTE_MS)).toBe('noted');
    expect((await made.world.store.balances.load(SCOPE)).value?.newestMs).toBe(nowMs);
  });

  test('error: a wallet or an asset that nobody knows', async () => {
    const made = await ready();
    for (const other of [{ account: STRANGER }, { asset: UNLISTED }]) {
      expect(await reportBalance(depsOf(made), { ...reported(made), ...other })).toBe('unknown');
    }
  });

  test('behavior: H38 a report above what was read makes no room', async () => {
    const made = await ready();
    const deps = { ...depsOf(made), chains: BOTH, reader: holding(AT_BOTH) };
    await snapshotBalances(deps);
    await reportBalance(depsOf(made), { ...reported(made), amount: eth(1_000) });
    const { value } = await made.world.store.balances.load(SCOPE);
    expect(value?.steps[0]?.[0]?.least).toBe(eth(4));
  });

  test('error: others who put all the time', async () => {
    const made = await ready();
    const { balances } = made.world.store;
    const put = async () => 'conflict' as const;
    const deps = { ...depsOf(made), balances: { ...balances, put } };
    await expect(reportBalance(deps, reported(made))).rejects.toThrow('was put by others 4 times');
  });
});

/**
 * What is judged not to loosen never lets through what the old policy refused: random pairs of policies,
 * the real decisions over the same ledger, one probe.
 */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type * as Policy from '../../lib/domain/policy.ts';
import * as PolicyChange from '../../lib/domain/policy-change.ts';
import {
  CUSTOMER,
  ETH,
  HOT_1,
  HOT_2,
  HOUR_MS,
  incoming,
  MINUTE_MS,
  outflow,
  policy,
  STRANGER,
  T0_MS,
  UNLISTED,
  USDC,
  usd,
  withdrawal,
} from '../support/builders.ts';
import { openScopes, reserve, submit, type World, world } from '../support/world.ts';

const unknownRule = fc.record<Policy.UnknownRule>({
  withdrawal: fc.constantFrom('block', 'block', 'hold', 'allow'),
  outflow: fc.constantFrom('pause', 'pause', 'alert'),
  scope: fc.constantFrom('wallet', 'key-domain', 'global'),
});
const scope = fc.constantFrom('global', 'wallet', 'key-domain', 'actor', 'chain');
const rule = (limitId: string): fc.Arbitrary<Policy.Limit> =>
  fc
    .record({
      limitId: fc.constant(limitId),
      scope,
      where: fc.constant({}),
      metric: fc.constantFrom('notional', 'notional', 'count', 'single', 'assets'),
      windowMs: fc.constantFrom(HOUR_MS, 15 * MINUTE_MS, 24 * HOUR_MS),
      allowed: fc.bigInt({ min: 1n, max: 2_000n }).map((size) => size * 1_000_000n),
      action: fc.oneof(
        fc.record({
          kind: fc.constant('pause' as const),
          scope: fc.constantFrom('wallet', 'global'),
        }),
        fc.constant({ kind: 'hold' as const }),
        fc.constant({ kind: 'alert' as const }),
      ),
      tripOnRefusal: fc.boolean(),
      mode: fc.constantFrom('enforce', 'enforce', 'shadow'),
    })
    .map((one) => {
      const sums = one.metric === 'count' || one.metric === 'assets';
      return {
        ...one,
        windowMs: one.metric === 'single' ? 0 : one.windowMs,
        allowed: sums ? one.allowed / 1_000_000n / 500n + 1n : one.allowed,
        where: one.scope === 'wallet' ? { wallet: 'hot-*' } : {},
      };
    });
const limits = fc.tuple(rule('a'), rule('b'), rule('c'));
const scale = fc.constantFrom(-5n, -2n, -1n, 0n, 1n, 3n);

/** One edit; those that leave things as they are keep pairs close to each other. */
type Edit = (before: Policy.Policy) => Policy.Policy;
const editLimit =
  (at: number, change: (limit: Policy.Limit) => Policy.Limit): Edit =>
  (before) => ({
    ...before,
    limits: before.limits.map((limit, position) => (position === at ? change(limit) : limit)),
  });
const position = fc.nat({ max: 2 });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(position, scale).map(([at, by]) =>
    editLimit(at, (limit) => {
      const allowed = limit.allowed + (limit.allowed * by) / 10n;
      return { ...limit, allowed: allowed > 0n ? allowed : 1n };
    }),
  ),
  fc
    .tuple(position, fc.constantFrom(HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS))
    .map(([at, windowMs]) =>
      editLimit(at, (limit) => (limit.windowMs === 0 ? limit : { ...limit, windowMs })),
    ),
  fc
    .tuple(position, fc.constantFrom('hot-1', 'hot-*', '*', 'hot-2'))
    .map(([at, wallet]) =>
      editLimit(at, (limit) =>
        limit.scope === 'wallet' ? { ...limit, where: { wallet } } : limit,
      ),
    ),
  fc
    .tuple(position, rule('x'))
    .map(([at, { action, mode, tripOnRefusal }]) =>
      editLimit(at, (limit) => ({ ...limit, action, mode, tripOnRefusal: tripOnRefusal === true })),
    ),
  rule('d').map((limit) => (before: Policy.Policy) => ({
    ...before,
    limits: [...before.limits, limit],
  })),
  position.map((at) => (before: Policy.Policy) => ({
    ...before,
    limits: before.limits.filter((_, other) => other !== at),
  })),
  fc
    .tuple(fc.constantFrom('wallet', 'asset', 'price'), unknownRule)
    .map(([what, next]) => (before: Policy.Policy) => ({
      ...before,
      unknown: { ...before.unknown, [what]: next },
    })),
  fc.constantFrom(1_000n, 1_500n, 1_501n, 3_000n).map((price) => (before: Policy.Policy) => ({
    ...before,
    assets: before.assets.map((asset) =>
      asset.pattern === ETH ? { ...asset, floorPricePicoUsd: price * 10n ** 12n } : asset,
    ),
  })),
  fc.constantFrom(USDC, ETH).map((gone) => (before: Policy.Policy) => ({
    ...before,
    assets: before.assets.filter(({ pattern, sameAs }) => pattern !== gone && sameAs !== gone),
  })),
  fc.constantFrom(5, 6, 7).map((decimals) => (before: Policy.Policy) => ({
    ...before,
    assets: before.assets.map((asset) => (asset.pattern === USDC ? { ...asset, decimals } : asset)),
  })),
  fc
    .constantFrom<Partial<Policy.Policy>[]>(
      { mode: 'shadow' },
      { mode: 'enforce' },
      { own: [CUSTOMER] },
      { own: [] },
      { outstandingMax: 1 },
      { outstandingMax: 3 },
      { unmatched: { scope: 'global', risks: 'pause' } },
      { unmatched: { scope: 'wallet', risks: 'pause' } },
      { timing: { ...policy().timing, clockToleranceMs: 30_000 } },
      { timing: { ...policy().timing, admissionMs: 120_000 } },
      { wallets: policy().wallets.slice(1) },
      { chains: policy().chains.slice(1) },
    )
    .map((part) => (before: Policy.Policy) => ({ ...before, ...part })),
);

const money = fc.record({
  account: fc.constantFrom(HOT_1, HOT_1, HOT_2, STRANGER),
  asset: fc.constantFrom(USDC, USDC, ETH, UNLISTED),
  destination: fc.constantFrom(CUSTOMER, STRANGER),
  actor: fc.constantFrom('one', 'two'),
  size: fc.constantFrom(0, 1, 250, 400, 999, 1_000, 1_001),
});
type Money = typeof money extends fc.Arbitrary<infer Value> ? Value : never;

const transferOf = ({ size, ...rest }: Money) => ({
  ...rest,
  amount: rest.asset === ETH ? (10n ** 18n * BigInt(size)) / 1_500n : usd(size),
});

function ask(here: World, rules: Policy.Policy, at: { name: string; money: Money; nowMs: number }) {
  const event = withdrawal(at.name, transferOf(at.money));
  const { bodyHash } = incoming(event);
  const asks = [{ withdrawal: event, bodyHash }];
  return reserve(here, { policy: rules, nowMs: at.nowMs, asks }).verdicts[0];
}

/** The same past, lived under the old policy, before one decision under each of the two. */
function past(rules: Policy.Policy, before: readonly Money[]): World {
  const here = world();
  for (const [at, one] of before.entries()) {
    ask(here, rules, { name: `w${at}`, money: one, nowMs: T0_MS + at * MINUTE_MS });
  }
  return here;
}

const NOW_MS = T0_MS + 20 * MINUTE_MS;
const pair = fc
  .record({
    limits,
    edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
    rules: fc.record({ wallet: unknownRule, asset: unknownRule, price: unknownRule }),
  })
  .map(({ limits: rules, edits, rules: unknown }) => {
    const before = policy({ limits: rules, unknown: { ...policy().unknown, ...unknown } });
    return { before, after: edits.reduce((sofar, apply) => apply(sofar), before) };
  });

describe('judge', () => {
  test('H48: what is judged not to loosen admits nothing that was refused', () => {
    let judged = 0;
    let refused = 0;
    const law = fc.property(
      pair,
      fc.array(money, { maxLength: 6 }),
      money,
      (both, history, probe) => {
        const changes = PolicyChange.judge(both.before, both.after);
        if (PolicyChange.direction(changes) === 'loosens') return;
        judged += 1;
        const at = { name: 'probe', money: probe, nowMs: NOW_MS };
        const was = ask(past(both.before, history), both.before, at);
        if (was?.kind === 'allow') return;
        refused += 1;
        const is = ask(past(both.before, history), both.after, at);
        expect(is?.kind, JSON.stringify(changes)).not.toBe('allow');
        // What is only held may be let go by a person.
        if (was?.kind === 'block' && was.reason !== 'limit') expect(is?.kind).toBe('block');
      },
    );
    fc.assert(law, { numRuns: 2_500 });
    expect(judged).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(100);
  });

  test('H48: what is judged not to loosen stops all that was stopped after an outflow', () => {
    let stopped = 0;
    const law = fc.property(
      pair,
      fc.record({ history: fc.array(money, { maxLength: 4 }), left: money, known: fc.boolean() }),
      money,
      (both, { history, left, known }, probe) => {
        const changes = PolicyChange.judge(both.before, both.after);
        if (PolicyChange.direction(changes) === 'loosens') return;
        const answers = [both.before, both.after].map((rules) => {
          const here = past(both.before, history);
          const event = known
            ? withdrawal('left', transferOf(left))
            : outflow({ transaction: '0xleft' }, transferOf(left));
          submit(here, { policy: rules, nowMs: NOW_MS, events: [incoming(event)] });
          const verdict = ask(here, rules, { name: 'probe', money: probe, nowMs: NOW_MS + 1 });
          return { open: openScopes(here).length > 0, kind: verdict?.kind };
        });
        const [was, is] = answers;
        if (was?.kind === 'allow') return;
        stopped += 1;
        expect(is?.kind, JSON.stringify(changes)).not.toBe('allow');
      },
    );
    fc.assert(law, { numRuns: 2_000 });
    expect(stopped).toBeGreaterThan(100);
  });
});

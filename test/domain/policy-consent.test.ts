import { describe, expect, test } from 'vitest';
import type { Change, Direction } from '../../lib/domain/change.ts';
import * as Draft from '../../lib/domain/draft.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as PolicyChange from '../../lib/domain/policy-change.ts';
import { ETH, HOT_1, limit, policy, QUORUM, T0_MS, usd } from '../support/builders.ts';
import { contextOf, load, world } from '../support/world.ts';

const renamed = (...names: readonly string[]): Policy.Policy =>
  policy({
    wallets: policy().wallets.map((wallet) =>
      names.includes(wallet.name) ? { ...wallet, name: `${wallet.name}-new` } : wallet,
    ),
  });
/** A pattern of so many characters, so that the memory of it has so many bytes more. */
const assetOf = (length: number): Policy.AssetRule => ({
  pattern: `eip155:1/${'x'.repeat(length)}`,
  symbol: 'X',
  decimals: 0,
});

describe('obstacle', () => {
  const why = (before: Policy.Policy, after: Policy.Policy) =>
    PolicyChange.obstacle({ context: { policy: before }, atMs: T0_MS }, after);

  test('default: nothing stands against what moves no money', () => {
    expect(why(policy(), policy({ limits: [limit()] }))).toBeUndefined();
    expect(why(policy(), policy({ wallets: [], assets: [] }))).toBeUndefined();
  });

  test('error: H50: money would count elsewhere: the first is named, the others counted', () => {
    const one = why(policy(), renamed('hot-2'));
    expect(one).toMatch(/^wallets\.hot-2-new\.addresses: .* counts in wallet hot-2 .*address$/);
    expect(why(policy(), renamed('hot-2', 'hot-3'))).toBe(`${one}; and 1 more`);
  });

  test('error: more is gone than can be remembered, to the byte', () => {
    const gone = (length: number) =>
      why(policy({ wallets: [], assets: [assetOf(length)] }), policy({ wallets: [], assets: [] }));
    const around = JSON.stringify([
      { kind: 'asset', pattern: 'eip155:1/', decimals: 0, lastNamedMs: T0_MS },
    ]).length;
    expect(gone(60_000 - around)).toBeUndefined();
    expect(gone(60_001 - around)).toBe(
      'more addresses and assets have gone within 33 days than can be remembered; take out fewer at a time',
    );
  });

  test('behavior: what is remembered has amounts, and letters of more than one byte', () => {
    const floored = { ...assetOf(59_800), floorPricePicoUsd: 10n ** 12n };
    const gone = (rule: Policy.AssetRule) =>
      why(policy({ wallets: [], assets: [rule] }), policy({ wallets: [], assets: [] }));
    expect(gone(floored)).toBeUndefined();
    expect(gone({ ...floored, pattern: floored.pattern.replaceAll('x', 'é') })).toMatch(/^more/);
  });
});

describe('needsQuorum', () => {
  const change = (direction: Direction, at = 0): Change => ({
    what: `limit ${at}`,
    field: 'limit',
    before: '$1',
    after: '$2',
    direction,
    why: 'a reason',
  });
  const quorum = policy({ resume: QUORUM });

  test('default: a trial needs none, whatever changes', () => {
    expect(PolicyChange.needsQuorum(policy(), [change('loosens')])).toBeUndefined();
  });

  test('behavior: H48: nothing, what decides nothing, and what tightens needs none', () => {
    for (const changes of [[], [change('neutral')], [change('tightens'), change('neutral')]])
      expect(PolicyChange.needsQuorum(quorum, changes)).toBeUndefined();
  });

  test('error: H48: what loosens needs it, and waits', () => {
    const changes = [change('tightens', 1), change('loosens', 2), change('revokes', 3)];
    expect(PolicyChange.needsQuorum(quorum, changes)).toBe(
      'this loosens the policy: limit 2 limit $1 → $2 (a reason). It needs the consent of 2 operators, and a delay of 86400s: breakwater policy propose FILE --reason "…"',
    );
  });

  test('error: H48: what takes rights from people needs it, without a delay', () => {
    const gone: Change = { what: 'operator alice', direction: 'revokes', why: 'a reason' };
    expect(PolicyChange.needsQuorum(quorum, [change('tightens'), gone])).toBe(
      'this takes rights from people: operator alice (a reason). It needs the consent of 2 operators: breakwater policy propose FILE --reason "…"',
    );
  });

  test('behavior: five are named, the others counted', () => {
    const of = (count: number) =>
      PolicyChange.needsQuorum(
        quorum,
        Array.from({ length: count }, (_, at) => change('loosens', at + 1)),
      );
    expect(of(5)).toContain('; limit 5 limit $1 → $2 (a reason). It needs');
    expect(of(7)).toContain('; limit 5 limit $1 → $2 (a reason); and 2 more. It needs');
  });
});

describe('putInForce', () => {
  const put = (
    before: Policy.Policy,
    after: Policy.Policy,
    given: { readonly version?: number; readonly hash?: string; readonly reason?: string } = {},
  ) => {
    const here = world();
    const { version: policyVersion, hash: policyHash = '', reason } = given;
    const draft = Draft.start(
      { ...contextOf(here, before, T0_MS), policyHash },
      load(here, { rows: [], items: ['global'] }),
    );
    const global = { ...Draft.item(draft, 'global'), stackId: 'stack-1' };
    draft.items.set('global', policyVersion === undefined ? global : { ...global, policyVersion });
    const compiled = { policy: after, compiled: 'compiled' };
    const next = { hash: 'h', source: 'text', compiled, actor: 'alice' };
    const stored = PolicyChange.putInForce(
      draft,
      reason === undefined ? next : { ...next, reason },
    );
    return { stored, global: Draft.item(draft, 'global') };
  };

  test('default: the first: nothing was before it, and nothing is judged', () => {
    const { stored, global } = put(policy(), policy());
    expect(stored).toStrictEqual({
      version: 1,
      hash: 'h',
      source: 'text',
      compiled: 'compiled',
      appliedAtMs: T0_MS,
      actor: 'alice',
      quorum: 0,
    });
    expect(global).toMatchObject({ policyVersion: 1, stackId: 'stack-1' });
  });

  test('default: H51: the next one, with what it follows, why, how it was judged and what is gone', () => {
    const before = policy({ limits: [limit(), limit({ limitId: 'gone' })], resume: QUORUM });
    const after = {
      ...before,
      name: 'other',
      limits: [limit({ allowed: usd(1) }), limit({ limitId: 'a' }), limit({ limitId: 'b' })],
      resume: { ...QUORUM, quorum: 3 },
      wallets: before.wallets.slice(1),
    };
    const given = { version: 4, hash: 'before', reason: 'ticket 7' };
    const { stored, global } = put(before, after, given);
    expect(stored).toMatchObject({ version: 5, beforeHash: 'before', reason: 'ticket 7' });
    expect(stored.quorum).toBe(3);
    expect(stored.judged).toEqual({ tightens: 4, loosens: 1, revokes: 1, neutral: 1 });
    expect(stored.retired).toMatchObject([
      {
        kind: 'address',
        address: HOT_1,
        wallet: 'hot-1',
        keyDomain: 'vault-a',
        lastNamedMs: T0_MS,
      },
      { kind: 'address', wallet: 'hot-1' },
    ]);
    expect(global.policyVersion).toBe(5);
  });

  test('behavior: H50: what is named again is not remembered', () => {
    const gone = put(policy(), policy({ assets: [] }), { version: 1 }).stored.retired;
    expect(gone?.map((one) => one.kind === 'asset' && one.pattern)).toContain(ETH);
    const again = put({ ...policy({ assets: [] }), retired: gone }, policy(), { version: 2 });
    expect(again.stored.retired).toBeUndefined();
  });
});

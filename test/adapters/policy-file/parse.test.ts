import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../lib/adapters/policy-file/parse.ts';
import { InvalidPolicyError } from '../../../lib/adapters/policy-file/problem.ts';
import * as Policy from '../../../lib/domain/policy.ts';
import * as Scope from '../../../lib/domain/scope.ts';
import { problems, source, withLimit } from './source.ts';

const STARTER = readFileSync('examples/policies/starter.yaml', 'utf8');
const WALLET = `eip155:1:0x${'11'.repeat(20)}` as const;
const ETH = 'eip155:1/slip44:60';

describe('parsePolicy', () => {
  test('default', () => {
    expect(parsePolicy(source())).toMatchInlineSnapshot(`
      {
        "assets": [
          {
            "decimals": 18,
            "floorPricePicoUsd": 1500000000000000n,
            "pattern": "eip155:1/slip44:60",
            "symbol": "ETH",
          },
          {
            "decimals": 18,
            "pattern": "eip155:*/slip44:60",
            "symbol": "ETH",
          },
        ],
        "chains": [
          {
            "name": "Ethereum",
            "pattern": "eip155:1",
          },
          {
            "name": "EVM",
            "pattern": "eip155:*",
          },
        ],
        "changes": {
          "delayMs": 86400000,
        },
        "conflict": {
          "scope": "wallet",
        },
        "contacts": [],
        "limits": [
          {
            "action": {
              "kind": "pause",
              "scope": "wallet",
            },
            "allowed": 2500000000000n,
            "limitId": "hour",
            "metric": "notional",
            "mode": "enforce",
            "scope": "wallet",
            "where": {},
            "windowMs": 3600000,
          },
        ],
        "matching": {
          "deductedFeeMax": 0n,
          "graceMs": 0,
          "unseenMs": 86400000,
        },
        "mode": "enforce",
        "name": "small",
        "operators": [],
        "outstandingMax": 100,
        "overdueMs": 21600000,
        "own": [],
        "resume": {
          "budget": 0n,
          "kind": "trial",
          "steps": [],
        },
        "timing": {
          "admissionMs": 30000,
          "clockToleranceMs": 2000,
          "commitDelayMs": 6000,
          "leaseMs": 180000,
        },
        "unknown": {
          "asset": {
            "outflow": "pause",
            "scope": "wallet",
            "withdrawal": "block",
          },
          "chain": {
            "outflow": "pause",
            "scope": "wallet",
            "withdrawal": "block",
          },
          "price": {
            "outflow": "pause",
            "scope": "wallet",
            "withdrawal": "block",
          },
          "wallet": {
            "outflow": "pause",
            "scope": "wallet",
            "withdrawal": "block",
          },
        },
        "unmatched": {
          "risks": "pause",
          "scope": "key-domain",
        },
        "wallets": [
          {
            "addresses": [
              "eip155:1:0x1111111111111111111111111111111111111111",
            ],
            "keyDomain": "vault",
            "name": "eth-hot-1",
          },
        ],
      }
    `);
  });

  test('default: JSON is YAML, whatever its indentation', () => {
    const json = JSON.stringify(
      {
        version: 1,
        name: 'small',
        mode: 'enforce',
        resume: 'trial',
        chains: [
          { id: 'eip155:1', name: 'Ethereum' },
          { id: 'eip155:*', name: 'EVM' },
        ],
        assets: [
          { id: ETH, symbol: 'ETH', decimals: 18, floorPriceUsd: '1500' },
          { id: 'eip155:*/slip44:60', symbol: 'ETH', decimals: 18 },
        ],
        wallets: [{ name: 'eth-hot-1', keyDomain: 'vault', addresses: [WALLET] }],
        limits: [
          {
            id: 'hour',
            scope: 'wallet',
            metric: 'notional',
            window: '1h',
            limit: 2500000,
            action: 'pause',
          },
        ],
      },
      undefined,
      '\t',
    );
    expect(parsePolicy(json)).toEqual(parsePolicy(source()));
    expect(parsePolicy(`\uFEFF${source().replaceAll('\n', '\r\n')}`)).toEqual(
      parsePolicy(source()),
    );
  });

  test.each(['starter', 'coinex-2023', 'ronin-2022', 'stake-2023'])('default: %s.yaml', (name) => {
    const policy = parsePolicy(readFileSync(`examples/policies/${name}.yaml`, 'utf8'));
    expect(policy.name).toBe(name);
    expect(policy.mode).toBe(name === 'starter' ? 'shadow' : 'enforce');
    expect(policy.resume).toEqual({ kind: 'trial', steps: [], budget: 0n });
  });

  test('default: the guide', () => {
    const guide = readFileSync('docs/policy.md', 'utf8');
    const [whole = '', unknown = ''] = [...guide.matchAll(/```yaml\n(.*?)```/gs)].map(
      ([, yaml]) => yaml,
    );
    expect(parsePolicy(whole + unknown)).toEqual(parsePolicy(whole));
  });

  test('behavior: an EVM identifier in any case is the same identifier', () => {
    const shout = source({
      wallets: `wallets: [{ name: w, keyDomain: v, addresses: ["eip155:1:0x${'AB'.repeat(20)}"] }]`,
      limits: `limits: [{ id: d, scope: destination, where: { destination: "eip155:1:0x${'CD'.repeat(20)}" }, metric: count, window: 1h, limit: 1, action: pause }, { id: p, scope: destination, where: { destination: "eip155:*:0xCD*" }, metric: count, window: 1h, limit: 1, action: pause }]`,
    });
    const policy = parsePolicy(shout);
    expect(policy.wallets[0]?.addresses).toEqual([`eip155:1:0x${'ab'.repeat(20)}`]);
    expect(policy.limits.map(({ where }) => where.destination)).toEqual([
      `eip155:1:0x${'cd'.repeat(20)}`,
      'eip155:*:0xcd*',
    ]);
  });

  test('behavior: an asset without a price of its own takes that of the one it is the same as', () => {
    const policy = parsePolicy(STARTER);
    const weth = policy.assets.find(({ symbol }) => symbol === 'WETH');
    expect(weth?.floorPricePicoUsd).toBe(1_500n * 10n ** 12n);
  });

  test('behavior: H26: one money under two ids has one budget', () => {
    const policy = parsePolicy(STARTER);
    const weth = 'eip155:1/erc20:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2';
    const transfer = { account: WALLET, destination: WALLET, amount: 1n };
    const scopes = [ETH, weth].map((asset) => {
      const resolved = Policy.resolve(policy, { ...transfer, asset: asset as typeof ETH });
      return Scope.key(Scope.of('wallet-asset', resolved.subject));
    });
    expect(scopes).toEqual([`wallet-asset:eth-hot-1|${ETH}`, `wallet-asset:eth-hot-1|${ETH}`]);
  });

  test('behavior: matching, own addresses and watched chains', () => {
    const policy = parsePolicy(
      source({
        chains:
          'chains: [{ id: "eip155:1", name: Ethereum, watch: { confirmations: 12, blindAfter: 90s } }, { id: "eip155:*", name: EVM, watch: {} }]',
        more: `matching: { deductedFeeMaxUsd: "2.5", grace: 30s }\nown: ["eip155:1:0x${'AB'.repeat(20)}"]\nunmatched: { risks: alert }`,
      }),
    );
    expect(policy.chains.map(({ watch }) => watch)).toEqual([
      { confirmations: 12, blindAfterMs: 90_000 },
      { confirmations: 0, blindAfterMs: 120_000 },
    ]);
    expect(policy.matching).toEqual({
      deductedFeeMax: 2_500_000n,
      graceMs: 30_000,
      unseenMs: 86_400_000,
    });
    expect(policy.own).toEqual([`eip155:1:0x${'ab'.repeat(20)}`]);
    expect(policy.unmatched).toEqual({ scope: 'key-domain', risks: 'alert' });
  });

  test('behavior: a chain whose outflows others tell', () => {
    const observed = (text: string) =>
      parsePolicy(
        source({ chains: `chains: [{ id: "eip155:1", name: Ethereum, observed: ${text} }]` }),
      ).chains.map((chain) => chain.observed);
    expect(observed('true')).toEqual([true]);
    expect(observed('false')).toEqual([undefined]);
    expect(() => observed('maybe')).toThrow('observed');
  });

  test('behavior: H40: as shipped nothing is deducted, waits or is own, and risks pause', () => {
    const { matching, own, unmatched, chains } = parsePolicy(source());
    expect(matching).toEqual({ deductedFeeMax: 0n, graceMs: 0, unseenMs: 86_400_000 });
    expect([own, unmatched.risks]).toEqual([[], 'pause']);
    expect(chains.filter(({ watch }) => watch !== undefined)).toEqual([]);
  });

  test('behavior: H40: what the policy does not know is blocked and paused as shipped', () => {
    const { unknown, unmatched, conflict } = parsePolicy(source());
    const shipped = { withdrawal: 'block', outflow: 'pause', scope: 'wallet' };
    expect(unknown).toEqual({ wallet: shipped, asset: shipped, chain: shipped, price: shipped });
    expect([unmatched.scope, conflict.scope]).toEqual(['key-domain', 'wallet']);
  });

  test('behavior: H40: a rule that names one field keeps the shipped ones', () => {
    const { unknown } = parsePolicy(source({ unknown: 'unknown: { price: { outflow: alert } }' }));
    expect(unknown.price).toEqual({ withdrawal: 'block', outflow: 'alert', scope: 'wallet' });
    expect(unknown.asset).toEqual({ withdrawal: 'block', outflow: 'pause', scope: 'wallet' });
  });

  test('behavior: H41: unlimited gives no limit, whatever metric it names', () => {
    for (const metric of ['notional', 'count', 'assets']) {
      const text = withLimit(
        `id: a, scope: wallet, metric: ${metric}, window: 1h, limit: unlimited, action: pause`,
      );
      expect(parsePolicy(text).limits).toEqual([]);
    }
  });

  test('behavior: H43: the order of rules changes nothing but the order', () => {
    const policy = parsePolicy(STARTER);
    const subject = Policy.resolve(policy, {
      account: WALLET,
      asset: ETH,
      destination: WALLET,
      amount: 1n,
    }).subject;
    const ids = (kind: Scope.Kind, of: Policy.Policy) =>
      Policy.limitsOn(of, kind, subject)
        .map(({ limitId }) => limitId)
        .sort();
    const reversed = { ...policy, limits: policy.limits.toReversed() };
    for (const kind of Scope.KINDS) expect(ids(kind, reversed)).toEqual(ids(kind, policy));
    expect(ids('wallet', policy)).toEqual([
      'wallet-assets',
      'wallet-burst',
      'wallet-hour',
      'wallet-single',
    ]);
  });

  test('error: every problem at once, in order of lines', () => {
    const text = source({
      mode: 'mode: enforced',
      assets: `assets: [{ id: "${ETH}", symbol: ETH, decimals: 37 }]`,
      limits:
        'limits: [{ id: a, scope: wallet, metric: notional, window: 2h, limit: 0, action: pause }, { id: b, scope: wallet, metric: amount, window: 1h, limit: 1, action: pause }]',
      more: 'limit: []',
    });
    expect(problems(text)).toMatchInlineSnapshot(`
      "line 3, mode: "enforced" is not allowed; use enforce or shadow
      line 6, assets[0].decimals: "37" is not a number of decimals; use a whole number of 0 to 36
      line 8, limits[0].window: "2h" is not a window; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)
      line 8, limits[0].limit: "0" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      line 8, limits[1].metric: amount needs one unit; use scope asset or wallet-asset, or metric notional
      line 11, limit: is no field here; did you mean "limits"? (fields: version, name, mode, resume, operators, changes, contacts, chains, assets, wallets, limits, unknown, unmatched, conflict, matching, own, reservations, timing)"
    `);
  });

  test('error: its message is one text for a terminal', () => {
    expect(() =>
      parsePolicy(source({ mode: 'mode: "\\e[31mred"' })),
    ).toThrowErrorMatchingInlineSnapshot(`
      [PolicyFile.InvalidPolicyError: the policy has one problem:
        line 3, mode: "\\u{1b}[31mred" is not allowed; use enforce or shadow]
    `);
    expect(() => parsePolicy('a: 1\n'.replaceAll('a', 'x'))).toThrow(InvalidPolicyError);
  });

  test('error: garbage is refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.json()), (text) => {
        expect(() => parsePolicy(text)).toThrow(InvalidPolicyError);
      }),
      { numRuns: 300 },
    );
  });

  test('error: a damaged policy is parsed or refused, and nothing else', () => {
    const damage = fc.record({
      at: fc.nat({ max: STARTER.length }),
      remove: fc.nat({ max: 40 }),
      insert: fc.oneof(
        fc.string({ maxLength: 6 }),
        fc.constantFrom(
          '\n',
          ': ',
          '- ',
          '{',
          '}',
          '[',
          ']',
          '*x',
          '&x ',
          '!!int ',
          '"',
          "'",
          '0',
          '__proto__: 1',
          '---\n',
          '\u0000',
          '\uD800',
        ),
      ),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (all) => {
        const text = all.reduce(
          (sofar, { at, remove, insert }) => sofar.slice(0, at) + insert + sofar.slice(at + remove),
          STARTER,
        );
        try {
          expect(parsePolicy(text).limits.every(({ allowed }) => allowed > 0n)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidPolicyError);
          const { problems: found } = error as InvalidPolicyError;
          expect(found.length).toBeGreaterThan(0);
          expect(found.every(({ line }) => line >= 1)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

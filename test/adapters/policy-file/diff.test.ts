import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { diffPolicies } from '../../../lib/adapters/policy-file/diff.ts';
import { parsePolicy } from '../../../lib/adapters/policy-file/parse.ts';

const STARTER = readFileSync('examples/policies/starter.yaml', 'utf8');

/** The changes from the starter policy to the same text with some parts replaced, a line each. */
function changes(...edits: readonly (readonly [string, string])[]): readonly string[] {
  const text = edits.reduce((sofar, [from, to]) => {
    expect(sofar).toContain(from);
    return sofar.replace(from, to);
  }, STARTER);
  return diffPolicies(parsePolicy(STARTER), parsePolicy(text)).map(
    ({ path, before, after }) => `${path}: ${before} → ${after}`,
  );
}

describe('diffPolicies', () => {
  test('default: the same policy has no changes', () => {
    expect(changes()).toEqual([]);
  });

  test('behavior: order and writing are no changes', () => {
    const policy = parsePolicy(STARTER);
    const turned = {
      ...policy,
      limits: policy.limits.toReversed(),
      wallets: policy.wallets.toReversed(),
    };
    expect(diffPolicies(policy, turned)).toEqual([]);
    expect(
      changes(['limit: "2500000"', 'limit: 2500000.00'], ['warn: 80%', 'warn: 80.0%']),
    ).toEqual([]);
  });

  test('args: every kind of change', () => {
    expect(
      changes(
        ['mode: shadow\n', 'mode: enforce\n'],
        ['resume: trial', 'resume: quorum'],
        ['name: Any EVM chain', 'name: EVM'],
        ['floorPriceUsd: "1500"', 'floorPriceUsd: "1500.000000000001"'],
        [
          '"eip155:1:0x1111111111111111111111111111111111111111"',
          '"eip155:1:0x2222222222222222222222222222222222222222"',
        ],
        ['keyDomain: hot-vault', 'keyDomain: hot-vault-2'],
        ['keyDomain: hot-vault\n', 'keyDomain: hot-vault\n    admission: 45s\n'],
        ['limit: "2500000"\n    warn: 80%', 'limit: "2500000.01"'],
        ['limit: "1500"', 'limit: "1500.5"'],
        ['window: 5m', 'window: 15m'],
        ['price: { withdrawal: block', 'price: { withdrawal: hold'],
        [
          'unmatched: { scope: key-domain }',
          'unmatched: { scope: global }\ntiming: { lease: 60s }\nreservations: { outstandingPerActor: 7 }',
        ],
        ['action: { pause: key-domain }', 'action: { pause: key-domain }\n    tripOnRefusal: true'],
      ),
    ).toMatchInlineSnapshot(`
      [
        "mode: shadow → enforce",
        "resume: trial → quorum",
        "unknown.price: withdrawal block, outflow pause, scope wallet → withdrawal hold, outflow pause, scope wallet",
        "unmatched.scope: key-domain → global",
        "reservations.outstandingPerActor: 100 → 7",
        "timing.lease: 180000 ms → 60000 ms",
        "chains[eip155:*].name: Any EVM chain → EVM",
        "assets[eip155:1/slip44:60].floorPriceUsd: 1500 → 1500.000000000001",
        "assets[eip155:1/erc20:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2].floorPriceUsd: 1500 → 1500.000000000001",
        "wallets[eth-hot-1].keyDomain: hot-vault → hot-vault-2",
        "wallets[eth-hot-1].addresses[eip155:1:0x2222222222222222222222222222222222222222]: (none) → address watched",
        "wallets[btc-hot-1].admission: (none) → 45000 ms",
        "wallets[eth-hot-1].addresses[eip155:1:0x1111111111111111111111111111111111111111]: address watched → (none)",
        "limits[wallet-burst].window: 5m → 15m",
        "limits[wallet-hour].limit: 2500000 USD → 2500000.01 USD",
        "limits[wallet-hour].warn: 80% → (none)",
        "limits[wallet-assets].tripOnRefusal: (none) → true",
        "limits[eth-tokens-hour].limit: 1500 ETH → 1500.5 ETH",
      ]
    `);
  });

  test('behavior: an entry that is new or gone is one change', () => {
    expect(
      changes(
        ['- id: all-count', '- id: all-counts'],
        ['limit: "500000"', 'limit: unlimited'],
        ['name: btc-hot-1', 'name: btc-hot-2'],
      ),
    ).toMatchInlineSnapshot(`
      [
        "wallets[btc-hot-2]: (none) → keyDomain hot-vault",
        "wallets[btc-hot-2].addresses[bip122:000000000019d6689c085ae165831e93:bc1q-replace-with-your-own-address]: (none) → address watched",
        "wallets[btc-hot-1]: keyDomain hot-vault → (none)",
        "wallets[btc-hot-1].addresses[bip122:000000000019d6689c085ae165831e93:bc1q-replace-with-your-own-address]: address watched → (none)",
        "limits[all-counts]: (none) → scope global, metric count, window 15m, limit 250, action alert, mode enforce",
        "limits[customer-day]: scope actor, metric notional, window 24h, limit 500000 USD, action pause actor, mode enforce → (none)",
        "limits[all-count]: scope global, metric count, window 15m, limit 250, action alert, mode enforce → (none)",
      ]
    `);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { policyJsonSchema } from '../../../lib/adapters/policy-file/json-schema.ts';
import { parsePolicy } from '../../../lib/adapters/policy-file/parse.ts';
import { problems, source, told, withLimit } from './source.ts';

const EXAMPLES = ['starter', 'quorum', 'coinex-2023', 'ronin-2022', 'stake-2023'];

describe('POLICY_FILE', () => {
  test('error: H42: a policy that leaves out what it needs does not start', () => {
    expect(problems('# Nothing but\nname: a name\n')).toMatchInlineSnapshot(`
      "line 1, version: is missing; use 1
      line 1, mode: is missing; use enforce or shadow
      line 1, resume: is missing; use trial, or { quorum: 2, budgetUsd: "1000000", steps: [{ share: 10%, for: 1h }] }
      line 1, chains: is missing; add a chain such as { id: "eip155:1", name: Ethereum }
      line 1, assets: is missing; add an asset such as { id: "eip155:1/slip44:60", symbol: ETH, decimals: 18, floorPriceUsd: "1500" }
      line 1, wallets: is missing; add a hot wallet such as { name: eth-hot-1, keyDomain: hot-vault, addresses: ["eip155:1:0x…"] }
      line 1, limits: is missing; add a limit such as { id: all-hour, scope: global, metric: notional, window: 1h, limit: "1000000", action: pause }
      line 2, name: "a name" is not a name; use lower-case letters, digits, ".", "_" and "-", at most 64, starting with a letter or digit"
    `);
  });

  test('error: H42: empty lists, with what to add', () => {
    const cases = {
      chains: source({ chains: 'chains: []' }),
      assets: source({ assets: 'assets: []' }),
      wallets: source({ wallets: 'wallets:' }),
      limits: source({ limits: 'limits: []' }),
      addresses: source({ wallets: 'wallets: [{ name: w, keyDomain: v, addresses: [] }]' }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "chains:
      line 5, chains: is empty; add a chain such as { id: "eip155:1", name: Ethereum }
      assets:
      line 6, assets: is empty; add an asset such as { id: "eip155:1/slip44:60", symbol: ETH, decimals: 18, floorPriceUsd: "1500" }
      wallets:
      line 7, wallets: is empty; add a hot wallet such as { name: eth-hot-1, keyDomain: hot-vault, addresses: ["eip155:1:0x…"] }
      limits:
      line 8, limits: is empty; add a limit such as { id: all-hour, scope: global, metric: notional, window: 1h, limit: "1000000", action: pause }
      addresses:
      line 7, wallets[0].addresses: is empty; add the address that it pays from, such as "eip155:1:0x…""
    `);
  });

  test('error: a field that there is not, with the one that was probably meant', () => {
    const cases = {
      top: source({ more: 'limit: []' }),
      'other case': withLimit(
        'id: a, Scope: wallet, scope: wallet, metric: count, window: 1h, limit: 5, action: pause',
      ),
      'other writing': source({
        wallets: `wallets: [{ name: w, keyDomain: v, key_domain: v, addresses: ["eip155:1:0x${'11'.repeat(20)}"] }]`,
      }),
      'nothing like it': source({ more: 'colour: red' }),
      'a terminal': source({ more: '"\\e[31m": red' }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "top:
      line 11, limit: is no field here; did you mean "limits"? (fields: version, name, mode, resume, operators, changes, contacts, chains, assets, wallets, limits, unknown, unmatched, conflict, matching, own, reservations, timing)
      other case:
      line 8, limits[0].Scope: is no field here; did you mean "scope"? (fields: id, scope, where, metric, window, limit, warn, action, tripOnRefusal, mode)
      other writing:
      line 7, wallets[0].key_domain: is no field here; did you mean "keyDomain"? (fields: name, keyDomain, addresses, admission, floors, canary)
      nothing like it:
      line 11, colour: is no field here (fields: version, name, mode, resume, operators, changes, contacts, chains, assets, wallets, limits, unknown, unmatched, conflict, matching, own, reservations, timing)
      a terminal:
      line 11, \\u{1b}[31m: is no field here (fields: version, name, mode, resume, operators, changes, contacts, chains, assets, wallets, limits, unknown, unmatched, conflict, matching, own, reservations, timing)"
    `);
  });

  test('error: a word, a name or a list in the wrong place', () => {
    const cases = {
      version: source({ version: 'version: 2' }),
      name: source({ name: 'name: My Exchange' }),
      mode: source({ mode: 'mode: [enforce]' }),
      resume: source({ resume: 'resume: nobody' }),
      chain: source({
        chains: 'chains: [{ id: ethereum, name: Ethereum }, { id: "eip155:*", name: "" }]',
      }),
      wallets: source({ wallets: 'wallets: { name: w }' }),
      wallet: source({ wallets: 'wallets: [eth-hot-1]' }),
      address: source({
        wallets: 'wallets: [{ name: W, keyDomain: "v:1", addresses: ["0x11", "eip155:1:0x11"] }]',
      }),
      'unmatched, a scope that stops nothing': source({
        more: 'unmatched: { scope: destination }',
      }),
      'unknown, a word': source({ unknown: 'unknown: { price: { withdrawal: allowed } }' }),
      'limits, too many': source({
        limits: `limits: [${Array.from({ length: 257 }, (_, i) => `{ id: l${i}, scope: wallet, metric: count, window: 1h, limit: 1, action: alert }`).join(', ')}]`,
      }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "version:
      line 1, version: "2" is not allowed; use 1
      name:
      line 2, name: "My Exchange" is not a name; use lower-case letters, digits, ".", "_" and "-", at most 64, starting with a letter or digit
      mode:
      line 3, mode: must be a single value; use enforce or shadow
      resume:
      line 4, resume: says nobody who may resume; use trial, or { quorum: 2, budgetUsd: "1000000", steps: [{ share: 10%, for: 1h }] }
      chain:
      line 5, chains[0].id: "ethereum" is not a CAIP-2 chain such as "eip155:1", or a pattern such as "eip155:*"
      line 5, chains[1].name: is empty; use 1 to 64 printable characters
      wallets:
      line 7, wallets: must be a list; add a hot wallet such as { name: eth-hot-1, keyDomain: hot-vault, addresses: ["eip155:1:0x…"] }
      wallet:
      line 7, wallets[0]: must be a map; its fields are name, keyDomain, addresses, admission, floors, canary
      address:
      line 7, wallets[0].name: "W" is not a name; use lower-case letters, digits, ".", "_" and "-", at most 64, starting with a letter or digit
      line 7, wallets[0].keyDomain: "v:1" is not a name; use lower-case letters, digits, ".", "_" and "-", at most 64, starting with a letter or digit
      line 7, wallets[0].addresses[0]: "0x11" is not a CAIP-10 account such as "eip155:1:0x…" (40 hex digits, checksum right if in mixed case)
      line 7, wallets[0].addresses[1]: "eip155:1:0x11" is not a CAIP-10 account such as "eip155:1:0x…" (40 hex digits, checksum right if in mixed case)
      unmatched, a scope that stops nothing:
      line 11, unmatched.scope: "destination" is not allowed; use wallet-asset, wallet, asset, chain, key-domain or global
      unknown, a word:
      line 9, unknown.price.withdrawal: "allowed" is not allowed; use block, hold or allow
      limits, too many:
      line 8, limits: has more than 256 limits; merge some by pattern"
    `);
  });

  test('error: H39: a price or decimals that would count money as nothing', () => {
    const asset = (fields: string) =>
      source({ assets: `assets: [{ id: "eip155:1/slip44:60", symbol: ETH, ${fields} }]` });
    const cases = {
      'price 0': asset('decimals: 18, floorPriceUsd: 0'),
      'price 0.000': asset('decimals: 18, floorPriceUsd: "0.000"'),
      'price below 0': asset('decimals: 18, floorPriceUsd: -1'),
      'price NaN': asset('decimals: 18, floorPriceUsd: .nan'),
      'price with an exponent': asset('decimals: 18, floorPriceUsd: 1e3'),
      'price finer than 12 digits': asset('decimals: 18, floorPriceUsd: 0.0000000000001'),
      'price of 12 digits': asset('decimals: 18, floorPriceUsd: 0.000000000001'),
      'decimals 36': asset('decimals: 36'),
      'decimals 37': asset('decimals: 37'),
      'decimals 0': asset('decimals: 0'),
      'decimals as octal': asset('decimals: 018'),
      'decimals missing': asset('floorPriceUsd: 1'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "price 0:
      line 6, assets[0].floorPriceUsd: "0" is not a price in USD; use a decimal above 0 with at most 12 fraction digits, such as "1500" or "0.0000123"
      price 0.000:
      line 6, assets[0].floorPriceUsd: "0.000" is not a price in USD; use a decimal above 0 with at most 12 fraction digits, such as "1500" or "0.0000123"
      price below 0:
      line 6, assets[0].floorPriceUsd: "-1" is not a price in USD; use a decimal above 0 with at most 12 fraction digits, such as "1500" or "0.0000123"
      price NaN:
      line 6, assets[0].floorPriceUsd: ".nan" is not a price in USD; use a decimal above 0 with at most 12 fraction digits, such as "1500" or "0.0000123"
      price with an exponent:
      line 6, assets[0].floorPriceUsd: "1e3" is not a price in USD; use a decimal above 0 with at most 12 fraction digits, such as "1500" or "0.0000123"
      price finer than 12 digits:
      line 6, assets[0].floorPriceUsd: "0.0000000000001" is not a price in USD; use a decimal above 0 with at most 12 fraction digits, such as "1500" or "0.0000123"
      price of 12 digits:
      ok
      decimals 36:
      ok
      decimals 37:
      line 6, assets[0].decimals: "37" is not a number of decimals; use a whole number of 0 to 36
      decimals 0:
      ok
      decimals as octal:
      line 6, assets[0].decimals: "018" is not a number of decimals; use a whole number of 0 to 36
      decimals missing:
      line 6, assets[0].decimals: is missing; use a whole number of 0 to 36"
    `);
  });

  test('args: matching, own, watch and risks, at and beyond each bound', () => {
    const own = (address: string) => source({ more: `own: [${address}]` });
    const matching = (fields: string) => source({ more: `matching: { ${fields} }` });
    const watch = (fields: string) =>
      source({
        chains: `chains: [{ id: "eip155:1", name: Ethereum, watch: { ${fields} } }, { id: "eip155:*", name: EVM }]`,
      });
    const cold = `"eip155:1:0x${'bb'.repeat(20)}"`;
    expect(
      told({
        'nothing in them': `${matching('')}\nown: []\nunmatched: {}`,
        'watch with nothing in it': watch(''),
        least: matching('deductedFeeMaxUsd: 0, grace: 0s, unseen: 5m'),
        most: matching('deductedFeeMaxUsd: "25.50", grace: 10m, unseen: 7d'),
        'grace above': matching('grace: 601s'),
        'unseen below': matching('unseen: 299s'),
        'unseen above': matching('unseen: 8d'),
        'a fee in tokens': matching('deductedFeeMaxUsd: 0.1 ETH'),
        'a negative fee': matching('deductedFeeMaxUsd: "-1"'),
        'a field that there is not': matching('graces: 1m'),
        own: own(cold),
        'own, a pattern': own('"eip155:1:*"'),
        'own, a checksum that is wrong': own(
          '"eip155:1:0x8bf8cd7F001D0584F98F53a3d82eD0bA498cC3dF"',
        ),
        'own, a wallet’s name': own('eth-hot-1'),
        risks: source({ more: 'unmatched: { risks: alert }' }),
        'risks, another word': source({ more: 'unmatched: { risks: ignore }' }),
        'watch, most': watch('confirmations: 1000, blindAfter: 2h'),
        'watch, too many confirmations': watch('confirmations: 1001'),
        'watch, confirmations below': watch('confirmations: -1'),
        'watch, blind too soon': watch('blindAfter: 4s'),
        'watch, blind too late': watch('blindAfter: 3h'),
      }),
    ).toMatchInlineSnapshot(`
      "nothing in them:
      ok
      watch with nothing in it:
      ok
      least:
      ok
      most:
      ok
      grace above:
      line 11, matching.grace: "601s" is not a time of 0s to 10m; use a whole number with ms, s, m, h or d
      unseen below:
      line 11, matching.unseen: "299s" is not a time of 5m to 7d; use a whole number with ms, s, m, h or d
      unseen above:
      line 11, matching.unseen: "8d" is not a time of 5m to 7d; use a whole number with ms, s, m, h or d
      a fee in tokens:
      line 11, matching.deductedFeeMaxUsd: "0.1 ETH" is not an amount in USD; use a decimal of 0 or more with at most 6 fraction digits
      a negative fee:
      line 11, matching.deductedFeeMaxUsd: "-1" is not an amount in USD; use a decimal of 0 or more with at most 6 fraction digits
      a field that there is not:
      line 11, matching.graces: is no field here; did you mean "grace"? (fields: deductedFeeMaxUsd, grace, unseen)
      own:
      ok
      own, a pattern:
      line 11, own[0]: "eip155:1:*" is not a CAIP-10 account such as "eip155:1:0x…" (40 hex digits, checksum right if in mixed case)
      own, a checksum that is wrong:
      line 11, own[0]: "eip155:1:0x8bf8cd7F001D0584F98F53a3d82eD0bA498cC3dF" is not a CAIP-10 account such as "eip155:1:0x…" (40 hex digits, checksum right if in mixed case)
      own, a wallet’s name:
      line 11, own[0]: "eth-hot-1" is not a CAIP-10 account such as "eip155:1:0x…" (40 hex digits, checksum right if in mixed case)
      risks:
      ok
      risks, another word:
      line 11, unmatched.risks: "ignore" is not allowed; use pause or alert
      watch, most:
      ok
      watch, too many confirmations:
      line 5, chains[0].watch.confirmations: "1001" is not a number of blocks; use a whole number of 0 to 1000
      watch, confirmations below:
      line 5, chains[0].watch.confirmations: "-1" is not a number of blocks; use a whole number of 0 to 1000
      watch, blind too soon:
      line 5, chains[0].watch.blindAfter: "4s" is not a time of 5s to 2h; use a whole number with ms, s, m, h or d
      watch, blind too late:
      line 5, chains[0].watch.blindAfter: "3h" is not a time of 5s to 2h; use a whole number with ms, s, m, h or d"
    `);
  });

  test('args: timing, at and beyond each bound', () => {
    const cases = {
      least: source({
        timing: 'timing: { clockTolerance: 2s, admission: 1s, commitDelay: 6s, lease: 15s }',
      }),
      'below least': source({
        timing: 'timing: { clockTolerance: 1999ms, admission: 999ms, commitDelay: 5s, lease: 14s }',
      }),
      most: source({
        timing: 'timing: { clockTolerance: 60s, admission: 14m, commitDelay: 1m, lease: 15m }',
      }),
      'longest admission': source({ timing: 'timing: { admission: 15m }' }),
      'above most': source({
        timing: 'timing: { clockTolerance: 61s, admission: 901s, commitDelay: 2m, lease: 1h }',
      }),
      'no unit': source({ timing: 'timing: { admission: 30, lease: 1.5m }' }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "least:
      ok
      below least:
      line 10, timing.clockTolerance: "1999ms" is not a time of 2s to 1m; use a whole number with ms, s, m, h or d
      line 10, timing.admission: "999ms" is not a time of 1s to 15m; use a whole number with ms, s, m, h or d
      line 10, timing.commitDelay: "5s" is not a time of 6s to 1m; use a whole number with ms, s, m, h or d
      line 10, timing.lease: "14s" is not a time of 15s to 15m; use a whole number with ms, s, m, h or d
      most:
      ok
      longest admission:
      ok
      above most:
      line 10, timing.clockTolerance: "61s" is not a time of 2s to 1m; use a whole number with ms, s, m, h or d
      line 10, timing.admission: "901s" is not a time of 1s to 15m; use a whole number with ms, s, m, h or d
      line 10, timing.commitDelay: "2m" is not a time of 6s to 1m; use a whole number with ms, s, m, h or d
      line 10, timing.lease: "1h" is not a time of 15s to 15m; use a whole number with ms, s, m, h or d
      no unit:
      line 10, timing.admission: "30" is not a time of 1s to 15m; use a whole number with ms, s, m, h or d
      line 10, timing.lease: "1.5m" is not a time of 15s to 15m; use a whole number with ms, s, m, h or d"
    `);
    expect(parsePolicy(source()).timing).toEqual({
      clockToleranceMs: 2_000,
      admissionMs: 30_000,
      commitDelayMs: 6_000,
      leaseMs: 180_000,
    });
  });
});

describe('policyJsonSchema', () => {
  test('default: the published file is not stale', () => {
    expect(readFileSync('schemas/policy.schema.json', 'utf8')).toBe(policyJsonSchema());
  });

  test('behavior: an editor that reads YAML numbers as numbers accepts every example', () => {
    const schema = z.fromJSONSchema(JSON.parse(policyJsonSchema()));
    for (const name of EXAMPLES) {
      const data: unknown = parse(readFileSync(`examples/policies/${name}.yaml`, 'utf8'));
      expect(schema.safeParse(data).error).toBeUndefined();
    }
    expect(schema.safeParse({ ...(parse(source()) as object), limt: 1 }).success).toBe(false);
  });
});

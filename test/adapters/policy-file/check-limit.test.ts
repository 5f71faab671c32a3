import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../lib/adapters/policy-file/parse.ts';
import * as Meter from '../../../lib/domain/meter.ts';
import * as Scope from '../../../lib/domain/scope.ts';
import { problems, source, told, withLimit } from './source.ts';

const ETH = 'eip155:1/slip44:60';

/** A limit of notional by the hour with this size. */
function sized(limit: string, metric = 'notional'): string {
  return withLimit(
    `id: a, scope: wallet, metric: ${metric}, window: 1h, limit: ${limit}, action: pause`,
  );
}

describe('checkLimit', () => {
  test('error: H41: a limit that is missing, 0, negative, no number or no exact number', () => {
    const cases = {
      missing: withLimit('id: a, scope: wallet, metric: notional, window: 1h, action: pause'),
      empty: sized(''),
      null: sized('null'),
      '~': sized('~'),
      '0': sized('0'),
      '"0.00"': sized('"0.00"'),
      '-1': sized('-1'),
      NaN: sized('.nan'),
      infinity: sized('.inf'),
      exponent: sized('1e3'),
      hexadecimal: sized('0x10'),
      separators: sized('1_000'),
      'a sum': sized('0.1+0.2'),
      false: sized('false'),
      none: sized('none'),
      'Unlimited, in other letters': sized('Unlimited'),
      'a list': sized('[1]'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "0:
      line 8, limits[0].limit: "0" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      missing:
      line 8, limits[0].limit: is missing; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      empty:
      line 8, limits[0].limit: is empty; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      null:
      line 8, limits[0].limit: "null" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      ~:
      line 8, limits[0].limit: "~" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      "0.00":
      line 8, limits[0].limit: "0.00" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      -1:
      line 8, limits[0].limit: "-1" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      NaN:
      line 8, limits[0].limit: ".nan" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      infinity:
      line 8, limits[0].limit: ".inf" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      exponent:
      line 8, limits[0].limit: "1e3" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      hexadecimal:
      line 8, limits[0].limit: "0x10" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      separators:
      line 8, limits[0].limit: "1_000" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      a sum:
      line 8, limits[0].limit: "0.1+0.2" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      false:
      line 8, limits[0].limit: "false" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      none:
      line 8, limits[0].limit: "none" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      Unlimited, in other letters:
      line 8, limits[0].limit: "Unlimited" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      a list:
      line 8, limits[0].limit: must be a single value; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited"
    `);
  });

  test('error: H41: a limit finer or larger than its unit', () => {
    const amount = (limit: string) =>
      withLimit(
        `id: a, scope: asset, where: { asset: "${ETH}" }, metric: amount, window: 1h, limit: ${limit}, action: pause`,
      );
    const cases = {
      'USD, 6 digits': sized('0.000001'),
      'USD, 7 digits': sized('0.0000001'),
      'ETH, 18 digits': amount(`0.${'0'.repeat(17)}1`),
      'ETH, 19 digits': amount(`0.${'0'.repeat(18)}1`),
      'the largest sum': amount(
        '115792089237316195423570985008687907853269984665640564039457.584007913129639935',
      ),
      'one unit more': amount(
        '115792089237316195423570985008687907853269984665640564039457.584007913129639936',
      ),
      'count, 1': sized('1', 'count'),
      'count, a half': sized('1.5', 'count'),
      'count, the most': sized(`${Meter.COUNT_MAX - 1}`, 'count'),
      'count, one more': sized(`${Meter.COUNT_MAX}`, 'count'),
      'assets, 64': sized('64', 'assets'),
      'assets, 65': sized('65', 'assets'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "USD, 6 digits:
      ok
      USD, 7 digits:
      line 8, limits[0].limit: "0.0000001" is finer than USD can be; use at most 6 fraction digits
      ETH, 18 digits:
      ok
      ETH, 19 digits:
      line 8, limits[0].limit: "0.0000000000000000001" is finer than ETH can be; use at most 18 fraction digits
      the largest sum:
      ok
      one unit more:
      line 8, limits[0].limit: "115792089237316195423570985008687907853269984665640564039457.584007913129639936" is more than can be counted; use the word unlimited
      count, 1:
      ok
      count, a half:
      line 8, limits[0].limit: "1.5" is no number of withdrawals; use a whole number of 1 to 1099511627775, or the word unlimited
      count, the most:
      ok
      count, one more:
      line 8, limits[0].limit: "1099511627776" is no number of withdrawals; use a whole number of 1 to 1099511627775, or the word unlimited
      assets, 64:
      ok
      assets, 65:
      line 8, limits[0].limit: "65" is no number of assets; use a whole number of 1 to 64, or the word unlimited"
    `);
  });

  test('args: limit, every exact decimal comes out as it was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 40n }), fc.boolean(), (microUsd, isQuoted) => {
        const digits = microUsd.toString().padStart(7, '0');
        const text = `${digits.slice(0, -6)}.${digits.slice(-6)}`;
        expect(parsePolicy(sized(isQuoted ? `"${text}"` : text)).limits[0]?.allowed).toBe(microUsd);
      }),
      { numRuns: 50 },
    );
  });

  test('args: window', () => {
    const windows = ['1m', '5m', '15m', '1h', '6h', '24h', '7d', '30d'];
    const limits = windows.map(
      (window) =>
        `{ id: w${window}, scope: wallet, metric: count, window: ${window}, limit: 1, action: pause }`,
    );
    const { limits: parsed } = parsePolicy(source({ limits: `limits: [${limits.join(', ')}]` }));
    expect(parsed.map(({ windowMs }) => windowMs)).toEqual(
      Meter.LADDER.map(({ windowMs }) => windowMs),
    );
    const cases = Object.fromEntries(
      ['2h', '1d', '60m', '0s', '31d', '1.5h', '1 h', '3600', '-1h'].map((window) => [
        window,
        withLimit(
          `id: a, scope: wallet, metric: count, window: "${window}", limit: 1, action: pause`,
        ),
      ]),
    );
    expect(told(cases)).toMatchInlineSnapshot(`
      "3600:
      line 8, limits[0].window: "3600" is not a window; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)
      2h:
      line 8, limits[0].window: "2h" is not a window; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)
      1d:
      line 8, limits[0].window: "1d" is not a window; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)
      60m:
      line 8, limits[0].window: "60m" is not a window; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)
      0s:
      line 8, limits[0].window: "0s" is not a window; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)
      31d:
      line 8, limits[0].window: "31d" is not a window; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)
      1.5h:
      line 8, limits[0].window: "1.5h" is not a window; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)
      1 h:
      line 8, limits[0].window: "1 h" is not a window; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)
      -1h:
      line 8, limits[0].window: "-1h" is not a window; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)"
    `);
  });

  test('args: window, with and without single', () => {
    const cases = {
      'single with one': withLimit(
        'id: a, scope: wallet, metric: single, window: 1h, limit: 1, action: pause',
      ),
      'single without': withLimit('id: a, scope: wallet, metric: single, limit: 1, action: pause'),
      'a sum without': withLimit('id: a, scope: wallet, metric: count, limit: 1, action: pause'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "single with one:
      line 8, limits[0].window: single judges one withdrawal and has no window; remove it
      single without:
      ok
      a sum without:
      line 8, limits[0].window: is missing; use 1m, 5m, 15m, 1h, 6h, 24h, 7d or 30d (a slot may be at most a tenth of its window)"
    `);
  });

  test('args: timing, at and above what the window can be widened by', () => {
    const minute = (admission: string) =>
      source({
        limits:
          'limits: [{ id: a, scope: wallet, metric: count, window: 1m, limit: 1, action: pause }]',
        timing: `timing: { admission: ${admission} }`,
      });
    const cases = {
      '60 s': minute('50s'),
      '60.001 s': minute('50001ms'),
      'timing wrong itself': minute('1h'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "60 s:
      ok
      60.001 s:
      line 8, limits[0].window: is too short for limit "a": 2 × clockTolerance + admission + commitDelay widen it by 60.001 s, and by 60 s at most; use a longer window, or shorten timing.admission (50.001 s)
      timing wrong itself:
      line 10, timing.admission: "1h" is not a time of 1s to 15m; use a whole number with ms, s, m, h or d"
    `);
  });

  test('args: metric, on each scope', () => {
    const ok = (metric: string) =>
      Scope.KINDS.filter((scope) => {
        const where =
          scope === 'asset' || scope === 'wallet-asset' ? `where: { asset: "${ETH}" }, ` : '';
        return (
          problems(
            withLimit(
              `id: a, scope: ${scope}, ${where}metric: ${metric}, window: 1h, limit: 1, action: pause`,
            ),
          ) === 'ok'
        );
      });
    expect(ok('notional')).toEqual(Scope.KINDS);
    expect(ok('count')).toEqual(Scope.KINDS);
    expect(ok('amount')).toEqual(['wallet-asset', 'asset']);
    expect(ok('assets')).toEqual([
      'actor',
      'destination',
      'wallet',
      'chain',
      'key-domain',
      'global',
    ]);
  });

  test('error: amount without one asset, or assets where there is one', () => {
    const limit = (fields: string) =>
      withLimit(`id: a, window: 1h, limit: 1, action: pause, ${fields}`);
    const cases = {
      'no where': limit('scope: asset, metric: amount'),
      'a pattern': limit('scope: asset, metric: amount, where: { asset: "eip155:*/slip44:60" }'),
      'by pattern only': limit(
        'scope: asset, metric: amount, where: { asset: "eip155:10/slip44:60" }',
      ),
      'on a wallet': limit('scope: wallet, metric: amount'),
      'assets of an asset': limit('scope: wallet-asset, metric: assets'),
      'no metric': limit('scope: wallet, metric: volume'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "no where:
      line 8, limits[0].where.asset: must name one asset exactly as listed in assets, since amount counts its tokens
      a pattern:
      line 8, limits[0].where.asset: must name one asset exactly as listed in assets, since amount counts its tokens
      by pattern only:
      line 8, limits[0].where.asset: must name one asset exactly as listed in assets, since amount counts its tokens
      on a wallet:
      line 8, limits[0].metric: amount needs one unit; use scope asset or wallet-asset, or metric notional
      assets of an asset:
      line 8, limits[0].metric: assets counts distinct assets, and wallet-asset holds one; use another scope
      no metric:
      line 8, limits[0].metric: "volume" is not allowed; use notional, amount, count, single, assets or share"
    `);
  });

  test('args: tripOnRefusal, only where a breaker opens', () => {
    const limit = (fields: string) =>
      withLimit(`id: a, scope: wallet, metric: count, window: 1h, limit: 1, ${fields}`);
    const cases = {
      pause: limit('action: pause, tripOnRefusal: true'),
      'pause elsewhere': limit('action: { pause: global }, tripOnRefusal: true'),
      hold: limit('action: hold, tripOnRefusal: true'),
      'hold without': limit('action: hold, tripOnRefusal: false'),
      alert: limit('action: alert, tripOnRefusal: true'),
      'no truth': limit('action: pause, tripOnRefusal: yes'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "pause:
      ok
      pause elsewhere:
      ok
      hold:
      line 8, limits[0].tripOnRefusal: action hold opens no breaker; use action pause, or remove it
      hold without:
      ok
      alert:
      line 8, limits[0].tripOnRefusal: action alert opens no breaker; use action pause, or remove it
      no truth:
      line 8, limits[0].tripOnRefusal: "yes" is not allowed; use true or false"
    `);
  });

  test('args: where, only fields that the scope fixes', () => {
    const values = {
      wallet: 'eth-*',
      keyDomain: 'vault',
      chain: 'eip155:*',
      asset: ETH,
      destination: 'eip155:*',
      actor: '*',
    };
    const fixed = Scope.KINDS.map((scope) => {
      const ok = Object.entries(values).filter(
        ([field, value]) =>
          problems(
            withLimit(
              `id: a, scope: ${scope}, where: { ${field}: "${value}" }, metric: count, window: 1h, limit: 1, action: pause`,
            ),
          ) === 'ok',
      );
      return `${scope}: ${ok.map(([field]) => field).join(' ')}`;
    });
    expect(fixed).toMatchInlineSnapshot(`
      [
        "actor: actor",
        "destination: destination",
        "wallet-asset: wallet keyDomain asset",
        "wallet: wallet keyDomain",
        "asset: asset",
        "chain: chain",
        "key-domain: keyDomain",
        "global: ",
      ]
    `);
    const cases = {
      actor: withLimit(
        'id: a, scope: actor, where: { wallet: "eth-*" }, metric: count, window: 1h, limit: 1, action: pause',
      ),
      global: withLimit(
        'id: a, scope: global, where: { chain: "eip155:1" }, metric: count, window: 1h, limit: 1, action: pause',
      ),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "actor:
      line 8, limits[0].where.wallet: scope actor does not fix the wallet, so the limit would miss some of what it counted; use actor
      global:
      line 8, limits[0].where.chain: scope global does not fix the chain, so the limit would miss some of what it counted; it takes no where"
    `);
  });

  test('error: where, a pattern that nothing in the policy matches', () => {
    const where = (scope: string, fields: string) =>
      withLimit(
        `id: a, scope: ${scope}, where: { ${fields} }, metric: count, window: 1h, limit: 1, action: pause`,
      );
    const cases = {
      wallet: where('wallet', 'wallet: "btc-*"'),
      'key domain': where('key-domain', 'keyDomain: vaults'),
      'both, never together': source({
        wallets: `wallets: [{ name: a, keyDomain: v, addresses: ["eip155:1:0x${'11'.repeat(20)}"] }, { name: b, keyDomain: w, addresses: ["eip155:1:0x${'22'.repeat(20)}"] }]`,
        limits:
          'limits: [{ id: a, scope: wallet, where: { wallet: a, keyDomain: w }, metric: count, window: 1h, limit: 1, action: pause }]',
      }),
      chain: where('chain', 'chain: "bip122:*"'),
      'chain within a pattern': where('chain', 'chain: "eip155:4*"'),
      asset: where('asset', 'asset: "eip155:1/erc20:*"'),
      'asset within a pattern': where('asset', 'asset: "eip155:10/slip44:60"'),
      'no identifier': where('asset', 'asset: ETH'),
      'destination and customer are not listed': where('destination', 'destination: "bip122:*"'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "wallet:
      line 8, limits[0].where.wallet: "btc-*" matches nothing in this policy
      key domain:
      line 8, limits[0].where.keyDomain: "vaults" matches nothing in this policy
      both, never together:
      line 8, limits[0].where: no wallet is called "a" and lies in key domain "w"
      chain:
      line 8, limits[0].where.chain: "bip122:*" matches nothing in this policy
      chain within a pattern:
      ok
      asset:
      ok
      asset within a pattern:
      ok
      no identifier:
      line 8, limits[0].where.asset: "ETH" is not a CAIP-19 asset such as "eip155:1/slip44:60" or "eip155:1/erc20:0x…" (40 hex digits, checksum right if in mixed case), or a pattern with *
      destination and customer are not listed:
      ok"
    `);
  });

  test('error: H26: where, an asset that uses the budget of another', () => {
    const weth = `eip155:1/erc20:0x${'22'.repeat(20)}`;
    const text = source({
      assets: `assets: [{ id: "${ETH}", symbol: ETH, decimals: 18 }, { id: "${weth}", symbol: WETH, decimals: 18, sameAs: "${ETH}" }]`,
      limits: `limits: [{ id: a, scope: asset, where: { asset: "${weth}" }, metric: amount, window: 1h, limit: 1, action: pause }]`,
    });
    expect(problems(text)).toMatchInlineSnapshot(
      `"line 8, limits[0].where.asset: "eip155:1/erc20:0x2222222222222222222222222222222222222222" shares the budget of another asset; use "eip155:1/slip44:60""`,
    );
  });

  test('args: action', () => {
    const actions = ['pause', 'hold', 'alert', '{ pause: key-domain }', '{ pause: actor }'];
    const limits = actions.map(
      (action, i) =>
        `{ id: l${i}, scope: wallet, metric: count, window: 1h, limit: 1, action: ${action} }`,
    );
    const { limits: parsed } = parsePolicy(source({ limits: `limits: [${limits.join(', ')}]` }));
    expect(parsed.map(({ action }) => action)).toEqual([
      { kind: 'pause', scope: 'wallet' },
      { kind: 'hold' },
      { kind: 'alert' },
      { kind: 'pause', scope: 'key-domain' },
      { kind: 'pause', scope: 'actor' },
    ]);
    const limit = (scope: string, action: string) =>
      withLimit(`id: a, scope: ${scope}, metric: count, window: 1h, limit: 1${action}`);
    const cases = {
      missing: limit('wallet', ''),
      'another word': limit('wallet', ', action: stop'),
      'another scope': limit('wallet', ', action: { pause: galaxy }'),
      'two at once': limit('wallet', ', action: { pause: wallet, alert: yes }'),
      'H34: one customer stops everybody': limit('actor', ', action: { pause: global }'),
      'H34: one destination stops everybody': limit('destination', ', action: { pause: global }'),
      'a wallet may': limit('wallet', ', action: { pause: global }'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "missing:
      line 8, limits[0].action: is missing; use pause, hold, alert or { pause: <scope> } with a scope of actor, destination, wallet-asset, wallet, asset, chain, key-domain, global
      another word:
      line 8, limits[0].action: is not an action; use pause, hold, alert or { pause: <scope> } with a scope of actor, destination, wallet-asset, wallet, asset, chain, key-domain, global
      another scope:
      line 8, limits[0].action.pause: "galaxy" is not allowed; use actor, destination, wallet-asset, wallet, asset, chain, key-domain or global
      two at once:
      line 8, limits[0].action.alert: is no field here (fields: pause)
      H34: one customer stops everybody:
      line 8, limits[0].action.pause: one actor must not stop everybody; use a narrower scope, such as actor or wallet
      H34: one destination stops everybody:
      line 8, limits[0].action.pause: one destination must not stop everybody; use a narrower scope, such as destination or wallet
      a wallet may:
      ok"
    `);
  });

  test('args: warn and mode', () => {
    const limit = (fields: string) =>
      withLimit(`id: a, scope: wallet, metric: count, window: 1h, action: alert, ${fields}`);
    const warn = (share: string) =>
      parsePolicy(limit(`limit: 9, warn: ${share}`)).limits[0]?.warnBps;
    expect([warn('1%'), warn('82.5%'), warn('99%')]).toEqual([100, 8_250, 9_900]);
    expect(parsePolicy(limit('limit: 9, mode: shadow')).limits[0]?.mode).toBe('shadow');
    const cases = {
      '0.99%': limit('limit: 9, warn: 0.99%'),
      '99.01%': limit('limit: 9, warn: 99.01%'),
      '100%': limit('limit: 9, warn: 100%'),
      '80': limit('limit: 9, warn: 80'),
      '80.125%': limit('limit: 9, warn: 80.125%'),
      'of unlimited': limit('limit: unlimited, warn: 80%'),
      mode: limit('limit: 9, mode: off'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "80:
      line 8, limits[0].warn: "80" is not a share of the limit; use 1% to 99%
      0.99%:
      line 8, limits[0].warn: "0.99%" is not a share of the limit; use 1% to 99%
      99.01%:
      line 8, limits[0].warn: "99.01%" is not a share of the limit; use 1% to 99%
      100%:
      line 8, limits[0].warn: "100%" is not a share of the limit; use 1% to 99%
      80.125%:
      line 8, limits[0].warn: "80.125%" is not a share of the limit; use 1% to 99%
      of unlimited:
      line 8, limits[0].warn: is a share of the limit, and this one is unlimited; remove it
      mode:
      line 8, limits[0].mode: "off" is not allowed; use enforce or shadow"
    `);
  });
});

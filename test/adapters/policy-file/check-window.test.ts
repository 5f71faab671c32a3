import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../lib/adapters/policy-file/parse.ts';
import * as Scope from '../../../lib/domain/scope.ts';
import { problems, source, told } from './source.ts';

/** Two wallets, `desk-1` attended by people, and one limit. */
function withDesk(parts: {
  readonly limit: string;
  readonly admission?: string;
  readonly timing?: string;
}): string {
  const { limit, admission = '15m', timing = '30s' } = parts;
  const address = (digits: string) => `["eip155:1:0x${digits.repeat(20)}"]`;
  return source({
    wallets: `wallets: [{ name: eth-hot-1, keyDomain: vault, addresses: ${address('11')} }, { name: desk-1, keyDomain: desk, addresses: ${address('22')}, admission: ${admission} }]`,
    limits: `limits: [{ id: a, metric: count, limit: 1, action: hold, ${limit} }]`,
    timing: `timing: { admission: ${timing} }`,
  });
}

describe('checkWindow', () => {
  test('default: a wallet with a life of its own', () => {
    const { wallets, timing } = parsePolicy(withDesk({ limit: 'scope: wallet, window: 1h' }));
    expect(wallets.map(({ admissionMs }) => admissionMs)).toEqual([undefined, 900_000]);
    expect(timing.admissionMs).toBe(30_000);
  });

  test('args: admission of a wallet, at and above what the window can be widened by', () => {
    const cases = {
      '60 s': withDesk({ limit: 'scope: wallet, window: 1m', admission: '50s' }),
      '60.001 s': withDesk({ limit: 'scope: wallet, window: 1m', admission: '50001ms' }),
      '15 min': withDesk({ limit: 'scope: wallet, window: 1h', admission: '15m' }),
      'longer than any': withDesk({ limit: 'scope: wallet, window: 1h', admission: '901s' }),
      'too short': withDesk({ limit: 'scope: wallet, window: 1h', admission: '999ms' }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "60 s:
      ok
      60.001 s:
      line 8, limits[0].window: is too short for limit "a": 2 × clockTolerance + admission + commitDelay widen it by 60.001 s, and by 60 s at most; use a longer window, or shorten admission of wallet "desk-1" (50.001 s)
      15 min:
      ok
      longer than any:
      line 7, wallets[1].admission: "901s" is not a time of 1s to 15m; use a whole number with ms, s, m, h or d
      too short:
      line 7, wallets[1].admission: "999ms" is not a time of 1s to 15m; use a whole number with ms, s, m, h or d"
    `);
  });

  test('behavior: a limit on wallets looks at those that it speaks of, every other at all', () => {
    const long = Scope.KINDS.map((scope) => [
      scope,
      problems(withDesk({ limit: `scope: ${scope}, window: 15m` })) === 'ok',
    ]);
    expect(long.filter(([, isOk]) => isOk)).toEqual([]);
    const short = 'scope: wallet, window: 1m';
    const cases = {
      'its name': withDesk({ limit: `${short}, where: { wallet: "desk-*" }` }),
      'its key domain': withDesk({ limit: `${short}, where: { keyDomain: desk }` }),
      'another name': withDesk({ limit: `${short}, where: { wallet: "eth-*" }` }),
      'another key domain': withDesk({ limit: `${short}, where: { keyDomain: vault }` }),
      'the key domain of others': withDesk({
        limit: 'scope: key-domain, window: 1m, where: { keyDomain: vault }',
      }),
      'wallet and asset': withDesk({
        limit: 'scope: wallet-asset, window: 1m, where: { wallet: "eth-*" }',
      }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "its name:
      line 8, limits[0].window: is too short for limit "a": 2 × clockTolerance + admission + commitDelay widen it by 910 s, and by 60 s at most; use a longer window, or shorten admission of wallet "desk-1" (900 s)
      its key domain:
      line 8, limits[0].window: is too short for limit "a": 2 × clockTolerance + admission + commitDelay widen it by 910 s, and by 60 s at most; use a longer window, or shorten admission of wallet "desk-1" (900 s)
      another name:
      ok
      another key domain:
      ok
      the key domain of others:
      line 8, limits[0].window: is too short for limit "a": 2 × clockTolerance + admission + commitDelay widen it by 910 s, and by 60 s at most; use a longer window, or shorten admission of wallet "desk-1" (900 s)
      wallet and asset:
      ok"
    `);
  });

  test('behavior: the default counts where a limit speaks of accounts that are not listed', () => {
    const cases = {
      'every wallet': withDesk({
        limit: 'scope: wallet, window: 1m',
        admission: '30s',
        timing: '10m',
      }),
      'one with its own': withDesk({
        limit: 'scope: wallet, window: 1m, where: { wallet: "desk-*" }',
        admission: '30s',
        timing: '10m',
      }),
      'one without': withDesk({
        limit: 'scope: wallet, window: 1m, where: { wallet: "eth-*" }',
        admission: '30s',
        timing: '10m',
      }),
      'any account': withDesk({
        limit: 'scope: wallet, window: 1m, where: { wallet: "*desk*" }',
        admission: '30s',
        timing: '10m',
      }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "every wallet:
      line 8, limits[0].window: is too short for limit "a": 2 × clockTolerance + admission + commitDelay widen it by 610 s, and by 60 s at most; use a longer window, or shorten timing.admission (600 s)
      one with its own:
      ok
      one without:
      line 8, limits[0].window: is too short for limit "a": 2 × clockTolerance + admission + commitDelay widen it by 610 s, and by 60 s at most; use a longer window, or shorten timing.admission (600 s)
      any account:
      line 8, limits[0].window: is too short for limit "a": 2 × clockTolerance + admission + commitDelay widen it by 610 s, and by 60 s at most; use a longer window, or shorten timing.admission (600 s)"
    `);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../lib/adapters/policy-file/parse.ts';
import { scopeDoubt, scopesNamed } from '../../lib/domain/scope-doubt.ts';
import { policy, UNLISTED } from '../support/builders.ts';

const POLICY = parsePolicy(readFileSync('examples/policies/starter.yaml', 'utf8'));
const WETH = 'eip155:1/erc20:0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2';

describe('scopeDoubt', () => {
  test.each([
    'global',
    'wallet:eth-hot-1',
    'key-domain:hot-vault',
    'chain:eip155:1',
    'chain:eip155:10',
    'asset:eip155:1/slip44:60',
    'wallet-asset:eth-hot-1|eip155:1/slip44:60',
    'actor:anybody',
    'destination:eip155:1:0x2222222222222222222222222222222222222222',
  ])('behavior: none about %s', (scope) => {
    expect(scopeDoubt(POLICY, scope)).toBeUndefined();
  });

  test.each([
    ['wallet:eth-hot1', 'eth-hot-1, btc-hot-1'],
    ['wallet:eip155:1:0x1111111111111111111111111111111111111111', 'pause wallet:eth-hot-1'],
    ['wallet-asset:eth-hot1|eip155:1/slip44:60', 'no wallet eth-hot1'],
    ['key-domain:vault', 'hot-vault'],
    ['chain:tron:mainnet', 'no chain tron:mainnet'],
    ['asset:eip155:1/slip44:61', 'no asset'],
    [`asset:${WETH}`, 'counts'],
  ])('behavior: about %s', (scope, expected) => {
    expect(scopeDoubt(POLICY, scope)).toContain(expected);
  });
});

describe('scopeDoubt: names', () => {
  const wallets = (count: number) =>
    Array.from({ length: count }, (_, number) => ({
      name: `hot-${number}`,
      keyDomain: 'vault',
      addresses: [],
    }));
  const doubt = (count: number, scope: string) =>
    scopeDoubt(policy({ wallets: wallets(count) }), scope);
  const eight = 'hot-0, hot-1, hot-2, hot-3, hot-4, hot-5, hot-6, hot-7';

  test('behavior: eight of them, and how many more', () => {
    const start = 'the policy knows no wallet x, so this may stop nothing. It knows:';
    expect(doubt(8, 'wallet:x')).toBe(`${start} ${eight}.`);
    expect(doubt(10, 'wallet:x')).toBe(`${start} ${eight}, and 2 more.`);
    expect(doubt(0, 'wallet:x')).toBe(`${start} none.`);
  });

  test('behavior: each once, and what they are', () => {
    expect(doubt(2, 'key-domain:x')).toBe(
      'the policy knows no key domain x, so this may stop nothing. It knows: vault.',
    );
    expect(scopeDoubt(policy(), 'chain:tron:main')).toBe(
      'the policy knows no chain tron:main, so this may stop nothing. It knows: eip155:1, eip155:56.',
    );
  });

  test('behavior: of a wallet and an asset each is doubted', () => {
    expect(scopeDoubt(policy(), `wallet-asset:hot-1|${UNLISTED}`)).toContain(
      `no asset ${UNLISTED}`,
    );
    expect(scopeDoubt(policy(), 'wallet-asset:hot-1')).toContain('no asset ;');
  });
});

describe('scopesNamed', () => {
  test('default: none of them is doubted, and every kind with names is there', () => {
    const scopes = scopesNamed(POLICY);
    expect(
      scopes.flatMap((scope) =>
        scopeDoubt(POLICY, scope)?.includes('counts') ? [] : (scopeDoubt(POLICY, scope) ?? []),
      ),
    ).toEqual([]);
    expect(new Set(scopes.map((scope) => scope.split(':')[0]))).toEqual(
      new Set(['global', 'wallet', 'key-domain', 'chain', 'asset']),
    );
    expect(scopes).toContain('wallet:eth-hot-1');
    expect(scopes.filter((scope) => scope.includes('*'))).toEqual([]);
  });
});

import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { parseScopeKey } from '../../../lib/adapters/wire/scope-key.ts';
import * as Scope from '../../../lib/domain/scope.ts';
import { CUSTOMER, STRANGER, subject, USDC } from '../../support/builders.ts';

describe('parseScopeKey', () => {
  test('default', () => {
    expect(parseScopeKey('wallet:hot-1')).toBe('wallet:hot-1');
    expect(parseScopeKey('global')).toBe('global');
  });

  test.each([
    [`destination:${CUSTOMER.replaceAll('c', 'C')}`, `destination:${CUSTOMER}`],
    [`destination:${CUSTOMER}|tag@1`, `destination:${CUSTOMER}|tag%401`],
    [
      `asset:${USDC.replace('a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48', 'A0B86991C6218B36C1D19D4A2E9EB0CE3606EB48')}`,
      `asset:${USDC}`,
    ],
    [`wallet-asset:hot-1|${USDC}`, `wallet-asset:hot-1|${USDC}`],
    ['actor:bob@example.com', 'actor:bob%40example.com'],
    ['actor:bob%40example.com', 'actor:bob%40example.com'],
    ['actor:a|b', 'actor:a%7Cb'],
    ['actor:jürgen', 'actor:j%C3%BCrgen'],
    ['actor:%none', 'actor:%none'],
    ['key-domain:vault-a', 'key-domain:vault-a'],
    ['chain:eip155:1', 'chain:eip155:1'],
  ])('args: %s', (text, key) => {
    expect(parseScopeKey(text)).toBe(key);
  });

  test.each([
    'wallets:x',
    'global:x',
    'wallet:',
    'wallet',
    'actor:a b',
    'chain:1',
    'asset:USDC',
    'destination:0x1',
    'wallet-asset:hot-1',
    'destination:eip155:1:0x8bf8cd7F001D0584F98F53a3d82eD0bA498cC3dF',
    'wallet:eip155:1:0x8bf8cd7F001D0584F98F53a3d82eD0bA498cC3dF',
  ])('error: %s', (text) => {
    expect(() => parseScopeKey(text)).toThrow();
  });

  test.prop([
    fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((id) => !/[\s%\p{Cc}]/u.test(id) && id.isWellFormed()),
  ])(
    'H25: whatever a customer is called, the scope as typed is the one that events are counted under',
    (actor) => {
      const counted = Scope.key(Scope.of('actor', subject({ actor })));
      expect(parseScopeKey(`actor:${actor}`)).toBe(counted);
      expect(parseScopeKey(counted)).toBe(counted);
    },
  );

  test.prop([fc.constantFrom(...Scope.KINDS)])(
    'H25: a key that is in use reads as itself',
    (kind) => {
      for (const of of [subject({ wallet: STRANGER }), subject({ actor: undefined })]) {
        const key = Scope.key(Scope.of(kind, of));
        expect(parseScopeKey(key)).toBe(key);
      }
    },
  );
});

import { describe, expect, test } from 'vitest';
import { readScope } from '../../lib/cli/scope-argument.ts';

const MIXED = '0xaBCdEf0000000000000000000000000000000001';
const LOWER = MIXED.toLowerCase();

describe('readScope', () => {
  test.each([
    ['global', 'global'],
    ['wallet:eth-hot-1', 'wallet:eth-hot-1'],
    ['key-domain:hot-vault', 'key-domain:hot-vault'],
    ['actor:Customer-7', 'actor:Customer-7'],
    ['chain:eip155:1', 'chain:eip155:1'],
  ])('args: text: %s', (text, expected) => {
    expect(readScope(text)).toBe(expected);
  });

  test.each([
    [`destination:eip155:1:${MIXED}`, `destination:eip155:1:${LOWER}`],
    [`destination:eip155:1:${MIXED}|Memo`, `destination:eip155:1:${LOWER}|Memo`],
    [`asset:eip155:1/erc20:${MIXED}`, `asset:eip155:1/erc20:${LOWER}`],
    [`wallet:eip155:1:${MIXED}`, `wallet:eip155:1:${LOWER}`],
    [`wallet-asset:Hot|eip155:1/erc20:${MIXED}`, `wallet-asset:Hot|eip155:1/erc20:${LOWER}`],
  ])('behavior: spells addresses as events are counted: %s', (text, expected) => {
    expect(readScope(text)).toBe(expected);
  });

  test.each([
    '',
    'everything',
    'wallets',
    'wallet:',
    'wallet eth',
    'chain:ethereum',
    'asset:ETH',
    'destination:0x1',
  ])('error: %j', (text) => {
    expect(() => readScope(text)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});

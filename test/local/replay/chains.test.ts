import { describe, expect, test } from 'vitest';
import { parseAsset, parseChain } from '../../../lib/domain/caip.ts';
import * as Chains from '../../../lib/local/replay/chains.ts';

describe('byName', () => {
  test('default', () => {
    expect(Chains.byName('bsc')).toEqual({
      name: 'bsc',
      chain: 'eip155:56',
      native: { symbol: 'BNB', asset: 'eip155:56/slip44:714', decimals: 18 },
    });
    expect(Chains.byName('near')).toBeUndefined();
  });
});

describe('names', () => {
  test('behavior: every chain and native asset is a valid identifier, and no chain comes twice', () => {
    const chains = Chains.names().map((name) => Chains.byName(name)!);
    for (const { chain, native } of chains) {
      expect(parseChain(chain)).toBe(chain);
      expect(parseAsset(native.asset)).toBe(native.asset);
    }
    expect(new Set(chains.map(({ chain }) => chain)).size).toBe(chains.length);
  });
});

describe('account', () => {
  test('default', () => {
    const address = '0x8bf8cd7F001D0584F98F53a3d82eD0bA498cC3dE';
    expect(Chains.account('eip155:1', address)).toBe(`eip155:1:${address.toLowerCase()}`);
  });

  test('behavior: a colon within an address is encoded', () => {
    expect(Chains.account('kadena:mainnet01', 'k:a9')).toBe('kadena:mainnet01:k%3Aa9');
  });

  test('error: an address that its chain cannot have', () => {
    expect(() => Chains.account('eip155:1', '0x12')).toThrow('CAIP-10');
  });
});

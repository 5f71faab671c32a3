import { fc, test } from '@fast-check/vitest';
import { getAddress } from 'viem/utils';
import { describe, expect } from 'vitest';
import { ChecksumError, parseAccount, parseAsset } from '../../../lib/adapters/wire/identifier.ts';

const CHECKSUMMED = '0x8bf8cd7F001D0584F98F53a3d82eD0bA498cC3dE';
const WRONG = '0x8bf8cd7f001D0584F98F53a3d82eD0bA498cC3dE';

describe('parseAccount', () => {
  test('default', () => {
    expect(parseAccount(`eip155:1:${CHECKSUMMED}`)).toBe(`eip155:1:${CHECKSUMMED.toLowerCase()}`);
  });

  test('H25: one address is one key, however its letters are written', () => {
    const upper = `0x${CHECKSUMMED.slice(2).toUpperCase()}`;
    const written = [CHECKSUMMED, CHECKSUMMED.toLowerCase(), upper];
    expect(new Set(written.map((address) => parseAccount(`eip155:1:${address}`))).size).toBe(1);
  });

  test('H25: error: a checksum that does not hold', () => {
    expect(() => parseAccount(`eip155:1:${WRONG}`)).toThrow(ChecksumError);
    expect(() => parseAccount(`eip155:1:${WRONG}`)).toThrow(/EIP-55 checksum/);
  });

  test('behavior: other namespaces keep their case and have no such checksum', () => {
    const account =
      'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:G3udanrxk8stVe8Se2zXmJ3QwU8GSFJMn28mTfn8t1kq';
    expect(parseAccount(account)).toBe(account);
  });

  test.prop([fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.nat(39)])(
    'behavior: changing the case of one letter of a checksummed address is found',
    (bytes, position) => {
      const address = getAddress(`0x${Buffer.from(bytes).toString('hex')}`);
      expect(parseAccount(`eip155:1:${address}`)).toBe(`eip155:1:${address.toLowerCase()}`);
      const at = position + 2;
      const letter = address[at] ?? '';
      const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
      const changed = address.slice(0, at) + other + address.slice(at + 1);
      const digits = changed.slice(2);
      const isPlain = digits === digits.toLowerCase() || digits === digits.toUpperCase();
      if (other === letter || isPlain) return;
      expect(() => parseAccount(`eip155:1:${changed}`)).toThrow(ChecksumError);
    },
  );
});

describe('parseAsset', () => {
  test('default', () => {
    const dai = 'eip155:1/erc20:0x6B175474E89094C44Da98b954EedeAC495271d0F';
    expect(parseAsset(dai)).toBe(dai.toLowerCase());
    expect(parseAsset('eip155:1/slip44:60')).toBe('eip155:1/slip44:60');
  });

  test('H25: error: a checksum that does not hold', () => {
    expect(() => parseAsset(`eip155:1/erc20:${WRONG}`)).toThrow(ChecksumError);
  });
});

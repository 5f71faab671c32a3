import { describe, expect, test } from 'vitest';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';

const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('nodeDigest', () => {
  test('default: SHA-256 of the UTF-8 text', () => {
    expect(nodeDigest.hash('abc')).toBe(ABC);
  });

  test('behavior: the short hash is its first 32 bits', () => {
    expect(nodeDigest.shortHash('abc')).toBe(0xba7816bf);
  });
});

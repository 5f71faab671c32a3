import { describe, expect, test } from 'vitest';
import { checkCanary } from '../../../lib/adapters/policy-file/check-canary.ts';
import type { Wallet } from '../../../lib/adapters/policy-file/schema.ts';

const ADDRESS = 'eip155:1:0x00000000000000000000000000000000000000ca' as const;

function entry(position: number, value: Partial<Wallet>) {
  const wallet = { name: 'canary', keyDomain: 'canary', addresses: [ADDRESS], canary: 'true' };
  const merged = { ...wallet, ...value } as unknown as Wallet;
  return { path: ['wallets', position], value: merged, line: 1 } as never;
}

function found(...values: readonly Partial<Wallet>[]) {
  return checkCanary(values.map((value, at) => entry(at, value))).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );
}

describe('checkCanary', () => {
  test('default: one wallet, alone in its key domain, with one address', () => {
    expect(found({}, { name: 'hot', keyDomain: 'vault', canary: 'false' })).toEqual([]);
    expect(found({ name: 'hot', canary: 'false' })).toEqual([]);
  });

  test('error: two canaries, a shared key domain, two addresses', () => {
    expect(found({}, { name: 'other', keyDomain: 'other' })).toEqual([
      'wallets.1.canary: is "canary" already; mark one wallet',
    ]);
    expect(found({}, { name: 'hot', canary: 'false' })).toEqual([
      'wallets.0.keyDomain: is shared with "hot"; a canary needs one of its own',
    ]);
    expect(found({ addresses: [ADDRESS, ADDRESS] as never })).toEqual([
      'wallets.0.addresses: a canary has one address',
    ]);
  });
});

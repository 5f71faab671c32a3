import { describe, expect, test } from 'vitest';
import * as Operators from '../../lib/domain/operators.ts';
import type * as Policy from '../../lib/domain/policy.ts';

const rules: Pick<Policy.Policy, 'operators'> = {
  operators: [
    { name: 'alice', address: '0xa1', roles: ['resume'], iam: 'arn:*:alice' },
    { name: 'bob', address: '0xb2', roles: ['pause'] },
  ],
};

describe('byAddress', () => {
  test('default: however the address is written', () => {
    expect(Operators.byAddress(rules, '0xA1')?.name).toBe('alice');
    expect(Operators.byAddress(rules, '0xff')).toBeUndefined();
  });
});

describe('byActor', () => {
  test('default: by what they signed, or by their caller, and nobody else', () => {
    const name = (actor: string) => Operators.byActor(rules, actor)?.name;
    expect(name('operator:alice')).toBe('alice');
    expect(name('operator:bob')).toBe('bob');
    expect(name('arn:aws:alice')).toBe('alice');
    expect(name('arn:aws:mallory')).toBeUndefined();
  });
});

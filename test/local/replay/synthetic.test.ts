import { describe, expect, test } from 'vitest';
import * as Synthetic from '../../../lib/local/replay/synthetic.ts';

describe('address', () => {
  test('default', () => {
    expect(Synthetic.address('eip155:1', 'a')).toMatch(/^eip155:1:0x[0-9a-f]{40}$/);
    expect(Synthetic.address('eip155:1', 'a')).toBe(Synthetic.address('eip155:1', 'a'));
    expect(Synthetic.address('eip155:1', 'a')).not.toBe(Synthetic.address('eip155:1', 'b'));
  });

  test('args: another chain', () => {
    expect(Synthetic.address('xrpl:0', 'a')).toMatch(/^xrpl:0:synthetic-[0-9a-f]{40}$/);
  });
});

describe('transaction', () => {
  test('default', () => {
    expect(Synthetic.transaction('eip155:1', 'a')).toMatch(/^0x[0-9a-f]{64}$/);
    expect(Synthetic.transaction('xrpl:0', 'a')).toMatch(/^[0-9a-f]{64}$/);
  });
});

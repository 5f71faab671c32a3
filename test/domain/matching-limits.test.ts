/** What matching does not do yet: each is stated as it should be, and fails. All of them fail closed. */

import { describe, expect, test } from 'vitest';
import { scene } from '../support/seeing.ts';

describe('match', () => {
  test.fails('two amounts that differ by less than a fee, each paid less a fee, and seen in order', () => {
    const matching = { deductedFeeMax: 1n, graceMs: 0, unseenMs: 1 };
    const { report, see, trips } = scene({ matching });
    report('w1', { amount: 100n });
    report('w2', { amount: 99n });
    see('0xa', { transfer: { amount: 99n } });
    see('0xb', { transfer: { amount: 98n } });
    expect(trips()).toBe(0);
  });

  test.fails('two nonces that were said, and an observer that does not know the nonce of the first', () => {
    const { report, see, trips } = scene();
    report('w1', {}, { nonce: 5 });
    report('w2', {}, { nonce: 6 });
    see('0x6');
    see('0x5', { nonce: 5 });
    expect(trips()).toBe(0);
  });
});

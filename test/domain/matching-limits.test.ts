/** What matching does not do yet: each is stated as it should be, and fails. All of them fail closed. */

import { describe, expect, test } from 'vitest';
import { MINUTE_MS, STRANGER, transfer, usd } from '../support/builders.ts';
import { failed, nonceSpent } from '../support/outcomes.ts';
import { scene } from '../support/seeing.ts';

const batch = {
  batchId: 'b',
  transfer: transfer({ actor: undefined, amount: usd(2) }),
  withdrawalIds: ['w1', 'w2'],
};
const paid = { transfer: { amount: usd(2) } };

/** Two withdrawals that a contract pays together. */
function declared() {
  const made = scene();
  made.reserve('w1');
  made.report('w2', { destination: STRANGER });
  const [outcome] = made.record({ kind: 'batch', batch, bodyHash: 'h' });
  expect(outcome?.result).toBe('batch');
  return made;
}

describe('match', () => {
  test.fails('H66: a transaction that takes another one’s place in a reorg, seen before the removal is told', () => {
    const { report, see, remove, counted, trips } = scene();
    report('w1', {}, { nonce: 6 });
    see('0xa', { nonce: 6, sequence: 1 });
    see('0xb', { nonce: 6, sequence: 2 });
    remove('0xa', 3);
    expect([trips(), counted()]).toEqual([0, [1n, 1]]);
  });

  test.fails('H66: the same, at least counted once when all is told', () => {
    const { report, see, remove, counted } = scene();
    report('w1', {}, { nonce: 6 });
    see('0xa', { nonce: 6, sequence: 1 });
    see('0xb', { nonce: 6, sequence: 2 });
    remove('0xa', 3);
    expect(counted()).toEqual([1n, 1]);
  });

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

  test.fails('26 alike that wait on a chain without a watcher, whose outflows a custodian tells', () => {
    const { report, see, trips } = scene();
    const all = Array.from({ length: 26 }, (_, n) => n);
    for (const n of all) report(`w${n}`);
    for (const n of all) see(`0x${n}`);
    expect(trips()).toBe(0);
  });

  test.fails('a batch one of whose withdrawals was given up: the rest of it', () => {
    const { tell, see, trips } = declared();
    tell(failed('w2', nonceSpent));
    see('0xa', paid);
    expect(trips()).toBe(0);
  });

  test.fails('a withdrawal of a batch that is asked for again awaits nothing of its own', () => {
    const { reserve, state, here, see, trips } = declared();
    state.nowMs += MINUTE_MS;
    reserve('w1');
    const listed = [...here.rows.values()].flatMap(
      ({ ends }) => ends?.approvals.flatMap(({ rowIds }) => rowIds) ?? [],
    );
    expect(listed.toSorted()).toEqual(['withdrawal:w1', 'withdrawal:w2']);
    see('0xa', paid);
    expect(trips()).toBe(0);
  });
});

import { describe, expect, test } from 'vitest';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Matching from '../../lib/domain/matching.ts';
import * as Withdrawal from '../../lib/domain/withdrawal.ts';
import {
  ETH,
  HOT_2,
  incoming,
  outflow,
  STRANGER,
  T0_MS,
  usd,
  withdrawal,
} from '../support/builders.ts';

/** The row of an event in a state. */
function row(
  event: Withdrawal.Withdrawal | Withdrawal.Outflow,
  state: Ledger.RowState,
): Ledger.Row {
  const { bodyHash } = incoming(event);
  const rowId = Withdrawal.rowId(event);
  return { rowId, version: 1, state, decisionId: 'd', bodyHash, atMs: T0_MS, policyVersion: 1 };
}

function match(event: Withdrawal.Withdrawal | Withdrawal.Outflow, rows: readonly Ledger.Row[]) {
  return Matching.match(incoming(event), (rowId) => rows.find((one) => one.rowId === rowId));
}

const w1 = withdrawal('w1');
const claimsW1 = outflow({ transaction: '0xa', withdrawalId: 'w1' });

describe('rowIds', () => {
  test('args: a withdrawal', () => {
    const hashed = incoming(w1);
    expect(Matching.rowIds(hashed)).toEqual([
      'withdrawal:w1',
      `conflict:withdrawal:w1:${hashed.bodyHash}`,
    ]);
  });

  test('args: an outflow with and without a claim', () => {
    const { bodyHash } = incoming(claimsW1);
    const own = 'outflow:eip155:1:0xa:top';
    expect(Matching.rowIds(incoming(claimsW1))).toEqual([
      own,
      'withdrawal:w1',
      `conflict:${own}:${bodyHash}`,
    ]);
    expect(Matching.rowIds(incoming(outflow({ transaction: '0xa' })))).toEqual([
      own,
      `conflict:${own}:${bodyHash}`,
    ]);
  });
});

describe('match', () => {
  test('behavior: H77: a withdrawal that is held counts as new when it is reported, and awaits no outflow', () => {
    expect(match(w1, [row(w1, 'held')])).toEqual({ kind: 'new-withdrawal' });
    expect(match(claimsW1, [row(w1, 'held')])).toEqual({
      kind: 'unmatched-outflow',
      why: 'withdrawal w1 is held and awaits no outflow',
    });
    const other = withdrawal('w1', { amount: usd(2) });
    expect(match(other, [row(w1, 'held')])).toMatchObject({ kind: 'conflict' });
  });

  test('behavior: a withdrawal not seen before', () => {
    expect(match(w1, [])).toEqual({ kind: 'new-withdrawal' });
  });

  test.each(['reported', 'matched'] as const)('behavior: H14: a withdrawal that is %s', (state) => {
    expect(match(w1, [row(w1, state)])).toEqual({ kind: 'duplicate' });
  });

  test('behavior: a withdrawal whose outflow was counted when it was seen', () => {
    const claimed = row(w1, 'claimed');
    expect(match(w1, [claimed])).toEqual({ kind: 'late-report', claimed });
  });

  test.each(['reported', 'reserved', 'claimed', 'matched', 'failed', 'cancelled'] as const)(
    'behavior: H14: a withdrawal that is %s with another body conflicts once for each body',
    (state) => {
      const other = withdrawal('w1', { amount: usd(2) });
      const noteId = `conflict:withdrawal:w1:${incoming(other).bodyHash}`;
      expect(match(other, [row(w1, state)])).toEqual({ kind: 'conflict', noteId });
      const note = { ...row(other, 'noted'), rowId: noteId };
      expect(match(other, [row(w1, state), note])).toEqual({ kind: 'duplicate' });
      const third = withdrawal('w1', { amount: usd(3) });
      expect(match(third, [row(w1, state), note]).kind).toBe('conflict');
    },
  );

  test('behavior: H62: an outflow that names nothing, or what nobody approved', () => {
    expect(match(outflow({ transaction: '0xa' }), [])).toEqual({
      kind: 'unmatched-outflow',
      why: 'it names no approved withdrawal',
    });
    expect(match(claimsW1, [])).toEqual({
      kind: 'unmatched-outflow',
      why: 'withdrawal w1 was never approved',
      claims: 'withdrawal:w1',
    });
  });

  test('behavior: an outflow of an approved withdrawal', () => {
    for (const state of ['reported', 'reserved'] as const) {
      const withdrawal = row(w1, state);
      expect(match(claimsW1, [withdrawal])).toEqual({ kind: 'matched-outflow', withdrawal });
    }
  });

  test.each(['matched', 'claimed', 'noted', 'failed', 'cancelled'] as const)(
    'behavior: H63: an outflow that names a withdrawal that is %s',
    (state) => {
      const found = match(claimsW1, [row(w1, state)]);
      expect(found).toEqual({
        kind: 'unmatched-outflow',
        why: `withdrawal w1 is ${state} and awaits no outflow`,
      });
    },
  );

  test.each([
    [{ amount: usd(1) + 1n }],
    [{ amount: usd(1) - 1n }],
    [{ asset: ETH }],
    [{ account: HOT_2 }],
    [{ destination: STRANGER }],
    [{ memo: '1' }],
  ])('behavior: H63: an outflow that differs from its withdrawal in %o', (other) => {
    const differs = outflow({ transaction: '0xa', withdrawalId: 'w1' }, other);
    expect(match(differs, [row(w1, 'reported')])).toEqual({
      kind: 'unmatched-outflow',
      why: 'withdrawal w1 was approved with other content',
    });
  });

  test.each(['matched', 'unmatched'] as const)('behavior: H14: an outflow that is %s', (state) => {
    const seen = row(claimsW1, state);
    expect(match(claimsW1, [seen])).toEqual({ kind: 'duplicate' });
    expect(match(outflow({ transaction: '0xa', withdrawalId: 'w2' }), [seen])).toEqual({
      kind: 'duplicate',
    });
    const other = outflow({ transaction: '0xa', withdrawalId: 'w1' }, { amount: usd(2) });
    expect(match(other, [seen]).kind).toBe('conflict');
  });

  test('behavior: H25: one id in two cases is two withdrawals', () => {
    expect(match(withdrawal('W1'), [row(w1, 'reported')])).toEqual({ kind: 'new-withdrawal' });
  });
});

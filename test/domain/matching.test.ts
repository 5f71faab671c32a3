import { describe, expect, test } from 'vitest';
import * as Approval from '../../lib/domain/approval.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Matching from '../../lib/domain/matching.ts';
import * as Withdrawal from '../../lib/domain/withdrawal.ts';
import {
  CUSTOMER,
  ETH,
  HOT_2,
  incoming,
  outflow,
  STRANGER,
  subject,
  T0_MS,
  transfer,
  usd,
  withdrawal,
} from '../support/builders.ts';

const ENDS = Approval.endsId(transfer());
const RULES: Matching.Rules = { deductedMax: 0n, atMs: T0_MS, isOwn: () => false };

/** The row of an event in a state. */
function row(
  event: Withdrawal.Withdrawal | Withdrawal.Outflow,
  state: Ledger.RowState,
  more: Partial<Ledger.Row> = {},
): Ledger.Row {
  const { bodyHash } = incoming(event);
  const rowId = Withdrawal.rowId(event);
  const money = {
    transfer: event.transfer,
    subject: subject(),
    charged: [],
    chargedAtMs: T0_MS,
  };
  const kept = { version: 1, decisionId: 'd', bodyHash, atMs: T0_MS, policyVersion: 1 };
  return { rowId, state, ...kept, ...(state === 'noted' ? {} : { money }), ...more };
}

/** The row of two ends. */
function ends(some: Partial<Approval.Ends>, rowId = ENDS): Ledger.Row {
  const kept = { version: 1, decisionId: 'd', bodyHash: '', atMs: T0_MS, policyVersion: 1 };
  return { rowId, state: 'noted', ...kept, ends: { ...Approval.NOTHING, ...some } };
}

function match(
  event: Withdrawal.Withdrawal | Withdrawal.Outflow,
  rows: readonly Ledger.Row[],
  rules: Partial<Matching.Rules> = {},
) {
  const rowOf = (rowId: string) => rows.find((one) => one.rowId === rowId);
  return Matching.match(incoming(event), rowOf, { ...RULES, ...rules });
}

const w1 = withdrawal('w1');
const w2 = withdrawal('w2');
const claimsW1 = outflow({ transaction: '0xa', withdrawalId: 'w1' });
const unnamed = outflow({ transaction: '0xa' });
const waits = (rowId: string, more: Partial<Approval.Approval> = {}): Approval.Approval => ({
  rowIds: [rowId],
  amount: usd(1),
  ...more,
});

describe('rowIds', () => {
  test('args: a withdrawal', () => {
    const hashed = incoming(w1);
    expect(Matching.rowIds(hashed)).toEqual([
      'withdrawal:w1',
      ENDS,
      `conflict:withdrawal:w1:${hashed.bodyHash}`,
    ]);
  });

  test('args: an outflow with and without a claim', () => {
    const { bodyHash } = incoming(claimsW1);
    const own = 'outflow:eip155:1:0xa:top';
    expect(Matching.rowIds(incoming(claimsW1))).toEqual([
      own,
      'withdrawal:w1',
      ENDS,
      `conflict:${own}:${bodyHash}`,
    ]);
    expect(Matching.rowIds(incoming(unnamed))).toEqual([own, ENDS, `conflict:${own}:${bodyHash}`]);
  });
});

describe('further', () => {
  const none = () => 0n;
  const rowsOf = (...all: readonly Ledger.Row[]) => new Map(all.map((one) => [one.rowId, one]));

  test('behavior: nothing waits, nothing more is read', () => {
    expect(Matching.further(rowsOf(), [w1, unnamed], none)).toEqual([]);
  });

  test('behavior: as many approvals as there are outflows between the same ends, the best first', () => {
    const approvals = ['withdrawal:w1', 'withdrawal:w2', 'withdrawal:w3'].map((id) => waits(id));
    const rows = rowsOf(ends({ approvals }));
    const other = outflow({ transaction: '0xb' });
    expect(Matching.further(rows, [unnamed], none)).toEqual(['withdrawal:w1']);
    expect(Matching.further(rows, [unnamed, other], none)).toEqual([
      'withdrawal:w1',
      'withdrawal:w2',
    ]);
    const elsewhere = outflow({ transaction: '0xc' }, { destination: STRANGER });
    expect(Matching.further(rows, [unnamed, elsewhere], none)).toEqual(['withdrawal:w1']);
  });

  test('behavior: all that a batch pays', () => {
    const approvals = [{ rowIds: ['withdrawal:w1', 'withdrawal:w2'], amount: usd(1) }];
    expect(Matching.further(rowsOf(ends({ approvals })), [unnamed], none)).toEqual([
      'withdrawal:w1',
      'withdrawal:w2',
    ]);
  });

  test('behavior: what falls short of its approval by a fee', () => {
    const rows = rowsOf(ends({ approvals: [waits('withdrawal:w1')] }));
    const short = outflow({ transaction: '0xa' }, { amount: usd(1) - 5n });
    expect(Matching.further(rows, [short], () => 4n)).toEqual([]);
    expect(Matching.further(rows, [short], () => 5n)).toEqual(['withdrawal:w1']);
  });

  test('behavior: outflows that a report may be about, and the one that named it', () => {
    const seen = { rowId: 'outflow:x', amount: usd(1), transaction: '0xa' };
    const rows = rowsOf(ends({ seen: [seen] }), row(w1, 'claimed', { link: 'outflow:y' }));
    expect(Matching.further(rows, [w1], none)).toEqual(['outflow:y', 'outflow:x']);
  });
});

describe('linked', () => {
  test('default', () => {
    expect(Matching.linked(undefined)).toEqual([]);
    expect(Matching.linked(row(w1, 'reported'))).toEqual([]);
    expect(Matching.linked(row(unnamed, 'matched', { link: 'a', links: ['b', 'c'] }))).toEqual([
      'a',
      'b',
      'c',
    ]);
  });
});

describe('replaceable', () => {
  test('behavior: with its nonce, in another transaction', () => {
    const met = ['0xa', '0xab', '0xb'].map((transaction) => ({
      rowId: `outflow:eip155:1:${transaction}:top`,
      nonce: transaction === '0xb' ? 7 : 6,
    }));
    const one = { ...unnamed, nonce: 6 };
    expect(Matching.replaceable({ ...Approval.NOTHING, met }, one)).toEqual([met[1]]);
    expect(Matching.replaceable({ ...Approval.NOTHING, met }, unnamed)).toEqual([]);
    expect(Matching.replaceable(Approval.NOTHING, one)).toEqual([]);
  });
});

describe('isOutdated', () => {
  test.each([
    [undefined, undefined, false],
    [undefined, 1, false],
    [5, undefined, false],
    [5, 4, true],
    [5, 5, true],
    [5, 6, false],
  ])('args: known %s, told %s', (known, told, expected) => {
    const about = row(unnamed, 'matched', known === undefined ? {} : { sequence: known });
    expect(Matching.isOutdated(about, { sequence: told })).toBe(expected);
  });
});

describe('approvalOf', () => {
  test('args: what the service said', () => {
    expect(Matching.approvalOf('r', transfer(), undefined)).toEqual({
      rowIds: ['r'],
      amount: usd(1),
    });
    expect(Matching.approvalOf('r', transfer(), { transaction: '0xa', nonce: 0 })).toEqual({
      rowIds: ['r'],
      amount: usd(1),
      transaction: '0xa',
      nonce: 0,
    });
  });
});

describe('match: a report', () => {
  test('behavior: a withdrawal not seen before', () => {
    expect(match(w1, [])).toEqual({ kind: 'new-withdrawal' });
  });

  test('behavior: H77: a withdrawal that is held counts as new when it is reported', () => {
    expect(match(w1, [row(w1, 'held')])).toEqual({ kind: 'new-withdrawal' });
    const other = withdrawal('w1', { amount: usd(2) });
    expect(match(other, [row(w1, 'held')])).toMatchObject({ kind: 'conflict' });
  });

  test.each(['reported', 'reserved', 'matched', 'failed', 'cancelled'] as const)(
    'behavior: H14: a withdrawal that is %s',
    (state) => {
      expect(match(w1, [row(w1, state)])).toEqual({ kind: 'duplicate' });
    },
  );

  test('behavior: a withdrawal that an outflow named before', () => {
    const seen = row(claimsW1, 'unmatched');
    const claimed = row(w1, 'claimed', { link: seen.rowId });
    expect(match(w1, [claimed, seen])).toEqual({ kind: 'late-report', seen });
  });

  test('behavior: H66: the outflow that named it is not on the chain any more: it counts', () => {
    const claimed = row(w1, 'claimed', { link: 'outflow:eip155:1:0xa:top' });
    const gone = row(claimsW1, 'removed');
    expect(match(w1, [claimed, gone])).toEqual({ kind: 'new-withdrawal' });
    expect(match(w1, [claimed])).toEqual({ kind: 'new-withdrawal' });
  });

  test('behavior: an outflow between the same ends, of the same amount, that nobody approved', () => {
    const seen = row(unnamed, 'unmatched');
    const noted = { rowId: seen.rowId, amount: usd(1), transaction: '0xa' };
    expect(match(w1, [seen, ends({ seen: [noted] })])).toEqual({ kind: 'late-report', seen });
    for (const state of ['matched', 'removed'] as const) {
      const taken = row(unnamed, state);
      expect(match(w1, [taken, ends({ seen: [noted] })])).toEqual({ kind: 'new-withdrawal' });
    }
    const more = withdrawal('w1', { amount: usd(1) + 1n });
    expect(match(more, [seen, ends({ seen: [noted] })])).toEqual({ kind: 'new-withdrawal' });
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

  test('behavior: H25: one id in two cases is two withdrawals', () => {
    expect(match(withdrawal('W1'), [row(w1, 'reported')])).toEqual({ kind: 'new-withdrawal' });
  });
});

describe('match: an outflow that names a withdrawal', () => {
  test('behavior: H62: that nobody approved', () => {
    expect(match(claimsW1, [])).toEqual({
      kind: 'unmatched-outflow',
      why: 'withdrawal w1 was never approved',
      claims: 'withdrawal:w1',
    });
  });

  test.each(['reported', 'reserved'] as const)('behavior: that is %s', (state) => {
    const withdrawals = [row(w1, state)];
    expect(match(claimsW1, withdrawals)).toEqual({
      kind: 'matched-outflow',
      withdrawals,
      excess: 0n,
    });
  });

  test.each(['held', 'matched', 'claimed', 'noted', 'failed', 'cancelled'] as const)(
    'behavior: H63: that is %s',
    (state) => {
      expect(match(claimsW1, [row(w1, state)])).toEqual({
        kind: 'unmatched-outflow',
        why: `withdrawal w1 is ${state} and awaits no outflow`,
      });
    },
  );

  test('behavior: H63: no other approval stands in for it', () => {
    const rows = [row(w1, 'matched'), row(w2, 'reported')];
    const waiting = ends({ approvals: [waits('withdrawal:w2')] });
    expect(match(claimsW1, [...rows, waiting]).kind).toBe('unmatched-outflow');
  });

  test.each([
    [{ amount: usd(1) - 1n }],
    [{ amount: 0n }],
    [{ asset: ETH }],
    [{ account: HOT_2 }],
    [{ destination: STRANGER }],
    [{ memo: '1' }],
  ])('behavior: H63: that differs from it in %o', (other) => {
    const differs = outflow({ transaction: '0xa', withdrawalId: 'w1' }, other);
    expect(match(differs, [row(w1, 'reported')])).toEqual({
      kind: 'unmatched-outflow',
      why: 'withdrawal w1 was approved with other content',
    });
  });

  test('behavior: beyond its amount, by the difference; short of it, by no more than a fee', () => {
    const moving = (amount: bigint) =>
      outflow({ transaction: '0xa', withdrawalId: 'w1' }, { amount });
    const rows = [row(w1, 'reported')];
    expect(match(moving(usd(1) + 1n), rows)).toMatchObject({ excess: 1n });
    expect(match(moving(usd(1) - 7n), rows, { deductedMax: 7n })).toMatchObject({ excess: 0n });
    expect(match(moving(usd(1) - 8n), rows, { deductedMax: 7n }).kind).toBe('unmatched-outflow');
  });

  test('behavior: H63: with another nonce than was said', () => {
    const said = row(w1, 'reported', { sent: { nonce: 7 } });
    expect(match({ ...claimsW1, nonce: 8 }, [said]).kind).toBe('unmatched-outflow');
    expect(match({ ...claimsW1, nonce: 7 }, [said]).kind).toBe('matched-outflow');
  });
});

describe('match: an outflow that names nothing', () => {
  test('behavior: H62: that nothing awaits', () => {
    expect(match(unnamed, [])).toEqual({
      kind: 'unmatched-outflow',
      why: 'no approved withdrawal awaits it',
    });
  });

  test('behavior: that one awaits', () => {
    const withdrawals = [row(w1, 'reported')];
    const waiting = ends({ approvals: [waits('withdrawal:w1')] });
    expect(match(unnamed, [...withdrawals, waiting])).toEqual({
      kind: 'matched-outflow',
      withdrawals,
      excess: 0n,
    });
  });

  test.each(['held', 'matched', 'failed', 'cancelled', 'claimed'] as const)(
    'behavior: H63: that one awaits which is %s',
    (state) => {
      const waiting = ends({ approvals: [waits('withdrawal:w1')] });
      expect(match(unnamed, [row(w1, state), waiting]).kind).toBe('unmatched-outflow');
    },
  );

  test('behavior: H63: what was not read is awaited by nobody', () => {
    const waiting = ends({ approvals: [waits('withdrawal:w1')] });
    expect(match(unnamed, [waiting]).kind).toBe('unmatched-outflow');
  });

  test('behavior: H23: that a batch awaits, while all of it does', () => {
    const approvals = [{ rowIds: ['withdrawal:w1', 'withdrawal:w2'], amount: usd(1) }];
    const open = [row(w1, 'reported'), row(w2, 'reserved')];
    expect(match(unnamed, [...open, ends({ approvals })])).toMatchObject({ withdrawals: open });
    const broken = [row(w1, 'reported'), row(w2, 'cancelled')];
    expect(match(unnamed, [...broken, ends({ approvals })]).kind).toBe('unmatched-outflow');
  });

  test.each([
    [{ asset: ETH }],
    [{ account: HOT_2 }],
    [{ destination: STRANGER }],
    [{ memo: '1' }],
    [{ amount: usd(1) + 1n }],
    [{ amount: usd(1) - 1n }],
  ])('behavior: H63: that differs in %o', (other) => {
    const rows = [row(w1, 'reported'), ends({ approvals: [waits('withdrawal:w1')] })];
    expect(match(outflow({ transaction: '0xa' }, other), rows).kind).toBe('unmatched-outflow');
  });

  test('behavior: to an address of the exchange’s own, unless somebody awaits it', () => {
    const isOwn = (account: string) => account === CUSTOMER;
    expect(match(unnamed, [], { isOwn })).toEqual({ kind: 'moved-outflow' });
    const rows = [row(w1, 'reported'), ends({ approvals: [waits('withdrawal:w1')] })];
    expect(match(unnamed, rows, { isOwn }).kind).toBe('matched-outflow');
  });

  test('behavior: H64: under a declared movement: just enough, just alive', () => {
    const movement = { movementId: 'm', left: usd(1), untilMs: T0_MS + 1 };
    const under = (one: typeof movement) => match(unnamed, [ends({ movements: [one] })]);
    expect(under(movement)).toEqual({ kind: 'moved-outflow', movement });
    expect(under({ ...movement, left: usd(1) - 1n }).kind).toBe('unmatched-outflow');
    expect(under({ ...movement, untilMs: T0_MS }).kind).toBe('unmatched-outflow');
  });

  test('behavior: H72: of zero, without and with a fee', () => {
    const zero = outflow({ transaction: '0xa' }, { amount: 0n });
    expect(match(zero, [])).toEqual({ kind: 'nothing-moved' });
    const paid = outflow({ transaction: '0xa' }, { amount: 0n, fee: { asset: ETH, amount: 1n } });
    expect(match(paid, [])).toEqual({ kind: 'fee-only' });
    const none = outflow({ transaction: '0xa' }, { amount: 0n, fee: { asset: ETH, amount: 0n } });
    expect(match(none, [])).toEqual({ kind: 'nothing-moved' });
  });

  test('behavior: H72: one of zero takes no approval, however small that is and whatever may be deducted', () => {
    const rows = [row(w1, 'reported'), ends({ approvals: [waits('withdrawal:w1')] })];
    const deductedMax = usd(2);
    for (const fee of [undefined, { asset: ETH, amount: 1n }]) {
      const zero = outflow({ transaction: '0xa' }, { amount: 0n, fee });
      expect(match(zero, rows, { deductedMax }).kind).not.toBe('matched-outflow');
      const claims = outflow({ transaction: '0xa', withdrawalId: 'w1' }, { amount: 0n, fee });
      expect(match(claims, rows, { deductedMax }).kind).not.toBe('matched-outflow');
    }
  });
});

describe('match: an outflow again', () => {
  test.each(['matched', 'unmatched', 'moved', 'kept', 'replaced'] as const)(
    'behavior: H14: that is %s',
    (state) => {
      const seen = row(claimsW1, state);
      expect(match(claimsW1, [seen])).toEqual({ kind: 'duplicate' });
      expect(match(outflow({ transaction: '0xa', withdrawalId: 'w2' }), [seen])).toEqual({
        kind: 'duplicate',
      });
      const other = outflow({ transaction: '0xa', withdrawalId: 'w1' }, { amount: usd(2) });
      expect(match(other, [seen]).kind).toBe('conflict');
    },
  );

  test('behavior: H66: that was removed: only what is newer is seen afresh, whatever its body', () => {
    const gone = row(unnamed, 'removed', { sequence: 5 });
    const at = (sequence?: number) => match({ ...unnamed, sequence }, [gone]).kind;
    expect([at(4), at(5), at(6), at()]).toEqual([
      'duplicate',
      'duplicate',
      'unmatched-outflow',
      'unmatched-outflow',
    ]);
    const other = outflow({ transaction: '0xa' }, { amount: usd(2) });
    expect(match({ ...other, sequence: 6 }, [gone]).kind).toBe('unmatched-outflow');
  });
});

/** A transaction that takes another one's place, and batches that come apart: what waits, and what is counted. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Approval from '../../lib/domain/approval.ts';
import type * as Decision from '../../lib/domain/decision.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Build from '../support/builders.ts';
import { failed, nonceSpent, settled } from '../support/outcomes.ts';
import { fee, scene } from '../support/seeing.ts';

const { CHAIN, MINUTE_MS, STRANGER, transfer, usd } = Build;

const atSixth = { nonce: 6 } as const;

/** An outflow that is not confirmed yet; one in a node's pool has no sequence. */
function pending(transaction: string, nonce: number, more: { readonly sequence?: number } = {}) {
  const event = { ...Build.outflow({ transaction }), nonce, ...more };
  const { bodyHash } = Build.incoming(event);
  return { kind: 'sighted', event, bodyHash } satisfies Decision.Incoming;
}

describe('supersede', () => {
  test('behavior: H66: seen before the removal is told: nothing trips, and it counts once all along', () => {
    const { report, see, remove, counted, trips, row, ends } = scene();
    report('w1', {}, atSixth);
    see('0xa', { nonce: 6, sequence: 1, transfer: { fee: fee(3) } });
    expect(see('0xb', { nonce: 6, sequence: 2, transfer: { fee: fee(6) } })).toBe(
      'matched-outflow',
    );
    expect([trips(), counted()]).toEqual([0, [7n, 1]]);
    expect(row('0xa')).toMatchObject({ state: 'removed', sequence: 2 });
    expect(row('w1')).toMatchObject({ state: 'matched', link: 'outflow:eip155:1:0xb:top' });
    expect(remove('0xa', 3)).toBe('removed');
    expect([trips(), counted(), ends().approvals]).toEqual([0, [7n, 1], []]);
  });

  test('behavior: H66: the first one comes back: it takes the place again', () => {
    const { report, see, remove, counted, trips, row } = scene();
    report('w1');
    see('0xa', { nonce: 6, sequence: 1 });
    see('0xb', { nonce: 6, sequence: 2 });
    expect(see('0xa', { nonce: 6, sequence: 1 })).toBe('duplicate');
    expect(see('0xa', { nonce: 6, sequence: 3 })).toBe('matched-outflow');
    remove('0xb', 4);
    expect([trips(), counted(), row('w1')?.link]).toEqual([0, [1n, 1], 'outflow:eip155:1:0xa:top']);
  });

  test('behavior: H66: both in one batch of events, and the withdrawal reported after the first', () => {
    const { report, record, sight, see, counted, trips } = scene();
    report('w1');
    record(sight('0xa', { nonce: 6, sequence: 1 }), sight('0xb', { nonce: 6, sequence: 2 }));
    expect([trips(), counted()]).toEqual([0, [1n, 1]]);
    const late = scene({ matching: { deductedFeeMax: 0n, graceMs: MINUTE_MS, unseenMs: 1 } });
    late.see('0xa', { nonce: 6, sequence: 1 });
    late.report('w1');
    late.see('0xb', { nonce: 6, sequence: 2 });
    late.state.nowMs += 2 * MINUTE_MS;
    late.expire();
    expect([late.trips(), late.counted()]).toEqual([0, [1n, 1]]);
    expect(see('0xc', { nonce: 7, sequence: 3 })).toBe('unmatched-outflow');
  });

  test.each([
    ['another nonce', { nonce: 7, sequence: 2 }],
    ['no nonce', { sequence: 2 }],
    ['an older count', { nonce: 6, sequence: 0 }],
    ['no count', { nonce: 6 }],
    ['another way', { nonce: 6, sequence: 2, transfer: { destination: STRANGER } }],
  ])('behavior: H63: with %s nothing takes its place', (_, more) => {
    const { report, see, counted, trips, row } = scene();
    report('w1');
    see('0xa', { nonce: 6, sequence: 1 });
    expect(see('0xb', more)).toBe('unmatched-outflow');
    expect([trips(), counted(), row('0xa')?.state]).toEqual([1, [2n, 2], 'matched']);
  });

  test('behavior: H63: two outflows of one transaction have one nonce, and both stand', () => {
    const { report, record, sight, see, counted, trips } = scene();
    report('w1');
    const [first] = [sight('0xa', { nonce: 6, sequence: 1 })];
    const second = Build.incoming({
      ...Build.outflow({ transaction: '0xa', place: 'trace:0' }),
      nonce: 6,
      sequence: 1,
    });
    const outcomes = record(first, second);
    expect(outcomes.map(({ result }) => result)).toEqual(['matched-outflow', 'unmatched-outflow']);
    expect([trips(), counted()]).toEqual([1, [2n, 2]]);
    expect(see('0xb', { nonce: 7, sequence: 2 })).toBe('unmatched-outflow');
  });

  test('behavior: H62: one that moves more in its place trips for it, and the withdrawal waits', () => {
    const { report, see, trips, row } = scene();
    report('w1');
    see('0xa', { nonce: 6, sequence: 1 });
    expect(see('0xb', { nonce: 6, sequence: 2, transfer: { amount: usd(5) } })).toBe(
      'unmatched-outflow',
    );
    expect([trips(), row('w1')?.state]).toEqual([1, 'reported']);
  });

  test.each([{ sequence: 2 }, {}])(
    'behavior: at first sight it trips nothing, and the first one stands: %o',
    (more) => {
      const { report, record, see, counted, trips, row } = scene();
      report('w1');
      see('0xa', { nonce: 6, sequence: 1 });
      expect(record(pending('0xb', 6, more))[0]?.result).toBe('expected');
      expect([trips(), counted(), row('0xa')?.state]).toEqual([0, [1n, 1], 'matched']);
      expect(record(pending('0xc', 7, more))[0]?.result).toBe('sighted');
    },
  );

  test('behavior: P11, H66: whatever takes whose place, and whenever removals are told, all is counted once', () => {
    const steps = fc.array(fc.record({ nonce: fc.nat(3), variant: fc.nat(2), tells: fc.nat(2) }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(steps, (history) => {
        const { report, see, remove, counted, trips, row } = scene();
        for (const n of [0, 1, 2, 3]) report(`w${n}`);
        const standing = new Map<number, string>();
        const late: (readonly [string, number])[] = [];
        let sequence = 0;
        const tell = (count: number) => {
          for (const [name, at] of late.splice(0, count)) remove(name, at);
          expect([trips(), counted()]).toEqual([0, [4n, 4]]);
        };
        for (const { nonce, variant, tells } of history) {
          const name = `0x${nonce}${variant}`;
          const before = standing.get(nonce);
          standing.set(nonce, name);
          sequence += 2;
          see(name, { nonce, sequence });
          if (before !== undefined && before !== name) late.push([before, sequence + 1]);
          tell(tells);
        }
        tell(late.length);
        const stands = [...standing.values()].map((name) => row(name)?.state);
        expect(stands).toEqual(stands.map(() => 'matched'));
      }),
      { numRuns: 100 },
    );
  });

  test('behavior: the ten newest outflows of two ends can be replaced', () => {
    const { report, see, ends, remove } = scene();
    for (let n = 0; n < 11; n += 1) {
      report(`w${n}`);
      see(`0x${n}`, { nonce: n, sequence: n + 1 });
    }
    expect(ends().met?.map(({ nonce }) => nonce)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(see('0xb', { nonce: 1, sequence: 20 })).toBe('matched-outflow');
    remove('0xb', 21);
    expect(see('0xc', { nonce: 0, sequence: 22 })).toBe('matched-outflow');
    expect(see('0xd', { nonce: 2, sequence: 22 })).toBe('matched-outflow');
    expect(see('0xe', { nonce: 0, sequence: 21 })).toBe('unmatched-outflow');
  });
});

describe('expect', () => {
  test.each([
    [true, 'matched-outflow', 0],
    [undefined, 'unmatched-outflow', 1],
  ] as const)(
    'behavior: 26 alike on a chain without a watcher, observed by others: %s',
    (observed, last, tripped) => {
      const chains: Policy.Policy['chains'] = [{ pattern: CHAIN, name: 'Ethereum', observed }];
      const { report, see, trips } = scene({ chains });
      const all = Array.from({ length: 26 }, (_, n) => n);
      for (const n of all) report(`w${n}`);
      const results = all.map((n) => see(`0x${n}`));
      expect([results.at(-1), trips()]).toEqual([last, tripped]);
    },
  );
});

const CONTRACT = `eip155:1:0x${'d'.repeat(40)}` as const;
const payout = transfer({ actor: undefined, amount: usd(2), destination: CONTRACT });
const batch = { batchId: 'b', transfer: payout, withdrawalIds: ['w1', 'w2'] };
const paid = { transfer: { amount: usd(2), destination: CONTRACT } };
const toStranger = { transfer: { destination: STRANGER } };

/** Two withdrawals that a contract pays together. */
function declared() {
  const made = scene();
  made.reserve('w1');
  made.report('w2', { destination: STRANGER });
  const declare = (batchId = 'b') =>
    made.record({ kind: 'batch', batch: { ...batch, batchId }, bodyHash: batchId })[0]?.result;
  expect(declare()).toBe('batch');
  const waiting = () =>
    [...made.here.rows.values()].flatMap(
      ({ ends }) => ends?.approvals.map(({ rowIds }) => rowIds.join('+')) ?? [],
    );
  return { ...made, declare, waiting };
}

describe('leave', () => {
  test('behavior: one is given up: the others wait by themselves, and nobody awaits the old sum', () => {
    const { tell, see, trips, waiting, row, counted } = declared();
    expect(waiting()).toEqual(['withdrawal:w1+withdrawal:w2']);
    expect(tell(failed('w2', nonceSpent))).toEqual(['recorded']);
    expect([waiting(), row('w1')?.payout]).toEqual([['withdrawal:w1'], undefined]);
    expect([see('0xa'), trips(), counted()]).toEqual(['matched-outflow', 0, [1n, 1]]);
    expect(see('0xb', paid)).toBe('unmatched-outflow');
  });

  test('behavior: both are given up in one decision', () => {
    const { tell, waiting, counted } = declared();
    expect(tell(failed('w1', nonceSpent), failed('w2', nonceSpent))).toEqual([
      'recorded',
      'recorded',
    ]);
    expect([waiting(), counted()]).toEqual([[], [0n, 0]]);
  });

  test('behavior: one leaves by itself, and says so: the other waits by itself', () => {
    const { see, trips, waiting, row } = declared();
    expect(see('0xa', { claims: 'w2', ...toStranger })).toBe('matched-outflow');
    expect([waiting(), row('w2')?.payout]).toEqual([['withdrawal:w1'], undefined]);
    expect([see('0xb'), trips()]).toEqual(['matched-outflow', 0]);
  });

  test('behavior: H66: the payout is taken off the chain: both wait for it again, and come apart', () => {
    const { see, remove, tell, waiting, trips } = declared();
    expect(see('0xa', { ...paid, sequence: 1 })).toBe('matched-outflow');
    remove('0xa', 2);
    expect(waiting()).toEqual(['withdrawal:w1+withdrawal:w2']);
    tell(failed('w2', nonceSpent));
    expect(waiting()).toEqual(['withdrawal:w1']);
    expect([see('0xb', { sequence: 3 }), trips()]).toEqual(['matched-outflow', 0]);
  });

  test('behavior: H66: another payout takes the place of the first', () => {
    const { see, trips, waiting, counted } = declared();
    see('0xa', { ...paid, nonce: 6, sequence: 1 });
    expect(see('0xb', { ...paid, nonce: 6, sequence: 2 })).toBe('matched-outflow');
    expect([trips(), waiting(), counted()]).toEqual([0, [], [2n, 2]]);
  });

  test('behavior: what was settled stays in it', () => {
    const { tell, waiting, see, trips } = declared();
    tell(settled('w1'));
    expect(waiting()).toEqual(['withdrawal:w1+withdrawal:w2']);
    expect([see('0xa', paid), trips()]).toEqual(['matched-outflow', 0]);
  });
});

describe('declare', () => {
  test('behavior: a withdrawal that is asked for again, or reported with its transaction, it awaits nothing of its own', () => {
    const { reserve, report, state, see, trips, waiting, row } = declared();
    state.nowMs += MINUTE_MS;
    expect(reserve('w1')).toBe('allow');
    report('w2', { destination: STRANGER }, { transaction: '0xa' });
    expect(row('w1')?.payout).toBe(Approval.endsId(payout));
    expect(waiting()).toEqual(['withdrawal:w1+withdrawal:w2']);
    expect([see('0xa', paid), trips()]).toEqual(['matched-outflow', 0]);
    expect(see('0xb')).toBe('unmatched-outflow');
  });
});

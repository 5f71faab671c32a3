import { describe, expect, test } from 'vitest';
import { closeWithdrawal } from '../../lib/actions/close-withdrawal.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import * as Batch from '../../lib/domain/batch.ts';
import type * as Decision from '../../lib/domain/decision.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type { Transfer } from '../../lib/domain/withdrawal.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';

const { HOT_2, usd } = Build;
/** A contract that pays many. */
const DISPERSE = `eip155:1:0x${'d'.repeat(40)}` as const;
const OTHER_CONTRACT = `eip155:1:0x${'e'.repeat(40)}` as const;

function batchOf(batchId: string, dollars: number, withdrawalIds: readonly string[]): Batch.Batch {
  const transfer = Build.transfer({
    actor: undefined,
    destination: DISPERSE,
    amount: usd(dollars),
  });
  return { batchId, transfer, withdrawalIds };
}

function declared(batch: Batch.Batch): Decision.Incoming {
  return { kind: 'batch', batch, bodyHash: Build.hash(Batch.canonicalBody(batch)) };
}

async function decide(made: TestWorld, ...events: readonly Decision.Incoming[]) {
  const recorded = await recordEvents(made.world.decision, events);
  return recorded.map((one) =>
    one.kind === 'decided' ? one.outcome.result : (one.error as Error).message,
  );
}

/** Customers each have an address of their own. */
function customer(position: number): `eip155:1:0x${string}` {
  return `eip155:1:0x${(0xa000 + position).toString(16).padStart(40, '0')}`;
}

/** A world in which w-1 (1 USD), w-2 (2 USD) and so on were reported. */
async function reported(count: number, more: Partial<Transfer> = {}): Promise<TestWorld> {
  const made = await readyWorld(Build.policy());
  const events = Array.from({ length: count }, (_, position) =>
    Build.incoming(
      Build.withdrawal(`w-${position + 1}`, {
        amount: usd(position + 1),
        destination: customer(position),
        ...more,
      }),
    ),
  );
  await recordEvents(made.world.decision, events);
  return made;
}

function ids(count: number): readonly string[] {
  return Array.from({ length: count }, (_, position) => `w-${position + 1}`);
}

function payout(transaction: string, dollars: number, more: Partial<Transfer> = {}) {
  return Build.incoming(
    Build.outflow({ transaction }, { destination: DISPERSE, amount: usd(dollars), ...more }),
  );
}

async function rowsOf({ world }: TestWorld, ...rowIds: readonly string[]) {
  const { rows } = await world.store.decisions.load({ rows: rowIds, items: [] });
  return rowIds.map((rowId): Ledger.Row | undefined => rows.get(rowId));
}

async function open({ world }: TestWorld): Promise<readonly string[]> {
  const incidents = await world.store.incidents.list(10);
  return incidents.filter((one) => !one.quarantinedBy).map(({ scope }) => scope);
}

/** What people were told of batches that were not taken. */
function refusals({ committed }: TestWorld): readonly string[] {
  return committed.flatMap(({ alerts }) =>
    alerts.filter(({ kind }) => kind === 'refused').map(({ text }) => text),
  );
}

async function used({ world }: TestWorld): Promise<bigint> {
  const { items } = await world.store.decisions.load({ rows: [], items: ['global'] });
  const slots = items.get('global')?.meter.steps[0] ?? [];
  return slots.reduce((sum, { notional }) => sum + notional, 0n);
}

describe('rowIdOf', () => {
  test('default', () => {
    expect(Batch.rowIdOf(batchOf('b-1', 1, ['w-1']))).toBe('batch:b-1');
  });
});

describe('rowIds', () => {
  test('default', () => {
    expect(Batch.rowIds(batchOf('b-1', 3, ['w-1', 'w-2']))).toEqual([
      'batch:b-1',
      `match:${Build.HOT_1}|${Build.USDC}|${DISPERSE}`,
      'withdrawal:w-1',
      'withdrawal:w-2',
    ]);
  });
});

describe('further', () => {
  test('behavior: nothing where no withdrawal is known', () => {
    expect(Batch.further(new Map(), batchOf('b-1', 3, ['w-1', 'w-2']))).toEqual([]);
  });
});

describe('together', () => {
  test('behavior: nothing where no batch pays it; else its batch, the others, and where those wait', async () => {
    const made = await reported(3);
    const rowIds = ids(3).map((id) => `withdrawal:${id}`);
    const ways = ids(3).map((_, n) => `match:${Build.HOT_1}|${Build.USDC}|${customer(n)}`);
    const batch = batchOf('b-1', 3, ['w-1', 'w-2']);
    const [, payoutId = ''] = Batch.rowIds(batch);
    await decide(made, declared(batch));
    const all = await made.world.store.decisions.load({ rows: [...rowIds, payoutId], items: [] });
    expect(Batch.together(all.rows, all.rows.get('withdrawal:w-3'))).toEqual([]);
    expect(Batch.together(all.rows, all.rows.get('withdrawal:w-1'))).toEqual([
      payoutId,
      ...rowIds.slice(0, 2),
      ...ways.slice(0, 2),
    ]);
  });
});

describe('leave', () => {
  test('behavior: one of 40 is given up: all that changes fits one transaction', async () => {
    const made = await reported(40);
    const batch = batchOf('b-1', 820, ids(40));
    expect(await decide(made, declared(batch))).toEqual(['batch']);
    const evidence = { kind: 'nonce-spent', reference: '0xother' } as const;
    const { world } = made;
    const deps = { ...world.decision, alerts: world.store.alerts };
    const outcome = { kind: 'failed', withdrawalId: 'w-1', evidence } as const;
    expect(await closeWithdrawal(deps, outcome)).toMatchObject({ kind: 'recorded' });
    const paid = await decide(
      made,
      Build.incoming(
        Build.outflow({ transaction: '0xa' }, { amount: usd(2), destination: customer(1) }),
      ),
      payout('0xb', 820),
    );
    expect(paid).toEqual(['matched-outflow', 'unmatched-outflow']);
  });
});

describe('canonicalBody', () => {
  test('behavior: the order of its withdrawals says nothing, everything else does', () => {
    const one = Batch.canonicalBody(batchOf('b-1', 3, ['w-1', 'w-2']));
    expect(Batch.canonicalBody(batchOf('b-2', 3, ['w-2', 'w-1']))).toBe(one);
    expect(Batch.canonicalBody(batchOf('b-1', 4, ['w-1', 'w-2']))).not.toBe(one);
    expect(Batch.canonicalBody(batchOf('b-1', 3, ['w-1', 'w-3']))).not.toBe(one);
    expect(Batch.canonicalBody(batchOf('b-1', 3, ['w-1,w-2']))).not.toBe(one);
  });
});

describe('declare', () => {
  test('default: one payout is the outflow of all of them, and they count once', async () => {
    const made = await reported(3);
    const before = await used(made);
    expect(await decide(made, declared(batchOf('b-1', 6, ids(3))))).toEqual(['batch']);
    expect(await decide(made, payout('0xa', 6))).toEqual(['matched-outflow']);
    expect(await used(made)).toBe(before);
    expect(await open(made)).toEqual([]);
    const rows = await rowsOf(made, ...ids(3).map((id) => `withdrawal:${id}`));
    expect(rows.map((row) => row?.state)).toEqual(['matched', 'matched', 'matched']);
  });

  test('behavior: reports, batch and payout in one delivery, in the wrong order', async () => {
    const made = await readyWorld(Build.policy());
    const reports = [1, 2].map((number) =>
      Build.incoming(Build.withdrawal(`w-${number}`, { destination: customer(number) })),
    );
    const batch = declared(batchOf('b-1', 2, ids(2)));
    expect(await decide(made, payout('0xa', 2), batch, ...reports)).toEqual([
      'matched-outflow',
      'batch',
      'new-withdrawal',
      'new-withdrawal',
    ]);
    expect(await open(made)).toEqual([]);
  });

  test('behavior: H14: the same payout again matches nothing again', async () => {
    const made = await reported(2);
    await decide(made, declared(batchOf('b-1', 3, ids(2))));
    expect(await decide(made, payout('0xa', 3), payout('0xa', 3))).toEqual([
      'matched-outflow',
      'duplicate',
    ]);
    expect(await decide(made, payout('0xb', 3))).toEqual(['unmatched-outflow']);
  });

  test('behavior: H14: the same batch again, in any order and after its payout, is nothing new', async () => {
    const made = await reported(2);
    await decide(made, declared(batchOf('b-1', 3, ids(2))));
    const again = declared(batchOf('b-1', 3, ['w-2', 'w-1']));
    expect(await decide(made, again)).toEqual(['duplicate']);
    await decide(made, payout('0xa', 3));
    expect(await decide(made, again)).toEqual(['duplicate']);
    expect(refusals(made)).toEqual([]);
  });

  test('behavior: what waits in a batch waits nowhere else: a payout to its own customer is none', async () => {
    const made = await reported(2);
    await decide(made, declared(batchOf('b-1', 3, ids(2))));
    const direct = Build.incoming(
      Build.outflow({ transaction: '0xa' }, { destination: customer(0) }),
    );
    expect(await decide(made, direct)).toEqual(['unmatched-outflow']);
    expect(await open(made)).toEqual(['key-domain:vault-a']);
  });

  test.each([
    ['its sum is one less', batchOf('b-1', 2, ['w-1', 'w-2']), 'its withdrawals sum to 3000000'],
    ['its sum is one more', batchOf('b-1', 4, ['w-1', 'w-2']), 'its withdrawals sum to 3000000'],
    ['it names one twice', batchOf('b-1', 2, ['w-1', 'w-1']), 'it names a withdrawal twice'],
    ['it names one that is not known', batchOf('b-1', 1, ['w-9']), 'w-9 awaits no outflow'],
  ])('error: %s', async (_name, batch, why) => {
    const made = await reported(2);
    const before = made.committed.length;
    expect(await decide(made, declared(batch))).toEqual(['refused']);
    expect(refusals(made)).toEqual([expect.stringContaining(why)]);
    expect(made.committed.slice(before).flatMap(({ rows }) => rows)).toEqual([]);
    expect(await decide(made, payout('0xa', 3))).toEqual(['unmatched-outflow']);
  });

  test.each([
    ['below', usd(3) - 1n],
    ['above', usd(3) + 1n],
  ])('error: a sum that is one unit %s', async (_name, amount) => {
    const made = await reported(2);
    const batch = batchOf('b-1', 3, ids(2));
    const off = { ...batch, transfer: { ...batch.transfer, amount } };
    expect(await decide(made, declared(off))).toEqual(['refused']);
  });

  test.each([
    ['another wallet', { account: HOT_2 }],
    ['another asset', { asset: Build.ETH }],
  ])('error: withdrawals that leave %s', async (_name, more) => {
    const made = await reported(1, more);
    const batch = batchOf('b-1', 1, ['w-1']);
    expect(await decide(made, declared(batch))).toEqual(['refused']);
    expect(refusals(made)).toEqual([expect.stringContaining('another wallet, or another asset')]);
  });

  test('error: the id of another batch', async () => {
    const made = await reported(3);
    await decide(made, declared(batchOf('b-1', 3, ids(2))));
    expect(await decide(made, declared(batchOf('b-1', 3, ['w-3'])))).toEqual(['refused']);
    expect(refusals(made)).toEqual([expect.stringContaining('its id was used for another one')]);
    expect(await decide(made, payout('0xa', 3))).toEqual(['matched-outflow']);
    expect((await rowsOf(made, 'withdrawal:w-3'))[0]?.state).toBe('reported');
  });

  test('error: people are told of each that is not taken, where its wallet is', async () => {
    const made = await reported(2);
    const wrong = ['b-1', 'b-2'].map((batchId) => declared(batchOf(batchId, 9, ids(2))));
    expect(await decide(made, ...wrong)).toEqual(['refused', 'refused']);
    expect(refusals(made)).toHaveLength(2);
    const told = made.committed.flatMap(({ alerts }) => alerts);
    expect(told.map(({ scope }) => scope)).toEqual(['wallet:hot-1', 'wallet:hot-1']);
    expect(new Set(told.map(({ alertId }) => alertId)).size).toBe(2);
  });

  test('error: a withdrawal in two batches, between the same ends or others', async () => {
    const made = await reported(3);
    await decide(made, declared(batchOf('b-1', 3, ids(2))));
    const elsewhere = batchOf('b-3', 5, ['w-2', 'w-3']);
    const transfer = { ...elsewhere.transfer, destination: OTHER_CONTRACT };
    expect(
      await decide(
        made,
        declared(batchOf('b-2', 5, ['w-2', 'w-3'])),
        declared({ ...elsewhere, transfer }),
      ),
    ).toEqual(['refused', 'refused']);
    expect(refusals(made)).toEqual([
      expect.stringContaining('w-2 is in another batch'),
      expect.stringContaining('w-2 is in another batch'),
    ]);
    expect(await decide(made, payout('0xa', 3))).toEqual(['matched-outflow']);
  });

  test('error: a withdrawal that is matched already', async () => {
    const made = await reported(2);
    const direct = Build.outflow({ transaction: '0x1' }, { destination: customer(0) });
    await decide(made, Build.incoming(direct));
    expect(await decide(made, declared(batchOf('b-1', 3, ids(2))))).toEqual(['refused']);
    expect(refusals(made)).toEqual([expect.stringContaining('w-1 awaits no outflow')]);
  });

  test('behavior: one that is cancelled takes its batch with it, and the others may be declared anew', async () => {
    const made = await reported(3);
    await decide(made, declared(batchOf('b-1', 6, ids(3))));
    await cancel(made, 'w-1');
    expect(await decide(made, declared(batchOf('b-2', 5, ['w-2', 'w-3'])))).toEqual(['batch']);
    expect(await decide(made, payout('0xa', 5))).toEqual(['matched-outflow']);
    expect(await open(made)).toEqual([]);
    expect(await decide(made, payout('0xb', 6))).toEqual(['unmatched-outflow']);
  });

  test('behavior: the payout of a batch whose withdrawal was cancelled is one that nobody approved', async () => {
    const made = await reported(2);
    await decide(made, declared(batchOf('b-1', 3, ids(2))));
    await cancel(made, 'w-1');
    expect(await decide(made, payout('0xa', 3))).toEqual(['unmatched-outflow']);
    expect(await open(made)).toEqual(['key-domain:vault-a']);
    expect((await rowsOf(made, 'withdrawal:w-2'))[0]?.state).toBe('reported');
  });

  test('behavior: a report that comes again, with its nonce, does not let it leave twice', async () => {
    const made = await reported(2);
    await decide(made, declared(batchOf('b-1', 3, ids(2))));
    const again = Build.withdrawal('w-1', { amount: usd(1), destination: customer(0) });
    await decide(made, Build.incoming({ ...again, sent: { nonce: 7 } }));
    const direct = Build.incoming({
      ...Build.outflow({ transaction: '0x1' }, { destination: customer(0) }),
      nonce: 7,
    });
    expect(await decide(made, payout('0xa', 3), direct)).toEqual([
      'matched-outflow',
      'unmatched-outflow',
    ]);
  });

  test('behavior: more than the sum: the withdrawals are paid, the difference is nobody’s', async () => {
    const made = await reported(2);
    await decide(made, declared(batchOf('b-1', 3, ids(2))));
    expect(await decide(made, payout('0xa', 4))).toEqual(['unmatched-outflow']);
    expect(await open(made)).toEqual(['key-domain:vault-a']);
  });

  test('args: as many as there may be, each reserved by a customer of its own, fit one transaction', async () => {
    const made = await readyWorld(
      Build.policy({
        limits: ['wallet', 'asset', 'chain', 'key-domain', 'global'].map((scope) =>
          Build.limit({
            limitId: `${scope}-hour`,
            scope: scope as 'wallet',
            action: { kind: 'pause', scope: scope as 'wallet' },
            allowed: usd(41),
          }),
        ),
      }),
    );
    const count = Batch.WITHDRAWALS_MAX;
    const asks = ids(count).map((id, position) => {
      const actor = `customer-${position}`;
      const withdrawal = Build.withdrawal(id, { actor, destination: customer(position) });
      return { withdrawal, bodyHash: Build.incoming(withdrawal).bodyHash };
    });
    const verdicts = [];
    for (const ask of asks) {
      verdicts.push(
        ...(await reserveWithdrawals(made.world.reserve, { asks: [ask], audience: 'signer' })),
      );
    }
    expect(verdicts.filter(({ kind }) => kind !== 'allow')).toEqual([]);
    expect(await decide(made, declared(batchOf('b-1', count, ids(count))))).toEqual(['batch']);
    const fee = { asset: Build.ETH, amount: 10n ** 16n };
    expect(await decide(made, payout('0xa', count, { fee }))).toEqual(['matched-outflow']);
    expect(refusals(made)).toEqual([]);
    const rows = await rowsOf(made, ...ids(count).map((id) => `withdrawal:${id}`));
    expect(rows.filter((row) => row?.state !== 'matched')).toEqual([]);
  });
});

async function cancel({ world }: TestWorld, withdrawalId: string): Promise<void> {
  const evidence = { kind: 'never-signed', reference: 'signer log 17' } as const;
  const result = await closeWithdrawal(
    { ...world.decision, alerts: world.store.alerts },
    { kind: 'cancelled', withdrawalId, evidence },
  );
  expect(result.kind).toBe('recorded');
}

import { describe, expect, test } from 'vitest';
import { closeWithdrawal, closeWithdrawals } from '../../lib/actions/close-withdrawal.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import { UnavailableError } from '../../lib/adapters/store-errors.ts';
import * as Ledger from '../../lib/domain/ledger.ts';
import type * as Outcome from '../../lib/domain/outcome.ts';
import * as Queue from '../../lib/domain/queue.ts';
import type { DecisionStore } from '../../lib/ports.ts';
import { ledgerOf, putInForce, readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { ask, expectQueuesToBeRows, holding } from '../support/holding.ts';
import { expectMetersToBeSums } from '../support/ledger-check.ts';
import { failed, neverSigned, replaced, settled } from '../support/outcomes.ts';

function depsOf({ world }: TestWorld, decisions: DecisionStore = world.decision.decisions) {
  return { ...world.decision, decisions, alerts: world.store.alerts };
}

async function report({ world }: TestWorld, ...ids: readonly string[]): Promise<void> {
  const events = ids.map((id) => Build.incoming(Build.withdrawal(id)));
  await recordEvents(world.decision, events);
}

async function reserve({ world }: TestWorld, id: string): Promise<void> {
  const withdrawal = Build.withdrawal(id);
  const asks = [{ withdrawal, bodyHash: Build.incoming(withdrawal).bodyHash }];
  const [answer] = await reserveWithdrawals(world.reserve, { asks, audience: 'signer' });
  expect(answer).toMatchObject({ kind: 'allow' });
}

async function see({ world }: TestWorld, transaction: string): Promise<void> {
  const fee = { asset: Build.ETH, amount: 10n ** 15n };
  const event = Build.outflow({ transaction, withdrawalId: 'w-1' }, { fee });
  await recordEvents(world.decision, [Build.incoming(event)]);
}

/** A store that counts what it is asked, and does something before its first commit. */
function watched(decisions: DecisionStore, beforeCommit: () => Promise<void> = async () => {}) {
  const asked = { loads: 0, commits: 0 };
  const store: DecisionStore = {
    load: (keys) => {
      asked.loads += 1;
      return decisions.load(keys);
    },
    commit: async (changes) => {
      asked.commits += 1;
      if (asked.commits === 1) await beforeCommit();
      return decisions.commit(changes);
    },
  };
  return { asked, store };
}

async function sums(made: TestWorld) {
  const kept = await ledgerOf(made.world.store, made.committed);
  expectMetersToBeSums(kept);
  return kept;
}

describe('closeWithdrawal', () => {
  test("behavior: H51 a person's word is told the audit chain, a service's evidence is not", async () => {
    const made = await readyWorld(Build.policy());
    await report(made, 'w-1', 'w-2');
    const word = { kind: 'operator', reference: 'ann', reason: 'never sent' } as const;
    const proof = { kind: 'never-signed', reference: 'signer' } as const;
    for (const [withdrawalId, evidence] of [
      ['w-1', word],
      ['w-1', word],
      ['w-2', proof],
    ] as const) {
      await closeWithdrawal(depsOf(made), { kind: 'failed', withdrawalId, evidence });
    }
    const told = made.records.flatMap((one) => (one.type === 'entry-added' ? [one.entry] : []));
    expect(told).toMatchObject([{ what: 'withdrawal.closed', who: 'ann', reason: 'never sent' }]);
  });

  test('default: four reads and one write: the row, what waits for its outflow, and both again with the scopes', async () => {
    const made = await readyWorld(Build.policy());
    await report(made, 'w-1');
    const { asked, store } = watched(made.world.decision.decisions);
    expect(await closeWithdrawal(depsOf(made, store), failed('w-1'))).toEqual({
      kind: 'recorded',
      withdrawalId: 'w-1',
      outcome: 'failed',
      givenBack: Build.usd(1),
    });
    expect(asked).toEqual({ loads: 4, commits: 1 });
    await sums(made);
  });

  test('behavior: said again it reads its row and what waits, and writes nothing', async () => {
    const made = await readyWorld(Build.policy());
    await report(made, 'w-1');
    await closeWithdrawal(depsOf(made), failed('w-1'));
    const { asked, store } = watched(made.world.decision.decisions);
    const again = await closeWithdrawal(depsOf(made, store), failed('w-1'));
    expect([again.kind, asked]).toEqual(['duplicate', { loads: 2, commits: 0 }]);
  });

  test('behavior: H22: a replaced transaction gives its fee back, and the next one matches', async () => {
    const made = await readyWorld(Build.policy());
    await report(made, 'w-1');
    await see(made, '0xa');
    expect(await closeWithdrawal(depsOf(made), replaced('w-1', '0xa'))).toMatchObject({
      kind: 'recorded',
      givenBack: 1_500_000n,
    });
    await see(made, '0xb');
    const { rows } = await sums(made);
    expect(rows.get('withdrawal:w-1')).toMatchObject({
      state: 'matched',
      link: 'outflow:eip155:1:0xb:top',
    });
    expect(await made.world.store.incidents.list(1)).toEqual([]);
  });

  test('behavior: H19: its outflow is seen while it is decided: nothing is given back', async () => {
    const made = await readyWorld(Build.policy());
    await report(made, 'w-1');
    const { store } = watched(made.world.decision.decisions, () => see(made, '0xa'));
    expect(await closeWithdrawal(depsOf(made, store), failed('w-1'))).toMatchObject({
      kind: 'refused',
      why: 'its outflow was seen on chain (outflow:eip155:1:0xa:top)',
    });
    expect((await sums(made)).rows.get('withdrawal:w-1')?.state).toBe('matched');
  });

  test('behavior: H19: two at once give back once', async () => {
    const made = await readyWorld(Build.policy());
    await report(made, 'w-1');
    const other = () => closeWithdrawal(depsOf(made), failed('w-1')).then(() => undefined);
    const { store } = watched(made.world.decision.decisions, other);
    const result = await closeWithdrawal(depsOf(made, store), failed('w-1'));
    expect(result.kind).toBe('duplicate');
    await sums(made);
  });

  test('behavior: H19: it is given back in the scopes of the policy that charged it', async () => {
    const made = await readyWorld(Build.policy());
    await report(made, 'w-1');
    const wallets = [{ name: 'renamed', keyDomain: 'vault-z', addresses: [Build.HOT_1] }];
    await putInForce(made.world, Build.policy({ name: 'second', wallets }));
    expect((await closeWithdrawal(depsOf(made), failed('w-1'))).kind).toBe('recorded');
    expect((await sums(made)).items.has('wallet:renamed')).toBe(false);
  });

  test('behavior: an outflow from a watcher that knows no customers closes a reservation of one', async () => {
    const made = await readyWorld(Build.policy());
    await reserve(made, 'w-1');
    await see(made, '0xa');
    const { rows, items } = await sums(made);
    expect(rows.get('withdrawal:w-1')?.state).toBe('matched');
    expect(items.get('actor:customer-1')?.outstanding).toBeUndefined();
  });

  test('error: H20: refused while its admission lives; people are told although nothing is written', async () => {
    const made = await readyWorld(Build.policy());
    await reserve(made, 'w-1');
    const count = made.committed.length;
    const outcome = failed('w-1', neverSigned, 'cancelled');
    expect((await closeWithdrawal(depsOf(made), outcome)).kind).toBe('refused');
    expect(made.committed.length).toBe(count);
    expect(made.records.filter(({ type }) => type === 'alert-raised')).toMatchObject([
      { alert: { kind: 'refused', scope: 'wallet:hot-1', rowId: 'withdrawal:w-1' } },
    ]);
    made.clock.nowMs += Build.MINUTE_MS;
    expect((await closeWithdrawal(depsOf(made), outcome)).kind).toBe('recorded');
    await sums(made);
  });

  test('error: H18: a store that is down gives nothing back and throws', async () => {
    const made = await readyWorld(Build.policy());
    await report(made, 'w-1');
    const down = async () => {
      throw new UnavailableError({ operation: 'commit', reason: 'Throttled', attempts: 3 });
    };
    const store = { load: made.world.decision.decisions.load, commit: down };
    await expect(closeWithdrawal(depsOf(made, store), failed('w-1'))).rejects.toThrow();
    expect((await sums(made)).rows.get('withdrawal:w-1')?.state).toBe('reported');
  });
});

describe('closeWithdrawals', () => {
  const ids = Array.from({ length: 25 }, (_, n) => `w-${n}`);

  test('default: in order, some in one transaction', async () => {
    const made = await readyWorld(Build.policy());
    await report(made, ...ids);
    const count = made.committed.length;
    const closed = await closeWithdrawals(depsOf(made), ids.map(settled));
    expect(closed.map((one) => one.kind === 'closed' && one.result.withdrawalId)).toEqual(ids);
    expect(made.committed.length - count).toBe(4);
  });

  test('behavior: the largest of them fit one transaction', async () => {
    const account = (n: number, digit: number) => `eip155:${n}:0x${`${digit}`.repeat(40)}` as const;
    const wallets = ids.map((name, n) => ({ name, keyDomain: name, addresses: [account(n, 1)] }));
    const made = await readyWorld(Build.policy({ wallets }));
    const events = ids.map((id, n) => {
      const fee = { asset: `eip155:${n}/slip44:1`, amount: 1n } as const;
      const asset = `eip155:${n}/slip44:2` as const;
      const [from, destination] = [account(n, 1), account(n, 2)];
      const moved = { account: from, destination, actor: `c-${n}`, asset, fee };
      return Build.incoming(Build.withdrawal(id, moved));
    });
    await recordEvents(made.world.decision, events);
    const count = made.committed.length;
    const all = ids.map((id): Outcome.Outcome => failed(id));
    const closed = await closeWithdrawals(depsOf(made), all);
    expect(closed.every((one) => one.kind === 'closed' && one.result.kind === 'recorded')).toBe(
      true,
    );
    const sizes = made.committed.slice(count).map(Ledger.size);
    expect(sizes).toEqual([89, 89, 89, 12]);
    await sums(made);
  });

  test('H79: held ones that stand in as many queues as can be are halved until they fit', async () => {
    const scopes = ['global', 'wallet', 'destination', 'actor'] as const;
    const limits = Array.from({ length: Queue.PLACES_MAX }, (_, n) =>
      holding({ limitId: `hold-${n}`, scope: scopes[n % scopes.length] ?? 'global' }),
    );
    const made = await readyWorld(Build.policy({ limits, outstandingMax: 1_000 }));
    const held = ids.map((id, n) => {
      const destination = `eip155:1:0x${String(n).padStart(40, '0')}` as const;
      return ask(id, 1, { destination, actor: `customer-${n}` });
    });
    const asks = [ask('first', 1_000), ...held];
    for (const one of asks)
      await reserveWithdrawals(made.world.reserve, { asks: [one], audience: 'signer' });
    expect(await made.world.store.held.list(1_000)).toHaveLength(ids.length * Queue.PLACES_MAX);
    const count = made.committed.length;
    const closed = await closeWithdrawals(
      depsOf(made),
      ids.map((id) => failed(id)),
    );
    expect(closed.map((one) => one.kind === 'closed' && one.result)).toEqual(
      ids.map((withdrawalId) => ({
        kind: 'recorded',
        withdrawalId,
        outcome: 'failed',
        givenBack: 0n,
      })),
    );
    const sizes = made.committed.slice(count).map(Ledger.size);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(Ledger.CHANGES_MAX);
    expect(sizes.length).toBeLessThan(ids.length);
    expectQueuesToBeRows(await sums(made), await made.world.store.held.list(1_000));
  });

  test('error: what fits no transaction fails alone', async () => {
    const made = await readyWorld(Build.policy());
    await report(made, ...ids);
    const { load, commit } = made.world.decision.decisions;
    const rowId = 'withdrawal:w-3';
    // In the queues of more limits than one transaction can hold.
    const places = Array.from({ length: 101 }, (_, n) => {
      return { limitId: `hold-${n}`, scope: 'global', need: 1n } as const;
    });
    const store: DecisionStore = {
      commit,
      load: async (keys) => {
        const loaded = await load(keys);
        const row = loaded.rows.get(rowId);
        const rows = new Map(loaded.rows);
        if (row) rows.set(rowId, { ...row, state: 'held', places });
        return { ...loaded, rows };
      },
    };
    const closed = await closeWithdrawals(
      depsOf(made, store),
      ids.map((id) => failed(id)),
    );
    const failures = closed.filter((one) => one.kind === 'failed');
    expect(closed.map(({ kind }) => kind).indexOf('failed')).toBe(3);
    expect(failures).toMatchObject([{ error: { name: 'CloseWithdrawal.UndecidableError' } }]);
  });

  test('error: H18: those whose transaction failed come back as failed, the others are final', async () => {
    const made = await readyWorld(Build.policy());
    await report(made, ...ids);
    const { load, commit } = made.world.decision.decisions;
    const store: DecisionStore = {
      load,
      commit: async (changes) => {
        if (changes.rows.some(({ row }) => row.rowId === 'withdrawal:w-0')) throw new Error('down');
        return commit(changes);
      },
    };
    const closed = await closeWithdrawals(
      depsOf(made, store),
      ids.map((id) => failed(id)),
    );
    expect(closed.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 8 }, () => 'failed'),
      ...Array.from({ length: 17 }, () => 'closed'),
    ]);
    await sums(made);
  });

  test('behavior: H44: nothing said, nothing read', async () => {
    const made = await readyWorld(Build.policy());
    const { asked, store } = watched(made.world.decision.decisions);
    expect(await closeWithdrawals(depsOf(made, store), [])).toEqual([]);
    expect(asked.loads).toBe(0);
  });
});

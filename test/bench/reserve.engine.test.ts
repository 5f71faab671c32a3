import { TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { measureCallers } from '../../bench/reserve-callers.ts';
import { createLocks, obeyLocks } from '../../bench/reserve-locks.ts';
import { ASKED, proveHealth, ROOM, reservePolicySource } from '../../bench/reserve-rig.ts';
import { type Rig, startRig, TABLES } from '../../bench/rig.ts';

/** Some seconds, and many where a machine is busy: whoever loses waits, and asks again. */
const TEST_MAX_MS = 120_000;

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ policySource: reservePolicySource(), seed: 'test' });
  await proveHealth(rig);
});
afterEach(() => rig.stop());

describe('obeyLocks', () => {
  const put = (...names: readonly string[]) => {
    const puts = names.map((pk) => ({
      Put: { TableName: TABLES.ledger, Item: { pk: { S: pk } } },
    }));
    return rig.client.send(new TransactWriteItemsCommand({ TransactItems: puts }));
  };

  test('behavior: who comes later to a held item is cancelled, without the item', async () => {
    const locks = createLocks(20);
    obeyLocks(rig.client, locks);
    rig.watch.reset();
    const first = put('a', 'b');
    await expect(put('c', 'b')).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
    });
    const beside = put('c');
    await Promise.all([first, beside]);
    await put('b');
    expect(locks.held.size).toBe(0);
    expect(rig.watch.read()).toMatchObject({ requests: 4, transactions: 4, cancelled: 1 });
  });
});

describe('measureCallers', () => {
  test('default: alone it is two round trips for each', async () => {
    const run = await measureCallers(rig, { callers: 1, way: 'alone', seed: 'test', asked: 4 });
    const { waitsMs, ...counts } = run;
    expect(waitsMs.length).toBe(4);
    expect(counts).toEqual({
      admitted: 4,
      undecided: 0,
      askedAgain: 0,
      requests: 8,
      requestsWhileRoom: 8,
      // A row and eight items, twice their price in a transaction, and the row's entry in the index of open ones.
      writeUnits: 4 * (10 * 2 + 1),
      lost: 0,
    });
  });

  test('behavior: with the client one call decides for many', async () => {
    const run = await measureCallers(rig, { callers: 8, way: 'together', seed: 'test', asked: 8 });
    const writeUnits = 8 * (2 + 2 + 1) + (6 + 2 * 8) * 2;
    expect(run).toMatchObject({ admitted: 8, requests: 2, writeUnits });
  });

  test.each(['alone', 'together'] as const)(
    'P5, H16: never more than there is room for, and all of it, %s under locks',
    async (way) => {
      const locks = createLocks(5);
      const run = await measureCallers(rig, { callers: 16, way, seed: 'test', locks });
      expect(run).toMatchObject({ admitted: ROOM, undecided: 0 });
      expect(run.waitsMs.length).toBe(ASKED);
    },
    TEST_MAX_MS,
  );
});

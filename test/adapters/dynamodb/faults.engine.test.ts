import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDynamoStore } from '../../../lib/adapters/dynamodb/store.ts';
import * as Ledger from '../../../lib/domain/ledger.ts';
import * as Meter from '../../../lib/domain/meter.ts';
import type { Store } from '../../../lib/ports.ts';
import * as Build from '../../support/builders.ts';
import type { Fault, Script } from '../../support/faults.ts';
import { atRandom, injectFaults, sequence } from '../../support/faults.ts';
import { startTestEngine, wallClock } from './engine.ts';

const RETRY = { attemptsMax: 3, delayMs: () => 0 };

let engine: Awaited<ReturnType<typeof startTestEngine>>;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.stop());

/** A store that meets faults, and one over the same tables that meets none. */
async function stores(script: Script) {
  const { client, names } = await engine.tables();
  const healthy = createDynamoStore({ client, tables: names, wallClock });
  const ill = engine.newClient();
  const faulty = createDynamoStore({ client: ill, tables: names, wallClock, retry: RETRY });
  const { calls } = injectFaults(ill, script);
  return { healthy, faulty, calls, client: ill };
}

let decisions = 0;

/** A decision that adds one row, and one withdrawal to the item of `global`. */
function decision(item: Ledger.Item | undefined, rowId = 'r'): Ledger.Changes {
  decisions += 1;
  const decisionId = `faults-${decisions}`;
  const { version, meter, breaker } = item ?? Ledger.newItem(Build.T0_MS);
  const charge = Build.charge({ notional: 5n, count: 1 });
  const next = { version: version + 1, meter: Meter.charge(meter, charge, Build.T0_MS), breaker };
  const row: Ledger.Row = {
    rowId,
    version: 1,
    state: 'noted',
    decisionId,
    bodyHash: '',
    atMs: Build.T0_MS,
    policyVersion: 1,
  };
  return {
    decisionId,
    atMs: Build.T0_MS,
    rows: [{ row, expected: 'absent' }],
    items: [{ key: 'global', item: next, expected: item ? version : 'absent' }],
    incidents: [],
    causes: [],
    alerts: [],
  };
}

async function globalItem(store: Store): Promise<Ledger.Item | undefined> {
  return (await store.decisions.load({ rows: [], items: ['global'] })).items.get('global');
}

function countOf(item: Ledger.Item | undefined): bigint {
  const window = { metric: 'count', windowMs: Build.HOUR_MS, widenMs: 0 } as const;
  return Meter.outflow(item?.meter ?? Meter.EMPTY, { ...window, nowMs: Build.T0_MS });
}

const TRANSIENT: readonly (readonly [string, Fault])[] = [
  ['throttling', { kind: 'error', type: 'ThrottlingException' }],
  ['too little capacity', { kind: 'error', type: 'ProvisionedThroughputExceededException' }],
  ['too many requests', { kind: 'error', type: 'RequestLimitExceeded' }],
  ['an internal error', { kind: 'error', type: 'InternalServerError', status: 500 }],
  ['an unknown error of the server', { kind: 'error', type: 'Strange', status: 503 }],
  ['a transaction in progress', { kind: 'error', type: 'TransactionInProgressException' }],
  ['a throttled cancellation', { kind: 'cancel', reasons: ['None', 'ThrottlingError'] }],
  [
    'a cancellation for capacity and conflict',
    { kind: 'cancel', reasons: ['TransactionConflict', 'ProvisionedThroughputExceeded'] },
  ],
  ['a lost request', { kind: 'lost-request' }],
  ['a lost reply', { kind: 'lost-reply' }],
];

describe('commit', () => {
  test.each(TRANSIENT)('behavior: %s twice, then committed once (H17)', async (_, fault) => {
    const { healthy, faulty, calls } = await stores(sequence('TransactWriteItems', [fault, fault]));
    expect(await faulty.decisions.commit(decision(undefined))).toBe('committed');
    expect(calls.get('TransactWriteItems')).toBe(3);
    expect(countOf(await globalItem(healthy))).toBe(1n);
  });

  test.each(TRANSIENT)('error: %s to the end is no conflict (H18)', async (_, fault) => {
    const { faulty, calls } = await stores(sequence('TransactWriteItems', [fault, fault, fault]));
    await expect(faulty.decisions.commit(decision(undefined))).rejects.toMatchObject({
      name: 'Store.UnavailableError',
      operation: 'commit',
      attempts: 3,
    });
    expect(calls.get('TransactWriteItems')).toBe(3);
  });

  test('behavior: a lock is a conflict at once, and nothing was written (H18)', async () => {
    const locked: Fault = { kind: 'cancel', reasons: ['None', 'TransactionConflict'] };
    const { healthy, faulty, calls } = await stores(sequence('TransactWriteItems', [locked]));
    expect(await faulty.decisions.commit(decision(undefined))).toBe('conflict');
    expect(calls.get('TransactWriteItems')).toBe(1);
    expect(await globalItem(healthy)).toBeUndefined();
    expect(await faulty.decisions.commit(decision(undefined))).toBe('committed');
    expect(countOf(await globalItem(healthy))).toBe(1n);
  });

  test.each([
    [['ConditionalCheckFailed', 'None']],
    [['ConditionalCheckFailed', 'TransactionConflict']],
    [['ConditionalCheckFailed', 'ThrottlingError']],
  ])('behavior: %s is a conflict at once', async (reasons) => {
    const script = sequence('TransactWriteItems', [{ kind: 'cancel', reasons }]);
    const { faulty, calls } = await stores(script);
    expect(await faulty.decisions.commit(decision(undefined))).toBe('conflict');
    expect(calls.get('TransactWriteItems')).toBe(1);
  });

  test.each([
    { kind: 'error', type: 'ValidationException' },
    { kind: 'error', type: 'ResourceNotFoundException' },
    { kind: 'error', type: 'AccessDeniedException' },
    { kind: 'error', type: 'IdempotentParameterMismatchException' },
    { kind: 'cancel', reasons: ['ConditionalCheckFailed', 'ValidationError'] },
    { kind: 'cancel', reasons: ['ItemCollectionSizeLimitExceeded'] },
    { kind: 'cancel', reasons: ['SomethingNew', 'None'] },
  ] satisfies Fault[])('error: %j is no conflict and is not sent again (H18)', async (fault) => {
    const { faulty, calls } = await stores(sequence('TransactWriteItems', [fault]));
    await expect(faulty.decisions.commit(decision(undefined))).rejects.toMatchObject({
      name: 'Store.BrokenError',
      operation: 'commit',
    });
    expect(calls.get('TransactWriteItems')).toBe(1);
  });

  test('behavior: a lost reply, then a forgotten token, is recognised by its row (H17)', async () => {
    const { healthy, faulty } = await stores(() => undefined);
    const first = decision(undefined);
    // Under another token, so that the engine does not know the decision's own one.
    const underOtherToken = { ...first, decisionId: `${first.decisionId}-sent` };
    expect(await healthy.decisions.commit(underOtherToken)).toBe('committed');
    expect(await faulty.decisions.commit(first)).toBe('committed');
    expect(countOf(await globalItem(healthy))).toBe(1n);
  });

  test('behavior: a conflict with somebody else’s row stays one after a lost reply (H17)', async () => {
    const { healthy, faulty } = await stores(
      sequence('TransactWriteItems', [{ kind: 'lost-reply' }]),
    );
    expect(await healthy.decisions.commit(decision(undefined))).toBe('committed');
    expect(await faulty.decisions.commit(decision(undefined))).toBe('conflict');
    expect(countOf(await globalItem(healthy))).toBe(1n);
  });

  test('error: nothing is sent again when the time is used up', async () => {
    const { client, names } = await engine.tables();
    let nowMs = Date.now();
    const store = createDynamoStore({
      client,
      tables: names,
      wallClock: { nowMs: () => nowMs },
      retry: {
        attemptsMax: 9,
        budgetMs: 100,
        delayMs: () => 50,
        sleep: async (delayMs) => {
          nowMs += delayMs;
        },
      },
    });
    const { calls } = injectFaults(client, () => ({ kind: 'error', type: 'ThrottlingException' }));
    await expect(store.decisions.commit(decision(undefined))).rejects.toMatchObject({
      name: 'Store.UnavailableError',
      reason: 'ThrottlingException',
      attempts: 3,
    });
    expect(calls.get('TransactWriteItems')).toBe(3);
  });

  test.each([1, 2, 3])(
    'behavior: 16 writers under random faults count each withdrawal once, seed %i (H16, H17)',
    async (seed) => {
      const faults: Fault[] = [
        ...TRANSIENT.map(([, fault]) => fault),
        { kind: 'lost-reply' },
        { kind: 'delay', delayMs: 10 },
        { kind: 'cancel', reasons: ['None', 'TransactionConflict'] },
      ];
      const { healthy, faulty } = await stores(atRandom(seed, { probability: 0.4, faults }));
      const writer = async (id: number): Promise<void> => {
        for (let attempt = 0; attempt < 400; attempt += 1) {
          try {
            const keys = { rows: [`w-${id}`], items: ['global'] };
            const loaded = await faulty.decisions.load(keys);
            if (loaded.rows.size > 0) return;
            const changes = decision(loaded.items.get('global'), `w-${id}`);
            if ((await faulty.decisions.commit(changes)) === 'committed') return;
          } catch (error) {
            // What a caller does: not committed as far as it knows, so it reads again.
            expect(error).toMatchObject({ name: 'Store.UnavailableError' });
          }
        }
        expect.unreachable(`writer ${id} did not get through`);
      };
      await Promise.all(Array.from({ length: 16 }, (_, id) => writer(id)));
      expect(countOf(await globalItem(healthy))).toBe(16n);
    },
  );
});

describe('load', () => {
  test('behavior: a throttled read is asked for again', async () => {
    const fault: Fault = { kind: 'error', type: 'ThrottlingException' };
    const { healthy, faulty, calls } = await stores(sequence('BatchGetItem', [fault, fault]));
    await healthy.decisions.commit(decision(undefined));
    expect(countOf(await globalItem(faulty))).toBe(1n);
    expect(calls.get('BatchGetItem')).toBe(3);
  });

  test('error: a read that stays throttled gives nothing, not something empty (H32)', async () => {
    const fault: Fault = { kind: 'error', type: 'ThrottlingException' };
    const { faulty } = await stores(sequence('BatchGetItem', [fault, fault, fault]));
    await expect(globalItem(faulty)).rejects.toMatchObject({ name: 'Store.UnavailableError' });
  });

  test('behavior: keys that were left unprocessed are asked for again', async () => {
    const fault: Fault = { kind: 'unprocessed' };
    const { healthy, faulty, calls } = await stores(sequence('BatchGetItem', [fault, fault]));
    await healthy.decisions.commit(decision(undefined));
    expect(countOf(await globalItem(faulty))).toBe(1n);
    expect(calls.get('BatchGetItem')).toBe(3);
  });

  test('error: keys that stay unprocessed are not absent (H85)', async () => {
    const { faulty } = await stores(() => ({ kind: 'unprocessed' }));
    await expect(globalItem(faulty)).rejects.toMatchObject({
      name: 'Store.UnavailableError',
      reason: 'UnprocessedKeys',
    });
  });

  test('error: tables that are not there', async () => {
    const client = engine.newClient();
    const tables = { ledger: 'nowhere', control: 'nowhere' };
    const store = createDynamoStore({ client, tables, wallClock });
    await expect(globalItem(store)).rejects.toMatchObject({
      name: 'Store.BrokenError',
      reason: 'ResourceNotFoundException',
    });
  });

  test('behavior: one read and one write to a decision', async () => {
    const { faulty, calls } = await stores(() => undefined);
    const { rows, items } = decision(undefined);
    await faulty.decisions.load({
      rows: rows.map(({ row }) => row.rowId),
      items: items.map(({ key }) => key),
    });
    await faulty.decisions.commit(decision(undefined));
    expect(Object.fromEntries(calls)).toEqual({ BatchGetItem: 1, TransactWriteItems: 1 });
  });
});

describe('reads', () => {
  test('behavior: every read is strongly consistent, and none asks an index (H86)', async () => {
    const { client, names } = await engine.tables();
    const store = createDynamoStore({ client, tables: names, wallClock });
    const inputs: unknown[] = [];
    client.middlewareStack.add(
      (next) => (request) => {
        inputs.push(request.input);
        return next(request);
      },
      { step: 'initialize' },
    );
    await store.decisions.load({ rows: ['r'], items: ['global'] });
    await store.policies.load(1);
    await store.incidents.get('INC');
    await store.incidents.causes('INC');
    await store.incidents.list(1);
    await store.health.heartbeat();
    await store.health.leases();
    await store.projections.isPaged('p');
    await store.projections.flag();
    expect(inputs).toHaveLength(9);
    for (const input of inputs) {
      expect(JSON.stringify(input)).toContain('"ConsistentRead":true');
      expect(JSON.stringify(input)).not.toContain('IndexName');
    }
  });
});

describe('clock guard', () => {
  test.each([
    ['behind', -10_000],
    ['ahead', 10_000],
    ['unknown', undefined],
  ])('error: a clock that is %s refuses every call', async (_, offsetMs) => {
    const { faulty } = await stores(() => ({ kind: 'date', offsetMs }));
    const error = { name: 'Store.ClockError' };
    await expect(globalItem(faulty)).rejects.toMatchObject(error);
    await expect(faulty.decisions.commit(decision(undefined))).rejects.toMatchObject(error);
    await expect(faulty.policies.load(1)).rejects.toMatchObject(error);
    await expect(faulty.incidents.list(1)).rejects.toMatchObject(error);
    await expect(faulty.health.leases()).rejects.toMatchObject(error);
    await expect(faulty.health.renew({}, 1)).rejects.toMatchObject(error);
    await expect(faulty.projections.flag()).rejects.toMatchObject(error);
  });

  test('behavior: two stores over one client check once, by the newer clock', async () => {
    const { client, names } = await engine.tables();
    createDynamoStore({ client, tables: names, wallClock: { nowMs: () => 0 } });
    const store = createDynamoStore({ client, tables: names, wallClock });
    expect(await globalItem(store)).toBeUndefined();
  });
});

describe('load', () => {
  test('behavior: gates are read after the others, also those that are among these (H74)', async () => {
    const { healthy, faulty, client } = await stores(() => undefined);
    const write = async (key: string, expected: number | 'absent') => {
      decisions += 1;
      const version = expected === 'absent' ? 1 : expected + 1;
      const item = { ...Ledger.newItem(Build.T0_MS), version };
      const changes = { ...decision(undefined), rows: [], items: [{ key, item, expected }] };
      expect(await healthy.decisions.commit(changes)).toBe('committed');
    };
    for (const key of ['global', 'destination:a']) await write(key, 'absent');
    let reads = 0;
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === 'BatchGetItemCommand') reads += 1;
          if (reads === 2) for (const key of ['global', 'destination:a']) await write(key, 1);
          return next(args);
        },
      { step: 'initialize', name: 'between' },
    );
    const { items } = await faulty.decisions.load({
      rows: [],
      items: ['global', 'destination:a'],
      gates: ['destination:a'],
    });
    expect(reads).toBe(2);
    expect(items.get('global')?.version).toBe(1);
    expect(items.get('destination:a')?.version).toBe(2);
  });
});

describe('other calls', () => {
  test('behavior: transient faults are asked for again', async () => {
    const { faulty } = await stores(({ number }) =>
      number % 2 === 1 ? { kind: 'lost-reply' } : undefined,
    );
    await faulty.health.renew({ 'eip155:1': 5 }, 1);
    expect(await faulty.health.leases()).toEqual({ 'eip155:1': 5 });
    await faulty.projections.putFlag({ atMs: 1, open: [] });
    expect(await faulty.projections.flag()).toEqual({ atMs: 1, open: [] });
    expect(await faulty.incidents.causes('INC')).toEqual([]);
  });

  test('error: an outage is no absence', async () => {
    const { faulty } = await stores(() => ({ kind: 'lost-request' }));
    const error = { name: 'Store.UnavailableError', reason: 'ECONNREFUSED' };
    await expect(faulty.incidents.get('INC')).rejects.toMatchObject(error);
    await expect(faulty.policies.load(1)).rejects.toMatchObject(error);
    await expect(faulty.health.leases()).rejects.toMatchObject(error);
    await expect(faulty.health.renew({}, 1)).rejects.toMatchObject(error);
    await expect(faulty.projections.isPaged('p')).rejects.toMatchObject(error);
  });
});

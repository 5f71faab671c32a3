import { fc, test } from '@fast-check/vitest';
import type { SQSRecord } from 'aws-lambda';
import { describe, expect } from 'vitest';
import { ClockError, UnavailableError } from '../../lib/adapters/store-errors.ts';
import { localContext } from '../../lib/local/context.ts';
import { ingestEvents, TimeoutError } from '../../lib/runtime/ingest-events.ts';
import { tickOnce } from '../../lib/runtime/tick.ts';
import type { Parts } from '../../lib/runtime/world.ts';
import { ledgerOf, readyWorld, type TestWorld } from '../support/action-world.ts';
import { beat, envelope, observed, outcome, reported, sqsRecord } from '../support/aws-shapes.ts';
import * as Build from '../support/builders.ts';
import { expectMetersToBeSums } from '../support/ledger-check.ts';

const CONTEXT = localContext('ingest-events', 15_000);

async function ingest(
  { world }: TestWorld,
  records: readonly SQSRecord[],
): Promise<readonly string[]> {
  const response = await ingestEvents(world)({ Records: [...records] }, CONTEXT);
  return response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

/** A store that is down while `down.now` says so. */
function outage(down: { now: boolean }) {
  return ({ store }: Parts): Partial<Parts> => {
    const guard =
      <A, R>(call: (asked: A) => Promise<R>) =>
      async (asked: A): Promise<R> => {
        if (down.now)
          throw new UnavailableError({ operation: 'load', reason: 'Throttled', attempts: 3 });
        return call(asked);
      };
    const { load, commit } = store.decisions;
    return { store: { ...store, decisions: { load: guard(load), commit: guard(commit) } } };
  };
}

const failing = async () => {
  throw new Error('not now');
};

describe('ingestEvents', () => {
  test('default', async () => {
    const made = await readyWorld(Build.policy());
    const records = [sqsRecord('m-1', reported('w-1')), sqsRecord('m-2', observed('0x1'))];
    expect(await ingest(made, records)).toEqual([]);
    const incident = (await made.world.store.incidents.list(10)).find((one) => !one.quarantinedBy);
    expect(incident).toMatchObject({ scope: 'key-domain:vault-a', first: { kind: 'unmatched' } });
    expectMetersToBeSums(await ledgerOf(made.world.store, made.committed));
    expect(made.lines.map(({ message }) => message)).toEqual(['event decided', 'event decided']);
  });

  test('H38: a reported balance is noted; one of nobody is put aside; one that fails comes again', async () => {
    const balance = (wallet: string) =>
      envelope('balance.reported', {
        wallet,
        asset: Build.ETH,
        amount: '5',
        at: new Date(Build.T0_MS).toISOString(),
      });
    const made = await readyWorld(Build.policy());
    const records = [
      sqsRecord('m-1', balance(Build.HOT_1)),
      sqsRecord('m-2', balance(Build.STRANGER)),
    ];
    expect(await ingest(made, records)).toEqual([]);
    const { balances } = made.world.store;
    expect((await balances.load(`wallet-asset:hot-1|${Build.ETH}`)).value?.newest).toBe(5n);
    expect(made.rejected).toHaveLength(1);
    const broken = await readyWorld(Build.policy(), ({ store }) => ({
      store: { ...store, balances: { ...store.balances, put: failing } },
    }));
    expect(await ingest(broken, records.slice(0, 1))).toEqual(['m-1']);
    expect(broken.askedAgain).toHaveLength(1);
  });

  test('P7: an event that waited long and fails is noted, and the flag is not renewed', async () => {
    const down = { now: false };
    const made = await readyWorld(Build.policy(), outage(down));
    const waiting = { sentAtMs: Build.T0_MS - 31_000 };
    const late = sqsRecord('m-1', reported('w-1'), waiting);
    down.now = true;
    expect(await ingest(made, [late])).toEqual(['m-1']);
    down.now = false;
    expect(await ingest(made, [sqsRecord('m-2', beat(Build.T0_MS))])).toEqual([]);
    await tickOnce(made.world, { everyMs: 5_000 });
    const whys = made.lines.map(({ fields }) => fields.why).filter(Boolean);
    expect(whys).toEqual(['an event that has waited too long fails again and again, uncounted']);
    made.clock.nowMs += 150_000;
    const sentAtMs = made.clock.nowMs;
    await ingest(made, [sqsRecord('m-3', beat(sentAtMs), { sentAtMs })]);
    await tickOnce(made.world, { everyMs: 5_000 });
    expect(made.lines.filter(({ fields }) => fields.why)).toHaveLength(1);
  });

  test('P7: an event that fails at once, or that waited and is counted, is not stuck', async () => {
    const down = { now: false };
    const made = await readyWorld(Build.policy(), outage(down));
    down.now = true;
    await ingest(made, [sqsRecord('m-1', reported('w-1'), { sentAtMs: Build.T0_MS - 30_000 })]);
    down.now = false;
    await ingest(made, [sqsRecord('m-2', reported('w-2'), { sentAtMs: Build.T0_MS - 60_000 })]);
    expect(await made.world.store.health.stuckAtMs()).toBeUndefined();
  });

  test('H13: a host whose clock is refused notes nothing as stuck: one alone would stop every flag', async () => {
    const down = { now: false };
    const made = await readyWorld(Build.policy(), (parts) => {
      const { store = parts.store } = outage(down)(parts);
      const refused = async () => {
        throw new ClockError({ deviationMs: -300_000 });
      };
      return { store: { ...store, health: { ...store.health, stuckAtMs: refused } } };
    });
    const noted: number[] = [];
    const { health } = made.world.store;
    const noting = { ...health, noteStuck: async (atMs: number) => void noted.push(atMs) };
    const world = { ...made.world, store: { ...made.world.store, health: noting } };
    down.now = true;
    made.clock.nowMs += 300_000;
    const Records = [sqsRecord('m-1', reported('w-1'), { sentAtMs: Build.T0_MS })];
    const { batchItemFailures } = await ingestEvents(world)({ Records }, CONTEXT);
    expect(batchItemFailures).toEqual([{ itemIdentifier: 'm-1' }]);
    expect(noted).toEqual([]);
  });

  test('P7: a heartbeat that fails does not come back, and fills no dead-letter queue', async () => {
    const down = { now: false };
    const made = await readyWorld(Build.policy(), outage(down));
    down.now = true;
    const records = [sqsRecord('m-1', beat(Build.T0_MS)), sqsRecord('m-2', reported('w-1'))];
    expect(await ingest(made, records)).toEqual(['m-2']);
  });

  test('H44: an empty batch, and a batch of one', async () => {
    const made = await readyWorld(Build.policy());
    expect(await ingest(made, [])).toEqual([]);
    expect(await ingest(made, [sqsRecord('m-1', reported('w-1'))])).toEqual([]);
  });

  test('behavior: what cannot be read is put aside with its reason, and the rest is counted', async () => {
    const made = await readyWorld(Build.policy());
    const bad = [
      '{',
      '[]',
      'null',
      reported('w-2', { amount: -1 }),
      reported('w-3', { wallet: '0x1' }),
    ];
    const records = [
      sqsRecord('m-0', reported('w-1')),
      ...bad.map((body, n) => sqsRecord(`m-${n + 1}`, body)),
    ];
    expect(await ingest(made, records)).toEqual([]);
    expect(made.rejected.map(({ body }) => body)).toEqual(bad);
    expect(made.rejected.map(({ reason }) => reason.split(':')[0])).toEqual([
      'event',
      'event',
      'event',
      'detail.amount',
      'detail.wallet',
    ]);
    expect(made.committed.at(-1)?.rows.map(({ row }) => row.rowId)).toEqual([
      'withdrawal:w-1',
      expect.stringMatching(/^match:/),
    ]);
  });

  test('behavior: only rejects: nothing is asked of a store that is down', async () => {
    const down = { now: false };
    const made = await readyWorld(Build.policy(), outage(down));
    down.now = true;
    expect(await ingest(made, [sqsRecord('m-1', '{')])).toEqual([]);
    expect(made.rejected.length).toBe(1);
  });

  test('behavior: a reject that cannot be put aside comes again and holds up nobody', async () => {
    const made = await readyWorld(Build.policy(), () => ({ rejects: { send: failing } }));
    const records = [sqsRecord('m-1', '{'), sqsRecord('m-2', reported('w-1'))];
    expect(await ingest(made, records)).toEqual(['m-1']);
    expect(made.askedAgain).toEqual(['receipt of m-1']);
    expect(made.committed.at(-1)?.rows.length).toBe(2);
  });

  test('behavior: money is counted before rejects are put aside', async () => {
    const order: string[] = [];
    const made = await readyWorld(Build.policy(), ({ store }) => ({
      rejects: { send: async () => void order.push('reject') },
      store: {
        ...store,
        decisions: {
          ...store.decisions,
          commit: async (changes) => {
            order.push('commit');
            return store.decisions.commit(changes);
          },
        },
      },
    }));
    order.length = 0;
    await ingest(made, [sqsRecord('m-1', '{'), sqsRecord('m-2', reported('w-1'))]);
    expect(order).toEqual(['commit', 'reject']);
  });

  test('H17: what could not be committed fails by its message and is asked for again soon', async () => {
    const down = { now: false };
    const made = await readyWorld(Build.policy(), outage(down));
    down.now = true;
    const records = [sqsRecord('m-1', reported('w-1')), sqsRecord('m-2', reported('w-2'))];
    expect(await ingest(made, records)).toEqual(['m-1', 'm-2']);
    expect(made.askedAgain).toEqual(['receipt of m-1', 'receipt of m-2']);
    down.now = false;
    expect(await ingest(made, records)).toEqual([]);
    expectMetersToBeSums(await ledgerOf(made.world.store, made.committed));
  });

  test('H17: the same on a cold start, when not even the policy could be read', async () => {
    const down = { now: false };
    const made = await readyWorld(Build.policy(), outage(down));
    const cold = { ...made.world.decision.policy, current: made.world.decision.policy.refresh };
    const world = { ...made.world, decision: { ...made.world.decision, policy: cold } };
    down.now = true;
    expect(await ingest({ ...made, world }, [sqsRecord('m-1', reported('w-1'))])).toEqual(['m-1']);
    expect(made.askedAgain).toEqual(['receipt of m-1']);
  });

  test('behavior: after ten receives a record waits out the queue, so that an outage fills no dead-letter queue', async () => {
    const down = { now: false };
    const made = await readyWorld(Build.policy(), outage(down));
    down.now = true;
    const records = [
      sqsRecord('m-1', reported('w-1'), { receives: 10 }),
      sqsRecord('m-2', reported('w-2'), { receives: 11 }),
    ];
    expect(await ingest(made, records)).toEqual(['m-1', 'm-2']);
    expect(made.askedAgain).toEqual(['receipt of m-1']);
  });

  test('behavior: that nobody can ask for it again only makes it later', async () => {
    const down = { now: false };
    const made = await readyWorld(Build.policy(), (parts) => ({
      ...outage(down)(parts),
      redelivery: { soon: failing },
    }));
    down.now = true;
    expect(await ingest(made, [sqsRecord('m-1', reported('w-1'))])).toEqual(['m-1']);
  });

  test('H14: the same message twice in a batch, and delivered again, counts once', async () => {
    const made = await readyWorld(Build.policy());
    const twice = [sqsRecord('m-1', reported('w-1')), sqsRecord('m-1', reported('w-1'))];
    expect(await ingest(made, twice)).toEqual([]);
    expect(await ingest(made, twice)).toEqual([]);
    const { rows } = await ledgerOf(made.world.store, made.committed);
    expect([...rows.values()].filter(({ money }) => money).length).toBe(1);
    expectMetersToBeSums(await ledgerOf(made.world.store, made.committed));
  });

  test('behavior: a message that fails is named once, although it is there twice', async () => {
    const made = await readyWorld(Build.policy(), () => ({ rejects: { send: failing } }));
    expect(await ingest(made, [sqsRecord('m-1', '{'), sqsRecord('m-1', '{')])).toEqual(['m-1']);
  });

  test('behavior: a heartbeat carries when it came and how long the oldest event waited', async () => {
    const made = await readyWorld(Build.policy());
    made.clock.nowMs = Build.T0_MS + 5_000;
    await ingest(made, [
      sqsRecord('m-1', reported('w-1'), { sentAtMs: Build.T0_MS + 1_000 }),
      sqsRecord('m-2', beat(Build.T0_MS), { sentAtMs: Build.T0_MS + 4_000 }),
    ]);
    expect(await made.world.store.health.heartbeat()).toEqual({
      sentAtMs: Build.T0_MS,
      receivedAtMs: Build.T0_MS + 5_000,
      oldestWaitingMs: 4_000,
    });
    const info = made.lines.filter(({ level }) => level === 'info');
    expect(info.length).toBe(1);
  });

  test('P7: what cannot be read makes no heartbeat worse: one bad message must not stop an exchange', async () => {
    const made = await readyWorld(Build.policy(), () => ({ rejects: { send: failing } }));
    made.clock.nowMs = Build.T0_MS + Build.HOUR_MS;
    const sentAtMs = made.clock.nowMs - 100;
    await ingest(made, [
      sqsRecord('m-1', '{', { sentAtMs: Build.T0_MS }),
      sqsRecord('m-2', beat(sentAtMs), { sentAtMs }),
    ]);
    expect(await made.world.store.health.heartbeat()).toMatchObject({ oldestWaitingMs: 100 });
  });

  test('behavior: a queue whose clock runs ahead has made nobody wait', async () => {
    const made = await readyWorld(Build.policy());
    await ingest(made, [sqsRecord('m-1', beat(Build.T0_MS), { sentAtMs: Build.T0_MS + 900 })]);
    expect(await made.world.store.health.heartbeat()).toMatchObject({ oldestWaitingMs: 0 });
  });

  test('behavior: a backlog alerts where it would trip, and an unmatched outflow trips as ever', async () => {
    const made = await readyWorld(Build.policy({ limits: [Build.limit()] }));
    const large = { amount: Build.usd(2_000).toString() };
    const late = { sentAtMs: Build.T0_MS - Build.HOUR_MS };
    await ingest(made, [sqsRecord('m-1', reported('w-1', large), late)]);
    expect(await made.world.store.incidents.list(1)).toEqual([]);
    expect(made.records.filter(({ type }) => type === 'alert-raised').length).toBe(1);
    await ingest(made, [sqsRecord('m-2', observed('0x1'), late)]);
    expect(await made.world.store.incidents.list(1)).toMatchObject([
      { first: { kind: 'unmatched' } },
    ]);
  });

  test('behavior: time runs out: the whole batch is reported as failed', async () => {
    const never = () => new Promise<never>(() => undefined);
    const made = await readyWorld(Build.policy());
    const stuck = { ...made.world.decision, decisions: { load: never, commit: never } };
    const handler = ingestEvents({ ...made.world, decision: stuck });
    const context = { ...CONTEXT, getRemainingTimeInMillis: () => 501 };
    const event = { Records: [sqsRecord('m-1', reported('w-1'))] };
    await expect(handler(event, context)).rejects.toThrow(TimeoutError);
    expect(made.lines.at(-1)).toMatchObject({
      level: 'error',
      message: 'function failed',
      fields: { function: 'ingest-events', requestId: CONTEXT.awsRequestId },
    });
  });

  test('H28: what was committed stays, although the function dies right after', async () => {
    const made = await readyWorld(Build.policy());
    const world = {
      ...made.world,
      log: {
        info: () => {
          throw new Error('the log is full');
        },
        error: () => undefined,
      },
    };
    const records = [sqsRecord('m-1', observed('0x1'))];
    await expect(ingest({ ...made, world }, records)).rejects.toThrow('the log is full');
    expect((await made.world.store.incidents.list(10)).length).toBe(3);
    expect(await ingest(made, records)).toEqual([]);
    expect((await made.world.store.incidents.list(10)).length).toBe(3);
  });

  const seen = (transaction: string, withdrawalId = 'w-1') =>
    observed(transaction, { withdrawalId, asset: Build.USDC, amount: '1000000' });

  test('H19: a failed withdrawal gives back what it was charged, once', async () => {
    const made = await readyWorld(Build.policy());
    const twice = [
      sqsRecord('m-1', outcome('failed', 'w-1')),
      sqsRecord('m-2', reported('w-1')),
      sqsRecord('m-3', outcome('failed', 'w-1')),
    ];
    expect(await ingest(made, twice)).toEqual([]);
    expect(await ingest(made, twice)).toEqual([]);
    const kept = await ledgerOf(made.world.store, made.committed);
    expect(kept.rows.get('withdrawal:w-1')).toMatchObject({ state: 'failed' });
    expectMetersToBeSums(kept);
    const said = made.lines.filter(({ message }) => message === 'outcome decided');
    expect(said.map(({ fields }) => [fields.result, fields.givenBack])).toEqual([
      ['recorded', '1000000'],
      ['duplicate', undefined],
      ['duplicate', undefined],
      ['duplicate', undefined],
    ]);
  });

  test('behavior: what is refused does not come again, is logged, and people are told once', async () => {
    const made = await readyWorld(Build.policy());
    const records = [
      sqsRecord('m-1', outcome('settled', 'nobody')),
      sqsRecord('m-2', outcome('failed', 'nobody')),
    ];
    expect(await ingest(made, records)).toEqual([]);
    expect(await ingest(made, records)).toEqual([]);
    expect([made.rejected, made.askedAgain]).toEqual([[], []]);
    expect(made.lines[0]).toEqual({
      level: 'info',
      message: 'outcome decided',
      fields: {
        result: 'refused',
        withdrawalId: 'nobody',
        why: 'nobody approved such a withdrawal',
      },
    });
    const told = made.records.filter(({ type }) => type === 'alert-raised');
    expect(told).toMatchObject([{ alert: { kind: 'refused', scope: 'global' } }]);
  });

  test('H22: a replacement and the outflow of its transaction in one batch count once', async () => {
    const made = await readyWorld(Build.policy());
    await ingest(made, [sqsRecord('m-1', reported('w-1')), sqsRecord('m-2', seen('0xa'))]);
    const records = [
      sqsRecord('m-3', seen('0xb')),
      sqsRecord('m-4', outcome('replaced', 'w-1', { transaction: '0xA' })),
    ];
    expect(await ingest(made, records)).toEqual([]);
    expect(await made.world.store.incidents.list(1)).toEqual([]);
    expectMetersToBeSums(await ledgerOf(made.world.store, made.committed));
  });

  test('behavior: a batch and its payout count once; the batch again, and another under its id, change nothing', async () => {
    const made = await readyWorld(Build.policy());
    const contract = `eip155:1:0x${'d'.repeat(40)}`;
    const batch = (withdrawalIds: readonly string[], sum = '2000000') =>
      envelope('batch.declared', {
        batchId: 'b-1',
        wallet: Build.HOT_1,
        contract,
        asset: Build.USDC,
        sum,
        withdrawalIds,
      });
    const report = (withdrawalId: string) =>
      envelope('withdrawal.reported', {
        withdrawalId,
        wallet: Build.HOT_1,
        asset: Build.USDC,
        destination: Build.CUSTOMER,
        amount: '1000000',
      });
    const payout = envelope('outflow.observed', {
      transaction: '0xa',
      place: 'top',
      wallet: Build.HOT_1,
      asset: Build.USDC,
      destination: contract,
      amount: '2000000',
    });
    const bodies = [
      payout,
      batch(['w-1', 'w-2']),
      batch(['w-2', 'w-1']),
      batch(['w-1'], '1000000'),
      report('w-1'),
      report('w-2'),
    ];
    const records = bodies.map((body, position) => sqsRecord(`m-${position}`, body));
    expect(await ingest(made, records)).toEqual([]);
    expect(await made.world.store.incidents.list(1)).toEqual([]);
    expect(made.lines.map(({ fields }) => fields.result)).toEqual([
      'matched-outflow',
      'batch',
      'duplicate',
      'refused',
      'new-withdrawal',
      'new-withdrawal',
    ]);
    const told = made.records.filter(({ type }) => type === 'alert-raised');
    expect(told).toMatchObject([{ alert: { kind: 'refused', rowId: 'batch:b-1' } }]);
    expectMetersToBeSums(await ledgerOf(made.world.store, made.committed));
  });

  test('behavior: the log names the row, the verdict and the trips, and carries no bigint', async () => {
    const made = await readyWorld(Build.policy());
    await ingest(made, [sqsRecord('m-1', observed('0x1')), sqsRecord('m-2', '{')]);
    expect(() => JSON.stringify(made.lines)).not.toThrow();
    expect(made.lines[0]).toMatchObject({
      fields: {
        rowId: 'outflow:eip155:1:0x1:top',
        result: 'unmatched-outflow',
        notional: '7420500000000',
      },
    });
  });

  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.nat(5).map((n) => reported(`w-${n}`)),
    fc.nat(5).map((n) => observed(`0x${n}`)),
    fc.constant(beat(Build.T0_MS)),
    fc.nat(5).map((n) => outcome('settled', `w-${n}`)),
    fc.nat(5).map((n) => outcome('failed', `w-${n}`)),
    fc.nat(5).map((n) => outcome('replaced', `w-${n}`, { transaction: `0x${n}` })),
  );
  test.prop([fc.array(body, { maxLength: 12 })])(
    'behavior: every message is counted or put aside; nothing fails where nothing is broken',
    async (bodies) => {
      const made = await readyWorld(Build.policy());
      const records = bodies.map((text, n) => sqsRecord(`m-${n}`, text));
      expect(await ingest(made, records)).toEqual([]);
      const decided = made.lines.filter(({ message }) => message.endsWith(' decided')).length;
      const beats = bodies.filter((text) => text === beat(Build.T0_MS)).length;
      expect(decided + beats + made.rejected.length).toBe(bodies.length);
      expectMetersToBeSums(await ledgerOf(made.world.store, made.committed));
    },
  );
});

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { createDynamoStore } from '../../lib/adapters/dynamodb/store.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import { nodeIds } from '../../lib/adapters/node-ids.ts';
import { compilePolicy } from '../../lib/adapters/policy-file/compile.ts';
import { localContext } from '../../lib/local/context.ts';
import { createQueue } from '../../lib/local/queue.ts';
import type { Store } from '../../lib/ports.ts';
import { ingestEvents } from '../../lib/runtime/ingest-events.ts';
import { createWorld, type World } from '../../lib/runtime/world.ts';
import { startTestEngine, wallClock } from '../adapters/dynamodb/engine.ts';
import * as Build from '../support/builders.ts';
import { atRandom, type Fault, injectFaults, mulberry32 } from '../support/faults.ts';
import {
  enterFolder,
  launch,
  observation,
  POLICY,
  post,
  report,
  send,
} from '../support/local-runtime.ts';
import { disagreements, keptIn, keptOn, totals } from '../support/recount.ts';
import { testSigner } from '../support/signer.ts';

const TIMES = 5;
const WORKERS = 16;
const BATCH_MAX = 7;

let place: Awaited<ReturnType<typeof enterFolder>>;
beforeAll(async () => {
  place = await enterFolder();
});
afterAll(() => place.leave());

type Wire = { readonly 'detail-type': string; readonly detail: unknown };

/** Each event several times, in any order, in batches of any size. */
function batches(events: readonly Wire[], random: () => number): readonly (readonly Wire[])[] {
  const all = Array.from({ length: TIMES }, () => events)
    .flat()
    .map((event) => ({ event, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ event }) => event);
  const cut: Wire[][] = [];
  while (all.length > 0) cut.push(all.splice(0, 1 + Math.floor(random() * BATCH_MAX)));
  return cut;
}

/** Works the batches off, several at a time. */
async function together<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  const left = [...all];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
}

const withdrawals = (count: number, amount: string) =>
  Array.from({ length: count }, (_, position) => report(`w-${position}`, { amount }));

describe('one event many times', () => {
  test('behavior: 5 times, shuffled, in different batches, by 16 at once, counts once (H14)', async () => {
    const folder = join(place.path, 'runtime');
    const runtime = await launch({ folder });
    const events: Wire[] = [...withdrawals(24, '1000000'), observation('0xtheft')];
    await together(batches(events, mulberry32(14)), async (batch) => {
      expect(await post(runtime, '/events', batch)).toMatchObject({ status: 202 });
    });
    await runtime.idle();
    await runtime.stop();

    const kept = await keptIn(folder);
    expect(totals(kept)).toMatchObject({
      global: '25000000 / 0 / 25',
      'wallet:hot-1': '25000000 / 0 / 25',
      [`wallet-asset:hot-1|${Build.USDC}`]: '25000000 / 25000000 / 25',
      'actor:customer-1': '24000000 / 0 / 24',
    });
    expect(disagreements(kept)).toEqual([]);
    const own = kept.incidents.filter(({ quarantinedBy }) => quarantinedBy === undefined);
    expect(own).toMatchObject([
      {
        scope: 'key-domain:vault-a',
        first: { kind: 'unmatched', rowId: 'outflow:eip155:1:0xtheft:log:0' },
      },
    ]);
    const pages = runtime.pages.filter(({ severity }) => severity === 'page');
    expect(pages).toHaveLength(1);
  });

  test('behavior: the same id with another amount is an incident and counts once (H14)', async () => {
    const folder = join(place.path, 'conflict');
    const runtime = await launch({ folder });
    await send(runtime, report('w-1', { wallet: Build.HOT_3 }));
    const other = report('w-1', { wallet: Build.HOT_3, amount: '2000000' });
    await together(batches([other], mulberry32(15)), (batch) => post(runtime, '/events', batch));
    await runtime.idle();
    await runtime.stop();

    const kept = await keptIn(folder);
    expect(totals(kept)).toMatchObject({ global: '1000000 / 0 / 1' });
    expect(disagreements(kept)).toEqual([]);
    expect(kept.incidents).toMatchObject([
      { scope: 'wallet:hot-3', first: { kind: 'conflict', rowId: 'withdrawal:w-1' } },
    ]);
    expect(kept.items.get('wallet:hot-3')?.breaker).toMatchObject({ state: 'open', causes: 1 });
  });
});

const FAULTS: readonly Fault[] = [
  { kind: 'lost-reply' },
  { kind: 'lost-reply' },
  { kind: 'lost-request' },
  { kind: 'error', type: 'ThrottlingException' },
  { kind: 'error', type: 'InternalServerError', status: 500 },
  { kind: 'cancel', reasons: ['None', 'TransactionConflict'] },
  { kind: 'cancel', reasons: ['ThrottlingError', 'None'] },
  { kind: 'delay', delayMs: 5 },
];

describe('one event many times over a faulty store', () => {
  let engine: Awaited<ReturnType<typeof startTestEngine>>;
  beforeAll(async () => {
    engine = await startTestEngine();
  });
  afterAll(() => engine.stop());

  /** The parts of a runtime that decide, over this store. */
  function worldOver(store: Store): World {
    const nothing = async () => undefined;
    return createWorld({
      store,
      clock: wallClock,
      ids: nodeIds,
      digest: nodeDigest,
      notifier: { send: nothing },
      events: { send: nothing },
      rejects: { send: nothing },
      deadLetters: { count: async () => 0 },
      redelivery: { soon: nothing },
      signer: testSigner(),
      log: { info: () => undefined, error: () => undefined },
      sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
      random: Math.random,
    });
  }

  test.each([1, 2])(
    'behavior: 16 workers with lost replies, conflicts and throttles, seed %i: meters equal rows, one incident (P2, P3)',
    async (seed) => {
      const { client, names: tables } = await engine.tables();
      const healthy = worldOver(createDynamoStore({ client, tables, wallClock }));
      const { incidents } = healthy.store;
      const apply = { kind: 'apply-policy', commandId: 'apply', source: POLICY, hash: '' } as const;
      const command = { command: apply, actor: 'test' };
      await operateBreaker({ ...healthy.decision, incidents, compilePolicy }, command);

      const ill = engine.newClient();
      const { calls } = injectFaults(ill, atRandom(seed, { probability: 0.25, faults: FAULTS }));
      const ingest = ingestEvents(worldOver(createDynamoStore({ client: ill, tables, wallClock })));
      const queue = await createQueue({
        name: 'events',
        clock: wallClock,
        newId: randomUUID,
        batchMax: BATCH_MAX,
        visibilityMs: 5,
      });
      const context = (): Context => localContext('ingest-events', 30_000);
      queue.consume({ handler: (event) => ingest(event, context()), concurrency: WORKERS });
      // 40 times $30 passes the hour's $1 000 once.
      const events = withdrawals(40, '30000000');
      await together(batches(events, mulberry32(seed)).flat(), (event) =>
        queue.send(JSON.stringify(event)),
      );
      await queue.idle();
      await queue.stop();

      const kept = await keptOn(client, tables);
      expect(totals(kept)).toMatchObject({
        global: '1200000000 / 0 / 40',
        'wallet:hot-1': '1200000000 / 0 / 40',
        'actor:customer-1': '1200000000 / 0 / 40',
      });
      expect(disagreements(kept)).toEqual([]);
      expect(kept.incidents).toMatchObject([
        { scope: 'wallet:hot-1', first: { kind: 'limit', limit: { used: 1_020_000_000n } } },
      ]);
      expect(kept.items.get('wallet:hot-1')?.breaker).toMatchObject({ state: 'open', causes: 7 });
      expect(calls.get('TransactWriteItems')).toBeGreaterThan(20);
      client.destroy();
      ill.destroy();
    },
  );
});

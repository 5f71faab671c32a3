import type { DynamoDBRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import * as Codec from '../../lib/adapters/dynamodb/control-codec.ts';
import { toPolicy } from '../../lib/adapters/dynamodb/policy-codec.ts';
import { localContext } from '../../lib/local/context.ts';
import { projectState } from '../../lib/runtime/project-state.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import { testAuditing } from '../support/audit.ts';
import { incident, streamRecord } from '../support/aws-shapes.ts';
import { policy, T0_MS } from '../support/builders.ts';

const CONTEXT = localContext('project-state', 30_000);
const FIRST = incident('1HNVAR50G0001');
const SECOND = incident('1HNVAR50G0002');
const CLOSED = {
  ...FIRST,
  state: 'closed',
  closed: { atMs: T0_MS, actor: 'on-call', reason: 'ok' },
} as const;

async function project(
  { world }: TestWorld,
  records: readonly DynamoDBRecord[],
): Promise<readonly string[]> {
  const response = await projectState(world, testAuditing().auditing)(
    { Records: [...records] },
    CONTEXT,
  );
  return response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

function opened(sequence: number, which = FIRST): DynamoDBRecord {
  return streamRecord(sequence, { after: Codec.toIncident(which) });
}

/** A notifier that fails for messages that name something. */
function failingFor(text: string, sent: string[]) {
  return () => ({
    notifier: {
      send: async ({ subject }: { readonly subject: string }) => {
        if (subject.includes(text)) throw new Error('not now');
        sent.push(subject);
      },
    },
  });
}

describe('projectState', () => {
  test('default', async () => {
    const made = await readyWorld(policy());
    const records = [
      opened(1),
      streamRecord(2, {
        after: Codec.toCause({ incidentId: FIRST.incidentId, number: 2, cause: FIRST.first }),
      }),
      streamRecord(3, { before: Codec.toIncident(FIRST), after: Codec.toIncident(CLOSED) }),
      streamRecord(4, {
        after: Codec.toAlert({
          alertId: 'a',
          kind: 'warn',
          atMs: T0_MS,
          scope: 'global',
          rowId: 'r',
          text: 'close',
        }),
      }),
      streamRecord(5, {
        after: toPolicy({
          version: 2,
          hash: 'h',
          source: 's',
          appliedAtMs: T0_MS,
          actor: 'a',
        }),
      }),
    ];
    expect(await project(made, records)).toEqual([]);
    expect(made.messages.map(({ subject }) => subject.split(' ')[0])).toEqual([
      'TRIPPED',
      'RESUMED',
      'WARN',
      'POLICY',
    ]);
  });

  test('H44: an empty batch', async () => {
    expect(await project(await readyWorld(policy()), [])).toEqual([]);
  });

  test('behavior: what the projection writes itself, deletions and changes of nothing are passed over', async () => {
    const made = await readyWorld(policy());
    const page = Codec.toPage('opened:x', T0_MS);
    const flag = Codec.toFlag({ atMs: T0_MS, open: [] });
    const same = Codec.toIncident(FIRST);
    const records = [
      streamRecord(1, { after: page }),
      streamRecord(2, { before: flag, after: flag }),
      streamRecord(3, { before: same, after: same }),
      streamRecord(4, { before: same }),
    ];
    expect(await project(made, records)).toEqual([]);
    expect(made.messages).toEqual([]);
  });

  test('behavior: the first record that fails is named by its sequence number; what follows waits', async () => {
    const sent: string[] = [];
    const made = await readyWorld(policy(), failingFor(SECOND.incidentId, sent));
    const records = [opened(1), opened(2, SECOND), opened(3, incident('1HNVAR50G0003'))];
    expect(await project(made, records)).toEqual(['000000000000000000002']);
    expect(sent.length).toBe(1);
    expect(made.lines).toMatchObject([{ level: 'error', fields: { reason: 'not now' } }]);
  });

  test('behavior: delivered again from there, the rest goes out and nothing twice', async () => {
    const made = await readyWorld(policy());
    let failures = 1;
    const { notifier } = made.world;
    const world = {
      ...made.world,
      notifier: {
        send: async (message: Parameters<typeof notifier.send>[0]) => {
          if (message.subject.includes(SECOND.incidentId) && failures > 0) {
            failures -= 1;
            throw new Error('not now');
          }
          return notifier.send(message);
        },
      },
    };
    const records = [opened(1), opened(2, SECOND)];
    expect(await project({ ...made, world }, records)).toEqual(['000000000000000000002']);
    expect(await project({ ...made, world }, records.slice(1))).toEqual([]);
    expect(await project({ ...made, world }, records)).toEqual([]);
    expect(made.messages.length).toBe(2);
  });

  test('error: a record that is not as we write it fails and is named', async () => {
    const made = await readyWorld(policy());
    const broken = { ...Codec.toIncident(FIRST), b: { S: '{"incidentId":1}' } };
    expect(await project(made, [opened(1), streamRecord(2, { after: broken })])).toEqual([
      '000000000000000000002',
    ]);
    expect(made.messages.length).toBe(1);
  });

  test('error: time runs out', async () => {
    const never = () => new Promise<never>(() => undefined);
    const made = await readyWorld(policy(), () => ({ notifier: { send: never } }));
    const context = { ...CONTEXT, getRemainingTimeInMillis: () => 501 };
    await expect(
      projectState(made.world, testAuditing().auditing)({ Records: [opened(1)] }, context),
    ).rejects.toThrow('time ran out');
  });

  test('behavior: pages go out although the audit chain cannot be written, signed or copied', async () => {
    const made = await readyWorld(policy());
    const { auditing } = testAuditing();
    const failing = async () => {
      throw new Error('not now');
    };
    const { store } = made.world;
    const world = { ...made.world, store: { ...store, audit: { ...store.audit, head: failing } } };
    const mute = { signer: { ...auditing.signer, seal: failing }, copy: { put: failing } };
    const run = async (records: readonly DynamoDBRecord[]) =>
      (await projectState(world, mute)({ Records: [...records] }, CONTEXT)).batchItemFailures;
    expect(await run([opened(1), opened(2, SECOND)])).toEqual([]);
    expect(await run([opened(1), opened(2, SECOND)])).toEqual([]);
    expect(made.messages.map(({ subject }) => subject.split(' ')[0])).toEqual([
      'TRIPPED',
      'TRIPPED',
      'AUDIT',
    ]);
    expect((await store.audit.deferred(10)).length).toBe(2);
    expect(await project(made, [opened(1)])).toEqual([]);
    expect((await store.audit.links(1, 9)).map(({ entry }) => entry.entryId)).toEqual([
      `opened:${FIRST.incidentId}`,
      `opened:${SECOND.incidentId}`,
    ]);
  });

  test('error: entries that can be neither appended nor kept come again, after the pages', async () => {
    const made = await readyWorld(policy());
    const failing = async () => {
      throw new Error('not now');
    };
    const { store } = made.world;
    const audit = { ...store.audit, head: failing, defer: failing };
    const world = { ...made.world, store: { ...store, audit } };
    const answer = await projectState(world, testAuditing().auditing)(
      { Records: [opened(1), opened(2, SECOND)] },
      CONTEXT,
    );
    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: '1'.padStart(21, '0') }]);
    expect(made.messages.length).toBe(2);
  });
});

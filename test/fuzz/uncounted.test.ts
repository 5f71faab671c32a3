/**
 * Bad input through the functions as they are deployed, over a store: what cannot be read is refused
 * or put aside, and no row, meter, incident or admission comes of it.
 */

import type { APIGatewayProxyStructuredResultV2, SNSEvent, SQSRecord } from 'aws-lambda';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { typedSignatures } from '../../lib/adapters/typed-signature.ts';
import * as CommandWire from '../../lib/adapters/wire/command.ts';
import { parseEnvelope } from '../../lib/adapters/wire/event.ts';
import * as OutcomeWire from '../../lib/adapters/wire/outcome.ts';
import * as ReserveWire from '../../lib/adapters/wire/reserve.ts';
import { localContext } from '../../lib/local/context.ts';
import { closeWithdrawal } from '../../lib/runtime/close-withdrawal.ts';
import { ingestEvents } from '../../lib/runtime/ingest-events.ts';
import { operateBreaker } from '../../lib/runtime/operate-breaker.ts';
import { reserveWithdrawal } from '../../lib/runtime/reserve-withdrawal.ts';
import { ledgerOf, readyWorld, type TestWorld } from '../support/action-world.ts';
import { snsEvent, sqsRecord, urlEvent } from '../support/aws-shapes.ts';
import * as Build from '../support/builders.ts';
import { quorumPolicy } from '../support/signing.ts';
import * as Good from './good.ts';
import { changed, garbage, LONG, said, wrongOf } from './strange.ts';

const RUNS = 120;
const CONTEXT = localContext('fuzz', 600_000);
const IAM = { authorizer: { iam: { userArn: 'arn:aws:iam::111122223333:role/signer' } } };

/** Texts that this parser refuses: garbage, good texts that were changed, and fields that are wrong. */
function refusedBy(parse: (text: string) => unknown, ...goods: readonly unknown[]) {
  const wrongs = goods.flatMap((good) => wrongOf(good).map(({ text }) => text));
  const texts = goods.map((good) => JSON.stringify(good));
  return fc
    .oneof(garbage(), ...texts.map(changed), fc.constantFrom(...wrongs), fc.constantFrom(...LONG))
    .filter((text) => said(() => parse(text)) !== undefined);
}

let made: TestWorld;
let before: string;
beforeEach(async () => {
  made = await readyWorld(quorumPolicy({ limits: [Build.limit()] }));
  before = await stateOf();
});

/** Everything that decides later: rows and meters that were written, incidents, heartbeats, leases, what was sent. */
async function stateOf(): Promise<string> {
  const { incidents, health } = made.world.store;
  const { rows, items } = await ledgerOf(made.world.store, made.committed);
  const state = {
    rows: [...rows.keys()],
    items: [...items].map(([key, { meter, breaker }]) => [key, meter, breaker]),
    incidents: await incidents.list(10),
    heartbeat: await health.heartbeat(),
    leases: await health.leases(),
    stuckAtMs: await health.stuckAtMs(),
    sent: made.sent,
    version: (await made.world.decision.policy.refresh()).version,
  };
  return JSON.stringify(state, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
}

async function expectUncounted(texts: fc.Arbitrary<string>, send: (text: string) => Promise<void>) {
  await fc.assert(fc.asyncProperty(texts, send), { numRuns: RUNS });
  expect(await stateOf()).toBe(before);
}

describe('ingestEvents', () => {
  const events = refusedBy(parseEnvelope, ...Object.values(Good.EVENTS));
  const ingest = (records: readonly SQSRecord[]) =>
    ingestEvents(made.world)({ Records: [...records] }, CONTEXT);

  test('behavior: what cannot be read is put aside with its reason, and nothing is counted', () =>
    expectUncounted(events, async (body) => {
      made.rejected.splice(0);
      expect(await ingest([sqsRecord('m-1', body)])).toEqual({ batchItemFailures: [] });
      expect(made.rejected).toMatchObject([{ body, reason: expect.stringMatching(/./) }]);
    }));

  test('behavior: it spoils nothing that lies beside it in a batch', async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(events, async (body) => {
        count += 1;
        const detail = { withdrawalId: `w-${count}`, ...Good.TRANSFER, amount: '1' };
        const good = JSON.stringify({ 'detail-type': 'withdrawal.reported', detail });
        const bad = [sqsRecord('m-1', body), sqsRecord('m-3', body)] as const;
        const answer = await ingest([bad[0], sqsRecord('m-2', good), bad[1]]);
        expect(answer).toEqual({ batchItemFailures: [] });
      }),
      { numRuns: 40 },
    );
    const { rows } = await ledgerOf(made.world.store, made.committed);
    const counted = [...rows.keys()].filter((rowId) => rowId.startsWith('withdrawal:'));
    expect(counted.length).toBe(count);
    expect(new Set(counted)).toEqual(
      new Set(Array.from({ length: count }, (_, at) => `withdrawal:w-${at + 1}`)),
    );
  });

  test('behavior: attributes of the queue that are no times prove and count nothing', async () => {
    const beat = JSON.stringify({ 'detail-type': 'heartbeat', detail: { sentAt: 'now' } });
    const strange = fc.constantFrom('', 'x', '-1', 'NaN', '1e309', '9'.repeat(40));
    await fc.assert(
      fc.asyncProperty(strange, strange, async (SentTimestamp, ApproximateReceiveCount) => {
        const record = sqsRecord('m-1', beat);
        const attributes = { ...record.attributes, SentTimestamp, ApproximateReceiveCount };
        const answer = await ingest([{ ...record, attributes }]);
        expect(answer).toEqual({ batchItemFailures: [] });
      }),
      { numRuns: RUNS },
    );
    expect(await stateOf()).toBe(before);
  });
});

describe('reserveWithdrawal', () => {
  const post = { rawPath: '/', requestContext: { http: { method: 'POST' }, ...IAM } };
  const reserve = async (body: string) => {
    const handler = reserveWithdrawal(made.world, { audience: 'signer' });
    return (await handler({ ...post, body }, CONTEXT)) as APIGatewayProxyStructuredResultV2;
  };

  test('behavior: what cannot be read is answered with its problems, and nothing is admitted', () =>
    expectUncounted(refusedBy(ReserveWire.parseRequest, Good.RESERVATIONS), async (body) => {
      const { statusCode, body: text = '' } = await reserve(body);
      expect(statusCode).toBe(400);
      expect(Object.keys(JSON.parse(text))).toEqual(['error', 'problems']);
      expect(JSON.parse(text).problems.length).toBeGreaterThan(0);
    }));

  test('behavior: a path that is no path finds nothing', () =>
    expectUncounted(garbage(), async (text) => {
      const rawPath = `/withdrawals/${text}`;
      const get = { http: { method: 'GET' }, ...IAM };
      const handler = reserveWithdrawal(made.world, { audience: 'signer' });
      const answer = await handler({ rawPath, requestContext: get }, CONTEXT);
      expect([400, 404]).toContain(answer.statusCode);
    }));
});

describe('closeWithdrawal', () => {
  test('behavior: what cannot be read is answered with its problems, and nothing is given back', () =>
    expectUncounted(refusedBy(OutcomeWire.parseRequest, Good.OUTCOMES), async (body) => {
      const event = { body, requestContext: { http: { method: 'POST' }, ...IAM } };
      const answer = await closeWithdrawal(made.world)(event, CONTEXT);
      expect(answer.statusCode).toBe(body.length > 131_072 ? 413 : 400);
    }));
});

describe('operateBreaker', () => {
  const commands = refusedBy(CommandWire.parseRequest, ...Object.values(Good.COMMANDS));
  const operate = (event: SNSEvent | ReturnType<typeof urlEvent>) =>
    operateBreaker(made.world)(event, CONTEXT);
  const published = () => made.lines.findLast(({ message }) => message === 'command by topic');

  test('behavior: by URL what cannot be read is answered 400, and does nothing', () =>
    expectUncounted(commands, async (body) => {
      const answer = (await operate(urlEvent(body))) as APIGatewayProxyStructuredResultV2;
      expect(answer.statusCode).toBe(400);
    }));

  test('behavior: by topic what cannot be read is refused and told, and does nothing', () =>
    expectUncounted(commands, async (body) => {
      made.lines.splice(0);
      expect(await operate(snsEvent(body))).toBeUndefined();
      expect(published()?.fields).toMatchObject({ result: { kind: 'refused' } });
    }));

  test('behavior: a good request under a wrong envelope does nothing', async () => {
    // Of the expiry that the topic demands, nobody knows when it was written.
    const { expiresAt: _, ...pause } = Good.COMMANDS.pause;
    const [record] = snsEvent(pause).Records;
    for (const { text } of wrongOf({ Records: [record] })) {
      await operate(JSON.parse(text)).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Error);
      });
    }
    expect(await stateOf()).toBe(before);
  });

  test('behavior: signed requests with a wrong signature or another text change nothing', async () => {
    const { panic } = Good.COMMANDS;
    const signatures = fc.oneof(
      changed(String(panic.signature)),
      fc.uint8Array({ minLength: 65, maxLength: 65 }).map((bytes) => {
        return `0x${Buffer.from(bytes.with(64, 27 + ((bytes[64] ?? 0) % 2))).toString('hex')}`;
      }),
    );
    await expectUncounted(signatures, async (signature) => {
      await operate(snsEvent({ ...panic, signature }));
      expect(published()?.fields).toMatchObject({ result: { kind: 'refused' } });
    });
  });
});

describe('typedSignatures', () => {
  test('behavior: whatever is signed, and by whatever, has a signer or a reason', async () => {
    const { signed } = Good.COMMANDS['resume.approve'] as { signed: never };
    const signature = fc.oneof(garbage(), changed(`0x${'1'.repeat(128)}1b`));
    await fc.assert(
      fc.asyncProperty(signature, async (text) => {
        const { kind } = await typedSignatures.recover(signed, text);
        expect(['malformed', 'malleable', 'signer']).toContain(kind);
      }),
      { numRuns: RUNS },
    );
  });
});

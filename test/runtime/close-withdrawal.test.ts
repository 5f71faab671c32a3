import { describe, expect, test } from 'vitest';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import { localContext } from '../../lib/local/context.ts';
import { type CloseEvent, closeWithdrawal } from '../../lib/runtime/close-withdrawal.ts';
import type { Parts } from '../../lib/runtime/world.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { ask } from '../support/holding.ts';

const CALLER = 'arn:aws:iam::111122223333:role/signer';
const evidence = { kind: 'never-signed', reference: 'signer-log-7' };
/** An admission lives for 30 s, and some seconds more for the clocks. */
const AFTER_LIFE_MS = 40_000;

function event(more: Partial<CloseEvent> = {}): CloseEvent {
  return {
    requestContext: { http: { method: 'POST' }, authorizer: { iam: { userArn: CALLER } } },
    ...more,
  };
}

async function call(made: TestWorld, given: CloseEvent, timeoutMs = 8_000) {
  const handler = closeWithdrawal(made.world);
  const answer = await handler(given, localContext('close-withdrawal', timeoutMs));
  expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' });
  return { status: answer.statusCode, body: JSON.parse(answer.body ?? '') };
}

function say(made: TestWorld, ...outcomes: readonly object[]) {
  return call(made, event({ body: JSON.stringify({ outcomes }) }));
}

function failed(withdrawalId: string) {
  return { 'detail-type': 'withdrawal.failed', detail: { withdrawalId, evidence } };
}

/** A world in which two withdrawals of $600 and $400 are admitted, all that the limit allows. */
async function ready(change: (parts: Parts) => Partial<Parts> = () => ({})): Promise<TestWorld> {
  const made = await readyWorld(Build.policy({ limits: [Build.limit()] }), change);
  await reserve(made, ask('w-1', 600), ask('w-2', 400));
  return made;
}

function reserve(made: TestWorld, ...asks: readonly ReturnType<typeof ask>[]) {
  return reserveWithdrawals(made.world.reserve, { asks, audience: 'signer' });
}

describe('closeWithdrawal', () => {
  test('default: each is answered in order, and what is given back can be reserved again', async () => {
    const made = await ready();
    made.clock.nowMs += AFTER_LIFE_MS;
    const settled = { 'detail-type': 'withdrawal.settled', detail: { withdrawalId: 'w-2' } };
    expect(await say(made, failed('w-1'), settled, failed('unknown'))).toEqual({
      status: 200,
      body: {
        results: [
          { withdrawalId: 'w-1', result: 'recorded', givenBack: '600000000' },
          { withdrawalId: 'w-2', result: 'recorded', givenBack: '0' },
          {
            withdrawalId: 'unknown',
            result: 'refused',
            why: 'nobody approved such a withdrawal',
          },
        ],
      },
    });
    expect(await reserve(made, ask('w-3', 600), ask('w-4', 1))).toMatchObject([
      { kind: 'allow' },
      { kind: 'block', reason: 'limit' },
    ]);
  });

  test('behavior: H19: said twice it acts once, whichever way it came first', async () => {
    const made = await ready();
    made.clock.nowMs += AFTER_LIFE_MS;
    await say(made, failed('w-1'));
    const { body } = await say(made, failed('w-1'));
    expect(body.results).toEqual([{ withdrawalId: 'w-1', result: 'duplicate' }]);
    expect(await reserve(made, ask('w-3', 600), ask('w-4', 1))).toMatchObject([
      { kind: 'allow' },
      { kind: 'block' },
    ]);
  });

  test('behavior: H20: whoever says it too early reads why, and nothing is given back', async () => {
    const made = await ready();
    const { body } = await say(made, failed('w-1'));
    const why = expect.stringContaining('its admission lives until');
    expect(body.results).toEqual([{ withdrawalId: 'w-1', result: 'refused', why }]);
    expect(await reserve(made, ask('w-3', 1))).toMatchObject([{ kind: 'block', reason: 'limit' }]);
  });

  test('behavior: one line in the log for each, with the caller', async () => {
    const made = await ready();
    await say(made, failed('unknown'));
    expect(made.lines.at(-1)).toMatchObject({
      level: 'info',
      fields: { withdrawalId: 'unknown', result: 'refused', caller: CALLER },
    });
  });

  test('args: a body in base64', async () => {
    const made = await ready();
    const body = Buffer.from(JSON.stringify({ outcomes: [failed('x')] })).toString('base64');
    expect((await call(made, event({ body, isBase64Encoded: true }))).status).toBe(200);
  });

  test('error: 401 without an identity, 405 for another method, 413 for too much', async () => {
    const made = await ready();
    const before = made.committed.length;
    const body = JSON.stringify({ outcomes: [failed('w-1')] });
    const nobody = { http: { method: 'POST' } };
    expect((await call(made, event({ body, requestContext: nobody }))).status).toBe(401);
    const { authorizer } = event().requestContext;
    const get = { http: { method: 'GET' }, ...(authorizer && { authorizer }) };
    expect((await call(made, event({ body, requestContext: get }))).status).toBe(405);
    expect((await call(made, event({ body: 'x'.repeat(128 * 1024 + 1) }))).status).toBe(413);
    expect(made.committed).toHaveLength(before);
  });

  test('error: 400 with field and reason, and nothing is given back', async () => {
    const made = await ready();
    made.clock.nowMs += AFTER_LIFE_MS;
    const before = made.committed.length;
    const { status, body } = await say(made, failed('w-1'), failed(''));
    expect(status).toBe(400);
    expect(body.problems).toEqual([expect.stringMatching(/^outcomes\.1\.detail\.withdrawalId: /)]);
    expect((await call(made, event())).status).toBe(400);
    expect(made.committed).toHaveLength(before);
  });

  test('error: H17: a store that fails leaves it undecided', async () => {
    let isDown = false;
    const made = await ready(({ store }) => {
      const { decisions } = store;
      const load: typeof decisions.load = async (keys) => {
        if (isDown) throw new Error('down');
        return decisions.load(keys);
      };
      return { store: { ...store, decisions: { ...decisions, load } } };
    });
    isDown = true;
    const { body } = await say(made, failed('w-1'));
    const why = 'could not be decided (Error); say it again';
    expect(body.results).toEqual([{ withdrawalId: 'w-1', result: 'undecided', why }]);
  });

  test('error: H17: when time runs out, every outcome is undecided', async () => {
    let isDown = false;
    const made = await ready(({ store }) => {
      const { decisions } = store;
      const never = new Promise<never>(() => undefined);
      const load: typeof decisions.load = (keys) => (isDown ? never : decisions.load(keys));
      return { store: { ...store, decisions: { ...decisions, load } } };
    });
    isDown = true;
    const body = JSON.stringify({ outcomes: [failed('w-1'), failed('w-2')] });
    const answer = await call(made, event({ body }), 550);
    const undecided = { result: 'undecided', why: expect.stringContaining('say it again') };
    expect(answer.body.results).toEqual([
      { withdrawalId: 'w-1', ...undecided },
      { withdrawalId: 'w-2', ...undecided },
    ]);
    expect(made.lines.at(-1)).toMatchObject({ level: 'error', fields: { outcomes: 2 } });
  });
});

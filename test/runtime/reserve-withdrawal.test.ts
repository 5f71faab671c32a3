import type { JSONWebKeySet } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { createAdmissionVerifier } from '../../lib/client/admission.ts';
import { fromAnswer, toWire } from '../../lib/client/reserve-wire.ts';
import type { Policy } from '../../lib/domain/policy.ts';
import { localContext } from '../../lib/local/context.ts';
import { type ReserveEvent, reserveWithdrawal } from '../../lib/runtime/reserve-withdrawal.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { ISSUER } from '../support/signer.ts';

const CALLER = 'arn:aws:iam::111122223333:role/withdrawals';
const DETAIL = {
  withdrawalId: 'w-1',
  wallet: Build.HOT_1,
  asset: Build.USDC,
  destination: Build.CUSTOMER,
  actor: 'customer-1',
  amount: '600000000',
};
const LIMITED = { limits: [Build.limit()] };

type Answered = { readonly status: number | undefined; readonly body: Record<string, unknown> };

function event(more: Partial<ReserveEvent> = {}): ReserveEvent {
  return {
    rawPath: '/',
    body: JSON.stringify({ withdrawals: [DETAIL] }),
    requestContext: { http: { method: 'POST' }, authorizer: { iam: { userArn: CALLER } } },
    ...more,
  };
}

async function call(made: TestWorld, given: ReserveEvent, timeoutMs = 8_000): Promise<Answered> {
  const handler = reserveWithdrawal(made.world, { audience: 'signer' });
  const answer = await handler(given, localContext('reserve-withdrawal', timeoutMs));
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json' });
  return { status: answer.statusCode, body: JSON.parse(answer.body ?? '') };
}

function ask(made: TestWorld, request: unknown): Promise<Answered> {
  return call(made, event({ body: JSON.stringify(request) }));
}

/** Metrics that note what is measured. */
function noting() {
  const measured: Record<string, number>[] = [];
  const metrics = {
    measure: (values: Readonly<Record<string, number>>) => void measured.push({ ...values }),
  };
  return { metrics, measured };
}

function ready(overrides: Partial<Policy> = LIMITED): Promise<TestWorld> {
  return readyWorld(Build.policy(overrides));
}

describe('reserveWithdrawal', () => {
  test('default: an admission that the client and its verifier take', async () => {
    const made = await ready();
    const { status, body } = await ask(made, { audience: 'signer-1', withdrawals: [DETAIL] });
    expect(status).toBe(200);
    const [verdict] = fromAnswer(body, [toWire(DETAIL)]);
    if (verdict?.verdict !== 'allow') throw new Error(JSON.stringify(verdict));
    expect(verdict.expiresAt).toBe('2023-09-12T13:21:30.000Z');
    const verifier = createAdmissionVerifier({
      jwks: (await made.world.signer.jwks()) as JSONWebKeySet,
      audience: 'signer-1',
      issuer: ISSUER,
      clock: { nowMs: () => made.clock.nowMs },
    });
    const other = { ...DETAIL, amount: '600000001' };
    expect(await verifier.verify(verdict.admission, other)).toMatchObject({ reason: 'amount' });
    expect(await verifier.verify(verdict.admission, DETAIL)).toMatchObject({ ok: true });
  });

  test('behavior: one that does not fit is refused alone, in the order of the request', async () => {
    const made = await ready();
    const of = (withdrawalId: string, amount: string) => ({ ...DETAIL, withdrawalId, amount });
    const withdrawals = [of('a', '600000000'), of('b', '600000000'), of('c', '400000000')];
    const { body } = await ask(made, { withdrawals });
    expect(body.verdicts).toMatchObject([
      { withdrawalId: 'a', verdict: 'allow' },
      {
        withdrawalId: 'b',
        verdict: 'block',
        reason: 'limit',
        provisional: true,
        limit: {
          limitId: 'wallet-hour',
          scope: 'wallet:hot-1',
          used: '600000000',
          allowed: '1000000000',
          headroom: '400000000',
        },
      },
      { withdrawalId: 'c', verdict: 'allow' },
    ]);
  });

  test('behavior: admissions of requests that name nobody are for the default audience', async () => {
    const made = await ready();
    const { body } = await ask(made, { withdrawals: [DETAIL] });
    const [{ admission = '' } = {}] = body.verdicts as { admission?: string }[];
    const [, payload = ''] = admission.split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
      iss: ISSUER,
      aud: 'signer',
      sub: 'w-1',
      amount: '600000000',
    });
  });

  test('behavior: one line in the log for each decision, without the admission', async () => {
    const made = await ready();
    await ask(made, { withdrawals: [DETAIL, { ...DETAIL, withdrawalId: 'w-2' }] });
    const lines = made.lines.filter(({ message }) => message === 'reservation decided');
    const transfer = {
      wallet: Build.HOT_1,
      asset: Build.USDC,
      destination: Build.CUSTOMER,
      amount: '600000000',
      caller: CALLER,
    };
    expect(lines.map(({ fields }) => fields)).toEqual([
      { withdrawalId: 'w-1', verdict: 'allow', ...transfer },
      {
        withdrawalId: 'w-2',
        verdict: 'block',
        reason: 'limit',
        text: expect.any(String),
        ...transfer,
      },
    ]);
    expect(JSON.stringify(made.lines)).not.toContain('eyJ');
  });

  test('behavior: in shadow mode the log says what it would have been', async () => {
    const made = await ready({ ...LIMITED, mode: 'shadow' });
    const { body } = await ask(made, { withdrawals: [{ ...DETAIL, amount: '2000000000' }] });
    expect(body.verdicts).toMatchObject([{ verdict: 'allow', wouldBe: 'block' }]);
    expect(made.lines.at(-1)?.fields).toMatchObject({ wouldBe: 'block', reason: 'limit' });
  });

  test('args: a body in base64', async () => {
    const made = await ready();
    const body = Buffer.from(JSON.stringify({ withdrawals: [DETAIL] })).toString('base64');
    const answered = await call(made, event({ body, isBase64Encoded: true }));
    expect(answered.body.verdicts).toMatchObject([{ verdict: 'allow' }]);
  });

  test('behavior: GET /jwks gives the public keys', async () => {
    const made = await ready();
    const authorizer = { iam: { userArn: CALLER } };
    const keys = { rawPath: '/jwks', requestContext: { http: { method: 'GET' }, authorizer } };
    expect(await call(made, keys)).toEqual({ status: 200, body: await made.world.signer.jwks() });
  });

  test.each<[string, Pick<ReserveEvent['requestContext'], 'authorizer'>]>([
    ['no authorizer', {}],
    ['no IAM', { authorizer: {} }],
    ['no caller', { authorizer: { iam: {} } }],
    ['an empty caller', { authorizer: { iam: { userArn: '' } } }],
  ])('error: 401 with %s, and nothing is charged', async (_name, identity) => {
    const made = await ready();
    const before = made.committed.length;
    const requestContext = { http: { method: 'POST' }, ...identity };
    expect((await call(made, event({ requestContext }))).status).toBe(401);
    expect((await call(made, event({ requestContext, rawPath: '/jwks' }))).status).toBe(401);
    expect(made.committed).toHaveLength(before);
  });

  test.each([
    ['GET', '/'],
    ['DELETE', '/'],
    ['POST', '/jwks'],
  ])('error: 405 for %s %s', async (method, rawPath) => {
    const made = await ready();
    const requestContext = { ...event().requestContext, http: { method } };
    expect((await call(made, event({ requestContext, rawPath }))).status).toBe(405);
  });

  test('error: 413 above 256 KiB, counted in bytes', async () => {
    const made = await ready();
    const before = made.committed.length;
    const body = '€'.repeat(90_000);
    expect((await call(made, event({ body }))).status).toBe(413);
    const base64 = Buffer.from(body).toString('base64');
    expect((await call(made, event({ body: base64, isBase64Encoded: true }))).status).toBe(413);
    expect(made.committed).toHaveLength(before);
  });

  test('error: 400 with field and reason, and nothing is charged', async () => {
    const made = await ready();
    const before = made.committed.length;
    const withdrawals = [DETAIL, { ...DETAIL, withdrawalId: 'w-2', amount: '-1' }];
    expect(await ask(made, { withdrawals })).toMatchObject({
      status: 400,
      body: {
        error: 'nothing was decided',
        problems: [expect.stringMatching(/^withdrawals\.1\.amount: must be/)],
      },
    });
    const { body: _, ...empty } = event();
    expect((await call(made, empty)).status).toBe(400);
    expect(made.committed).toHaveLength(before);
  });

  test('error: when time runs out, every withdrawal is a provisional block', async () => {
    let isDown = false;
    const made = await readyWorld(Build.policy(LIMITED), ({ store }) => {
      const { decisions } = store;
      const never = new Promise<never>(() => undefined);
      const load: typeof decisions.load = (keys) => (isDown ? never : decisions.load(keys));
      return { store: { ...store, decisions: { ...decisions, load } } };
    });
    isDown = true;
    const withdrawals = [DETAIL, { ...DETAIL, withdrawalId: 'w-2' }];
    const given = event({ body: JSON.stringify({ withdrawals }) });
    const { status, body } = await call(made, given, 550);
    expect(status).toBe(200);
    const text = expect.stringContaining('ask again');
    const block = { verdict: 'block', reason: 'timeout', provisional: true, text };
    expect(body).toEqual({
      verdicts: [
        { withdrawalId: 'w-1', ...block },
        { withdrawalId: 'w-2', ...block },
      ],
    });
    expect(made.lines.at(-1)).toMatchObject({ level: 'error', fields: { withdrawals: 2 } });
  });

  test('behavior: measured by answer; what a rule refuses is not undecided', async () => {
    const { metrics, measured } = noting();
    const made = await readyWorld(Build.policy(LIMITED), () => ({ metrics }));
    const of = (withdrawalId: string, amount: string) => ({ ...DETAIL, withdrawalId, amount });
    await ask(made, { withdrawals: [of('a', '600000000'), of('b', '600000000')] });
    expect(measured).toEqual([{ Allowed: 1, Held: 0, Blocked: 1, Undecided: 0, ReserveMs: 0 }]);
  });

  test('error: what cannot be signed, or only too late, is measured as undecided', async () => {
    const { metrics, measured } = noting();
    const kms: { fails: boolean; lateMs: number } = { fails: true, lateMs: 0 };
    const made = await readyWorld(Build.policy(LIMITED), ({ signer }) => ({
      metrics,
      signer: {
        ...signer,
        sign: (claims) => {
          made.clock.nowMs += kms.lateMs;
          return kms.fails ? Promise.reject(new Error('down')) : signer.sign(claims);
        },
      },
    }));
    const refused = { ...DETAIL, withdrawalId: 'w-2' };
    await ask(made, { withdrawals: [DETAIL, refused] });
    Object.assign(kms, { fails: false, lateMs: 6_001 });
    await ask(made, { withdrawals: [DETAIL] });
    expect(measured).toEqual([
      { Allowed: 0, Held: 0, Blocked: 2, Undecided: 1, ReserveMs: 0 },
      { Allowed: 0, Held: 0, Blocked: 1, Undecided: 1, ReserveMs: 6_001 },
    ]);
  });

  test('error: when time runs out, each is measured as undecided, and once', async () => {
    const { metrics, measured } = noting();
    const kms = Promise.withResolvers<void>();
    const made = await readyWorld(Build.policy(LIMITED), ({ signer }) => ({
      metrics,
      signer: { ...signer, sign: (claims) => kms.promise.then(() => signer.sign(claims)) },
    }));
    await call(made, event(), 550);
    const once = [{ Allowed: 0, Held: 0, Blocked: 1, Undecided: 1, ReserveMs: 0 }];
    expect(measured).toEqual(once);
    const isTold = () => made.lines.some(({ message }) => message === 'reservation decided');
    expect(isTold()).toBe(false);
    kms.resolve();
    await vi.waitUntil(isTold);
    expect(measured).toEqual(once);
  });

  test('error: calls that run at the same time are answered each with its own withdrawals', async () => {
    const made = await ready();
    const ids = Array.from({ length: 8 }, (_, place) => `w-${place}`);
    const answers = await Promise.all(
      ids.map((withdrawalId) =>
        ask(made, { withdrawals: [{ ...DETAIL, withdrawalId, amount: '1000000' }] }),
      ),
    );
    expect(answers.map(({ body }) => body.verdicts)).toMatchObject(
      ids.map((withdrawalId) => [{ withdrawalId, verdict: 'allow' }]),
    );
  });

  test('error: a signer that fails admits nothing, and the charge is found again', async () => {
    let isDown = true;
    const made = await readyWorld(Build.policy(LIMITED), ({ signer }) => ({
      signer: {
        ...signer,
        sign: (claims) => (isDown ? Promise.reject(new Error('down')) : signer.sign(claims)),
      },
    }));
    const request = { withdrawals: [DETAIL] };
    expect((await ask(made, request)).body.verdicts).toMatchObject([
      { verdict: 'block', reason: 'unavailable', provisional: true },
    ]);
    isDown = false;
    expect((await ask(made, request)).body.verdicts).toMatchObject([{ verdict: 'allow' }]);
  });
});

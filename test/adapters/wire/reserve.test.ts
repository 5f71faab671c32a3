import { describe, expect, test } from 'vitest';
import { ASKS_MAX } from '../../../lib/actions/reserve-withdrawals.ts';
import {
  InvalidRequestError,
  parseRequest,
  toVerdictJson,
  WITHDRAWALS_MAX,
} from '../../../lib/adapters/wire/reserve.ts';
import * as Build from '../../support/builders.ts';

const DETAIL = {
  withdrawalId: 'w-1',
  wallet: Build.HOT_1,
  asset: Build.USDC,
  destination: Build.CUSTOMER,
  actor: 'customer-1',
  amount: '1000000',
};

const parse = (request: unknown) => parseRequest(JSON.stringify(request));

function problemsOf(request: unknown): readonly string[] {
  try {
    parseRequest(typeof request === 'string' ? request : JSON.stringify(request));
  } catch (error) {
    if (error instanceof InvalidRequestError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseRequest', () => {
  test('args: what is known of its transaction before it is sent', () => {
    const { withdrawals } = parse({ withdrawals: [{ ...DETAIL, nonce: 7 }, DETAIL] });
    expect(withdrawals.map(({ sent }) => sent)).toEqual([{ nonce: 7 }, undefined]);
  });

  test('default', () => {
    const fee = { asset: Build.ETH, amount: '21000' };
    const destination = `eip155:1:0x${'C'.repeat(40)}`;
    const { audience, withdrawals } = parse({
      audience: 'signer-1',
      withdrawals: [DETAIL, { ...DETAIL, withdrawalId: 'w-2', fee, destination }],
    });
    expect(audience).toBe('signer-1');
    expect(withdrawals).toEqual([
      {
        kind: 'withdrawal',
        withdrawalId: 'w-1',
        transfer: {
          account: Build.HOT_1,
          asset: Build.USDC,
          destination: Build.CUSTOMER,
          actor: 'customer-1',
          amount: 1_000_000n,
        },
      },
      {
        kind: 'withdrawal',
        withdrawalId: 'w-2',
        transfer: {
          account: Build.HOT_1,
          asset: Build.USDC,
          destination: Build.CUSTOMER,
          actor: 'customer-1',
          amount: 1_000_000n,
          fee: { asset: Build.ETH, amount: 21_000n },
        },
      },
    ]);
  });

  test('args: audience is optional', () => {
    expect(parse({ withdrawals: [DETAIL] }).audience).toBeUndefined();
  });

  test('args: 1 to 100 withdrawals, as the action takes them', () => {
    expect(WITHDRAWALS_MAX).toBe(ASKS_MAX);
    const many = (count: number) => ({ withdrawals: Array.from({ length: count }, () => DETAIL) });
    expect(parse(many(100)).withdrawals).toHaveLength(100);
    expect(problemsOf(many(101))[0]).toMatch(/^withdrawals: /);
    expect(problemsOf(many(0))[0]).toMatch(/^withdrawals: /);
  });

  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /^request: is not JSON$/],
    ['a list', [DETAIL], /^request: .*of type object/],
    ['no withdrawals', {}, /^withdrawals: /],
    ['withdrawals that are no list', { withdrawals: DETAIL }, /^withdrawals: .*of type array/],
    ['an unknown field', { withdrawals: [DETAIL], signer: 'x' }, /^request: .*signer/],
    ['an empty audience', { audience: '', withdrawals: [DETAIL] }, /^audience: /],
    ['a long audience', { audience: 'a'.repeat(257), withdrawals: [DETAIL] }, /^audience: /],
    [
      'a line break',
      { audience: 'a\nb', withdrawals: [DETAIL] },
      /^audience: must have no control/,
    ],
    ['an audience that is null', { audience: null, withdrawals: [DETAIL] }, /^audience: /],
    ['a withdrawal that is null', { withdrawals: [null] }, /^withdrawals\.0: /],
    [
      'a fraction',
      { withdrawals: [DETAIL, { ...DETAIL, amount: '1.5' }] },
      /^withdrawals\.1\.amount: must be a decimal string/,
    ],
    [
      '2^256',
      { withdrawals: [{ ...DETAIL, amount: `${2n ** 256n}` }] },
      /^withdrawals\.0\.amount: is above/,
    ],
    [
      'another chain',
      { withdrawals: [{ ...DETAIL, asset: Build.WRAPPED_ETH }] },
      /^withdrawals\.0\.asset: is on eip155:56/,
    ],
    [
      'no id',
      { withdrawals: [{ ...DETAIL, withdrawalId: undefined }] },
      /^withdrawals\.0\.withdrawalId: /,
    ],
    ['a misspelt field', { withdrawals: [{ ...DETAIL, amout: '1' }] }, /^withdrawals\.0: .*amout/],
    [
      'a fee without an amount',
      { withdrawals: [{ ...DETAIL, fee: { asset: Build.ETH } }] },
      /^withdrawals\.0\.fee\.amount: /,
    ],
  ])('error: %s', (_name, request, problem) => {
    expect(problemsOf(request)[0]).toMatch(problem);
  });

  test('error: every misfit is named, up to twenty', () => {
    const withdrawals = [DETAIL, { ...DETAIL, amount: '-1' }, { ...DETAIL, wallet: 'x' }];
    expect(problemsOf({ withdrawals }).map((line) => line.split(':')[0])).toEqual([
      'withdrawals.1.amount',
      'withdrawals.2.wallet',
    ]);
    expect(problemsOf({ withdrawals: Array.from({ length: 100 }, () => null) })).toHaveLength(20);
  });
});

describe('toVerdictJson', () => {
  const allow = { kind: 'allow', withdrawalId: 'w-1', admission: 'a.b.c' } as const;
  const refusal = {
    kind: 'block',
    withdrawalId: 'w-1',
    reason: 'paused',
    text: 'wallet:hot-1 is open',
    provisional: true,
  } as const;

  test('default', () => {
    expect(toVerdictJson({ ...allow, expiresAtMs: Build.T0_MS + 30_000 })).toEqual({
      withdrawalId: 'w-1',
      verdict: 'allow',
      admission: 'a.b.c',
      expiresAt: '2023-09-12T13:21:30.000Z',
    });
  });

  test('behavior: it is not said to live longer than its token, which counts whole seconds', () => {
    expect(toVerdictJson({ ...allow, expiresAtMs: Build.T0_MS + 999 })).toMatchObject({
      expiresAt: '2023-09-12T13:21:00.000Z',
    });
  });

  test('behavior: in shadow mode, what it would have been', () => {
    expect(toVerdictJson({ ...allow, expiresAtMs: Build.T0_MS, wouldBe: refusal })).toEqual({
      withdrawalId: 'w-1',
      verdict: 'allow',
      admission: 'a.b.c',
      expiresAt: '2023-09-12T13:21:00.000Z',
      wouldBe: 'block',
      text: 'wallet:hot-1 is open',
    });
  });

  test('behavior: a refusal without details has no others', () => {
    expect(toVerdictJson(refusal)).toEqual({
      withdrawalId: 'w-1',
      verdict: 'block',
      reason: 'paused',
      text: 'wallet:hot-1 is open',
      provisional: true,
    });
  });

  test('behavior: a refusal with all of them', () => {
    const limit = {
      limitId: 'wallet-hour',
      scope: 'wallet:hot-1',
      used: 2n ** 70n,
      allowed: 1_000_000_000n,
      headroom: 0n,
    };
    const json = toVerdictJson({
      ...refusal,
      kind: 'hold',
      reason: 'queue',
      scope: 'wallet:hot-1',
      incidentId: '01ABCDEF',
      limit,
      capacityAtMs: Build.T0_MS + Build.HOUR_MS,
      heldSinceMs: Build.T0_MS,
      position: 0,
    });
    expect(json).toEqual({
      withdrawalId: 'w-1',
      verdict: 'hold',
      reason: 'queue',
      text: 'wallet:hot-1 is open',
      provisional: true,
      scope: 'wallet:hot-1',
      incidentId: '01ABCDEF',
      limit: {
        limitId: 'wallet-hour',
        scope: 'wallet:hot-1',
        used: '1180591620717411303424',
        allowed: '1000000000',
        headroom: '0',
      },
      capacityAt: '2023-09-12T14:21:00.000Z',
      heldSince: '2023-09-12T13:21:00.000Z',
      position: 0,
    });
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });
});

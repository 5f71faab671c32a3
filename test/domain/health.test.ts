import { describe, expect, test } from 'vitest';
import * as Health from '../../lib/domain/health.ts';
import { CHAIN, OTHER_CHAIN, policy, SECOND_MS, T0_MS } from '../support/builders.ts';

const heartbeat = { sentAtMs: T0_MS - SECOND_MS, receivedAtMs: T0_MS, oldestWaitingMs: 0 };
const evidence = {
  chains: [CHAIN, OTHER_CHAIN],
  leaseMs: 15 * SECOND_MS,
  heartbeat,
  deadLetters: 0,
  nowMs: T0_MS,
};

describe('chainsOf', () => {
  test('behavior: H44: each chain of the wallets once, and none without wallets', () => {
    expect(Health.chainsOf(policy())).toEqual([CHAIN, OTHER_CHAIN]);
    expect(Health.chainsOf(policy({ wallets: [] }))).toEqual([]);
  });
});

describe('prove', () => {
  test('default', () => {
    expect(Health.prove(evidence)).toEqual({
      kind: 'healthy',
      leases: { [CHAIN]: T0_MS + 14 * SECOND_MS, [OTHER_CHAIN]: T0_MS + 14 * SECOND_MS },
    });
  });

  test('behavior: H89: without a heartbeat nothing is proven', () => {
    expect(Health.prove({ ...evidence, heartbeat: undefined }).kind).toBe('unproven');
  });

  test('behavior: H89: a heartbeat is worth its lease and not a millisecond more', () => {
    const at = (ms: number) => Health.prove({ ...evidence, nowMs: heartbeat.sentAtMs + ms }).kind;
    expect([at(14_999), at(15_000), at(15_001)]).toEqual(['healthy', 'unproven', 'unproven']);
  });

  test('behavior: H13: a heartbeat that claims to come from the future gains nothing', () => {
    const claimed = { ...heartbeat, sentAtMs: T0_MS + 365 * 24 * 3_600 * SECOND_MS };
    const until = T0_MS + evidence.leaseMs;
    expect(Health.prove({ ...evidence, heartbeat: claimed })).toEqual({
      kind: 'healthy',
      leases: { [CHAIN]: until, [OTHER_CHAIN]: until },
    });
    expect(Health.prove({ ...evidence, heartbeat: claimed, nowMs: until }).kind).toBe('unproven');
  });

  test('behavior: H14: an older heartbeat that comes after a younger one shortens no lease, and keeps none alive', () => {
    const given = { [CHAIN]: T0_MS + 14_999, [OTHER_CHAIN]: T0_MS + 3_600_000, 'eip155:5': T0_MS };
    const older = { ...heartbeat, sentAtMs: T0_MS - 14_000 };
    expect(Health.prove({ ...evidence, given, heartbeat: older })).toEqual({
      kind: 'healthy',
      leases: { [CHAIN]: T0_MS + 14_999, [OTHER_CHAIN]: T0_MS + 15_000 },
    });
    const dead = { ...heartbeat, sentAtMs: T0_MS - 15_000 };
    expect(Health.prove({ ...evidence, given, heartbeat: dead }).kind).toBe('unproven');
  });

  test('behavior: a backlog and a dead letter prove nothing', () => {
    const waiting = (oldestWaitingMs: number) =>
      Health.prove({ ...evidence, heartbeat: { ...heartbeat, oldestWaitingMs } }).kind;
    expect([waiting(Health.WAITING_MAX_MS), waiting(Health.WAITING_MAX_MS + 1)]).toEqual([
      'healthy',
      'unproven',
    ]);
    expect(Health.prove({ ...evidence, deadLetters: 1 })).toEqual({
      kind: 'unproven',
      why: '1 events lie uncounted in a dead-letter queue',
    });
  });
});

describe('lapsedPage', () => {
  test('default', () => {
    expect(Health.lapsedPage('no heartbeat', T0_MS)).toMatchInlineSnapshot(`
      {
        "body": "Withdrawals are not enabled because the lease ran out: no heartbeat.
      Nothing was tripped. They are enabled again by themselves once a heartbeat comes through.
      First command: breakwater status",
        "severity": "page",
        "subject": "NOT ENABLED: no proof of health since 2023-09-12T13:21:00.000Z; run: breakwater status",
      }
    `);
  });
});

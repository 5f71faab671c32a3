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

  test('behavior: H13: what a host without a time noted as stuck far ahead stops nobody', () => {
    const judge = (stuckAtMs: number) => Health.prove({ ...evidence, stuckAtMs }).kind;
    const { nowMs } = evidence;
    expect([-1, 1].map((sign) => judge(nowMs + sign * (Health.STUCK_MS - 1)))).toEqual([
      'unproven',
      'unproven',
    ]);
    expect([-1, 1].map((sign) => judge(nowMs + sign * Health.STUCK_MS))).toEqual([
      'healthy',
      'healthy',
    ]);
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

const watched = policy({
  chains: [
    { pattern: CHAIN, name: 'Ethereum', watch: { confirmations: 0, blindAfterMs: 60_000 } },
    { pattern: OTHER_CHAIN, name: 'BNB Chain' },
  ],
});

describe('watchedOf', () => {
  test('default: chains with wallets that the policy wants to be watched', () => {
    expect(Health.watchedOf(watched)).toEqual([CHAIN]);
    expect(Health.watchedOf({ ...watched, wallets: [] })).toEqual([]);
  });
});

describe('blindOf', () => {
  const at = (sight: Health.Sight) =>
    Health.blindOf(watched, new Map([[CHAIN, sight]]), T0_MS).map(({ why }) => why);

  test('default: H71 one that never saw a block is blind; a chain without a watcher is not', () => {
    expect(Health.blindOf(watched, new Map(), T0_MS)).toEqual([
      { chain: CHAIN, why: `no watcher has seen a block of ${CHAIN} yet` },
    ]);
  });

  test('behavior: H71 no new block, up to the bound and beyond it', () => {
    const sight = { seenAtMs: T0_MS - 60_000, timestampMs: T0_MS };
    expect(at(sight)).toEqual([]);
    expect(at({ ...sight, seenAtMs: T0_MS - 60_001 })).toEqual([
      `no new block of ${CHAIN} for 60 s`,
    ]);
  });

  test('behavior: H67 a node that repeats old blocks shows nothing of now', () => {
    const sight = { seenAtMs: T0_MS, timestampMs: T0_MS - 60_001 };
    expect(at(sight)).toEqual([`the newest block of ${CHAIN} that was read is 60 s old`]);
  });

  test('behavior: H67 a node that stamps its blocks ahead shows nothing of now; clocks may differ', () => {
    const boundMs = watched.timing.clockToleranceMs + Health.AHEAD_MAX_MS;
    const ahead = (ms: number) => at({ seenAtMs: T0_MS, timestampMs: T0_MS + ms });
    expect(ahead(boundMs)).toEqual([]);
    expect(ahead(boundMs + 1)).toEqual([
      `the newest block of ${CHAIN} that was read is stamped 17 s ahead of our clock`,
    ]);
    expect(ahead(3_600_000)).toHaveLength(1);
  });

  test('behavior: it is so since the older of the two times', () => {
    const since = (sight: Health.Sight) =>
      Health.blindOf(watched, new Map([[CHAIN, sight]]), T0_MS).map(({ sinceMs }) => sinceMs);
    const [old, older] = [T0_MS - 70_000, T0_MS - 80_000];
    expect(since({ seenAtMs: old, timestampMs: older })).toEqual([older]);
    expect(since({ seenAtMs: older, timestampMs: old })).toEqual([older]);
    expect(since({ seenAtMs: old, timestampMs: older, stopped: 'x' })).toEqual([old]);
  });

  test('behavior: one that has stopped is blind however young its last block', () => {
    expect(at({ seenAtMs: T0_MS, timestampMs: T0_MS, stopped: 'too deep' })).toEqual(['too deep']);
  });
});

describe('prove, of blind chains', () => {
  const blind = [{ chain: CHAIN, why: 'no block' }];

  test('default: a blind chain keeps what it was given and gets no more; the others do', () => {
    const given = { [CHAIN]: T0_MS + 3, [OTHER_CHAIN]: T0_MS + 3 };
    expect(Health.prove({ ...evidence, blind, given })).toEqual({
      kind: 'healthy',
      leases: { [CHAIN]: T0_MS + 3, [OTHER_CHAIN]: T0_MS + 14 * SECOND_MS },
      blind,
    });
  });

  test('behavior: one that never had a lease has none', () => {
    expect(Health.prove({ ...evidence, blind })).toMatchObject({
      leases: { [OTHER_CHAIN]: T0_MS + 14 * SECOND_MS },
    });
    const { leases } = Health.prove({ ...evidence, blind }) as { leases: object };
    expect(Object.keys(leases)).toEqual([OTHER_CHAIN]);
  });
});

describe('blindPage', () => {
  test('default', () => {
    expect(Health.blindPage({ chain: CHAIN, why: 'no new block' }, T0_MS)).toMatchInlineSnapshot(`
      {
        "body": "Withdrawals on eip155:1 are not enabled because its lease ran out: no new block.
      Nothing was tripped, and other chains go on. They are enabled again by themselves once the watcher sees new blocks: see whether watch-chain runs and whether its RPC endpoints answer.
      First command: breakwater status",
        "severity": "page",
        "subject": "NOT ENABLED on eip155:1: its watcher is blind since 2023-09-12T13:21:00.000Z; run: breakwater status",
      }
    `);
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

describe('prove, of what it refuses', () => {
  const why = (overrides: Partial<Parameters<typeof Health.prove>[0]>) => {
    const proof = Health.prove({ ...evidence, ...overrides });
    return proof.kind === 'unproven' ? proof.why : undefined;
  };

  test('behavior: an event that is stuck proves nothing, until it has not failed for long enough', () => {
    const stuck = 'an event that has waited too long fails again and again, uncounted';
    expect(why({ stuckAtMs: T0_MS })).toBe(stuck);
    expect(why({ stuckAtMs: T0_MS - Health.STUCK_MS + 1 })).toBe(stuck);
    expect(why({ stuckAtMs: T0_MS - Health.STUCK_MS })).toBeUndefined();
    expect(why({ stuckAtMs: undefined })).toBeUndefined();
  });

  test('behavior: it says what is missing', () => {
    expect(why({ heartbeat: undefined })).toBe('no heartbeat has come through the ingress yet');
    const oldestWaitingMs = Health.WAITING_MAX_MS + 1_000;
    expect(why({ heartbeat: { ...heartbeat, oldestWaitingMs } })).toBe(
      `the oldest waiting event is ${Math.round(oldestWaitingMs / 1_000)} s old`,
    );
    expect(why({ nowMs: T0_MS + 20_000 })).toBe(
      'the last heartbeat that came through was sent 21 s ago',
    );
  });

  test('behavior: subjects of pages are cut to what a pager shows', () => {
    const chain = `eip155:${'1'.repeat(200)}` as const;
    expect(Health.blindPage({ chain, why: 'x' }, T0_MS).subject).toHaveLength(140);
  });
});

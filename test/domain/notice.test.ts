import { describe, expect, test } from 'vitest';
import { admitted, notice } from '../../lib/domain/notice.ts';
import type { Refusal } from '../../lib/domain/verdict.ts';

const HELD = { isHeld: true };

function refusal(more: Partial<Refusal>): Refusal {
  const common = { withdrawalId: 'w', text: 'limit hot on wallet:secret-name', provisional: true };
  return { kind: 'hold', reason: 'limit', ...common, ...more };
}

describe('notice', () => {
  test('default: what waits for room says since when, until when and where', () => {
    const told = notice(refusal({ heldSinceMs: 1, capacityAtMs: 2, position: 3 }), HELD);
    expect(told).toMatchObject({
      state: 'held',
      lift: 'time',
      sinceMs: 1,
      untilMs: 2,
      position: 3,
    });
  });

  test('behavior: H83 texts name no limit and no wallet', () => {
    const reasons: readonly Refusal['reason'][] = [
      'limit',
      'queue',
      'paused',
      'unknown',
      'conflict',
      'final',
      'outstanding',
      'lease',
    ];
    for (const reason of reasons) {
      const { text, lift } = notice(refusal({ reason }), HELD);
      expect(text).not.toMatch(/secret|limit|wallet/);
      expect(lift).toMatch(/^(time|operators|nobody)$/);
    }
  });

  test.each([
    ['a person has to look', { heldSinceMs: 1 }, 'operators'],
    ['paused', { kind: 'block', reason: 'paused', incidentId: 'I1' }, 'operators'],
    ['no proof of health', { kind: 'block', reason: 'lease' }, 'time'],
    ['blocked by a limit, until there is room', { kind: 'block', capacityAtMs: 5 }, 'time'],
    ['other content', { kind: 'block', reason: 'conflict', provisional: false }, 'nobody'],
  ] as const)('behavior: %s', (_, more, lift) => {
    expect(notice(refusal(more), HELD).lift).toBe(lift);
  });

  test.each([
    [{}, 'operators', 'It waits until a person has looked at it.'],
    [
      { capacityAtMs: 5 },
      'time',
      'Much has left in a short time. It keeps its place and goes when there is room for it; people can let it go before.',
    ],
    [{ position: 2 }, 'time', 'Much has left in a short time.'],
    [{ kind: 'block' }, 'time', 'Much has left in a short time.'],
    [{ reason: 'queue', position: 1 }, 'time', 'Much has left in a short time.'],
    [
      { reason: 'paused' },
      'operators',
      'Withdrawals are paused. It keeps its place; people decide when they go on.',
    ],
    [{ reason: 'unknown' }, 'operators', 'It waits until a person has looked at it.'],
    [
      { reason: 'outstanding' },
      'time',
      'It goes when earlier withdrawals of the same customer are done.',
    ],
    [{ reason: 'lease' }, 'time', 'Withdrawals are stopped until the checks on them work again.'],
    [{ reason: 'conflict' }, 'nobody', 'It cannot be sent under this number.'],
    [{ reason: 'final' }, 'nobody', 'It cannot be sent under this number.'],
  ] as const)('args: of %o it says who can lift it, and how', (more, lift, text) => {
    const told = notice(refusal(more), HELD);
    expect(told.lift).toBe(lift);
    expect(told.text.startsWith(text)).toBe(true);
  });

  test('behavior: what is not known is not said, an incident is', () => {
    expect(Object.keys(notice(refusal({}), HELD)).sort()).toEqual([
      'lift',
      'reason',
      'state',
      'text',
      'withdrawalId',
    ]);
    const stopped = refusal({ reason: 'paused', incidentId: 'I1' });
    expect(notice(stopped, HELD)).toMatchObject({ reason: 'paused', incidentId: 'I1' });
  });

  test('behavior: what fits now is ready', () => {
    const verdict = { kind: 'allow', withdrawalId: 'w', expiresAtMs: 9 } as const;
    expect(notice(verdict, HELD)).toEqual({
      withdrawalId: 'w',
      state: 'ready',
      text: 'It can go now and is about to be sent.',
    });
    expect(notice(verdict, { isHeld: false }).state).toBe('ready');
  });

  test('behavior: one that is not held and may not go waits', () => {
    const told = notice(refusal({ kind: 'block', reason: 'paused' }), { isHeld: false });
    expect(told.state).toBe('waiting');
  });
});

describe('admitted', () => {
  test.each([
    [9, 'It was approved and is on its way.'],
    [10, 'It was approved. Whether it has been sent is not known yet.'],
    [11, 'It was approved. Whether it has been sent is not known yet.'],
  ])('H83: at %i of an admission until 10', (nowMs, text) => {
    const told = admitted('w', { untilMs: 10, nowMs });
    expect(told).toEqual({ withdrawalId: 'w', state: 'admitted', text });
  });
});

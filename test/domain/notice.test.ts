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

  test('behavior: what fits now is ready', () => {
    const verdict = { kind: 'allow', withdrawalId: 'w', expiresAtMs: 9 } as const;
    expect(notice(verdict, HELD).state).toBe('ready');
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

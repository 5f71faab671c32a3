import { describe, expect, test } from 'vitest';
import {
  InvalidRequestError,
  OUTCOMES_MAX,
  parseRequest,
  toResultJson,
} from '../../../lib/adapters/wire/outcome.ts';

const SETTLED = { 'detail-type': 'withdrawal.settled', detail: { withdrawalId: 'w-1' } };
const evidence = { kind: 'nonce-spent', reference: '0xother' };

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
  test('default: the objects of the four events, in order', () => {
    const about = { withdrawalId: 'w-2', evidence };
    const outcomes = [
      SETTLED,
      { 'detail-type': 'withdrawal.failed', detail: about },
      { 'detail-type': 'withdrawal.cancelled', detail: about },
      { 'detail-type': 'withdrawal.replaced', detail: { ...about, transaction: '0xfirst' } },
    ];
    expect(parseRequest(JSON.stringify({ outcomes }))).toEqual([
      { kind: 'settled', withdrawalId: 'w-1' },
      { kind: 'failed', ...about },
      { kind: 'cancelled', ...about },
      { kind: 'replaced', ...about, transaction: '0xfirst' },
    ]);
  });

  test('error: every problem with its field', () => {
    const heartbeat = { 'detail-type': 'heartbeat', detail: { sentAt: '2026-01-01T00:00:00Z' } };
    const noEvidence = { 'detail-type': 'withdrawal.failed', detail: { withdrawalId: 'w' } };
    const problems = problemsOf({ outcomes: [SETTLED, heartbeat, noEvidence] });
    expect(problems).toEqual([
      'outcomes.1: is no outcome of a withdrawal',
      expect.stringMatching(/^outcomes\.2\.detail\.evidence: /),
    ]);
  });

  test('error: an operator’s word is no call either', () => {
    const word = { kind: 'operator', reference: 'ann', reason: 'sure' };
    const detail = { withdrawalId: 'w', evidence: word };
    const outcomes = [{ 'detail-type': 'withdrawal.failed', detail }];
    expect(problemsOf({ outcomes })).not.toEqual([]);
  });

  test('error: none, too many, something beside, no JSON', () => {
    expect(problemsOf({ outcomes: [] })).not.toEqual([]);
    const many = Array.from({ length: OUTCOMES_MAX + 1 }, () => SETTLED);
    expect(problemsOf({ outcomes: many.slice(1) })).toEqual([]);
    expect(problemsOf({ outcomes: many })).not.toEqual([]);
    expect(problemsOf({ outcomes: [SETTLED], force: true })).not.toEqual([]);
    expect(problemsOf('{')).not.toEqual([]);
  });
});

describe('toResultJson', () => {
  test('default', () => {
    const withdrawalId = 'w-1';
    const recorded = { kind: 'recorded', withdrawalId, outcome: 'failed', givenBack: 7n } as const;
    expect(toResultJson(recorded)).toEqual({ withdrawalId, result: 'recorded', givenBack: '7' });
    expect(toResultJson({ kind: 'duplicate', withdrawalId })).toEqual({
      withdrawalId,
      result: 'duplicate',
    });
    for (const kind of ['refused', 'undecided'] as const) {
      const told = toResultJson({ kind, withdrawalId, why: 'because' });
      expect(told).toEqual({ withdrawalId, result: kind, why: 'because' });
    }
  });
});

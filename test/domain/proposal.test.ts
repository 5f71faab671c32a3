import { describe, expect, test } from 'vitest';
import * as Proposal from '../../lib/domain/proposal.ts';
import { approval, proposal, T0_MS } from '../support/builders.ts';

describe('rowIdOf', () => {
  test('default', () => {
    expect(Proposal.rowIdOf('P1')).toBe('proposal:P1');
  });
});

describe('limits', () => {
  test('behavior: a proposal can be signed for a week, and carried out a day late', () => {
    expect(Proposal.LIFE_MAX_MS).toBe(604_800_000);
    expect(Proposal.LATE_MAX_MS).toBe(86_400_000);
  });
});

describe('dueOf', () => {
  test.each(['open', 'done', 'void'] as const)('args: %s is never due', (state) => {
    expect(Proposal.dueOf(proposal({ state, dueAtMs: T0_MS }))).toBeUndefined();
  });

  test('default: one that is approved', () => {
    expect(Proposal.dueOf(proposal({ state: 'approved', dueAtMs: T0_MS }))).toBe(T0_MS);
  });
});

describe('dueChanges', () => {
  const waiting = (dueAtMs: number) => proposal({ state: 'approved', dueAtMs });

  test('behavior: it enters the list once approved, and leaves it once ended', () => {
    expect(Proposal.dueChanges({ proposal: waiting(5), before: proposal() })).toEqual([
      { change: 'put', dueAtMs: 5 },
    ]);
    expect(
      Proposal.dueChanges({ proposal: proposal({ state: 'done' }), before: waiting(5) }),
    ).toEqual([{ change: 'delete', dueAtMs: 5 }]);
  });

  test('behavior: at another time it moves, at the same one it stays', () => {
    expect(Proposal.dueChanges({ proposal: waiting(6), before: waiting(5) })).toEqual([
      { change: 'delete', dueAtMs: 5 },
      { change: 'put', dueAtMs: 6 },
    ]);
    expect(Proposal.dueChanges({ proposal: waiting(5), before: waiting(5) })).toEqual([]);
  });

  test('args: none before', () => {
    expect(Proposal.dueChanges({ proposal: proposal() })).toEqual([]);
    expect(Proposal.dueChanges({ proposal: waiting(5) })).toEqual([{ change: 'put', dueAtMs: 5 }]);
  });
});

describe('standing', () => {
  test('behavior: H80: signatures of rounds that a veto ended do not count', () => {
    const approvals = [approval('alice', 1), approval('bob', 2), approval('carol', 2)];
    const names = (round: number) =>
      Proposal.standing(proposal({ approvals, round })).map(({ operator }) => operator);
    expect(names(1)).toEqual(['alice']);
    expect(names(2)).toEqual(['bob', 'carol']);
    expect(names(3)).toEqual([]);
  });
});

const action = { kind: 'maintenance', scope: 'wallet:hot-1' } as const;

describe('canonicalAction', () => {
  test('default: keys in order at every depth, amounts as text, nothing for what is absent', () => {
    const order = {
      scope: 'wallet:hot-1',
      incidentId: 'INC1',
      budget: 10n,
      steps: [{ shareBps: 1, forMs: 2, chains: ['b', 'a'], assets: undefined }],
      nothing: null,
    };
    const resume = { kind: 'resume', order } as unknown as Proposal.Action;
    expect(Proposal.canonicalAction(resume)).toBe(
      '{"kind":"resume","order":{"budget":"10","incidentId":"INC1","nothing":null,' +
        '"scope":"wallet:hot-1","steps":[{"chains":["b","a"],"forMs":2,"shareBps":1}]}}',
    );
  });

  test('behavior: the order in which it was written does not matter, its content does', () => {
    const turned = { scope: 'wallet:hot-1', kind: 'maintenance' } as const;
    expect(Proposal.canonicalAction(turned)).toBe(Proposal.canonicalAction(action));
    expect(Proposal.canonicalAction({ ...action, scope: 'wallet:hot-2' })).not.toBe(
      Proposal.canonicalAction(action),
    );
  });
});

import { describe, expect, test } from 'vitest';
import * as Ledger from '../../lib/domain/ledger.ts';
import * as Build from '../support/builders.ts';

const { T0_MS } = Build;

describe('size', () => {
  const none = {
    decisionId: 'd',
    atMs: T0_MS,
    rows: [],
    items: [],
    incidents: [],
    causes: [],
    alerts: [],
  };

  test('behavior: H44: nothing', () => {
    expect(Ledger.size(none)).toBe(0);
  });

  test('behavior: what comes into a queue or leaves it is an item each', () => {
    const held = { rowId: 'withdrawal:a', heldAtMs: T0_MS };
    const writes = [
      { held, change: 'put' },
      { held, change: 'delete' },
    ] as const;
    expect(Ledger.size({ ...none, held: writes })).toBe(2);
  });

  test('behavior: a row beside each incident that closes says so', () => {
    const first = { kind: 'operator', atMs: 1, rowId: 'r', text: '', notional: 0n } as const;
    const known = { incidentId: 'I', scope: 'global', epoch: 1, openedAtMs: 1, policyVersion: 1 };
    const incident = (state: 'open' | 'closed') => ({ ...known, first, state });
    const write = (state: 'open' | 'closed') =>
      ({ incident: incident(state), expected: 'open' }) as const;
    expect(Ledger.size({ ...none, incidents: [write('open'), write('closed')] })).toBe(3);
  });

  test('behavior: heartbeat and policy are items too', () => {
    const heartbeat = { sentAtMs: 1, receivedAtMs: 2, oldestWaitingMs: 0 };
    const policy = { version: 1, hash: '', source: '', appliedAtMs: 1, actor: '' };
    expect(Ledger.size({ ...none, heartbeat, policy })).toBe(2);
    const draftPolicy = { hash: '', source: '', compiled: '' };
    expect(Ledger.size({ ...none, draftPolicy })).toBe(1);
    expect(Ledger.size({ ...none, heartbeat, policy, draftPolicy })).toBe(3);
  });

  test('behavior: an incident that opens is one, and one that closes two', () => {
    const first = { kind: 'operator', atMs: 1, rowId: 'r', text: '', notional: 0n } as const;
    const known = { incidentId: 'I', scope: 'global', epoch: 1, openedAtMs: 1, policyVersion: 1 };
    const opened = { ...known, first, state: 'open' as const };
    const closed = { ...opened, state: 'closed' as const };
    const size = (incident: typeof opened | typeof closed) =>
      Ledger.size({ ...none, incidents: [{ incident, expected: 'open' }] });
    expect([size(opened), size(closed)]).toEqual([1, 2]);
  });

  test('behavior: a proposal is one, and what changes in the list of those that wait is one each', () => {
    const proposal = Build.proposal();
    const waiting = { ...proposal, state: 'approved' as const, dueAtMs: T0_MS };
    const moved = { ...waiting, dueAtMs: T0_MS + 1 };
    const size = (...proposals: readonly Ledger.ProposalWrite[]) =>
      Ledger.size({ ...none, proposals });
    expect(size({ proposal })).toBe(1);
    expect(size({ proposal: waiting, before: proposal })).toBe(2);
    expect(size({ proposal: moved, before: waiting })).toBe(3);
    expect(size({ proposal }, { proposal: moved, before: waiting })).toBe(4);
  });
});

describe('newItem', () => {
  test('behavior: H39: closed, empty, with a version no older item can have', () => {
    expect(Ledger.newItem(T0_MS)).toMatchObject({
      version: T0_MS,
      breaker: { state: 'closed', epoch: 0 },
      meter: { newestMs: 0 },
    });
  });
});

import { describe, expect, test } from 'vitest';
import * as Ceremony from '../../lib/domain/ceremony.ts';
import * as Draft from '../../lib/domain/draft.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type * as Proposal from '../../lib/domain/proposal.ts';
import * as Build from '../support/builders.ts';
import { context, DAY_MS, loaded, policy, QUORUM, T0_MS } from '../support/builders.ts';

const SCOPE = 'wallet:hot-1';
const HASH = 'a'.repeat(64);
const alice: Policy.Operator = {
  name: 'alice',
  address: '0xa1',
  roles: ['resume'],
  iam: 'arn:*:alice',
};
const bob: Policy.Operator = { name: 'bob', address: '0xb2', roles: ['resume'] };
const rules = policy({ operators: [alice, bob], resume: QUORUM });
const maintenance: Proposal.Action = { kind: 'maintenance', scope: SCOPE };
const done: Ceremony.Known = {
  policyHash: HASH,
  pausers: [],
  carryOut: () => ({ kind: 'done' }),
};
const refusing: Ceremony.Known = {
  ...done,
  carryOut: () => ({ kind: 'refused', why: 'it cannot be' }),
};

function proposal(overrides: Partial<Proposal.Proposal> = {}): Proposal.Proposal {
  return Build.proposal({ policyHash: HASH, expiresAtMs: T0_MS + DAY_MS, ...overrides });
}

function draftOf(stored?: Proposal.Proposal, nowMs = T0_MS) {
  const row = {
    rowId: 'proposal:P1',
    bodyHash: '',
    state: 'noted' as const,
    atMs: T0_MS,
    note: '',
    version: 1,
    decisionId: 'decision-0',
    policyVersion: 1,
    ...(stored ? { proposal: stored } : {}),
  };
  return Draft.start(context({ policy: rules, nowMs }), loaded({ rows: stored ? [row] : [] }));
}

const signedBy = ({ address }: Policy.Operator) => ({ signature: '0x1', address });
const approvals = [{ operator: 'alice', address: '0xa1', signature: '0x1', atMs: T0_MS, round: 1 }];

describe('quorumOf', () => {
  test('default: of a quorum its number, in trial one', () => {
    expect(
      Ceremony.quorumOf({ resume: { ...QUORUM, kind: 'quorum', quorum: 3, pauserCounts: true } }),
    ).toBe(3);
    expect(Ceremony.quorumOf({ resume: { kind: 'trial', steps: [], budget: 0n } })).toBe(1);
  });
});

describe('keys', () => {
  test('default: of a resume its scope, of all else nothing', () => {
    const order = {
      scope: SCOPE,
      incidentId: 'I',
      epoch: 1,
      steps: [],
      budget: 0n,
      rebase: [],
      also: [],
    };
    expect(Ceremony.keys({ action: { kind: 'resume', order } })).toEqual([SCOPE]);
    expect(Ceremony.keys({ action: maintenance })).toEqual([]);
  });
});

describe('approve', () => {
  const approve = (stored?: Proposal.Proposal, known = done, operator = bob) =>
    Ceremony.approve(draftOf(stored), 'P1', { signed: signedBy(operator), known });

  test('error: there is no such proposal, or no such operator', () => {
    expect(approve()).toEqual({
      result: { kind: 'refused', code: 'unknown-proposal', why: 'there is no proposal P1' },
    });
    const stranger = approve(proposal(), done, { ...bob, address: '0xff' });
    expect(stranger.result).toMatchObject({ code: 'not-an-operator' });
    expect(stranger.changes).toBeUndefined();
  });

  test('behavior: the first of two is written down, where it decides and where people look', () => {
    const { result, changes } = approve(proposal());
    const next = proposal({
      approvals: [{ operator: 'bob', address: '0xb2', signature: '0x1', atMs: T0_MS, round: 1 }],
    });
    expect(result).toEqual({ kind: 'approved', proposal: next, signed: 1, quorum: 2 });
    expect(changes?.proposals).toEqual([{ proposal: next, before: proposal() }]);
    expect(changes?.rows).toMatchObject([
      {
        row: {
          rowId: 'proposal:P1',
          bodyHash: '',
          state: 'noted',
          note: 'maintenance: open',
          proposal: next,
        },
      },
    ]);
  });

  test('behavior: H80: the second one carries it out in the same decision', () => {
    const { result } = approve(proposal({ approvals }));
    expect(result).toMatchObject({
      kind: 'carried-out',
      proposal: { state: 'done', ended: { atMs: T0_MS, why: 'carried out' } },
    });
  });

  test('behavior: H80: what is not possible leaves everything as it was', () => {
    expect(approve(proposal({ approvals }), refusing)).toEqual({
      result: { kind: 'refused', code: 'not-possible', why: 'it cannot be' },
    });
  });

  test('behavior: before its time it waits, a policy its delay from the last signature', () => {
    const later = approve(proposal({ approvals, notBeforeMs: T0_MS + 1 }));
    expect(later.result).toMatchObject({
      kind: 'approved',
      signed: 2,
      proposal: { state: 'approved', dueAtMs: T0_MS + 1 },
    });
    const action: Proposal.Action = {
      kind: 'policy',
      hash: 'h',
      revokes: false,
      changes: [],
      delayMs: 7,
    };
    const change = approve(proposal({ approvals, action }));
    expect(change.result).toMatchObject({ proposal: { state: 'approved', dueAtMs: T0_MS + 7 } });
  });
});

describe('veto', () => {
  const veto = (stored?: Proposal.Proposal) =>
    Ceremony.veto(draftOf(stored), 'P1', { signed: signedBy(bob), reason: 'no' });

  test('error: there is no such proposal', () => {
    expect(veto().result).toMatchObject({ code: 'unknown-proposal' });
  });

  test('behavior: H80: the round is over, and nothing is due any more', () => {
    const { result } = veto(proposal({ approvals, state: 'approved', dueAtMs: T0_MS + 9 }));
    const vetoes = [
      { operator: 'bob', address: '0xb2', signature: '0x1', reason: 'no', atMs: T0_MS, round: 1 },
    ];
    expect(result).toEqual({
      kind: 'vetoed',
      proposal: proposal({ approvals, vetoes, state: 'open', round: 2 }),
    });
  });
});

describe('carryOutDue', () => {
  const dueAtMs = T0_MS + 5;
  const waiting = proposal({ approvals, state: 'approved', dueAtMs });
  const at = (nowMs: number, stored: Proposal.Proposal | undefined = waiting, known = done) =>
    Ceremony.carryOutDue(draftOf(stored, nowMs), 'P1', known);

  test('behavior: H80: at its time, not a millisecond before', () => {
    expect(at(dueAtMs - 1)).toBeUndefined();
    expect(at(dueAtMs)?.result).toMatchObject({ kind: 'carried-out' });
  });

  test('behavior: nothing to do for what is not there, or not approved', () => {
    expect(Ceremony.carryOutDue(draftOf(undefined), 'P1', done)).toBeUndefined();
    for (const state of ['open', 'done', 'void'] as const) {
      expect(at(dueAtMs, { ...waiting, state })).toBeUndefined();
    }
    const { dueAtMs: _, ...timeless } = waiting;
    expect(at(dueAtMs, timeless)).toBeUndefined();
  });

  test('behavior: up to a day late, and void after it', () => {
    expect(at(dueAtMs + DAY_MS)?.result.kind).toBe('carried-out');
    const nowMs = dueAtMs + DAY_MS + 1;
    const why = `it was due at ${new Date(dueAtMs).toISOString()}, more than a day ago`;
    const late = at(nowMs);
    expect(late?.result).toEqual({ kind: 'refused', code: 'void', why });
    expect(late?.changes?.proposals).toMatchObject([
      { proposal: { state: 'void', ended: { atMs: nowMs, why } } },
    ]);
  });

  test('behavior: what is stale or not possible is void, with the reason', () => {
    const stale = at(dueAtMs, waiting, { ...done, policyHash: 'b'.repeat(64) });
    expect(stale?.result).toMatchObject({
      code: 'void',
      why: expect.stringContaining('in force now'),
    });
    const refused = at(dueAtMs, waiting, refusing);
    expect(refused?.result).toEqual({ kind: 'refused', code: 'void', why: 'it cannot be' });
    expect(refused?.changes?.proposals).toMatchObject([{ proposal: { state: 'void' } }]);
  });
});

import { describe, expect, test } from 'vitest';
import * as CarryOut from '../../lib/domain/carry-out.ts';
import * as Draft from '../../lib/domain/draft.ts';
import type * as Proposal from '../../lib/domain/proposal.ts';
import * as Build from '../support/builders.ts';
import { approval, context, HOUR_MS, limit, loaded, policy, T0_MS } from '../support/builders.ts';

const SCOPE = 'wallet:hot-1';
const order = {
  scope: SCOPE,
  incidentId: 'INC1',
  epoch: 1,
  steps: [],
  budget: 0n,
  rebase: [],
  also: [{ scope: 'wallet:hot-2', incidentId: 'INC2', epoch: 1 }],
};
const resume: Proposal.Action = { kind: 'resume', order };
const change: Proposal.Action = {
  kind: 'policy',
  hash: 'h',
  revokes: false,
  changes: [],
  delayMs: 0,
};
const maintenance: Proposal.Action = { kind: 'maintenance', scope: SCOPE };
const allowance: Proposal.Action = {
  kind: 'allowance',
  limitId: 'wallet-hour',
  scope: SCOPE,
  extraBps: 1_000,
  untilMs: T0_MS + HOUR_MS,
};

function proposal(action: Proposal.Action): Proposal.Proposal {
  const approvals = [approval('carol', 1), approval('alice', 2), approval('bob', 2)];
  return Build.proposal({ action, reason: 'node upgrade', round: 2, approvals });
}

function carryOut(action: Proposal.Action, limits = [limit()]) {
  const draft = Draft.start(context({ policy: policy({ limits }) }), loaded());
  return { draft, result: CarryOut.carryOut(draft, proposal(action), { incidents: new Map() }) };
}

describe('keys', () => {
  test('default: every scope that is read and written', () => {
    expect(CarryOut.keys(resume)).toEqual([SCOPE, 'wallet:hot-2']);
    expect(CarryOut.keys(change)).toEqual([]);
    expect(CarryOut.keys(allowance)).toEqual([SCOPE]);
    expect(CarryOut.keys(maintenance)).toEqual([SCOPE]);
  });
});

describe('incidentIds', () => {
  test('default: of a resume those that it closes, of all else none', () => {
    expect(CarryOut.incidentIds(resume)).toEqual(['INC1', 'INC2']);
    for (const action of [change, allowance, maintenance]) {
      expect(CarryOut.incidentIds(action)).toEqual([]);
    }
  });
});

describe('carryOut', () => {
  test('default: planned maintenance stops its scope in the name of those whose signatures count', () => {
    const { draft, result } = carryOut(maintenance);
    expect(result).toEqual({ kind: 'done' });
    expect(Draft.item(draft, SCOPE).breaker).toMatchObject({ state: 'isolated', epoch: 1 });
    const [incident] = Draft.changes(draft).incidents;
    const text = 'planned maintenance by operator:alice, operator:bob: node upgrade';
    expect(incident).toMatchObject({
      incident: {
        first: {
          kind: 'operator',
          rowId: 'proposal:P1',
          text,
          notional: 0n,
          actor: 'operator:alice, operator:bob',
          planned: true,
        },
      },
    });
  });

  test('error: a resume of what is not stopped', () => {
    expect(carryOut(resume).result).toMatchObject({ kind: 'refused' });
  });

  test('error: H47: a policy whose text cannot be read is not put in force', () => {
    expect(carryOut(change).result).toEqual({
      kind: 'refused',
      why: 'the text of the policy cannot be read',
    });
  });

  test('behavior: an allowance, and one of a limit that is not there', () => {
    const { draft, result } = carryOut(allowance);
    expect(result).toEqual({ kind: 'done' });
    expect(Draft.item(draft, SCOPE).allowances).toMatchObject([{ extraBps: 1_000 }]);
    expect(carryOut(allowance, []).result).toMatchObject({ kind: 'refused' });
  });
});

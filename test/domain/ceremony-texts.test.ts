import { describe, expect, test } from 'vitest';
import { SUBJECT_MAX } from '../../lib/domain/page.ts';
import * as Proposal from '../../lib/domain/proposal.ts';
import * as ProposalAudit from '../../lib/domain/proposal-audit.ts';
import * as ProposalPage from '../../lib/domain/proposal-page.ts';
import * as TypedData from '../../lib/domain/typed-data.ts';
import { CHAIN, DAY_MS, ETH, HOUR_MS, hash, T0_MS, usd } from '../support/builders.ts';

// What people read before they sign, what wakes them, and what the audit chain keeps of it.

const SCOPE = 'wallet:hot-1';
const KNOWN = { stackId: 'ab'.repeat(32), hash };
const POLICY = 'e'.repeat(64);

const order = {
  incidentId: 'INC1',
  scope: SCOPE,
  epoch: 4,
  steps: [],
  budget: 0n,
  rebase: [],
  also: [],
};
const full = {
  ...order,
  steps: [
    { shareBps: 1_050, forMs: HOUR_MS, chains: [CHAIN], assets: [ETH] },
    { shareBps: 10_000, forMs: DAY_MS },
  ],
  budget: usd(1_000),
  rebase: [
    { limitId: 'hour', scope: SCOPE },
    { limitId: 'day', scope: 'global' },
  ],
  also: [
    { incidentId: 'INC2', scope: 'wallet:hot-2', epoch: 1 },
    { incidentId: 'INC3', scope: 'wallet:hot-3', epoch: 2 },
  ],
};
const ACTIONS = {
  resume: { kind: 'resume', order },
  steps: { kind: 'resume', order: full },
  policy: {
    kind: 'policy',
    hash: 'a'.repeat(64),
    revokes: false,
    delayMs: DAY_MS,
    changes: ['loosens: one', 'tightens: two'],
  },
  keys: { kind: 'policy', hash: 'a'.repeat(64), revokes: true, delayMs: 0, changes: [] },
  allowance: {
    kind: 'allowance',
    limitId: 'hour',
    scope: SCOPE,
    extraBps: 1_250,
    untilMs: T0_MS + HOUR_MS,
  },
  maintenance: { kind: 'maintenance', scope: SCOPE },
} as const satisfies Readonly<Record<string, Proposal.Action>>;

function proposal(
  action: Proposal.Action,
  more: Partial<Proposal.Proposal> = {},
): Proposal.Proposal {
  return {
    proposalId: 'P1',
    action,
    policyHash: POLICY,
    notBeforeMs: T0_MS,
    expiresAtMs: T0_MS + DAY_MS,
    reason: 'it is safe',
    proposedBy: 'anybody',
    proposedAtMs: T0_MS,
    round: 1,
    approvals: [],
    vetoes: [],
    state: 'open',
    ...more,
  };
}
const approval = (operator: string, round = 1): Proposal.Approval => ({
  operator,
  address: `0x${operator}`,
  signature: '0x51',
  atMs: T0_MS + 1,
  round,
});
const veto = (operator: string, round = 1): Proposal.Veto => ({
  ...approval(operator, round),
  signature: '0x52',
  reason: 'not yet',
});

describe('TypedData.ofProposal', () => {
  const message = (action: Proposal.Action) =>
    TypedData.ofProposal(proposal(action), KNOWN).message;

  test('default: H80: which product, which stack, which proposal, in which round, under which policy', () => {
    const data = TypedData.ofProposal(proposal(ACTIONS.maintenance, { round: 2 }), KNOWN);
    expect(data).toEqual({
      domain: { name: 'Breakwater', version: '1', salt: `0x${KNOWN.stackId}` },
      types: {
        EIP712Domain: [
          { name: 'name', type: 'string' },
          { name: 'version', type: 'string' },
          { name: 'salt', type: 'bytes32' },
        ],
        Maintenance: [
          { name: 'proposal', type: 'string' },
          { name: 'scope', type: 'string' },
          { name: 'reason', type: 'string' },
          { name: 'notBefore', type: 'string' },
          { name: 'expires', type: 'string' },
          { name: 'round', type: 'uint256' },
          { name: 'policyHash', type: 'bytes32' },
          { name: 'actionHash', type: 'bytes32' },
        ],
      },
      primaryType: 'Maintenance',
      message: {
        proposal: 'P1',
        scope: SCOPE,
        reason: 'it is safe',
        notBefore: '2023-09-12T13:21:00.000Z',
        expires: '2023-09-13T13:21:00.000Z',
        round: 2,
        policyHash: `0x${POLICY}`,
        actionHash: `0x${hash(Proposal.canonicalAction(ACTIONS.maintenance))}`,
      },
    });
  });

  test('behavior: H80: a resume at once, with nothing beside it', () => {
    expect(message(ACTIONS.resume)).toMatchObject({
      incident: 'INC1',
      scope: SCOPE,
      epoch: 4,
      mode: 'at once, full limits in force',
      newBase: 'none',
      also: 'none',
    });
  });

  test('behavior: H80: a resume in steps says each of them, what counts anew, and what closes with it', () => {
    expect(message(ACTIONS.steps)).toMatchObject({
      mode: `in steps: 10.5% for 1h for ${CHAIN} and ${ETH} only, then 100% for 24h; where no limit is in USD, of $1,000`,
      newBase: `hour on ${SCOPE}, day on global`,
      also: 'INC2 (wallet:hot-2, epoch 1), INC3 (wallet:hot-3, epoch 2)',
    });
    const { types } = TypedData.ofProposal(proposal(ACTIONS.steps), KNOWN);
    expect(types.Resume).toContainEqual({ name: 'epoch', type: 'uint256' });
  });

  test('behavior: H48: a policy says what it changes, and when', () => {
    expect(message(ACTIONS.policy)).toMatchObject({
      newPolicy: `0x${'a'.repeat(64)}`,
      inForce: '24h after the last signature',
      changes: 'loosens: one; tightens: two',
    });
    expect(message(ACTIONS.keys)).toMatchObject({ inForce: 'at once', changes: '' });
    const { types, primaryType } = TypedData.ofProposal(proposal(ACTIONS.policy), KNOWN);
    expect(types[primaryType]).toContainEqual({ name: 'newPolicy', type: 'bytes32' });
  });

  test('behavior: an allowance says of what, how much and until when', () => {
    expect(message(ACTIONS.allowance)).toMatchObject({
      limit: 'hour',
      scope: SCOPE,
      extra: '12.5%',
      until: '2023-09-12T14:21:00.000Z',
    });
  });
});

describe('TypedData.ofVeto', () => {
  test('default: H80: its own reason, of this round and this action', () => {
    const asked = TypedData.ofVeto(
      proposal(ACTIONS.maintenance, { round: 3 }),
      { reason: 'no' },
      KNOWN,
    );
    expect(asked.primaryType).toBe('Veto');
    expect(asked.message).toEqual({
      proposal: 'P1',
      reason: 'no',
      round: 3,
      policyHash: `0x${POLICY}`,
      actionHash: `0x${hash(Proposal.canonicalAction(ACTIONS.maintenance))}`,
    });
  });
});

describe('TypedData.ofPanic', () => {
  test('default: a pause, and limits at a share', () => {
    const panic = { commandId: 'c1', scope: SCOPE, reason: 'odd', expiresAtMs: T0_MS };
    const { primaryType, message } = TypedData.ofPanic(panic, KNOWN);
    expect([primaryType, message]).toEqual([
      'Panic',
      {
        command: 'c1',
        scope: SCOPE,
        does: 'pause',
        reason: 'odd',
        expires: '2023-09-12T13:21:00.000Z',
      },
    ]);
    const tightening = TypedData.ofPanic({ ...panic, shareBps: 0 }, KNOWN);
    expect(tightening.message.does).toBe('limits at 0%');
    expect(TypedData.ofPanic({ ...panic, shareBps: 1_050 }, KNOWN).message.does).toBe(
      'limits at 10.5%',
    );
  });
});

describe('ProposalPage.proposed', () => {
  test('default: a new one wakes people: what to sign, why, and until when', () => {
    expect(ProposalPage.proposed(proposal(ACTIONS.resume))).toEqual({
      subject: 'TO SIGN resume of wallet:hot-1, incident INC1; run: breakwater resume sign P1',
      severity: 'page',
      body: [
        'TO SIGN resume of wallet:hot-1, incident INC1',
        'Reason: it is safe',
        'Proposed by anybody, can be signed until 2023-09-13T13:21:00.000Z',
        'Signed by: nobody yet',
        'Look:   breakwater resume status P1',
        'Sign:   breakwater resume sign P1',
      ].join('\n'),
    });
  });

  test('behavior: one signature wakes nobody', () => {
    const page = ProposalPage.proposed(
      proposal(ACTIONS.maintenance, { approvals: [approval('alice'), approval('bob')] }),
    );
    expect(page.severity).toBe('notice');
    expect(page.subject).toBe(
      'SIGNED BY 2 maintenance of wallet:hot-1; more: breakwater resume sign P1',
    );
    expect(page.body).toContain('\nSigned by: alice, bob\n');
  });

  test('behavior: H80: an objection wakes people, until somebody signs the round after it', () => {
    const objected = { round: 2, approvals: [approval('alice')], vetoes: [veto('bob')] };
    const page = ProposalPage.proposed(proposal(ACTIONS.allowance, objected));
    expect(page.severity).toBe('page');
    expect(page.subject).toBe(
      'OBJECTED TO allowance for limit hour on wallet:hot-1; look: breakwater resume status P1',
    );
    expect(page.body).toContain(
      '\nSigned by: nobody yet\nObjected: bob at 2023-09-12T13:21:00.001Z: not yet\n',
    );
    const again = { ...objected, approvals: [approval('alice'), approval('carol', 2)] };
    const signed = ProposalPage.proposed(proposal(ACTIONS.allowance, again));
    expect([signed.severity, signed.subject.slice(0, 11)]).toEqual(['notice', 'SIGNED BY 1']);
    const older = { round: 3, approvals: [approval('alice')], vetoes: [veto('bob')] };
    expect(ProposalPage.proposed(proposal(ACTIONS.allowance, older)).subject).toMatch(/^TO SIGN/);
  });

  test('behavior: H48: a loosening that waits wakes people, who can still object', () => {
    const waiting = { state: 'approved', dueAtMs: T0_MS + DAY_MS } as const;
    const page = ProposalPage.proposed(proposal(ACTIONS.policy, waiting));
    expect(page.severity).toBe('page');
    expect(page.subject).toBe(
      'APPROVED policy that loosens; comes into force at 2023-09-13T13:21:00.000Z',
    );
    expect(page.body).toMatch(
      /\nChange: loosens: one\nChange: tightens: two\nLook: .*\nObject: breakwater proposal veto P1$/,
    );
  });

  test('behavior: what was carried out wakes nobody, what failed does', () => {
    const done = ProposalPage.proposed(proposal(ACTIONS.keys, { state: 'done' }));
    expect(done.severity).toBe('notice');
    expect(done.subject).toBe('CARRIED OUT keys taken away by policy; by those who signed it');
    expect(done.body).toMatch(/Look: {3}breakwater resume status P1$/);
    const ended = { atMs: T0_MS, why: 'it opened again since' };
    const gone = ProposalPage.proposed(proposal(ACTIONS.resume, { state: 'void', ended }));
    expect(gone.severity).toBe('page');
    expect(gone.subject).toBe('VOID resume of wallet:hot-1, incident INC1; it opened again since');
    expect(ProposalPage.proposed(proposal(ACTIONS.resume, { state: 'void' })).subject).toMatch(
      /; unknown$/,
    );
  });

  test('behavior: a resume names what counts anew and what closes with it; the first line fits a phone', () => {
    const { body } = ProposalPage.proposed(proposal(ACTIONS.steps));
    expect(body).toContain(
      [
        'Counts from now: limit hour on wallet:hot-1',
        'Counts from now: limit day on global',
        'Also resumes: wallet:hot-2, incident INC2',
        'Also resumes: wallet:hot-3, incident INC3',
        'Look:',
      ].join('\n'),
    );
    const long = { kind: 'maintenance', scope: `wallet:${'a'.repeat(300)}` } as const;
    expect(ProposalPage.proposed(proposal(long)).subject).toHaveLength(SUBJECT_MAX);
  });
});

describe('ProposalPage.pageIdOf', () => {
  test('default: another one for each round, state and signature', () => {
    const id = (more: Partial<Proposal.Proposal>) =>
      ProposalPage.pageIdOf(proposal(ACTIONS.resume, more));
    expect(id({})).toBe('proposal:P1:1:open:0');
    expect(id({ round: 2, state: 'approved', approvals: [approval('alice')] })).toBe(
      'proposal:P1:2:approved:1',
    );
  });
});

describe('ProposalAudit.entriesOf', () => {
  test('default: its making: who asked for what, under which policy, and why', () => {
    expect(ProposalAudit.entriesOf(proposal(ACTIONS.resume))).toEqual([
      {
        entryId: 'proposal:P1:proposed',
        atMs: T0_MS,
        who: 'anybody',
        what: 'resume.proposed',
        scope: SCOPE,
        before: `policy ${POLICY}`,
        after: Proposal.canonicalAction(ACTIONS.resume),
        reason: 'it is safe',
      },
    ]);
  });

  test('behavior: H80: each signature and objection, with the key and its round', () => {
    const [, ...entries] = ProposalAudit.entriesOf(
      proposal(ACTIONS.maintenance, {
        round: 2,
        approvals: [approval('alice'), approval('alice', 2)],
        vetoes: [veto('bob')],
      }),
    );
    const signed = {
      entryId: 'proposal:P1:1:approved:alice',
      atMs: T0_MS + 1,
      who: 'operator:alice',
      what: 'proposal.approved',
      scope: SCOPE,
      before: 'proposal P1, round 1',
      after: 'approved, signed by 0xalice: 0x51',
      reason: 'it is safe',
    };
    expect(entries).toEqual([
      signed,
      {
        ...signed,
        entryId: 'proposal:P1:2:approved:alice',
        before: 'proposal P1, round 2',
      },
      {
        ...signed,
        entryId: 'proposal:P1:1:vetoed:bob',
        who: 'operator:bob',
        what: 'proposal.vetoed',
        after: 'vetoed, signed by 0xbob: 0x52',
        reason: 'not yet',
      },
    ]);
  });

  test('behavior: its end: by whose signatures it was carried out, or why nothing changed', () => {
    const ended = { atMs: T0_MS + 5, why: 'expired' };
    const endOf = (action: Proposal.Action, state: 'done' | 'void') =>
      ProposalAudit.entriesOf(
        proposal(action, {
          state,
          ended,
          round: 2,
          approvals: [approval('eve'), approval('alice', 2), approval('bob', 2)],
        }),
      ).at(-1);
    expect(endOf(ACTIONS.policy, 'done')).toEqual({
      entryId: 'proposal:P1:done',
      atMs: T0_MS + 5,
      who: 'operator:alice, operator:bob',
      what: 'policy.carried-out',
      before: 'proposal P1',
      after: 'carried out',
      reason: 'it is safe',
    });
    expect(endOf(ACTIONS.allowance, 'void')).toEqual({
      entryId: 'proposal:P1:void',
      atMs: T0_MS + 5,
      who: 'breakwater',
      what: 'proposal.void',
      scope: SCOPE,
      before: 'proposal P1',
      after: 'nothing changed',
      reason: 'expired',
    });
  });
});

import { describe, expect, test } from 'vitest';
import { approveProposal, vetoProposal } from '../../lib/actions/approve-proposal.ts';
import * as TypedData from '../../lib/domain/typed-data.ts';
import { putInForce, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import {
  approveAs,
  askedIn,
  operator,
  type Person,
  pauseAs,
  proposalIn,
  proposed,
  quorumPolicy,
  quorumWorld,
  resumeOf,
  SCOPE,
  STACK_ID,
  signAs,
} from '../support/signing.ts';

async function breakerOf({ world }: TestWorld, scope = SCOPE) {
  const { items } = await world.store.decisions.load({ rows: [], items: [scope] });
  return items.get(scope)?.breaker;
}

/** Paused by somebody who is no operator, with a proposal to resume. */
async function paused(policy = quorumPolicy()) {
  const made = await quorumWorld(policy);
  const incidentId = await pauseAs(made, 'on-call');
  const { proposalId } = await proposed(made, resumeOf(incidentId));
  return { made, incidentId, proposalId };
}

async function vetoAs(made: TestWorld, who: Person, proposalId: string) {
  const known = { stackId: STACK_ID, hash: Build.hash };
  const asked = TypedData.ofVeto(await proposalIn(made, proposalId), { reason: 'no' }, known);
  const signature = await signAs(who, asked);
  return vetoProposal(made.world.ceremony, { proposalId, signature, reason: 'no' });
}

describe('approveProposal', () => {
  test('default: two of three close the breaker, in the decision of the second (H74, H80)', async () => {
    const { made, proposalId, incidentId } = await paused();
    expect(await approveAs(made, 'alice', proposalId)).toMatchObject({
      kind: 'approved',
      signed: 1,
      quorum: 2,
    });
    expect(await breakerOf(made)).toMatchObject({ state: 'isolated' });
    const before = made.committed.length;
    expect(await approveAs(made, 'bob', proposalId)).toMatchObject({ kind: 'carried-out' });
    expect(made.committed.length).toBe(before + 1);
    expect(await breakerOf(made)).toEqual({ state: 'closed', epoch: 1 });
    expect(await made.world.store.incidents.get(incidentId)).toMatchObject({
      state: 'closed',
      closed: { actor: 'operator:alice, operator:bob', reason: 'it is safe' },
    });
  });

  test('error: duplicate, the same operator with another signature too (H80)', async () => {
    const { made, proposalId } = await paused();
    await approveAs(made, 'alice', proposalId);
    expect(await approveAs(made, 'alice', proposalId)).toMatchObject({ code: 'duplicate' });
    expect(await breakerOf(made)).toMatchObject({ state: 'isolated' });
  });

  test('error: replayed, a proposal acts once (H80)', async () => {
    const { made, proposalId } = await paused();
    await approveAs(made, 'alice', proposalId);
    const signature = await signAs('bob', await askedIn(made, proposalId));
    await approveProposal(made.world.ceremony, { proposalId, signature });
    await pauseAs(made, 'on-call');
    const again = await approveProposal(made.world.ceremony, { proposalId, signature });
    expect(again).toMatchObject({ kind: 'refused', code: 'replayed' });
    expect(await breakerOf(made)).toMatchObject({ state: 'isolated', epoch: 2 });
  });

  test('error: expired, at the exact millisecond', async () => {
    const { made, proposalId } = await paused();
    const { expiresAtMs } = await proposalIn(made, proposalId);
    made.clock.nowMs = expiresAtMs - 1;
    expect(await approveAs(made, 'alice', proposalId)).toMatchObject({ kind: 'approved' });
    made.clock.nowMs = expiresAtMs;
    expect(await approveAs(made, 'bob', proposalId)).toMatchObject({ code: 'expired' });
  });

  test('error: wrong-incident, the incident that it is about is over', async () => {
    const { made, incidentId, proposalId } = await paused();
    const other = await proposed(made, resumeOf(incidentId));
    for (const who of ['alice', 'bob'] as const) await approveAs(made, who, other.proposalId);
    expect(await approveAs(made, 'alice', proposalId)).toMatchObject({ code: 'wrong-incident' });
    await pauseAs(made, 'on-call');
    expect(await approveAs(made, 'alice', proposalId)).toMatchObject({ code: 'wrong-incident' });
  });

  test('error: wrong-epoch, the breaker has opened again with the same incident since', async () => {
    const steps = [{ shareBps: 1_000, forMs: Build.HOUR_MS }];
    const resume = { kind: 'quorum', quorum: 2, pauserCounts: false, steps, budget: 10n } as const;
    const { made, incidentId, proposalId } = await paused(quorumPolicy({ resume }));
    const staged = await proposed(made, resumeOf(incidentId, { mode: 'steps' }));
    for (const who of ['alice', 'bob'] as const) await approveAs(made, who, staged.proposalId);
    expect(await breakerOf(made)).toMatchObject({ state: 'half-open' });
    await pauseAs(made, 'on-call');
    expect(await approveAs(made, 'alice', proposalId)).toMatchObject({ code: 'wrong-epoch' });
  });

  test('error: wrong-policy, another policy has come into force', async () => {
    const { made, proposalId } = await paused();
    await approveAs(made, 'alice', proposalId);
    await putInForce(made.world, quorumPolicy({ name: 'another' }));
    expect(await approveAs(made, 'bob', proposalId)).toMatchObject({ code: 'wrong-policy' });
    expect(await breakerOf(made)).toMatchObject({ state: 'isolated' });
  });

  test.each(['mallory', 'partner'] as const)('error: %s cannot approve (H80)', async (who) => {
    const { made, proposalId } = await paused();
    const code = who === 'mallory' ? 'not-an-operator' : 'no-right';
    expect(await approveAs(made, who, proposalId)).toMatchObject({ code });
  });

  test('error: paused-it, who stopped it by hand does not count, under any of their names', async () => {
    const made = await quorumWorld();
    const incidentId = await pauseAs(made, 'alice');
    await pauseAs(made, 'bob');
    const { proposalId } = await proposed(made, resumeOf(incidentId));
    expect(await approveAs(made, 'alice', proposalId)).toMatchObject({ code: 'paused-it' });
    expect(await approveAs(made, 'bob', proposalId)).toMatchObject({ code: 'paused-it' });
    expect(await approveAs(made, 'carol', proposalId)).toMatchObject({ kind: 'approved' });
  });

  test('error: paused-it, also where the pause comes after it was read who paused', async () => {
    const { made, proposalId } = await paused();
    await approveAs(made, 'alice', proposalId);
    const { incidents } = made.world.ceremony;
    let reads = 0;
    const causes: typeof incidents.causes = async (incidentId) => {
      const known = await incidents.causes(incidentId);
      reads += 1;
      if (reads === 1) await pauseAs(made, 'bob');
      return known;
    };
    const ceremony = { ...made.world.ceremony, incidents: { ...incidents, causes } };
    const signature = await signAs('bob', await askedIn(made, proposalId));
    expect(await approveProposal(ceremony, { proposalId, signature })).toMatchObject({
      code: 'paused-it',
    });
    expect(reads).toBe(2);
    expect(await breakerOf(made)).toMatchObject({ state: 'isolated' });
  });

  test('error: where causes come without end it gives up, and nothing has changed', async () => {
    const { made, proposalId } = await paused();
    const { incidents } = made.world.ceremony;
    const causes: typeof incidents.causes = async (incidentId) => {
      await pauseAs(made, 'bob');
      return incidents.causes(incidentId);
    };
    const ceremony = { ...made.world.ceremony, incidents: { ...incidents, causes } };
    const signature = await signAs('alice', await askedIn(made, proposalId));
    await expect(approveProposal(ceremony, { proposalId, signature })).rejects.toMatchObject({
      name: 'CommitDecision.ContendedError',
    });
    expect((await proposalIn(made, proposalId)).approvals).toEqual([]);
  });

  test('behavior: who stopped it counts where the policy says so', async () => {
    const resume = { ...quorumPolicy().resume, pauserCounts: true } as const;
    const made = await quorumWorld(quorumPolicy({ resume }));
    const incidentId = await pauseAs(made, 'alice');
    const { proposalId } = await proposed(made, resumeOf(incidentId));
    expect(await approveAs(made, 'alice', proposalId)).toMatchObject({ kind: 'approved' });
  });

  test.each([
    [
      'wrong-stack',
      (asked: TypedData.TypedData) => ({
        ...asked,
        domain: { ...asked.domain, salt: `0x${'cd'.repeat(32)}` },
      }),
    ],
    [
      'wrong-incident',
      (asked: TypedData.TypedData) => ({
        ...asked,
        message: { ...asked.message, incident: 'OTHERONE1' },
      }),
    ],
    [
      'wrong-epoch',
      (asked: TypedData.TypedData) => ({ ...asked, message: { ...asked.message, epoch: 7 } }),
    ],
    [
      'wrong-policy',
      (asked: TypedData.TypedData) => ({
        ...asked,
        message: { ...asked.message, policyHash: `0x${'00'.repeat(32)}` },
      }),
    ],
    [
      'wrong-message',
      (asked: TypedData.TypedData) => ({
        ...asked,
        message: { ...asked.message, scope: 'global' },
      }),
    ],
  ] as const)('error: %s is named where the sender says what was signed', async (code, change) => {
    const { made, proposalId } = await paused();
    const signed = change(await askedIn(made, proposalId)) as TypedData.TypedData;
    const signature = await signAs('alice', signed);
    const { ceremony } = made.world;
    expect(await approveProposal(ceremony, { proposalId, signature, signed })).toMatchObject({
      code,
    });
    // What nobody names recovers to a key that nobody has.
    const unnamed = await approveProposal(ceremony, { proposalId, signature });
    expect(unnamed).toMatchObject({ code: 'not-an-operator' });
    expect((await proposalIn(made, proposalId)).approvals).toEqual([]);
  });

  test('error: wrong-message, signed as something else', async () => {
    const { made, proposalId } = await paused();
    const asked = await askedIn(made, proposalId);
    const signature = await signAs('alice', asked);
    const signed = { ...asked, primaryType: 'Allowance' };
    const result = await approveProposal(made.world.ceremony, { proposalId, signature, signed });
    expect(result).toMatchObject({ code: 'wrong-message' });
  });

  test('error: malformed and unknown', async () => {
    const { made, proposalId } = await paused();
    const { ceremony } = made.world;
    const malformed = await approveProposal(ceremony, { proposalId, signature: '0x00' });
    expect(malformed).toMatchObject({ code: 'malformed' });
    const none = await approveProposal(ceremony, { proposalId: 'NOSUCHONE', signature: '0x00' });
    expect(none).toMatchObject({ code: 'unknown-proposal' });
  });

  test('behavior: not before its time; then it is carried out by the clock (carryOutDue)', async () => {
    const made = await quorumWorld();
    const incidentId = await pauseAs(made, 'on-call');
    const notBeforeMs = made.clock.nowMs + Build.HOUR_MS;
    const { proposalId } = await proposed(made, resumeOf(incidentId), { notBeforeMs });
    await approveAs(made, 'alice', proposalId);
    expect(await approveAs(made, 'bob', proposalId)).toMatchObject({ kind: 'approved', signed: 2 });
    expect(await proposalIn(made, proposalId)).toMatchObject({
      state: 'approved',
      dueAtMs: notBeforeMs,
    });
    expect(await approveAs(made, 'carol', proposalId)).toMatchObject({ code: 'duplicate' });
    expect(await breakerOf(made)).toMatchObject({ state: 'isolated' });
  });

  test('behavior: two last signatures at the same time close it once (H80)', async () => {
    const { made, proposalId } = await paused();
    await approveAs(made, 'alice', proposalId);
    const results = await Promise.all([
      approveAs(made, 'bob', proposalId),
      approveAs(made, 'carol', proposalId),
    ]);
    expect(results.map(({ kind }) => kind).sort()).toEqual(['carried-out', 'refused']);
    expect(made.records.filter(({ type }) => type === 'incident-closed')).toHaveLength(1);
  });

  test('behavior: a key that the quorum has taken away signs nothing any more', async () => {
    const made = await quorumWorld();
    const incidentId = await pauseAs(made, 'on-call');
    const operators = [operator('alice'), operator('bob')];
    await putInForce(made.world, quorumPolicy({ operators }));
    const { proposalId } = await proposed(made, resumeOf(incidentId));
    expect(await approveAs(made, 'carol', proposalId)).toMatchObject({ code: 'not-an-operator' });
  });
});

describe('vetoProposal', () => {
  test('default: the round is over, and a quorum of others signs the next', async () => {
    const { made, proposalId } = await paused();
    await approveAs(made, 'alice', proposalId);
    expect(await vetoAs(made, 'carol', proposalId)).toMatchObject({ kind: 'vetoed' });
    expect(await approveAs(made, 'bob', proposalId)).toMatchObject({ kind: 'approved', signed: 1 });
    expect(await approveAs(made, 'carol', proposalId)).toMatchObject({ code: 'vetoed-it' });
    expect(await approveAs(made, 'alice', proposalId)).toMatchObject({ kind: 'carried-out' });
  });

  test('error: a signature of the round before says nothing about this one', async () => {
    const { made, proposalId } = await paused();
    const old = await signAs('alice', await askedIn(made, proposalId));
    await vetoAs(made, 'carol', proposalId);
    const result = await approveProposal(made.world.ceremony, { proposalId, signature: old });
    expect(result).toMatchObject({ code: 'not-an-operator' });
  });

  test.each([
    ['partner', 'no-right'],
    ['mallory', 'not-an-operator'],
  ] as const)('error: %s cannot object', async (who, code) => {
    const { made, proposalId } = await paused();
    expect(await vetoAs(made, who, proposalId)).toMatchObject({ code });
  });

  test('error: duplicate, each has one objection', async () => {
    const { made, proposalId } = await paused();
    await vetoAs(made, 'carol', proposalId);
    expect(await vetoAs(made, 'carol', proposalId)).toMatchObject({ code: 'duplicate' });
  });

  test('error: replayed, what is done cannot be objected to', async () => {
    const { made, proposalId } = await paused();
    for (const who of ['alice', 'bob'] as const) await approveAs(made, who, proposalId);
    expect(await vetoAs(made, 'carol', proposalId)).toMatchObject({ code: 'replayed' });
  });
});

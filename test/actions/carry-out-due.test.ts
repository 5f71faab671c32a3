import { describe, expect, test } from 'vitest';
import { carryOutDue } from '../../lib/actions/carry-out-due.ts';
import { projectState } from '../../lib/actions/project-state.ts';
import { toCompiled } from '../../lib/adapters/compiled-policy.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import { putInForce, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import {
  approveAs,
  pauseAs,
  proposalIn,
  proposed,
  proposeIn,
  quorumPolicy,
  quorumWorld,
  resumeOf,
  SCOPE,
} from '../support/signing.ts';

const TIGHT = quorumPolicy({ limits: [Build.limit()] });
const LOOSE = quorumPolicy({ limits: [Build.limit({ allowed: Build.usd(2_000) })] });

function wishOf(policy: Policy.Policy) {
  const source = toCompiled(policy);
  return { kind: 'policy', source, hash: Build.hash(source) } as const;
}

async function versionOf({ world }: TestWorld): Promise<number> {
  return (await world.decision.policy.refresh()).version;
}

/** A loosening that two operators have signed. */
async function approved(made: TestWorld, policy = LOOSE) {
  const { proposalId } = await proposed(made, wishOf(policy));
  await approveAs(made, 'alice', proposalId);
  expect(await approveAs(made, 'bob', proposalId)).toMatchObject({ kind: 'approved', signed: 2 });
  return proposalId;
}

describe('carryOutDue', () => {
  test('default: a loosening comes into force after its delay, and not a millisecond before (H48)', async () => {
    const made = await quorumWorld(TIGHT);
    const proposalId = await approved(made);
    made.clock.nowMs += Build.DAY_MS - 1;
    expect(await carryOutDue(made.world.carryOut)).toEqual({ results: [], failed: [] });
    expect(await versionOf(made)).toBe(1);
    made.clock.nowMs += 1;
    const { results } = await carryOutDue(made.world.carryOut);
    expect(results).toMatchObject([
      { kind: 'carried-out', proposal: { proposalId, state: 'done' } },
    ]);
    expect(await versionOf(made)).toBe(2);
    expect(await made.world.store.policies.load(2)).toMatchObject({
      actor: 'operator:alice, operator:bob',
      reason: 'it is safe',
      judged: { loosens: 1 },
    });
    expect(await carryOutDue(made.world.carryOut)).toEqual({ results: [], failed: [] });
  });

  test('behavior: two at the same time carry it out once', async () => {
    const made = await quorumWorld(TIGHT);
    await approved(made);
    made.clock.nowMs += Build.DAY_MS;
    await Promise.all([carryOutDue(made.world.carryOut), carryOutDue(made.world.carryOut)]);
    expect(await versionOf(made)).toBe(2);
  });

  test('behavior: what only takes keys away comes into force with the last signature', async () => {
    const made = await quorumWorld(TIGHT);
    const operators = TIGHT.operators.filter(({ name }) => name !== 'partner');
    const { proposalId } = await proposed(made, wishOf({ ...TIGHT, operators }));
    await approveAs(made, 'alice', proposalId);
    expect(await approveAs(made, 'bob', proposalId)).toMatchObject({ kind: 'carried-out' });
    expect(await versionOf(made)).toBe(2);
  });

  test('error: void where another policy has come into force meanwhile (H52)', async () => {
    const made = await quorumWorld(TIGHT);
    const proposalId = await approved(made);
    await putInForce(made.world, quorumPolicy({ limits: [Build.limit({ allowed: 1n })] }));
    made.clock.nowMs += Build.DAY_MS;
    const { results } = await carryOutDue(made.world.carryOut);
    expect(results).toMatchObject([{ kind: 'refused', code: 'void' }]);
    expect(await proposalIn(made, proposalId)).toMatchObject({ state: 'void' });
    expect(await versionOf(made)).toBe(2);
  });

  test('error: void where it comes more than a day late', async () => {
    const made = await quorumWorld(TIGHT);
    await approved(made);
    made.clock.nowMs += 2 * Build.DAY_MS + 1;
    const { results } = await carryOutDue(made.world.carryOut);
    expect(results).toMatchObject([
      { kind: 'refused', why: expect.stringContaining('more than a day') },
    ]);
    expect(await versionOf(made)).toBe(1);
  });

  test('error: a policy whose text cannot be read holds up no other proposal', async () => {
    const made = await quorumWorld(TIGHT);
    const proposalId = await approved(made);
    const incidentId = await pauseAs(made, 'on-call');
    const notBeforeMs = made.clock.nowMs + Build.HOUR_MS;
    const resume = await proposed(made, resumeOf(incidentId), { notBeforeMs });
    for (const who of ['alice', 'bob'] as const) await approveAs(made, who, resume.proposalId);
    made.clock.nowMs += Build.DAY_MS;
    const parsePolicy = () => {
      throw new Error('unreadable');
    };
    const { results, failed } = await carryOutDue({ ...made.world.carryOut, parsePolicy });
    expect(failed).toEqual([{ proposalId, reason: 'unreadable' }]);
    expect(results).toMatchObject([
      { kind: 'carried-out', proposal: { proposalId: resume.proposalId } },
    ]);
  });
});

describe('what operators carry out', () => {
  test('behavior: an allowance lets a limit allow more at once, until its end', async () => {
    const made = await quorumWorld(TIGHT);
    const untilMs = made.clock.nowMs + Build.HOUR_MS;
    const wish = {
      kind: 'allowance',
      limitId: 'wallet-hour',
      scope: SCOPE,
      extraBps: 5_000,
      untilMs,
    } as const;
    const { proposalId } = await proposed(made, wish);
    for (const who of ['alice', 'carol'] as const) await approveAs(made, who, proposalId);
    const { items } = await made.world.store.decisions.load({ rows: [], items: [SCOPE] });
    expect(items.get(SCOPE)?.allowances).toEqual([
      { limitId: 'wallet-hour', extraBps: 5_000, untilMs },
    ]);
    const again = await proposed(made, wish);
    await approveAs(made, 'alice', again.proposalId);
    expect(await approveAs(made, 'bob', again.proposalId)).toMatchObject({ code: 'not-possible' });
  });

  test('behavior: maintenance stops a scope without a page, and is reopened by two', async () => {
    const made = await quorumWorld(TIGHT);
    const { proposalId } = await proposed(made, { kind: 'maintenance', scope: SCOPE });
    await approveAs(made, 'alice', proposalId);
    await approveAs(made, 'bob', proposalId);
    const { items } = await made.world.store.decisions.load({ rows: [], items: [SCOPE] });
    expect(items.get(SCOPE)?.breaker).toMatchObject({ state: 'isolated' });
    const { incidents, projections } = made.world.store;
    const { notifier, clock } = made.world;
    const opened = made.records.filter(({ type }) => type === 'incident-opened');
    expect(opened).toHaveLength(1);
    for (const record of opened)
      await projectState({ incidents, projections, notifier, clock }, record);
    expect(made.messages).toMatchObject([{ severity: 'notice' }]);
    const [incident] = await incidents.listOpen(1);
    const resume = await proposed(made, resumeOf(incident?.incidentId ?? ''));
    // Both planned it, and neither stopped it alone.
    await approveAs(made, 'alice', resume.proposalId);
    expect(await approveAs(made, 'bob', resume.proposalId)).toMatchObject({ kind: 'carried-out' });
  });

  test('error: a policy that would move an address to another wallet is not even proposed', async () => {
    const made = await quorumWorld(TIGHT);
    const wallets = TIGHT.wallets.map((wallet) =>
      wallet.name === 'hot-1' ? { ...wallet, name: 'fresh' } : wallet,
    );
    expect(await proposeIn(made, wishOf({ ...TIGHT, wallets }))).toMatchObject({ kind: 'refused' });
  });
});

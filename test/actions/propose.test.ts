import { describe, expect, test } from 'vitest';
import { propose } from '../../lib/actions/propose.ts';
import type * as Propose from '../../lib/domain/propose.ts';
import { readyWorld, testWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import {
  commandId,
  pauseAs,
  proposed,
  proposeIn,
  quorumPolicy,
  quorumWorld,
  resumeOf,
  SCOPE,
} from '../support/signing.ts';

const LIMITED = quorumPolicy({ limits: [Build.limit()] });

describe('propose', () => {
  test('default: a resume names what is the case now, and changes nothing else', async () => {
    const made = await quorumWorld();
    const incidentId = await pauseAs(made, 'on-call');
    const proposal = await proposed(made, resumeOf(incidentId));
    const { policyHash: _, proposalId: __, ...rest } = proposal;
    expect(rest).toEqual({
      action: {
        kind: 'resume',
        order: { incidentId, scope: SCOPE, epoch: 1, steps: [], budget: 0n, rebase: [], also: [] },
      },
      notBeforeMs: made.clock.nowMs,
      expiresAtMs: made.clock.nowMs + Build.DAY_MS,
      reason: 'it is safe',
      proposedBy: 'anybody',
      proposedAtMs: made.clock.nowMs,
      round: 1,
      approvals: [],
      vetoes: [],
      state: 'open',
    });
    expect(made.records.at(-1)).toEqual({ type: 'proposal-changed', proposal });
    const { items } = await made.world.store.decisions.load({ rows: [], items: [SCOPE] });
    expect(items.get(SCOPE)?.breaker).toMatchObject({ state: 'isolated' });
  });

  test('behavior: once by its commandId, and the repeat names the same proposal', async () => {
    const made = await quorumWorld();
    const wish = resumeOf(await pauseAs(made, 'on-call'));
    const id = commandId();
    const { proposalId } = await proposed(made, wish, { commandId: id });
    expect(await proposeIn(made, wish, { commandId: id })).toEqual({
      kind: 'duplicate',
      proposalId,
    });
    const other = await proposeIn(made, wish, { commandId: id, reason: 'another' });
    expect(other).toMatchObject({ kind: 'refused' });
    expect(await made.world.store.proposals.list(10)).toHaveLength(1);
  });

  test('behavior: the steps are those of the policy, and signed with it', async () => {
    const steps = [{ shareBps: 1_000, forMs: Build.HOUR_MS, assets: ['eip155:1/*'] }];
    const resume = { ...quorumPolicy().resume, steps, budget: Build.usd(500) } as const;
    const made = await quorumWorld(quorumPolicy({ resume }));
    const wish = resumeOf(await pauseAs(made, 'on-call'), { mode: 'steps' });
    expect((await proposed(made, wish)).action).toMatchObject({
      order: { steps, budget: Build.usd(500) },
    });
  });

  test.each([
    ['an incident that is not there', () => resumeOf('NOSUCHONE1')],
    ['another incident that is not there', (id: string) => resumeOf(id, { also: ['NOSUCHONE1'] })],
    [
      'a limit that is not there',
      (id: string) => resumeOf(id, { rebase: [{ limitId: 'none', scope: SCOPE }] }),
    ],
    [
      'a limit of another scope',
      (id: string) => resumeOf(id, { rebase: [{ limitId: 'wallet-hour', scope: 'global' }] }),
    ],
    [
      'more than 20 limits',
      (id: string) =>
        resumeOf(id, {
          rebase: Array.from({ length: 21 }, () => ({ limitId: 'wallet-hour', scope: SCOPE })),
        }),
    ],
    [
      'more than 20 incidents',
      (id: string) => resumeOf(id, { also: Array.from({ length: 21 }, () => id) }),
    ],
  ] as const)('error: a resume of %s', async (_name, wish) => {
    const made = await quorumWorld(LIMITED);
    const incidentId = await pauseAs(made, 'on-call');
    expect(await proposeIn(made, wish(incidentId))).toMatchObject({ kind: 'refused' });
    expect(await made.world.store.proposals.list(10)).toEqual([]);
  });

  test.each([
    [{ expiresAtMs: Build.T0_MS }, 'expires: is past'],
    [{ expiresAtMs: Build.T0_MS + 7 * Build.DAY_MS + 1 }, 'expires: is more than 7 days ahead'],
    [{ notBeforeMs: Build.T0_MS + Build.DAY_MS }, 'notBefore: is not before it expires'],
    [{ expiresAtMs: Number.NaN }, 'expires: is past'],
  ] as const)('error: times %j', async (times, why) => {
    const made = await quorumWorld();
    const wish = resumeOf(await pauseAs(made, 'on-call'));
    expect(await proposeIn(made, wish, times)).toEqual({ kind: 'refused', why });
  });

  const untilMs = Build.T0_MS + Build.HOUR_MS;
  const allowance = {
    kind: 'allowance',
    limitId: 'wallet-hour',
    scope: SCOPE,
    extraBps: 5_000,
    untilMs,
  } as const;
  test.each([
    [{ ...allowance, limitId: 'none' }, /no limit none/],
    [{ ...allowance, scope: 'global' }, /no limit wallet-hour on global/],
    [{ ...allowance, extraBps: 0 }, /^extra:/],
    [{ ...allowance, extraBps: -1 }, /^extra:/],
    [{ ...allowance, extraBps: 10_001 }, /^extra:/],
    [{ ...allowance, extraBps: 0.5 }, /^extra:/],
    [{ ...allowance, untilMs: Build.T0_MS }, /^until: is past/],
    [{ ...allowance, untilMs: Build.T0_MS + Build.DAY_MS + 1 }, /^until: is more than 24 hours/],
  ] satisfies [Propose.Wish, RegExp][])('error: an allowance of %j', async (wish, why) => {
    const made = await quorumWorld(LIMITED);
    const result = await proposeIn(made, wish);
    expect(result).toMatchObject({ kind: 'refused', why: expect.stringMatching(why) });
  });

  test('args: an allowance at its edges, of one more limit for a whole day', async () => {
    const made = await quorumWorld(LIMITED);
    const wish = { ...allowance, extraBps: 10_000, untilMs: made.clock.nowMs + Build.DAY_MS };
    expect(await proposeIn(made, wish)).toMatchObject({ kind: 'proposed' });
  });

  test('error: nothing is in force that could say who signs', async () => {
    const { world } = testWorld();
    const request = { commandId: commandId(), wish: allowance, reason: 'test' };
    const deps = { ...world.ceremony, compilePolicy: world.compilePolicy };
    const result = await propose(deps, { request, actor: 'anybody' });
    expect(result).toEqual({ kind: 'refused', why: 'no policy is in force' });
  });

  test('error: a policy that loosens nothing needs nobody else', async () => {
    const made = await readyWorld(LIMITED);
    const source = made.world.compilePolicy;
    expect(source).toBeDefined();
    const tighter = quorumPolicy({ limits: [Build.limit({ allowed: Build.usd(10) })] });
    const { toCompiled } = await import('../../lib/adapters/compiled-policy.ts');
    const text = toCompiled(tighter);
    const wish = { kind: 'policy', source: text, hash: Build.hash(text) } as const;
    expect(await proposeIn(made, wish)).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('policy apply'),
    });
  });
});

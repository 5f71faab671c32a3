import { describe, expect, test } from 'vitest';
import { advanceSteps } from '../../lib/actions/advance-steps.ts';
import { commitDecision } from '../../lib/actions/commit-decision.ts';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { projectState } from '../../lib/actions/project-state.ts';
import { readFlag } from '../../lib/actions/read-flag.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { reportLimits } from '../../lib/actions/report-limits.ts';
import { reportStatus } from '../../lib/actions/report-status.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import * as Draft from '../../lib/domain/draft.ts';
import * as Resume from '../../lib/domain/resume.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { STEPS } from '../support/resuming.ts';

const SCOPE = 'wallet:hot-1';

/** A wallet that was paused and resumes in steps. */
async function resuming(steps = STEPS): Promise<TestWorld> {
  const made = await readyWorld(
    Build.policy({ limits: [Build.limit({ windowMs: 24 * Build.HOUR_MS })] }),
  );
  const { world } = made;
  const { incidents } = world.store;
  const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
  const pause = { kind: 'pause', commandId: 'p1', scope: SCOPE, reason: 'drill' } as const;
  await operateBreaker(deps, { command: pause, actor: 'eve' });
  await resume(made, steps);
  made.clock.nowMs += 1;
  return made;
}

async function resume({ world }: TestWorld, steps = STEPS): Promise<void> {
  const [incident] = await world.store.incidents.listOpen(1);
  const { incidentId } = incident!;
  await commitDecision(world.decision, {
    keys: () => ({ rows: [], items: [SCOPE] }),
    decide: (context, loaded) => {
      const draft = Draft.start(context, loaded);
      const { epoch } = Draft.item(draft, SCOPE).breaker;
      const named = { incidentId, scope: SCOPE, epoch };
      const order = { ...named, steps, budget: 0n, rebase: [], also: [] };
      const by = {
        actors: ['a', 'b'],
        reason: 'ok',
        incidents: new Map([[incidentId, incident!]]),
      };
      const result = Resume.carryOut(draft, order, by);
      if (result.kind === 'refused') throw new Error(result.why);
      return { result, changes: { ...Draft.changes(draft), incidents: result.incidents } };
    },
  });
}

const deps = ({ world }: TestWorld) => ({ ...world.decision, incidents: world.store.incidents });
const round = async (made: TestWorld) =>
  (await advanceSteps(deps(made))).advanced.map(({ now }) => now);

async function breakerOf({ world }: TestWorld) {
  const { items } = await world.store.decisions.load({ rows: [], items: [SCOPE] });
  return items.get(SCOPE)!.breaker;
}

async function ask({ world }: TestWorld, ids: readonly string[], whole: number) {
  return Promise.all(
    ids.map(async (id) => {
      const withdrawal = Build.withdrawal(id, { amount: Build.usd(whole) });
      const asks = [{ withdrawal, bodyHash: Build.hash(id) }];
      const [answer] = await reserveWithdrawals(world.reserve, { asks, audience: 'signer' });
      return answer;
    }),
  );
}

describe('advanceSteps', () => {
  test('default: step by step, then closed with its incident', async () => {
    const made = await resuming();
    expect(await round(made)).toEqual([]);
    for (const now of ['next-step', 'next-step', 'closed']) {
      made.clock.nowMs += Build.HOUR_MS;
      expect(await round(made)).toEqual([now]);
      expect(await round(made)).toEqual([]);
    }
    expect(await breakerOf(made)).toEqual({ state: 'closed', epoch: 1 });
    const [incident] = await made.world.store.incidents.list(1);
    expect(incident).toMatchObject({ state: 'closed', closed: { actor: 'a, b', reason: 'ok' } });
    for (const record of [...made.records, ...made.records]) {
      const { incidents, projections } = made.world.store;
      const { notifier, clock } = made.world;
      await projectState({ incidents, projections, notifier, clock }, record);
    }
    const words = made.messages.map(({ subject }) => subject.split(' ')[0]);
    expect(words.filter((word) => word !== 'POLICY')).toEqual([
      'PAUSED',
      'RESUMING',
      'STEP',
      'STEP',
      'RESUMED',
    ]);
  });

  test('behavior: H78: no step is skipped, however late; several at once begin it once', async () => {
    const made = await resuming();
    made.clock.nowMs += 100 * Build.HOUR_MS;
    const rounds = await Promise.all([1, 2, 3].map(() => round(made)));
    expect(rounds.flat()).toEqual(['next-step']);
    expect(await breakerOf(made)).toMatchObject({ step: 1, stepSinceMs: made.clock.nowMs });
  });

  test('behavior: H78: it cannot stick: an incident that is gone, and one that fails, hold nothing up', async () => {
    const made = await resuming(STEPS.slice(0, 1));
    made.clock.nowMs += Build.HOUR_MS;
    const { incidents } = made.world.store;
    const gone = { ...incidents, get: async () => undefined };
    const failing = {
      ...incidents,
      get: async () => {
        throw new Error('not now');
      },
    };
    const failed = await advanceSteps({ ...deps(made), incidents: failing });
    expect([failed.advanced, failed.errors.length]).toEqual([[], 1]);
    const { advanced } = await advanceSteps({ ...deps(made), incidents: gone });
    expect(advanced).toMatchObject([{ now: 'closed' }]);
    expect(await breakerOf(made)).toMatchObject({ state: 'closed' });
  });

  test('behavior: H28, H78: opened again, it is paged and moves on no more; resumed anew it does', async () => {
    const made = await resuming();
    const report = Build.incoming(Build.withdrawal('r1', { amount: Build.usd(101) }));
    await recordEvents(made.world.decision, [report]);
    expect(await breakerOf(made)).toMatchObject({ state: 'open', epoch: 2 });
    made.clock.nowMs += Build.HOUR_MS;
    expect(await round(made)).toEqual([]);
    const { incidents, projections } = made.world.store;
    const { notifier, clock } = made.world;
    for (const record of [...made.records, ...made.records]) {
      await projectState({ incidents, projections, notifier, clock }, record);
    }
    const pages = made.messages.filter(({ severity }) => severity === 'page');
    expect(pages.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^PAUSED /),
      expect.stringMatching(/^OPENED AGAIN wallet:hot-1: limit \$101; run: breakwater incident /),
    ]);
    await resume(made);
    made.clock.nowMs += Build.HOUR_MS;
    expect(await round(made)).toEqual(['next-step']);
  });

  test('behavior: H78: concurrent requests never pass more than the step’s budget', async () => {
    const made = await resuming();
    const ids = Array.from({ length: 24 }, (_, at) => `w${at}`);
    const answers = await ask(made, ids, 7);
    const admitted = answers.filter((answer) => answer?.kind === 'allow').length;
    expect(admitted).toBeGreaterThan(0);
    expect(admitted * 7).toBeLessThanOrEqual(100);
  });

  test('H83: flag, status and limits tell the step', async () => {
    const made = await resuming();
    const { decisions, health, held, incidents } = made.world.store;
    const { clock, deadLetters } = made.world;
    const { policy } = made.world.decision;
    const flag = () =>
      readFlag({ decisions, health, policy, clock }, { wallet: 'hot-1', chain: Build.CHAIN });
    expect(await flag()).toMatchObject({
      enabled: true,
      reason: 'enabled',
      scope: SCOPE,
      text: expect.stringContaining('resumes in steps, 1 of 3'),
    });
    const status = await reportStatus({
      decisions,
      incidents,
      health,
      held,
      deadLetters,
      policy,
      clock,
    });
    expect(status).toMatchObject({
      summary: 'resuming',
      open: [{ step: { number: 1, of: 3, shareBps: 1_000, next: 'step' } }],
    });
    const limits = await reportLimits({ decisions, policy, clock }, { scope: SCOPE });
    expect(limits.lines).toMatchObject([
      { limitId: 'wallet-hour', limit: '1000000000' },
      { limitId: 'wallet-hour', limit: '100000000', headroom: '100000000', step: { number: 1 } },
    ]);
    await ask(made, ['all'], 100);
    expect(await flag()).toMatchObject({
      enabled: false,
      reason: 'breaker-open',
      text: expect.stringContaining('is used up until'),
    });
  });
});

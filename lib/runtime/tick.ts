/** The clock → heartbeats and leases, several times within the minute. */

import type { ScheduledEvent } from 'aws-lambda';
import { advanceSteps } from '../actions/advance-steps.ts';
import { carryOutDue } from '../actions/carry-out-due.ts';
import { expireGraces } from '../actions/expire-graces.ts';
import { createRounds } from '../actions/release-held.ts';
import { renewLeases } from '../actions/renew-leases.ts';
import { reportOverdue } from '../actions/report-overdue.ts';
import { createLimitsMeasure, measureHealth } from './health-metrics.ts';
import { pipeline } from './pipeline.ts';
import type { World } from './world.ts';

/** How a tick loops. `everyMs` 0: once per invocation. */
export type Options = { readonly everyMs: number };

/** One invocation covers this much and one round more, so that the next may be late. */
const MINUTE_MS = 60_000;
/** A heartbeat needs this long to come through; then it is worth a renewal of its own. */
const SETTLE_MS = 1_000;
/** With a loop, a lease is worth three rounds. */
const LEASE_ROUNDS = 3;

/** What a tick does besides renewing: it may take longer than a round, and delays no renewal. */
export type Upkeep = {
  /** Begins what does not run already. */
  readonly start: () => void;
  /** Resolves when what runs has ended. Never rejects. */
  readonly ended: () => Promise<void>;
};

/** The function behind the schedule. One round that fails is logged and the next one is tried. */
export function tick(world: World, options: Options) {
  const upkeep = createUpkeep(world);
  return pipeline((_event: ScheduledEvent) => loop(world, options, upkeep), {
    name: 'tick',
    log: world.log,
    onTimeout: () => undefined,
  });
}

/** One round, waited for whole. None of its parts waits for another or fails with it. Never throws. */
export async function tickOnce(world: World, options: Options): Promise<void> {
  const upkeep = createUpkeep(world);
  upkeep.start();
  await Promise.all([renew(world, options), upkeep.ended()]);
}

/**
 * Lets held withdrawals go where there is room, moves resumes on by their steps, and tells of
 * reservations whose outcome stays open, each one at a time. What fails is logged.
 */
export function createUpkeep(world: World): Upkeep {
  const release = createRounds({ ...world.reserve, held: world.store.held });
  const tasks = [
    oneAtATime(world, 'held withdrawals not tried', async () => {
      const released = await release();
      if (released.length > 0) world.log.info('held withdrawals let go', { released });
    }),
    oneAtATime(world, 'open reservations not looked at', () => tellOverdue(world)),
    oneAtATime(world, 'late reports not looked at', () => expire(world)),
    oneAtATime(world, 'approved proposals not carried out', () => carryOut(world)),
    oneAtATime(world, 'steps of resumes not moved on', () => moveOn(world)),
    oneAtATime(world, 'limits not measured', createLimitsMeasure(world)),
  ];
  return {
    start: () => {
      for (const task of tasks) task.start();
    },
    ended: async () => {
      await Promise.all(tasks.map((task) => task.ended()));
    },
  };
}

function oneAtATime(world: World, failure: string, run: () => Promise<void>): Upkeep {
  let running: Promise<void> | undefined;
  return {
    start: () => {
      running ??= guarded(world, failure, run).finally(() => {
        running = undefined;
      });
    },
    ended: async () => running,
  };
}

async function expire(world: World): Promise<void> {
  const effect = await expireGraces({ ...world.decision, graces: world.store.graces });
  if (effect) world.log.info('reports did not come in time', { trips: effect.trips });
}

/** What enough operators have signed for a time that has come. */
async function carryOut(world: World): Promise<void> {
  const { results, failed } = await carryOutDue(world.carryOut);
  if (results.length > 0) {
    const told = results.map(({ kind, ...result }) => ({
      kind,
      ...('proposal' in result ? { proposalId: result.proposal.proposalId } : result),
    }));
    world.log.info('approved proposals', { results: told });
  }
  for (const one of failed) world.log.error('approved proposal not carried out', one);
}

async function moveOn(world: World): Promise<void> {
  const { incidents } = world.store;
  const { advanced, errors } = await advanceSteps({ ...world.decision, incidents });
  if (advanced.length > 0) world.log.info('resumes moved on', { advanced });
  if (errors.length > 0) throw errors[0];
}

async function tellOverdue(world: World): Promise<void> {
  const { openReservations, alerts } = world.store;
  const { policy } = world.decision;
  await reportOverdue({ openReservations, alerts, policy, clock: world.clock });
}

async function guarded(world: World, failure: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    world.log.error(failure, { reason: error instanceof Error ? error.message : 'unknown' });
  }
}

/** Renews the leases that the last heartbeat proves, and sends the next one. Never throws. */
export async function renew(world: World, options: Options): Promise<void> {
  const { store, events, deadLetters, notifier, clock } = world;
  const { health, projections } = store;
  const { policy } = world.decision;
  const leases = options.everyMs > 0 ? { leaseMaxMs: LEASE_ROUNDS * options.everyMs } : {};
  try {
    const deps = { health, projections, policy, events, deadLetters, notifier, clock };
    const proof = await renewLeases(deps, leases);
    if (proof.kind === 'unproven') world.log.error('lease not renewed', { why: proof.why });
    else if (proof.blind) {
      world.log.error('leases of blind chains not renewed', { blind: proof.blind });
    }
    await measureHealth(world, proof);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    world.log.error('tick failed', { reason });
  }
}

/**
 * Rounds over the whole minute, and one more for the last heartbeat: with rounds of 5 s the leases
 * then hold 15 s into the next minute, however late its invocation starts within them. A round waits
 * for its renewal only; what else is under way at the end is waited for, since nothing goes on after it.
 */
async function loop(world: World, options: Options, upkeep: Upkeep): Promise<undefined> {
  const { everyMs } = options;
  const rounds = everyMs > 0 ? Math.floor(MINUTE_MS / everyMs) + 1 : 1;
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0) await world.sleep(everyMs);
    upkeep.start();
    await renew(world, options);
  }
  await world.sleep(SETTLE_MS);
  await renew(world, options);
  await upkeep.ended();
  return undefined;
}

/** The clock → heartbeats and leases, several times within the minute. */

import type { ScheduledEvent } from 'aws-lambda';
import { releaseWhereRoom } from '../actions/release-held.ts';
import { renewLeases } from '../actions/renew-leases.ts';
import { reportOverdue } from '../actions/report-overdue.ts';
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

/** The function behind the schedule. One round that fails is logged and the next one is tried. */
export function tick(world: World, options: Options) {
  return pipeline((_event: ScheduledEvent) => loop(world, options), {
    name: 'tick',
    log: world.log,
    onTimeout: () => undefined,
  });
}

/**
 * One round: renew what is proven and send the next heartbeat; let held withdrawals go where there
 * is room; tell of reservations whose outcome stays open. None waits for another or fails with it.
 * Never throws.
 */
export async function tickOnce(world: World, options: Options): Promise<void> {
  await Promise.all([
    renew(world, options),
    guarded(world, 'held withdrawals not tried', () => release(world)),
    guarded(world, 'open reservations not looked at', () => tellOverdue(world)),
  ]);
}

async function release(world: World): Promise<void> {
  const released = await releaseWhereRoom({ ...world.reserve, held: world.store.held });
  if (released.length > 0) world.log.info('held withdrawals let go', { released });
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

async function renew(world: World, options: Options): Promise<void> {
  const { store, events, deadLetters, notifier, clock } = world;
  const { health, projections } = store;
  const { policy } = world.decision;
  const leases = options.everyMs > 0 ? { leaseMaxMs: LEASE_ROUNDS * options.everyMs } : {};
  try {
    const deps = { health, projections, policy, events, deadLetters, notifier, clock };
    const proof = await renewLeases(deps, leases);
    if (proof.kind === 'unproven') world.log.error('lease not renewed', { why: proof.why });
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    world.log.error('tick failed', { reason });
  }
}

/**
 * Rounds over the whole minute, and one more for the last heartbeat: with rounds of 5 s the leases
 * then hold 15 s into the next minute, however late its invocation starts within them.
 */
async function loop(world: World, options: Options): Promise<undefined> {
  const { everyMs } = options;
  const rounds = everyMs > 0 ? Math.floor(MINUTE_MS / everyMs) + 1 : 1;
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0) await world.sleep(everyMs);
    await tickOnce(world, options);
  }
  await world.sleep(SETTLE_MS);
  await tickOnce(world, options);
  return undefined;
}

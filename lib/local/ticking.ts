/** Heartbeats of the embedded runtime: on request after a jump of the clock, or by themselves. */

import { tickOnce } from '../runtime/tick.ts';
import type { World } from '../runtime/world.ts';
import type { Local } from './local-world.ts';
import type { Runtime } from './runtime.ts';

/** A fresh heartbeat first: after a jump of the clock the last one proves nothing any more. */
export async function proveHealth(local: Local, submit: Runtime['submit']): Promise<void> {
  const { world, services } = local;
  const sentAt = new Date(world.clock.nowMs()).toISOString();
  await submit([{ detailType: 'heartbeat', detail: { sentAt } }]);
  await services.events.idle();
  await tickOnce(world, { everyMs: 0 });
  await services.events.idle();
}

/**
 * Ticks every so often on the runtime's own clock, which may run faster than the wall, until it is
 * ended; a round under way is waited for. A round that takes longer than the interval is not
 * followed by those that it kept from starting.
 */
export function tickLoop(
  world: World,
  pace: { readonly everyMs: number; readonly speed: number },
): () => Promise<void> {
  const { everyMs, speed } = pace;
  if (everyMs <= 0) return async () => undefined;
  let round: Promise<void> | undefined;
  const tick = () => {
    round ??= tickOnce(world, { everyMs }).finally(() => {
      round = undefined;
    });
  };
  tick();
  const timer = setInterval(tick, everyMs / speed);
  return async () => {
    clearInterval(timer);
    await round;
  };
}

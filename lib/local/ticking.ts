/** Heartbeats of the embedded runtime: on request after a jump of the clock, or by themselves. */

import { createUpkeep, renew, tickOnce } from '../runtime/tick.ts';
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
 * ended; what is under way then is waited for. A renewal that takes longer than the interval is not
 * followed by those that it kept from starting; what else a tick does delays no renewal.
 */
export function tickLoop(
  world: World,
  pace: { readonly everyMs: number; readonly speed: number },
): () => Promise<void> {
  const { everyMs, speed } = pace;
  if (everyMs <= 0) return async () => undefined;
  const upkeep = createUpkeep(world);
  let renewal: Promise<void> | undefined;
  const tick = () => {
    upkeep.start();
    renewal ??= renew(world, { everyMs }).finally(() => {
      renewal = undefined;
    });
  };
  tick();
  const timer = setInterval(tick, everyMs / speed);
  return async () => {
    clearInterval(timer);
    await Promise.all([renewal, upkeep.ended()]);
  };
}

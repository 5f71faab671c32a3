/** This host: its clock, its timers, its randomness. The only place where the product reads them. */

import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../ports.ts';

/** The host's wall clock. */
export const systemClock: Clock = { nowMs: () => Date.now() };

/** Waits about `ms` without keeping the process alive. */
export async function sleep(ms: number): Promise<void> {
  await wait(ms);
}

/** A number in [0, 1), for jitter only. */
export function random(): number {
  return Math.random();
}

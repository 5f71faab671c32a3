/** The diagnosis of a running Breakwater, with the rights of the function that makes it. */

import { type Diagnosis, diagnose } from '../actions/diagnose.ts';
import type { World } from './world.ts';

/** Looks at everything. Never throws; a world without queues to look at says so. */
export async function examine(world: World): Promise<Diagnosis> {
  const { store, clock, digest, signer, deadLetters, decision } = world;
  const { decisions, policies, incidents, health, projections, prices } = store;
  const { policy } = decision;
  const queues = world.queues ?? {
    read: async () => {
      throw new Error('the queues are not known here');
    },
  };
  const stored = { decisions, policies, incidents, health, projections, prices };
  return diagnose({ ...stored, queues, deadLetters, signer, policy, clock, digest });
}

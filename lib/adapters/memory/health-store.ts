/** Proofs of health, in memory. */

import type { HealthStore } from '../../ports.ts';
import type { State } from './state.ts';

/** Heartbeat, leases and what watchers saw. */
export function createHealthStore(state: State): HealthStore {
  return {
    heartbeat: async () => state.health.heartbeat,
    stuckAtMs: async () => state.health.stuckAtMs,
    noteStuck: async (atMs) => {
      state.health.stuckAtMs = atMs;
    },
    sights: async (chains) =>
      new Map([...state.sights].filter(([chain]) => chains.includes(chain))),
    noteSight: async (chain, sight) => {
      const known = state.sights.get(chain);
      if (!known || known.seenAtMs <= sight.seenAtMs) state.sights.set(chain, sight);
    },
    leases: async () => state.health.leases,
    renew: async (leases, atMs) => {
      if (atMs < state.health.leasesAtMs) return;
      state.health.leases = leases;
      state.health.leasesAtMs = atMs;
    },
  };
}

/** Proofs of health, read again only when what is known has run out: a lease is only ever prolonged. */

import type { ChainId } from '../domain/caip.ts';
import { type Leases, leaseOf } from '../domain/flag.ts';
import type { Clock, HealthStore } from '../ports.ts';

/** Gives the leases of some chains. */
export type LeasesInForce = { readonly of: (chains: readonly ChainId[]) => Promise<Leases> };

/** Keeps what was read for as long as it holds. Fail direction: closed, an error of the read is thrown. */
export function createLeasesInForce(deps: {
  readonly health: HealthStore;
  readonly clock: Clock;
}): LeasesInForce {
  let known: Leases = {};
  return {
    of: async (chains) => {
      const nowMs = deps.clock.nowMs();
      const holds = (chain: ChainId) => (leaseOf(known, chain) ?? 0) > nowMs;
      if (!chains.every(holds)) known = await deps.health.leases();
      return known;
    },
  };
}

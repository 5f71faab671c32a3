/** The store over the two DynamoDB tables. */

import type { Store } from '../../ports.ts';
import { createAuditStore } from './audit-store.ts';
import { connect, type Parameters } from './connect.ts';
import { createAlertStore, createIncidentStore, createProjectionStore } from './control-store.ts';
import { createDecisionStore } from './decision-store.ts';
import { createBalanceStore, createPriceStore } from './fact-store.ts';
import { createHealthStore } from './health-store.ts';
import { createPolicyStore } from './policy-store.ts';
import { createProposalStore } from './proposal-store.ts';
import { createGraceStore, createHeldStore, createOpenReservations } from './waiting-store.ts';
import { createWatchStore } from './watch-store.ts';

/**
 * A store over two tables that exist. Puts the clock guard on the client, so that no answer is
 * believed that tells another time than `wallClock`, the host's own (never a virtual one).
 *
 * All its methods throw `Store.UnavailableError`, `Store.BrokenError`, `Store.ClockError` and
 * `Store.UnreadableError`. Fail direction: closed.
 */
export function createDynamoStore(parameters: Parameters): Store {
  const connection = connect(parameters);
  return {
    decisions: createDecisionStore(connection),
    policies: createPolicyStore(connection),
    incidents: createIncidentStore(connection),
    health: createHealthStore(connection),
    projections: createProjectionStore(connection),
    alerts: createAlertStore(connection),
    held: createHeldStore(connection),
    graces: createGraceStore(connection),
    watches: createWatchStore(connection),
    prices: createPriceStore(connection),
    balances: createBalanceStore(connection),
    openReservations: createOpenReservations(connection),
    proposals: createProposalStore(connection),
    audit: createAuditStore(connection),
  };
}

/** What reading the flag needs of the two tables, and nothing more: a bundle with it carries no writer and no rows. */

import type { DecisionStore, HealthStore, PolicyStore } from '../../ports.ts';
import { connect, type Parameters } from './connect.ts';
import { createLeaseReader } from './health-store.ts';
import { createItemReader } from './item-reader.ts';
import { createPolicyStore } from './policy-store.ts';

/** What answering "may withdrawals flow?" reads. */
export type Reader = {
  readonly decisions: Pick<DecisionStore, 'load'>;
  readonly policies: PolicyStore;
  readonly health: Pick<HealthStore, 'leases'>;
};

/** A reader over two tables that exist; nothing in it can write. Throws as the store does. */
export function createDynamoReader(parameters: Parameters): Reader {
  const connection = connect(parameters);
  return {
    decisions: createItemReader(connection),
    policies: createPolicyStore(connection),
    health: createLeaseReader(connection),
  };
}

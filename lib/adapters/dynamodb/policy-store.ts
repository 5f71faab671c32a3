/** Policies by version, in the Control table. */

import type { PolicyStore } from '../../ports.ts';
import type { Connection } from './connection.ts';
import * as Keys from './keys.ts';
import { fromPolicy } from './policy-codec.ts';
import { getControl } from './reads.ts';

/** Policies by version. */
export function createPolicyStore(connection: Connection): PolicyStore {
  return {
    load: async (version) => {
      const stored = await getControl(connection, 'policy', Keys.policyKey(version));
      return stored && fromPolicy(stored);
    },
  };
}

/** Proposals for those who look, in the Control table. What decides is the row of each in the Ledger. */

import type { ProposalStore } from '../../ports.ts';
import type { Connection } from './connection.ts';
import * as Keys from './keys.ts';
import * as Codec from './proposal-codec.ts';
import { getControl, queryControl } from './reads.ts';

/** The copies of proposals, and the texts of policies that are proposed. */
export function createProposalStore(connection: Connection): ProposalStore {
  const { proposal: pk } = Keys.CONTROL_PK;
  return {
    list: async (limit) => {
      const query = { pk, order: 'descending', limit } as const;
      return (await queryControl(connection, 'proposals', query)).map(Codec.fromProposal);
    },
    due: async (nowMs, limit) => {
      const query = { pk: Keys.CONTROL_PK.due, order: 'ascending', limit } as const;
      const waiting = (await queryControl(connection, 'due proposals', query)).map(Codec.fromDue);
      return waiting.flatMap(({ proposalId, dueAtMs }) => (dueAtMs <= nowMs ? [proposalId] : []));
    },
    draft: async (hash) => {
      const stored = await getControl(connection, 'draft', Keys.draftKey(hash));
      return stored && Codec.fromDraft(stored);
    },
  };
}

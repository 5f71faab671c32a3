/** What the Control table holds and the audit chain tells, read again as its stream told it. */

import type { ControlRecord } from '../../ports.ts';
import * as AuditCodec from './audit-codec.ts';
import type { Connection } from './connection.ts';
import * as Codec from './control-codec.ts';
import * as Keys from './keys.ts';
import { fromPolicy } from './policy-codec.ts';
import { fromProposal } from './proposal-codec.ts';
import { queryControl } from './reads.ts';

/** Incidents whose causes are read at the same time. */
const AT_ONCE_MAX = 10;

/** Every fact, partition by partition. */
export async function recorded(connection: Connection): Promise<readonly ControlRecord[]> {
  const pk = Keys.CONTROL_PK;
  const [incidents, alerts, policies, entries, proposals] = await Promise.all([
    whole(connection, pk.incident),
    whole(connection, pk.alert),
    whole(connection, pk.policy),
    whole(connection, pk.entry),
    whole(connection, pk.proposal),
  ]);
  const opened = incidents.map(Codec.fromIncident);
  const causes = await causesOf(
    connection,
    opened.map(({ incidentId }) => incidentId),
  );
  return [
    ...opened.flatMap((incident): ControlRecord[] => [
      { type: 'incident-opened', incident },
      { type: 'incident-changed', incident },
      ...(incident.state === 'closed' ? [{ type: 'incident-closed', incident } as const] : []),
    ]),
    ...causes,
    ...alerts.map((one) => ({ type: 'alert-raised', alert: Codec.fromAlert(one) }) as const),
    ...policies.map((one) => ({ type: 'policy-applied', policy: fromPolicy(one) }) as const),
    ...proposals.map((one) => ({ type: 'proposal-changed', proposal: fromProposal(one) }) as const),
    ...entries.map((one) => ({ type: 'entry-added', entry: AuditCodec.fromEntry(one) }) as const),
  ];
}

async function causesOf(
  connection: Connection,
  incidentIds: readonly string[],
): Promise<readonly ControlRecord[]> {
  const found: ControlRecord[] = [];
  for (let at = 0; at < incidentIds.length; at += AT_ONCE_MAX) {
    const some = incidentIds.slice(at, at + AT_ONCE_MAX);
    const read = await Promise.all(some.map((id) => whole(connection, Keys.causePk(id))));
    for (const stored of read.flat())
      found.push({ type: 'cause-added', ...Codec.fromCause(stored) });
  }
  return found;
}

function whole(connection: Connection, pk: string) {
  return queryControl(connection, 'audit facts', { pk, order: 'ascending' });
}

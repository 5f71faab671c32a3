/** Gathers what is known of one incident, to take away: bounded, and truthful about what is left out. */

import * as Audit from '../domain/audit.ts';
import type { Cause, Incident } from '../domain/breaker.ts';
import * as Evidence from '../domain/evidence.ts';
import type * as Ledger from '../domain/ledger.ts';
import type { AuditStore, Clock, DecisionStore, IncidentStore, PolicyStore } from '../ports.ts';
import { orUnread, type PolicyInForce } from './policy-in-force.ts';

/** What gathering needs. */
export type Deps = {
  readonly decisions: Pick<DecisionStore, 'load'>;
  readonly incidents: IncidentStore;
  readonly policies: PolicyStore;
  readonly audit: AuditStore;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
};

/** Newest links of the chain that are looked through. */
const LINKS_MAX = 5_000;
/** Rows in one pack. */
const ROWS_MAX = 200;

/**
 * The evidence of an incident; nothing where there is none of this id. Reads only.
 *
 * @throws what the store throws.
 */
export async function collectEvidence(
  deps: Deps,
  incidentId: string,
): Promise<Evidence.Evidence | undefined> {
  const { incidents, policies, audit, clock } = deps;
  const incident = await incidents.get(incidentId);
  if (!incident) return undefined;
  const causes = [incident.first, ...(await incidents.causes(incidentId))];
  const { rows, isCut } = await rowsOf(deps, causes);
  const head = await audit.head();
  const from = Math.max(1, head.sequence - LINKS_MAX + 1);
  const links = head.sequence === 0 ? [] : await audit.links(from, LINKS_MAX);
  const seal = await audit.seal();
  const { policy } = await orUnread(deps.policy).current();
  const stored = await policies.load(incident.policyVersion);
  const further = await recordedOf(deps, incident);
  return Evidence.of({
    atMs: clock.nowMs(),
    incident,
    causes,
    rows,
    links,
    further,
    policy,
    stored,
    seal,
    cutOff: [
      ...(isCut ? [`more than ${ROWS_MAX} rows are involved; the others are not here`] : []),
      ...(from > 1
        ? [`the audit chain was looked through from link ${from} on; what came before is not here`]
        : []),
    ],
  });
}

/** Entries of the incident itself, also those that the chain does not have yet. */
async function recordedOf(deps: Deps, incident: Incident): Promise<readonly Audit.Entry[]> {
  const { incidentId } = incident;
  const causes = await deps.incidents.causes(incidentId);
  const records: Audit.Recorded[] = [
    { type: 'incident-opened', incident },
    { type: 'incident-changed', incident },
    ...(incident.state === 'closed' ? [{ type: 'incident-closed', incident } as const] : []),
    ...causes.map(
      (cause, at) => ({ type: 'cause-added', incidentId, number: at + 2, cause }) as const,
    ),
  ];
  return records.flatMap((record) => Audit.entriesOf(record));
}

/** The rows that the causes name, and those that these were matched with. */
async function rowsOf(
  { decisions }: Deps,
  causes: readonly Cause[],
): Promise<{ readonly rows: readonly Ledger.Row[]; readonly isCut: boolean }> {
  const named = [...new Set(causes.map(({ rowId }) => rowId))];
  const first = await decisions.load({ rows: named.slice(0, ROWS_MAX), items: [] });
  const linked = [...first.rows.values()].flatMap(({ link, links = [] }) => [
    ...(link === undefined ? [] : [link]),
    ...links,
  ]);
  const others = [...new Set(linked)].filter((rowId) => !first.rows.has(rowId));
  const room = ROWS_MAX - first.rows.size;
  const second = await decisions.load({ rows: others.slice(0, room), items: [] });
  const rows = [...first.rows.values(), ...second.rows.values()];
  return { rows, isCut: named.length > ROWS_MAX || others.length > room };
}

/** A replay as JSON. */

import type { Summary } from '../../local/replay/incident.ts';
import type { Tally } from '../../local/replay/run.ts';
import type { FalsePauses } from '../../local/replay/what-if.ts';
import type { Resumed } from './operator.ts';
import type { Played, Production } from './production.ts';

/** What `replay --json` prints; bigints travel as decimal strings, times as ISO-8601. */
export type Report = {
  readonly incident: { readonly name: string; readonly title: string } & Summary;
  readonly policy: { readonly name: string; readonly file: string; readonly hash: string };
  readonly seed: string;
  readonly events: number;
  readonly tripped?: {
    readonly incidentId: string;
    readonly scope: string;
    readonly at: string;
    readonly cause: string;
    readonly text: string;
    readonly limitId?: string | undefined;
    readonly toTripMs?: number | undefined;
    readonly toFlagMs?: number | undefined;
  };
  readonly volumeAlone: {
    readonly tripped: boolean;
    readonly limitId?: string | undefined;
    readonly scope?: string | undefined;
    readonly at?: string | undefined;
    readonly isTimeSynthetic?: boolean | undefined;
    readonly stolenCount: number;
    readonly stolenMicroUsd: bigint;
  };
  readonly page?: { readonly subject: string; readonly body: string };
  readonly tally: Tally;
  readonly falsePauses: FalsePauses;
  /** Incidents of an earlier replay in this folder that were open at the start. */
  readonly standing: readonly string[];
  readonly resumed?: Resumed;
};

/** Puts a report together. */
export function reportOf(parameters: {
  readonly production: Production;
  readonly played: Played;
  readonly counted: FalsePauses;
  readonly standing: readonly string[];
  readonly resumed: Resumed | undefined;
}): Report {
  const { production, played, counted, standing, resumed } = parameters;
  const { incident, summary, policy, policyFile, seed, timeline } = production.script;
  const tripped = trippedOf(played);
  return {
    incident: { name: incident.name, title: incident.title, ...summary },
    policy: { name: policy.policy.name, file: policyFile, hash: policy.hash },
    seed,
    events: timeline.items.length,
    ...(tripped ? { tripped } : {}),
    volumeAlone: volumeOf(production),
    ...(played.page ? { page: played.page } : {}),
    tally: played.result.tally,
    falsePauses: counted,
    standing,
    ...(resumed ? { resumed } : {}),
  };
}

function trippedOf({ result }: Played): Report['tripped'] {
  if (!result.tripped) return undefined;
  const { atMs, incident, sent } = result.tripped;
  const { incidentId, scope, first } = incident;
  return {
    incidentId,
    scope,
    at: new Date(atMs).toISOString(),
    cause: first.kind,
    text: first.text,
    limitId: first.limit?.limitId,
    toTripMs: sent.toTripMs,
    toFlagMs: sent.toFlagMs,
  };
}

function volumeOf({ volume }: Production): Report['volumeAlone'] {
  const { tripped, stolenCount, stolenNotional: stolenMicroUsd } = volume;
  if (!tripped) return { tripped: false, stolenCount, stolenMicroUsd };
  return {
    tripped: true,
    limitId: tripped.incident.first.limit?.limitId,
    scope: tripped.incident.scope,
    at: new Date(tripped.atMs).toISOString(),
    isTimeSynthetic: tripped.item.outflow?.synthetic.includes('time') ?? false,
    stolenCount,
    stolenMicroUsd,
  };
}

/** The beginning of a replay: what it is made of, what of it is invented, and the policy that it meets. */

import * as Explain from '../../../domain/explain.ts';
import type * as Policy from '../../../domain/policy.ts';
import type { Incident, SyntheticField } from '../../../local/replay/incident.ts';
import type { Timeline } from '../../../local/replay/timeline.ts';
import type { Paint } from '../paint.ts';
import { clean, fact, padEnd, plural } from '../text.ts';
import { TOTAL_MARK } from './outflow.ts';
import { number } from './words.ts';

/** What the header speaks about. */
export type Header = {
  readonly incident: Incident;
  readonly timeline: Pick<Timeline, 'items' | 'normalCount' | 'droppedCount'>;
  readonly policy: Policy.Policy;
  readonly seed: string;
  readonly incidentFile: string;
  readonly policyFile: string;
};

/** Source hosts that are named one by one. */
const HOSTS_MAX = 3;
const SCOPE_COLUMNS = 13;
const METRIC_COLUMNS = 16;
const ALLOWED_COLUMNS = 14;

/** Lines that say what is replayed. */
export function headerLines(
  header: Header,
  view: { readonly paint: Paint; readonly columns: number },
): readonly string[] {
  const { incident, seed, incidentFile, timeline } = header;
  const { paint, columns } = view;
  const facts = (label: string, text: string) => fact(label, text, { columns });
  const totals = incident.outflows.filter((outflow) => outflow.aggregate).length;
  const aggregate =
    totals === 0
      ? ''
      : `; ${totals} of them are totals of many transfers, each one event (marked ${TOTAL_MARK})`;
  return [
    `${paint.bold('BREAKWATER')}  a real drain in compressed time, through the real functions`,
    '',
    paint.bold(clean(incident.title)),
    ...(incident.note === ''
      ? []
      : facts('', clean(incident.note)).map((line) => line.trimStart())),
    '',
    ...facts(
      'Facts',
      `${plural(incident.outflows.length, 'outflow')} from ${incidentFile}${aggregate}`,
    ),
    ...facts('Sources', hosts(incident)),
    ...facts('Invented', synthetic(incident)),
    ...facts('Traffic', trafficText(timeline, seed)),
    ...policyLines(header, view),
  ];
}

function hosts(incident: Incident): string {
  const urls = incident.outflows.flatMap(({ sourceUrl }) =>
    URL.canParse(sourceUrl) ? [new URL(sourceUrl).host] : [],
  );
  const all = [...new Set(urls)];
  const more = all.length > HOSTS_MAX ? ` and ${all.length - HOSTS_MAX} more` : '';
  return `${all.slice(0, HOSTS_MAX).join(', ')}${more}; each row names its own`;
}

/** What no source states. Places within a transaction are left out: nobody would take them for news. */
function synthetic(incident: Incident): string {
  const count = (field: SyntheticField) =>
    incident.outflows.filter((outflow) => outflow.synthetic.includes(field)).length;
  const fields = (['time', 'wallet', 'destination', 'transaction', 'amount'] as const)
    .filter((field) => count(field) > 0)
    .map((field) => `${field} of ${count(field)}`);
  if (fields.length === 0) return 'nothing of the outflows';
  const star = count('time') > 0 ? '; times with * are evenly spread' : '';
  return `where no source says: ${fields.join(', ')}${star}`;
}

function trafficText(timeline: Header['timeline'], seed: string): string {
  const dropped = timeline.droppedCount > 0 ? `, ${timeline.droppedCount} more left out` : '';
  return `${timeline.normalCount} ordinary withdrawals around them, generated from seed ${clean(seed)}${dropped}`;
}

function policyLines(
  { policy, policyFile }: Header,
  { paint, columns }: { readonly paint: Paint; readonly columns: number },
): readonly string[] {
  const mode = policy.mode === 'shadow' ? paint.yellow('SHADOW: stops nothing') : 'enforce';
  const idColumns =
    Math.max(...policy.limits.map((limit) => limit.limitId.length), 'unmatched'.length) + 2;
  const row = (id: string, rest: string) => `  ${padEnd(id, idColumns)}${rest}`;
  return [
    ...fact('Policy', `${clean(policy.name)} (${policyFile}), mode ${mode}`, { columns }),
    ...policy.limits.map((limit) => row(clean(limit.limitId), limitText(policy, limit))),
    row(
      'unmatched',
      `${columnsOf('outflow', 'not approved', 'any size')}pause ${policy.unmatched.scope}`,
    ),
  ];
}

function limitText(policy: Policy.Policy, limit: Policy.Limit): string {
  const metric =
    limit.metric === 'single'
      ? 'one withdrawal'
      : `${limit.metric} in ${Explain.duration(limit.windowMs)}`;
  const allowed = number(Explain.quantity(policy, limit, limit.allowed));
  const shadow = limit.mode === 'shadow' ? ' (shadow)' : '';
  return `${columnsOf(limit.scope, metric, allowed)}${actionText(limit)}${shadow}`;
}

function columnsOf(scope: string, metric: string, allowed: string): string {
  const metricText = padEnd(metric, METRIC_COLUMNS);
  return `${padEnd(scope, SCOPE_COLUMNS)}${metricText}${padEnd(allowed, ALLOWED_COLUMNS)}`;
}

function actionText(limit: Policy.Limit): string {
  const { action } = limit;
  if (action.kind !== 'pause') return action.kind;
  return action.scope === limit.scope ? 'pause' : `pause ${action.scope}`;
}

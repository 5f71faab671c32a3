/** What a proposal does, in plain words: the same on every page, and before anybody signs. */

import { duration } from '../../domain/explain.ts';
import { formatUnits, formatUsd } from '../../domain/money.ts';
import type * as Proposal from '../../domain/proposal.ts';
import type * as Resume from '../../domain/resume.ts';
import { clean, fact, plural } from './text.ts';
import { moment, span } from './time.ts';

/** How wide it may be, and the service's time. */
export type View = { readonly columns: number; readonly nowMs: number };

/** Basis points as a share: `25%`, `0.5%`. */
export function share(bps: number): string {
  return `${formatUnits(BigInt(bps), 2)}%`;
}

/** One step: `10% for 1h, only eip155:1`. */
export function stepText({
  shareBps,
  forMs,
  chains,
  assets,
}: Resume.Order['steps'][number]): string {
  const only = [...(chains ?? []), ...(assets ?? [])].map(clean);
  const narrowed = only.length === 0 ? '' : ` (only ${only.join(', ')})`;
  return `${share(shareBps)} for ${duration(forMs)}${narrowed}`;
}

/** Verb and object, for a first line. */
export function actionTitle(action: Proposal.Action): string {
  switch (action.kind) {
    case 'resume':
      return `RESUME ${clean(action.order.scope)}`;
    case 'policy':
      return action.revokes ? 'TAKE KEYS AWAY by policy' : 'LOOSEN THE POLICY';
    case 'allowance':
      return `ALLOW MORE on ${clean(action.scope)}`;
    case 'maintenance':
      return `PAUSE ${clean(action.scope)} FOR MAINTENANCE`;
    default:
      return action satisfies never;
  }
}

/** Everything that it does, as facts. */
export function actionLines(action: Proposal.Action, view: View): readonly string[] {
  const { columns, nowMs } = view;
  const line = (label: string, text: string) => fact(label, text, { columns });
  switch (action.kind) {
    case 'resume':
      return resumeLines(action.order, view);
    case 'policy':
      return policyLines(action, view);
    case 'allowance': {
      const { limitId, extraBps, untilMs } = action;
      const text = `allows ${share(extraBps)} more than it says, without delay`;
      return [
        ...line('Limit', clean(limitId)),
        ...line('Does', text),
        ...line('Ends', moment(untilMs, nowMs)),
      ];
    }
    case 'maintenance':
      return line('Does', 'stops it at once; nobody is woken. A resume ends it.');
    default:
      return action satisfies never;
  }
}

function resumeLines(order: Resume.Order, { columns }: View): readonly string[] {
  const { incidentId, epoch, steps, budget, rebase, also } = order;
  const line = (label: string, text: string) => fact(label, text, { columns });
  const hasBudget = steps.length > 0 && budget > 0n;
  return [
    ...line('Incident', `${clean(incidentId)}, opening ${epoch} of this scope`),
    ...(steps.length === 0
      ? line('How', 'AT ONCE, in full: every limit in force, and no steps')
      : line('How', `in ${plural(steps.length, 'step')}, then in full`)),
    ...steps.flatMap((step, at) => line(at === 0 ? 'Steps' : '', `${at + 1}. ${stepText(step)}`)),
    ...(hasBudget ? line('', `where no limit is in USD, of ${formatUsd(budget)}`) : []),
    ...rebase.flatMap(({ limitId, scope }) =>
      line(
        'New base',
        `limit ${clean(limitId)} on ${clean(scope)} counts from then on; what left before counts no more there`,
      ),
    ),
    ...also.flatMap((one) =>
      line(
        'Also',
        `resumes ${clean(one.scope)} (incident ${clean(one.incidentId)}, opening ${one.epoch})`,
      ),
    ),
  ];
}

function policyLines(
  action: Extract<Proposal.Action, { kind: 'policy' }>,
  { columns }: View,
): readonly string[] {
  const { hash, revokes, delayMs, changes } = action;
  const line = (label: string, text: string) => fact(label, text, { columns });
  const when = revokes || delayMs === 0 ? 'at once' : `${span(delayMs)} after the last signature`;
  const no = revokes ? 'what only takes keys away cannot be objected to' : undefined;
  return [
    ...changes.flatMap((change, at) => line(at === 0 ? 'Changes' : '', clean(change))),
    ...line('In force', when),
    ...(no === undefined ? [] : line('', no)),
    ...line('New hash', clean(hash)),
  ];
}

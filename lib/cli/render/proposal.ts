/** Proposals for people: what each does, who has signed, who may, until when, and the next command. */

import * as Proposal from '../../domain/proposal.ts';
import type { Listed, ListedOne, Shown, Signed } from '../proposal-answers.ts';
import { type View as ActionView, actionLines, actionTitle } from './action.ts';
import type { Paint } from './paint.ts';
import { clean, fact, wrap } from './text.ts';
import { moment, relative } from './time.ts';

/** How wide it may be, its colours, and the service's time. */
export type View = ActionView & { readonly paint: Paint };

/** Characters of a hash or of a stack's id that are shown. */
export const HASH_LENGTH = 12;

/** Whether anybody can or must do something about it still. */
export function isWaiting({ proposal, over }: Pick<ListedOne, 'proposal' | 'over'>): boolean {
  return over === undefined && (proposal.state === 'open' || proposal.state === 'approved');
}

/** The group of commands that people know it under. */
export function groupOf({ action }: Pick<Proposal.Proposal, 'action'>): 'resume' | 'proposal' {
  return action.kind === 'resume' ? 'resume' : 'proposal';
}

/** One proposal. */
export function proposalPage(shown: Shown, view: View): readonly string[] {
  const { proposal, typedData } = shown;
  const { proposalId, action, reason, proposedBy, proposedAtMs, policyHash } = proposal;
  const { paint, columns, nowMs } = view;
  const line = (label: string, text: string) => fact(label, text, { columns });
  return [
    `${paint.bold(`Proposal ${clean(proposalId)}`)}  ${stateText(shown, paint)}`,
    paint.bold(actionTitle(action)),
    '',
    ...actionLines(action, view),
    ...line('Reason', clean(reason)),
    ...line('By', `${clean(proposedBy)}, ${moment(proposedAtMs, nowMs)}`),
    '',
    ...signatureLines(shown, view),
    ...timeLines(shown, view),
    ...line('Policy', `hash ${clean(policyHash.slice(0, HASH_LENGTH))}`),
    ...line('Stack', `id ${clean(typedData.domain.salt.slice(2, 2 + HASH_LENGTH))}`),
    ...nextLines(shown, view),
  ];
}

/** The list, newest first: those that wait for somebody in full, the others in one line each. */
export function proposalList(listed: Listed, view: View): readonly string[] {
  const { proposals, quorum } = listed;
  if (proposals.length === 0) return ['No proposals.'];
  return proposals.flatMap((one) => proposalEntry(one, { quorum, view }));
}

/** Proposals that wait, within `status`. */
export function waitingLines(listed: Listed, view: View): readonly string[] {
  const { proposals, quorum } = listed;
  return proposals
    .filter(isWaiting)
    .flatMap((one) => proposalEntry(one, { quorum, view }).map((line) => `  ${line}`));
}

function proposalEntry(
  one: ListedOne,
  { quorum, view }: { readonly quorum: number; readonly view: View },
): readonly string[] {
  const { proposal, signed } = one;
  const { paint, nowMs } = view;
  const { proposalId, action, expiresAtMs, dueAtMs = 0, state } = proposal;
  const columns = view.columns - 2;
  const at = { indent: 2, columns };
  const head = `${paint.bold(clean(proposalId))}  ${stateText(one, paint)}  ${actionTitle(action)}`;
  if (!isWaiting(one)) return [head];
  const group = groupOf(proposal);
  if (state === 'approved') {
    return [
      head,
      ...fact('Due', moment(dueAtMs, nowMs), at),
      ...fact('Object', `breakwater proposal veto ${clean(proposalId)} --reason "…"`, at),
    ];
  }
  const names = signed.length === 0 ? 'nobody yet' : signed.map(clean).join(', ');
  return [
    head,
    ...fact('Signed', `${signed.length} of ${quorum}: ${names}`, at),
    ...fact('Until', moment(expiresAtMs, nowMs), at),
    ...fact('Look', `breakwater ${group} status ${clean(proposalId)}`, at),
  ];
}

/** What became of a signature or an objection, and what comes next. */
export function signedPage(
  result: Signed,
  view: View & { readonly target: string },
): readonly string[] {
  const { proposal } = result;
  const { proposalId, action } = proposal;
  const { paint, columns, target } = view;
  const what = `${paint.bold(clean(proposalId))} on ${clean(target)}`;
  switch (result.kind) {
    case 'carried-out':
      return [
        `${paint.green('CARRIED OUT')} ${what}`,
        actionTitle(action),
        ...afterwards(action, columns),
      ];
    case 'approved':
      return [`${paint.green('SIGNED')} ${what}`, actionTitle(action), ...untilThen(result, view)];
    case 'vetoed':
      return [
        `${paint.yellow('OBJECTED TO')} ${what}`,
        actionTitle(action),
        ...wrap(
          `What was signed before counts no more. Others can sign it again, in round ${proposal.round}.`,
          columns,
        ),
      ];
    default:
      return result satisfies never;
  }
}

function untilThen(result: Extract<Signed, { kind: 'approved' }>, view: View): readonly string[] {
  const { proposal, signed, quorum } = result;
  const { proposalId, state, dueAtMs = 0, expiresAtMs } = proposal;
  const { columns, nowMs } = view;
  const line = (label: string, text: string) => fact(label, text, { columns });
  const id = clean(proposalId);
  const names = Proposal.standing(proposal)
    .map(({ operator }) => clean(operator))
    .join(', ');
  const head = line('Signed', `${signed} of ${quorum}: ${names}`);
  if (state === 'approved') {
    return [
      ...head,
      ...line('Due', moment(dueAtMs, nowMs)),
      ...line('Object', `breakwater proposal veto ${id} --reason "…"`),
    ];
  }
  return [
    ...head,
    ...line('Until', moment(expiresAtMs, nowMs)),
    ...line('Next', `another operator: breakwater ${groupOf(proposal)} sign ${id} --keystore FILE`),
  ];
}

function afterwards(action: Proposal.Action, columns: number): readonly string[] {
  const line = (label: string, text: string) => fact(label, text, { columns });
  switch (action.kind) {
    case 'resume': {
      const { steps } = action.order;
      const begun =
        steps.length === 0
          ? 'A limit whose window is still over trips again with the next withdrawal.'
          : `Step 1 of ${steps.length} has begun; the others follow by themselves. A breach opens the breaker again.`;
      return ['', ...wrap(begun, columns), ...line('Check', 'breakwater status')];
    }
    case 'policy':
      return line('Check', 'breakwater policy show');
    case 'allowance':
      return line('Check', 'breakwater limits');
    case 'maintenance':
      return [
        ...line('Check', 'breakwater status'),
        ...line('Resume', 'breakwater resume propose INCIDENT --at-once --reason "…"'),
      ];
    default:
      return action satisfies never;
  }
}

function stateText({ proposal, over }: Pick<ListedOne, 'proposal' | 'over'>, paint: Paint): string {
  const { state } = proposal;
  switch (state) {
    case 'open':
      return over === undefined ? paint.yellow('TO SIGN') : paint.dim('OVER');
    case 'approved':
      return over === undefined ? paint.yellow('APPROVED, WAITS') : paint.dim('OVER');
    case 'done':
      return paint.green('CARRIED OUT');
    case 'void':
      return paint.dim('VOID');
    default:
      return state satisfies never;
  }
}

function signatureLines(shown: Shown, { columns, nowMs }: View): readonly string[] {
  const { proposal, signed, quorum, may } = shown;
  const line = (label: string, text: string) => fact(label, text, { columns });
  const names = signed.length === 0 ? 'nobody yet' : signed.map(clean).join(', ');
  const others = may.length === 0 ? 'nobody' : may.map(clean).join(', ');
  return [
    ...line('Signed', `${signed.length} of ${quorum}: ${names}`),
    ...(shown.over === undefined && proposal.state === 'open' ? line('May sign', others) : []),
    ...proposal.vetoes.flatMap(({ operator, atMs, reason }) =>
      line('Objected', `${clean(operator)}, ${relative(atMs, nowMs)}: ${clean(reason)}`),
    ),
    ...(proposal.round > 1
      ? line('Round', `${proposal.round}; what was signed before counts no more`)
      : []),
  ];
}

function timeLines({ proposal, over }: Shown, { columns, nowMs }: View): readonly string[] {
  const { state, notBeforeMs, expiresAtMs, proposedAtMs, dueAtMs, ended } = proposal;
  const line = (label: string, text: string) => fact(label, text, { columns });
  if (ended) return line('Ended', `${moment(ended.atMs, nowMs)}: ${clean(ended.why)}`);
  return [
    ...(notBeforeMs > proposedAtMs ? line('From', moment(notBeforeMs, nowMs)) : []),
    ...(state === 'approved' && dueAtMs !== undefined ? line('Due', moment(dueAtMs, nowMs)) : []),
    ...(state === 'open' ? line('Until', moment(expiresAtMs, nowMs)) : []),
    ...(over === undefined ? [] : line('Over', clean(over))),
  ];
}

function nextLines(shown: Shown, { paint }: View): readonly string[] {
  const { proposal, over } = shown;
  const id = clean(proposal.proposalId);
  const group = groupOf(proposal);
  if (over !== undefined || !isWaiting(shown)) return [];
  const veto = `  breakwater proposal veto ${id} --reason "…" --keystore FILE`;
  if (proposal.state === 'approved') return ['', paint.bold('To object'), veto];
  return [
    '',
    paint.bold('To sign'),
    `  breakwater ${group} sign ${id} --keystore FILE`,
    `  breakwater ${group} sign ${id} --typed-data > to-sign.json`,
    `  breakwater ${group} submit ${id} --signature 0x…`,
    paint.bold('To object'),
    veto,
  ];
}

/** What somebody is about to sign, in plain words, before they do. */

import type * as TypedData from '../../domain/typed-data.ts';
import type { Shown } from '../proposal-answers.ts';
import { actionLines, actionTitle, share } from './action.ts';
import { HASH_LENGTH, type View } from './proposal.ts';
import { clean, fact, wrap } from './text.ts';
import { moment } from './time.ts';

/** Approving a proposal. `typedData`: exactly what is signed. */
export function approvalPage(
  shown: Shown,
  typedData: TypedData.TypedData,
  view: View,
): readonly string[] {
  const { proposal, signed, quorum } = shown;
  const { proposalId, action, reason, notBeforeMs, expiresAtMs, proposedAtMs, round } = proposal;
  const { paint, columns, nowMs } = view;
  const line = (label: string, text: string) => fact(label, text, { columns });
  const already = signed.length === 0 ? 'nobody yet' : signed.map(clean).join(', ');
  return [
    `You are about to sign: ${paint.bold(actionTitle(action))}`,
    '',
    ...actionLines(action, view),
    ...line('Reason', clean(reason)),
    ...line('By', clean(proposal.proposedBy)),
    ...(notBeforeMs > proposedAtMs ? line('From', moment(notBeforeMs, nowMs)) : []),
    ...line('Expires', moment(expiresAtMs, nowMs)),
    ...line('Signed', `${signed.length} of ${quorum}: ${already}`),
    ...line('Proposal', `${clean(proposalId)}, round ${round}`),
    ...bindingLines(typedData, view),
    ...lastSignature(shown, view),
  ];
}

/** Objecting to a proposal. */
export function vetoPage(
  shown: Shown,
  typedData: TypedData.TypedData,
  view: View,
): readonly string[] {
  const { proposal, signed } = shown;
  const { paint, columns } = view;
  const line = (label: string, text: string) => fact(label, text, { columns });
  const gone = signed.length === 0 ? 'nobody has signed yet' : signed.map(clean).join(', ');
  return [
    `You are about to OBJECT to: ${paint.bold(actionTitle(proposal.action))}`,
    '',
    ...actionLines(proposal.action, view),
    ...line('Because', clean(`${typedData.message.reason}`)),
    ...line('Voids', `the signatures of this round: ${gone}`),
    ...line('Then', 'you have no further say in it; a quorum of others can sign it again'),
    ...line('Proposal', `${clean(proposal.proposalId)}, round ${proposal.round}`),
    ...bindingLines(typedData, view),
  ];
}

/** Stopping or tightening alone. */
export function panicPage(
  panic: TypedData.Panic,
  typedData: TypedData.TypedData,
  view: View,
): readonly string[] {
  const { scope, shareBps, reason, expiresAtMs } = panic;
  const { paint, columns, nowMs } = view;
  const line = (label: string, text: string) => fact(label, text, { columns });
  const verb = shareBps === undefined ? 'PAUSE' : 'TIGHTEN';
  const does =
    shareBps === undefined
      ? 'nothing leaves any more; only the resume quorum lifts it'
      : `every limit allows ${share(shareBps)} of itself; only the resume quorum lifts it`;
  return [
    `You are about to sign: ${paint.bold(`${verb} ${clean(scope)}`)}`,
    '',
    ...line('Does', does),
    ...line('Reason', clean(reason)),
    ...line('Expires', `${moment(expiresAtMs, nowMs)}, if it is not sent before`),
    ...bindingLines(typedData, view),
  ];
}

/** What ties the signature to one stack and to exactly this text. */
function bindingLines(
  { domain, message }: TypedData.TypedData,
  { columns }: View,
): readonly string[] {
  const { policyHash, actionHash } = message;
  const short = (value: unknown) => clean(`${value}`.slice(2, 2 + HASH_LENGTH));
  return [
    ...fact('Stack', `id ${short(domain.salt)}`, { columns }),
    ...(policyHash === undefined
      ? []
      : fact('Hashes', `policy ${short(policyHash)}, action ${short(actionHash)}`, { columns })),
  ];
}

/** Nobody should be surprised by what their own signature sets off. */
function lastSignature({ proposal, signed, quorum }: Shown, view: View): readonly string[] {
  const { action, notBeforeMs } = proposal;
  if (signed.length + 1 < quorum) return [];
  const waits = notBeforeMs > view.nowMs || (action.kind === 'policy' && action.delayMs > 0);
  const text = waits
    ? 'One more signature completes the quorum: then it is carried out when its time comes.'
    : 'One more signature completes the quorum: then it is carried out at once.';
  return ['', ...wrap(text, view.columns).map(view.paint.yellow)];
}

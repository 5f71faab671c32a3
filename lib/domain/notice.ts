/** Why a withdrawal waits, for whoever asked for it: since when, until when, at which place, who can lift it. */

import type { Reason, Refusal, Verdict } from './verdict.ts';

/**
 * `held`: it waits in a queue. `waiting`: it may not be signed for now. `ready`: it may be, ask again.
 * `admitted`: its admission was given, so that it may have been signed. `sent`, `closed`: its outflow
 * is known, it will not leave.
 */
export type State = 'held' | 'waiting' | 'ready' | 'admitted' | 'sent' | 'closed';

/** What is told. `text` names no limit and no wallet: it can be shown to a customer. */
export type Notice = {
  readonly withdrawalId: string;
  readonly state: State;
  readonly text: string;
  /** Who can lift it: time alone, people of the exchange, or nobody. Absent where nothing stands against it. */
  readonly lift?: 'time' | 'operators' | 'nobody';
  readonly sinceMs?: number;
  /** When there will be room, if nothing else leaves until then. */
  readonly untilMs?: number;
  readonly position?: number;
  /** For the exchange's own people. */
  readonly reason?: Reason;
  readonly incidentId?: string;
};

/** What is told of one that was admitted, whatever would stand against it now: it may be signed already. */
export function admitted(
  withdrawalId: string,
  admission: { readonly untilMs: number; readonly nowMs: number },
): Notice {
  const isLive = admission.untilMs > admission.nowMs;
  const text = isLive
    ? 'It was approved and is on its way.'
    : 'It was approved. Whether it has been sent is not known yet.';
  return { withdrawalId, state: 'admitted', text };
}

/** Says in plain words what a verdict means for a withdrawal that was asked for before and not admitted. */
export function notice(verdict: Verdict, known: { readonly isHeld: boolean }): Notice {
  const { withdrawalId } = verdict;
  if (verdict.kind === 'allow') {
    return { withdrawalId, state: 'ready', text: 'It can go now and is about to be sent.' };
  }
  const { reason, heldSinceMs: sinceMs, capacityAtMs: untilMs, position, incidentId } = verdict;
  return {
    withdrawalId,
    state: known.isHeld ? 'held' : 'waiting',
    reason,
    ...words(verdict),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(position === undefined ? {} : { position }),
    ...(incidentId === undefined ? {} : { incidentId }),
  };
}

function words(refusal: Refusal): Pick<Notice, 'text' | 'lift'> {
  const { reason, capacityAtMs, position = 0 } = refusal;
  switch (reason) {
    case 'limit':
    case 'queue':
      if (refusal.kind === 'hold' && capacityAtMs === undefined && position === 0) {
        return { lift: 'operators', text: 'It waits until a person has looked at it.' };
      }
      return {
        lift: 'time',
        text: 'Much has left in a short time. It keeps its place and goes when there is room for it; people can let it go before.',
      };
    case 'paused':
      return {
        lift: 'operators',
        text: 'Withdrawals are paused. It keeps its place; people decide when they go on.',
      };
    case 'unknown':
      return { lift: 'operators', text: 'It waits until a person has looked at it.' };
    case 'outstanding':
      return {
        lift: 'time',
        text: 'It goes when earlier withdrawals of the same customer are done.',
      };
    case 'lease':
      return {
        lift: 'time',
        text: 'Withdrawals are stopped until the checks on them work again.',
      };
    case 'conflict':
    case 'final':
      return { lift: 'nobody', text: 'It cannot be sent under this number.' };
    default:
      return reason satisfies never;
  }
}

/** Carries one batch to the service and each verdict back to its slot. */

import type { Clock } from '../ports.ts';
import { RefusedError, type Send } from './reserve-http.ts';
import { blocked, type Slot } from './reserve-slot.ts';
import { fromAnswer } from './reserve-wire.ts';
import { pause, type Timers, within } from './time.ts';

/** How calls are made. */
export type CallOptions = {
  readonly send: Send;
  readonly audience: string | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Sends of one batch, at most. */
  readonly attemptsMax: number;
  /** Longest wait for one of them. */
  readonly attemptTimeoutMs: number;
  /** A number from 0 to below 1, for the pause between two attempts. */
  readonly random: () => number;
};

const PAUSE_FIRST_MS = 50;

/**
 * Calls until every slot has its verdict. The same ids are sent at each attempt, and an id is charged
 * once: a reply that was lost is asked for again without harm. A batch that the service refuses as
 * such is halved, so that one misfit does not fail the others. Never throws.
 * Fail direction: closed, slots without an answer are blocked as `unavailable`.
 */
export async function callFor(options: CallOptions, slots: readonly Slot[]): Promise<void> {
  let failure = 'the service is not available';
  for (let attempt = 1; attempt <= options.attemptsMax; attempt += 1) {
    const open = slots.filter((slot) => slot.isOpen());
    if (open.length === 0) return;
    try {
      return await callOnce(options, open);
    } catch (error) {
      if (error instanceof RefusedError) return await refuseOrHalve(options, open, error.message);
      failure = error instanceof Error ? error.message : 'unknown error';
    }
    const isWorthAnother = attempt < options.attemptsMax && slots.some((slot) => slot.isOpen());
    const pauseMs = PAUSE_FIRST_MS * 2 ** (attempt - 1) * (0.5 + options.random() / 2);
    if (isWorthAnother) await pause(options.timers, pauseMs);
  }
  block(slots, { text: failure, provisional: true });
}

async function callOnce(options: CallOptions, open: readonly Slot[]): Promise<void> {
  const { audience, attemptTimeoutMs, clock, timers } = options;
  const withdrawals = open.map((slot) => slot.withdrawal);
  const body = { ...(audience === undefined ? {} : { audience }), withdrawals };
  const leftMs = Math.max(...open.map((slot) => slot.deadlineMs)) - clock.nowMs();
  const timeoutMs = Math.max(0, Math.min(attemptTimeoutMs, leftMs));
  const answer = await within({ timers, timeoutMs }, (signal) => options.send(body, signal));
  const verdicts = fromAnswer(answer, withdrawals);
  for (const [position, slot] of open.entries()) {
    const verdict = verdicts[position];
    if (verdict) slot.settle(verdict);
  }
  block(open, { text: 'the service gave no readable verdict', provisional: true });
}

async function refuseOrHalve(
  options: CallOptions,
  open: readonly Slot[],
  text: string,
): Promise<void> {
  if (open.length === 1) return block(open, { text, provisional: false });
  const middle = Math.ceil(open.length / 2);
  await callFor(options, open.slice(0, middle));
  await callFor(options, open.slice(middle));
}

function block(
  slots: readonly Slot[],
  why: { readonly text: string; readonly provisional: boolean },
): void {
  for (const { settle, withdrawal } of slots) {
    settle(blocked({ withdrawalId: withdrawal.withdrawalId, reason: 'unavailable', ...why }));
  }
}

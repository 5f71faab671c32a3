/** One withdrawal that waits for its verdict: it gets exactly one, and in time. */

import type { Clock } from '../ports.ts';
import type { Reason, Verdict, WireWithdrawal } from './reserve-wire.ts';
import type { Timers } from './time.ts';

/** A withdrawal with its callers. Whoever asks for the same body while it waits shares it. */
export type Slot = {
  readonly withdrawal: WireWithdrawal;
  readonly askedAtMs: number;
  readonly deadlineMs: number;
  /** Never rejected. */
  readonly answer: Promise<Verdict>;
  /** Gives the verdict; only the first one counts, and none that comes after the deadline. */
  readonly settle: (verdict: Verdict) => void;
  readonly isOpen: () => boolean;
};

/** A verdict of the client's own, for whatever did not work. */
export function blocked(parameters: {
  readonly withdrawalId: string;
  readonly reason: Extract<Reason, 'timeout' | 'unavailable'>;
  readonly text: string;
  readonly provisional: boolean;
}): Verdict {
  return { verdict: 'block', ...parameters };
}

/**
 * Opens a slot. At its deadline it is settled as `block`, reason `timeout`: the service may have
 * charged it all the same, so it is provisional, and asking again with the same id is safe.
 */
export function openSlot(
  withdrawal: WireWithdrawal,
  options: { readonly clock: Clock; readonly timers: Timers; readonly timeoutMs: number },
): Slot {
  const { clock, timers, timeoutMs } = options;
  const askedAtMs = clock.nowMs();
  const deadlineMs = askedAtMs + timeoutMs;
  const late = blocked({
    withdrawalId: withdrawal.withdrawalId,
    reason: 'timeout',
    text: `no verdict within ${timeoutMs} ms`,
    provisional: true,
  });
  let resolve: (verdict: Verdict) => void = () => {};
  const answer = new Promise<Verdict>((take) => {
    resolve = take;
  });
  let isOpen = true;
  const finish = (verdict: Verdict) => {
    isOpen = false;
    cancel();
    resolve(verdict);
  };
  const cancel = timers.after(timeoutMs, () => finish(late));
  return {
    withdrawal,
    askedAtMs,
    deadlineMs,
    answer,
    // A busy process can run a reply that is too late before the timer that says so.
    settle: (verdict) => {
      if (isOpen) finish(clock.nowMs() < deadlineMs ? verdict : late);
    },
    isOpen: () => isOpen,
  };
}

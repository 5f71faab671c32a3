/**
 * What a store throws. Fail direction of all of them: closed, the caller takes a decision that ended
 * in one as "not committed, not approved". No message carries what was read or written.
 */

import { CHANGES_MAX } from '../domain/ledger.ts';

/** The store was throttled, timed out or down beyond the bounded retries. What was asked may or may not have happened. */
export class UnavailableError extends Error {
  override readonly name = 'Store.UnavailableError';
  readonly operation: string;
  /** Name of the last failure, for example `ThrottlingException`. */
  readonly reason: string;
  readonly attempts: number;
  constructor(details: {
    readonly operation: string;
    readonly reason: string;
    readonly attempts: number;
  }) {
    const { operation, reason, attempts } = details;
    super(`${operation}: the store did not answer in ${attempts} attempts (${reason})`, {
      cause: reason,
    });
    this.operation = operation;
    this.reason = reason;
    this.attempts = attempts;
  }
}

/** The store refused what was asked, and would refuse it again: a programmer's or an operator's mistake. Never a lost condition. */
export class BrokenError extends Error {
  override readonly name = 'Store.BrokenError';
  readonly operation: string;
  /** Name of the refusal, for example `ValidationException`. */
  readonly reason: string;
  constructor(details: {
    readonly operation: string;
    readonly reason: string;
    readonly why: string;
  }) {
    const { operation, reason, why } = details;
    super(`${operation}: the store refuses it (${reason}): ${why}`, { cause: reason });
    this.operation = operation;
    this.reason = reason;
  }
}

/** This host's clock and the store's are too far apart to decide by; or the store's answer tells no time. */
export class ClockError extends Error {
  override readonly name = 'Store.ClockError';
  /** How far the store's clock is ahead of this host's (negative: behind), ms; absent when it tells none. */
  readonly deviationMs: number | undefined;
  constructor(details: { readonly deviationMs: number | undefined }) {
    const { deviationMs } = details;
    super(
      deviationMs === undefined
        ? 'the store answered without a Date, so this clock cannot be checked'
        : `the store's clock is ${deviationMs} ms from this one; check the time of this host`,
    );
    this.deviationMs = deviationMs;
  }
}

/** More changes than one transaction can hold: the caller has to split its batch. Nothing was written. */
export class TooManyChangesError extends Error {
  override readonly name = 'Store.TooManyChangesError';
  readonly size: number;
  constructor(details: { readonly size: number }) {
    super(`${details.size} changes do not fit one transaction of ${CHANGES_MAX}; split the batch`);
    this.size = details.size;
  }
}

/** Something stored does not have the form that this version reads or writes. */
export class UnreadableError extends Error {
  override readonly name = 'Store.UnreadableError';
  constructor(
    details: { readonly what: string; readonly why: string },
    options: { readonly cause?: unknown } = {},
  ) {
    super(`stored ${details.what} cannot be read: ${details.why}`, options);
  }
}

/** The breaker of a scope: what stops the money. It opens by itself and is closed by people only. */

import type * as Meter from './meter.ts';

/** Why a breaker opened, or what came after it had. Amounts as the meter counts them. */
export type Cause = {
  readonly kind: 'limit' | 'unmatched' | 'conflict' | 'unknown' | 'parked' | 'operator';
  readonly atMs: number;
  /** The ledger row, or the command, that showed it. */
  readonly rowId: string;
  /** One sentence for the operator. */
  readonly text: string;
  /** Size of the event in micro-USD. */
  readonly notional: bigint;
  /** For `limit`: the limit, what its window holds with this event, and what it allows. */
  readonly limit?: { readonly limitId: string; readonly used: bigint; readonly allowed: bigint };
  /** For `operator`: who. */
  readonly actor?: string;
  /** For `operator`: several planned it together, and nobody is woken. */
  readonly planned?: true;
  /** It opened the breaker again while that was resuming in steps: the epoch that this began. */
  readonly reopened?: number;
};

/** One step of a resume: a share of each limit, on what leaves since the step began. */
export type Step = {
  /** 1 to 10 000. */
  readonly shareBps: number;
  readonly forMs: number;
  /** Patterns of what may flow in this step; absent: everything. Assets by the one whose budget is used. */
  readonly chains?: readonly string[];
  readonly assets?: readonly string[];
};

/** A breaker that resumes in steps: withdrawals flow within the budget of its step. */
export type HalfOpen = {
  readonly state: 'half-open';
  readonly epoch: number;
  readonly incidentId: string;
  readonly openedAtMs: number;
  readonly causes: number;
  readonly unmatched?: number;
  readonly steps: readonly Step[];
  /** Position in `steps`, from 0. */
  readonly step: number;
  /** When it began, by the clock of the worker that began it. */
  readonly stepSinceMs: number;
  /** What had been charged to the scope's meter when it began. */
  readonly mark: Meter.Mark;
  /** micro-USD: what 100 % means where the scope has no notional limit of its own. */
  readonly budget: bigint;
};

/** The state of a breaker; it carries only what that state needs. `epoch` counts the openings. */
export type Breaker =
  | { readonly state: 'closed'; readonly epoch: number }
  | HalfOpen
  | {
      /** `open`: tripped by the system. `isolated`: opened by an operator. */
      readonly state: 'open' | 'isolated';
      readonly epoch: number;
      readonly incidentId: string;
      readonly openedAtMs: number;
      /** Causes so far, the first one included. */
      readonly causes: number;
      /** Unmatched outflows among those after the first cause; absent while there is none. */
      readonly unmatched?: number;
    };

/** One opening of a breaker. Its later causes are kept beside it, up to {@link CAUSES_MAX} in full. */
export type Incident = {
  readonly incidentId: string;
  readonly scope: string;
  readonly epoch: number;
  readonly openedAtMs: number;
  readonly first: Cause;
  readonly policyVersion: number;
  readonly state: 'open' | 'closed';
  readonly closed?: { readonly atMs: number; readonly actor: string; readonly reason: string };
  /** The newest resume in steps. Whether it goes on only the breaker tells: it may have opened again since. */
  readonly resuming?: Resuming;
  /** The incident of the money that made the system stop this wallet or destination beside it. */
  readonly quarantinedBy?: string;
  /** It opened no breaker: a person had every limit of the scope allow only this share of itself. */
  readonly overlay?: number;
  /** Opened by the canary outflow of a drill: nobody is paged for it (`drill.ts`). */
  readonly drill?: true;
};

/** A resume in steps: who agreed to it, and of which epoch of the breaker. */
export type Resuming = {
  readonly atMs: number;
  readonly actors: readonly string[];
  readonly reason: string;
  readonly epoch: number;
};

/** Causes of one incident that are kept in full; the rest are counted. */
export const CAUSES_MAX = 20;

/** Unmatched outflows of a breaker's incident after its first cause: people may know of that one only. */
export function alsoUnmatched(breaker: Breaker): number {
  return breaker.state === 'closed' ? 0 : (breaker.unmatched ?? 0);
}

/** A breaker that has never opened. */
export const CLOSED: Breaker = { state: 'closed', epoch: 0 };

/** Whether withdrawals flow without a budget of a step. */
export function permits(breaker: Breaker): boolean {
  return breaker.state === 'closed';
}

/** Whether nothing flows. Between the two, one that is `half-open` lets through what its step allows. */
export function stops(breaker: Breaker): boolean {
  return breaker.state === 'open' || breaker.state === 'isolated';
}

/** What an opening, or a further cause, changes. */
export type Tripped = {
  readonly breaker: Breaker;
  /** The incident that this opened; absent when the breaker was open already. */
  readonly opened?: Incident;
  /** Present where it was resuming in steps and is open again, with the same incident. */
  readonly reopened?: true;
  /** Position of the cause in its incident, from 1. */
  readonly causeNumber: number;
  readonly incidentId: string;
};

/**
 * Opens a closed breaker, or adds a cause to an open one. The first cause and the state stay:
 * tripping twice is no second incident, and a trip does not turn `isolated` into `open`. One that is
 * resuming in steps opens again: the same incident, a new epoch, which no approval of before fits.
 */
export function trip(
  breaker: Breaker,
  parameters: {
    readonly scope: string;
    readonly cause: Cause;
    readonly incidentId: string;
    readonly policyVersion: number;
  },
): Tripped {
  const { scope, cause, incidentId, policyVersion } = parameters;
  if (breaker.state !== 'closed') {
    const causes = breaker.causes + 1;
    const unmatched = (breaker.unmatched ?? 0) + (cause.kind === 'unmatched' ? 1 : 0);
    const counts = { causes, ...(unmatched > 0 ? { unmatched } : {}) };
    const joined = { causeNumber: causes, incidentId: breaker.incidentId };
    if (breaker.state !== 'half-open') return { breaker: { ...breaker, ...counts }, ...joined };
    return { breaker: openAgain(breaker, cause, counts), reopened: true, ...joined };
  }
  const epoch = breaker.epoch + 1;
  const opened: Incident = {
    incidentId,
    scope,
    epoch,
    openedAtMs: cause.atMs,
    first: cause,
    policyVersion,
    state: 'open',
  };
  return {
    breaker: { state: stateOf(cause), epoch, incidentId, openedAtMs: cause.atMs, causes: 1 },
    opened,
    causeNumber: 1,
    incidentId,
  };
}

function openAgain(
  { epoch, incidentId }: HalfOpen,
  cause: Cause,
  counts: { readonly causes: number; readonly unmatched?: number },
): Breaker {
  const openedAtMs = cause.atMs;
  return { state: stateOf(cause), epoch: epoch + 1, incidentId, openedAtMs, ...counts };
}

function stateOf({ kind }: Cause): 'open' | 'isolated' {
  return kind === 'operator' ? 'isolated' : 'open';
}

/**
 * Begins to close in steps a breaker that is held by this incident and open; `undefined` otherwise.
 * The first step lasts from its mark on, which is never before what was charged last.
 */
export function resume(
  breaker: Breaker,
  parameters: {
    readonly incidentId: string;
    readonly steps: readonly Step[];
    readonly budget: bigint;
    readonly mark: Meter.Mark;
  },
): HalfOpen | undefined {
  const { incidentId, steps, budget, mark } = parameters;
  if (breaker.state !== 'open' && breaker.state !== 'isolated') return undefined;
  if (breaker.incidentId !== incidentId || steps.length === 0) return undefined;
  return { ...breaker, state: 'half-open', steps, step: 0, stepSinceMs: mark.atMs, mark, budget };
}

/** When the step is over, ms. A late clock prolongs it. */
export function stepEndsAtMs(breaker: HalfOpen): number {
  return breaker.stepSinceMs + (breaker.steps[breaker.step]?.forMs ?? 0);
}

/**
 * The next step of a breaker whose step is over, or closed after the last one; `undefined` while the
 * step runs. One call is one step, however late it comes.
 *
 * @param parameters.nowMs the worker's own clock, which tells whether it is over; the next one lasts
 * from its mark on.
 */
export function advance(
  breaker: HalfOpen,
  parameters: { readonly mark: Meter.Mark; readonly nowMs: number },
): Breaker | undefined {
  const { mark, nowMs } = parameters;
  if (nowMs < stepEndsAtMs(breaker)) return undefined;
  const step = breaker.step + 1;
  if (step >= breaker.steps.length) return { state: 'closed', epoch: breaker.epoch };
  return { ...breaker, step, stepSinceMs: mark.atMs, mark };
}

/** Closes a breaker for the incident that opened it; `undefined` when another incident holds it, or none. */
export function reset(breaker: Breaker, incidentId: string): Breaker | undefined {
  if (breaker.state === 'closed' || breaker.incidentId !== incidentId) return undefined;
  return { state: 'closed', epoch: breaker.epoch };
}

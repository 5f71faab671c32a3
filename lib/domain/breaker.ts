/** The breaker of a scope: what stops the money. It opens by itself and is closed by people only. */

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
};

/** The state of a breaker; it carries only what that state needs. `epoch` counts the openings. */
export type Breaker =
  | { readonly state: 'closed'; readonly epoch: number }
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
  /** Opened by the canary outflow of a drill: nobody is paged for it (`drill.ts`). */
  readonly drill?: true;
};

/** Causes of one incident that are kept in full; the rest are counted. */
export const CAUSES_MAX = 20;

/** Unmatched outflows of a breaker's incident after its first cause: people may know of that one only. */
export function alsoUnmatched(breaker: Breaker): number {
  return breaker.state === 'closed' ? 0 : (breaker.unmatched ?? 0);
}

/** A breaker that has never opened. */
export const CLOSED: Breaker = { state: 'closed', epoch: 0 };

/** Whether withdrawals flow. */
export function permits(breaker: Breaker): boolean {
  return breaker.state === 'closed';
}

/** What an opening, or a further cause, changes. */
export type Tripped = {
  readonly breaker: Breaker;
  /** The incident that this opened; absent when the breaker was open already. */
  readonly opened?: Incident;
  /** Position of the cause in its incident, from 1. */
  readonly causeNumber: number;
  readonly incidentId: string;
};

/**
 * Opens a closed breaker, or adds a cause to an open one. The first cause and the state stay:
 * tripping twice is no second incident, and a trip does not turn `isolated` into `open`.
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
    const counted = { ...breaker, causes, ...(unmatched > 0 ? { unmatched } : {}) };
    return { breaker: counted, causeNumber: causes, incidentId: breaker.incidentId };
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
  const state = cause.kind === 'operator' ? 'isolated' : 'open';
  return {
    breaker: { state, epoch, incidentId, openedAtMs: cause.atMs, causes: 1 },
    opened,
    causeNumber: 1,
    incidentId,
  };
}

/** Closes a breaker for the incident that opened it; `undefined` when another incident holds it, or none. */
export function reset(breaker: Breaker, incidentId: string): Breaker | undefined {
  if (breaker.state === 'closed' || breaker.incidentId !== incidentId) return undefined;
  return { state: 'closed', epoch: breaker.epoch };
}

/** The answer to whoever asks whether a withdrawal may be signed. */

import type * as Scope from './scope.ts';

/** Why a withdrawal may not be signed now. */
export type Reason =
  | 'limit'
  | 'queue'
  | 'paused'
  | 'unknown'
  | 'conflict'
  | 'final'
  | 'outstanding'
  | 'lease';

/** The answer for one withdrawal. */
export type Verdict =
  | {
      readonly kind: 'allow';
      readonly withdrawalId: string;
      /** The money may be signed for until then; asked again before, the answer is the same. */
      readonly expiresAtMs: number;
      /** In shadow mode: what the answer would have been. */
      readonly wouldBe?: Refusal;
    }
  | Refusal;

/** `hold`: people or time decide. `block`: not now (`provisional`), or never. Nothing is charged. */
export type Refusal = {
  readonly kind: 'hold' | 'block';
  readonly withdrawalId: string;
  readonly reason: Reason;
  readonly text: string;
  /** Whether asking again can help. */
  readonly provisional: boolean;
  /** When there is room for it, if nothing else leaves until then; absent where time brings none. */
  readonly capacityAtMs?: number;
  /** Held ones only: since when. */
  readonly heldSinceMs?: number;
  /** Held ones that wait for room only: 1 is the next. */
  readonly position?: number;
  readonly scope?: Scope.Key;
  readonly incidentId?: string;
  readonly limit?: {
    readonly limitId: string;
    readonly scope: Scope.Key;
    readonly used: bigint;
    readonly allowed: bigint;
    readonly headroom: bigint;
  };
};

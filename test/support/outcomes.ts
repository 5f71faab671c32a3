/** What is said of withdrawals, in short, and a world's ear for it. */

import * as Outcome from '../../lib/domain/outcome.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import { contextOf, settle, type World } from './world.ts';

export const neverSigned = { kind: 'never-signed', reference: 'signer-log-7' } as const;
export const nonceSpent = { kind: 'nonce-spent', reference: '0xother' } as const;
export const operator = {
  kind: 'operator',
  reference: 'arn:aws:iam::1:user/ann',
  reason: 'checked',
} as const;

/** It left for good. */
export function settled(withdrawalId: string): Outcome.Outcome {
  return { kind: 'settled', withdrawalId };
}

/** It will not leave. */
export function failed(
  withdrawalId: string,
  evidence: Outcome.Evidence = nonceSpent,
  kind: 'failed' | 'cancelled' = 'failed',
): Outcome.Outcome {
  return { kind, withdrawalId, evidence };
}

/** Another transaction carries it. */
export function replaced(withdrawalId: string, transaction: string): Outcome.Outcome {
  return { kind: 'replaced', withdrawalId, transaction, evidence: nonceSpent };
}

/** Decides and commits as the action does. */
export function say(
  here: World,
  batch: {
    readonly policy: Policy.Policy;
    readonly nowMs: number;
    readonly outcomes: readonly Outcome.Outcome[];
  },
): Outcome.Decided {
  const { policy, nowMs, outcomes } = batch;
  return settle(here, {
    keys: Outcome.keys(outcomes),
    further: (rows) => Outcome.further(rows, outcomes),
    decide: (loaded) => Outcome.decide(contextOf(here, policy, nowMs), loaded, outcomes),
  });
}

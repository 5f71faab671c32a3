/** What changes between two policies, and what it takes to put the second in force: judged by the service's own rules. */

import type * as Change from '../domain/change.ts';
import type * as Policy from '../domain/policy.ts';
import * as PolicyChange from '../domain/policy-change.ts';

/**
 * What becomes of a policy that somebody applies. `quorum`: so many operators must agree, and it waits for
 * `delayMs` then. `refused`: whoever agrees. What the service says counts; this is told before it is asked.
 */
export type Outlook =
  | { readonly kind: 'at-once'; readonly trial: boolean }
  | { readonly kind: 'quorum'; readonly quorum: number; readonly delayMs: number }
  | { readonly kind: 'refused'; readonly why: string };

/** The changes in the order of a policy file, what they do together, and what becomes of them. */
export type Diff = {
  readonly changes: readonly Change.Change[];
  readonly direction: Change.Direction;
  readonly outlook: Outlook;
};

/** What differs between the policy in force and the next one. */
export function diffPolicies(both: Change.Both, atMs: number): Diff {
  const { before, after } = both;
  const changes = PolicyChange.judge(before, after);
  const direction = PolicyChange.direction(changes);
  const why = PolicyChange.obstacle({ context: { policy: before }, atMs }, after);
  const outlook = why === undefined ? agreed(before, changes) : ({ kind: 'refused', why } as const);
  return { changes, direction, outlook };
}

function agreed(before: Policy.Policy, changes: readonly Change.Change[]): Outlook {
  if (before.resume.kind === 'trial') return { kind: 'at-once', trial: true };
  if (PolicyChange.needsQuorum(before, changes) === undefined) {
    return { kind: 'at-once', trial: false };
  }
  const isDelayed = PolicyChange.direction(changes) === 'loosens';
  const delayMs = isDelayed ? before.changes.delayMs : 0;
  return { kind: 'quorum', quorum: before.resume.quorum, delayMs };
}

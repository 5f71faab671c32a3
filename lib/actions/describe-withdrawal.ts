/** Says why a withdrawal waits, by deciding on it once more without writing anything. */

import { chainOf } from '../domain/caip.ts';
import * as Notice from '../domain/notice.ts';
import * as Reservation from '../domain/reservation.ts';
import * as Withdrawal from '../domain/withdrawal.ts';
import { commitDecision, type Deps as DecisionDeps } from './commit-decision.ts';
import type { LeasesInForce } from './leases-in-force.ts';

/** What describing needs. */
export type Deps = DecisionDeps & { readonly leases: LeasesInForce };

/**
 * The notice for a withdrawal; nothing where none of this id is known: one that was refused leaves
 * no row and may be asked for again. Reads only.
 *
 * @throws what the store throws.
 */
export async function describeWithdrawal(
  deps: Deps,
  withdrawalId: string,
): Promise<Notice.Notice | undefined> {
  const rowId = Withdrawal.withdrawalRowId(withdrawalId);
  const { rows } = await deps.decisions.load({ rows: [rowId], items: [] });
  const row = rows.get(rowId);
  if (!row?.money) return undefined;
  const { state, bodyHash, money, admittedUntilMs: untilMs = 0 } = row;
  if (state === 'failed' || state === 'cancelled') {
    return { withdrawalId, state: 'closed', text: `It was ${state} and will not be sent.` };
  }
  if (state !== 'held' && state !== 'reserved') {
    return { withdrawalId, state: 'sent', text: 'It has been sent.' };
  }
  // One that was let go without being asked for: nobody has its admission, and it is decided on again.
  const isUntaken = untilMs === money.chargedAtMs;
  if (state === 'reserved' && !isUntaken) {
    return Notice.admitted(withdrawalId, { untilMs, nowMs: deps.clock.nowMs() });
  }
  const { transfer } = money;
  const asks = [{ withdrawal: { kind: 'withdrawal', withdrawalId, transfer }, bodyHash }] as const;
  const leases = await deps.leases.of([chainOf(transfer.account)]);
  const [verdict] = await commitDecision(deps, {
    keys: (policy) => Reservation.keys(policy, asks),
    decide: (context, loaded) => ({
      result: Reservation.decide({ ...context, leases }, loaded, asks).verdicts,
    }),
  });
  return verdict && Notice.notice(verdict, { isHeld: state === 'held' });
}

/** A world in which a watcher tells of outflows that come, go and come back, and in which meters are checked after every step. */

import * as Approval from '../../lib/domain/approval.ts';
import type * as Decision from '../../lib/domain/decision.ts';
import type * as Enforce from '../../lib/domain/enforce.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type * as Outcome from '../../lib/domain/outcome.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type { Transfer } from '../../lib/domain/withdrawal.ts';
import * as Build from './builders.ts';
import { expectMetersToCover, expectOutstandingToBeRows } from './ledger-check.ts';
import { say } from './outcomes.ts';
import { expire, reserve, submit, toldIncidents, world } from './world.ts';

/** What a sight may say beside its transaction. */
export type More = {
  readonly claims?: string;
  readonly nonce?: number;
  readonly sequence?: number;
  readonly transfer?: Partial<Transfer>;
};

/** A world with a policy and a clock that tests set. */
export function scene(overrides: Partial<Policy.Policy> = {}) {
  const here = world();
  const state = { policy: Build.policy(overrides), nowMs: Build.T0_MS };
  const outflowId = (transaction: string) => `outflow:${Build.CHAIN}:${transaction}:top`;
  const check = () => {
    expectMetersToCover(here);
    expectOutstandingToBeRows(here);
  };
  const record = (...events: readonly Decision.Incoming[]) => {
    const { outcomes } = submit(here, { ...state, events });
    check();
    return outcomes;
  };
  const sight = (transaction: string, more: More = {}): Decision.Incoming => {
    const { claims, nonce, sequence, transfer } = more;
    const id = { transaction, ...(claims === undefined ? {} : { withdrawalId: claims }) };
    return Build.incoming({ ...Build.outflow(id, transfer), nonce, sequence });
  };
  const removal = (transaction: string, sequence: number): Decision.Incoming => ({
    kind: 'removed',
    removed: { rowId: outflowId(transaction), sequence },
  });
  return {
    here,
    state,
    record,
    sight,
    removal,
    see: (transaction: string, more: More = {}) => record(sight(transaction, more))[0]?.result,
    remove: (transaction: string, sequence: number) =>
      record(removal(transaction, sequence))[0]?.result,
    report: (id: string, transfer: Partial<Transfer> = {}, sent?: Ledger.Row['sent']) =>
      record(Build.incoming({ ...Build.withdrawal(id, transfer), ...(sent && { sent }) }))[0]
        ?.result,
    reserve: (id: string) => {
      const asked = Build.withdrawal(id);
      const asks = [{ withdrawal: asked, bodyHash: Build.incoming(asked).bodyHash }];
      const [verdict] = reserve(here, { ...state, asks }).verdicts;
      check();
      return verdict?.kind;
    },
    tell: (...outcomes: readonly Outcome.Outcome[]) => {
      const { results } = say(here, { ...state, outcomes });
      check();
      return results.map(({ kind }) => kind);
    },
    expire: (): Enforce.Effect | undefined => {
      const effect = expire(here, state);
      check();
      return effect;
    },
    /** The row of a transaction, or of a withdrawal. */
    row: (id: string): Ledger.Row | undefined =>
      here.rows.get(id.startsWith('0x') ? outflowId(id) : `withdrawal:${id}`),
    ends: (): Approval.Ends =>
      here.rows.get(Approval.endsId(Build.transfer()))?.ends ?? Approval.NOTHING,
    /** USD and withdrawals that a scope's meter holds. */
    counted: (scope = 'global'): readonly [bigint, number] => {
      const slots = here.items.get(scope)?.meter.steps.at(-1) ?? [];
      const notional = slots.reduce((sum, one) => sum + one.notional, 0n);
      return [notional / Build.usd(1), slots.reduce((sum, one) => sum + one.count, 0)];
    },
    trips: () => toldIncidents(here).length,
  };
}

/** A fee of so many USD, a multiple of 3, in ETH. */
export function fee(dollars: number): NonNullable<Transfer['fee']> {
  return { asset: Build.ETH, amount: (BigInt(dollars) * 10n ** 16n) / 15n };
}

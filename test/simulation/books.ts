/**
 * The books that a witness keeps of everything that commits: what each row was charged, which scopes
 * are paused, which policy is in force. In the order of the commits, which is the order of the store.
 */

import type * as Ledger from '../../lib/domain/ledger.ts';
import { type Charged, keysOf } from './naive.ts';
import type { Unit } from './plan.ts';

/** A pause from its commit to that of its end, true time. */
export type Pause = {
  readonly incidentId: string;
  readonly fromMs: number;
  toMs: number | undefined;
};

/** What has happened so far. */
export type Books = {
  readonly units: ReadonlyMap<string, Unit>;
  readonly rows: Map<string, Ledger.Row>;
  /** Every scope that was ever written. */
  readonly items: Set<string>;
  readonly charged: Map<string, Charged[]>;
  readonly pauses: Map<string, Pause[]>;
  readonly epochs: Map<string, number>;
  readonly versions: { readonly version: number; readonly fromMs: number }[];
  policyVersion: number;
};

/** States in which what a row was charged has been given back. */
const GIVEN_BACK: ReadonlySet<string> = new Set(['failed', 'cancelled', 'replaced']);

/** Empty books. `units` by the ids of the rows that they may have. */
export function createBooks(units: readonly Unit[]): Books {
  const byRow = units.flatMap((unit) => rowIdsOf(unit).map((rowId) => [rowId, unit] as const));
  return {
    units: new Map(byRow),
    rows: new Map(),
    items: new Set(),
    charged: new Map(),
    pauses: new Map(),
    epochs: new Map(),
    versions: [],
    policyVersion: 0,
  };
}

/** The rows that a unit may have: of its withdrawal, and of its outflow. */
export function rowIdsOf(unit: Unit): readonly [withdrawal: string, outflow: string] {
  return [`withdrawal:${unit.withdrawalId}`, `outflow:eip155:1:${unit.transaction}:top`];
}

/** Whether a scope is paused now. */
export function isPaused(books: Books, scope: string): boolean {
  return books.pauses.get(scope)?.at(-1)?.toMs === undefined && books.pauses.has(scope);
}

/** Whether a scope was paused from before an instant until after another. */
export function wasPausedThroughout(
  books: Books,
  scope: string,
  span: { readonly fromMs: number; readonly toMs: number },
): boolean {
  return (books.pauses.get(scope) ?? []).some(
    ({ fromMs, toMs }) => fromMs < span.fromMs && (toMs === undefined || toMs > span.toMs),
  );
}

/** What a row stands charged with. */
export function legsOf(row: Ledger.Row | undefined): Ledger.Money['charged'] {
  return !row?.money || GIVEN_BACK.has(row.state) ? [] : row.money.charged;
}

/** Whether a row's charge is new in this write. */
export function isNewCharge(before: Ledger.Row | undefined, after: Ledger.Row): boolean {
  const [had, has] = [legsOf(before), legsOf(after)];
  return (
    has.length > 0 && (had.length === 0 || before?.money?.chargedAtMs !== after.money?.chargedAtMs)
  );
}

/** Notes what a commit did to rows and charges. */
export function noteRows(books: Books, changes: Ledger.Changes): void {
  for (const { key } of changes.items) books.items.add(key);
  for (const { row } of changes.rows) {
    const unit = books.units.get(row.rowId);
    if (unit && (legsOf(books.rows.get(row.rowId)).length > 0 || legsOf(row).length > 0)) {
      for (const list of books.charged.values()) {
        const at = list.findIndex(({ rowId }) => rowId === row.rowId);
        if (at >= 0) list.splice(at, 1);
      }
      charge(books, unit, row);
    }
    books.rows.set(row.rowId, row);
  }
}

function charge(books: Books, unit: Unit, row: Ledger.Row): void {
  const atMs = row.money?.chargedAtMs ?? 0;
  const sums = new Map<string, Charged>();
  for (const leg of legsOf(row)) {
    const { asset, amount } = unit.transfer;
    const isWithdrawal = leg.asset === asset && leg.amount >= amount;
    for (const [kind, key] of Object.entries(keysOf(unitOf(unit, row), leg.asset))) {
      const sofar = sums.get(key);
      const isOne = kind === 'asset' || kind === 'wallet-asset';
      sums.set(key, {
        rowId: row.rowId,
        atMs,
        notional: (sofar?.notional ?? 0n) + leg.notional,
        amount: (sofar?.amount ?? 0n) + (isOne ? leg.amount : 0n),
        count: (sofar?.count ?? 0) + (isWithdrawal ? 1 : 0),
      });
    }
  }
  for (const [key, one] of sums) {
    const list = books.charged.get(key) ?? [];
    books.charged.set(key, list);
    list.push(one);
  }
}

/** An outflow as the chain shows it names no customer; a charge that it carried for its report keeps that. */
export function unitOf(unit: Unit, row: Ledger.Row): Unit {
  if (row.money?.subject.actor === unit.transfer.actor) return unit;
  return { ...unit, transfer: { ...unit.transfer, actor: undefined } };
}

/** Notes which scopes a commit paused and resumed, and which policy it put in force. */
export function noteControl(books: Books, changes: Ledger.Changes, trueMs: number): void {
  for (const { incident, expected } of changes.incidents) {
    const { scope, incidentId, epoch } = incident;
    const pauses = books.pauses.get(scope) ?? [];
    books.pauses.set(scope, pauses);
    if (expected === 'absent') {
      pauses.push({ incidentId, fromMs: trueMs, toMs: undefined });
      books.epochs.set(scope, epoch);
    } else {
      const last = pauses.at(-1);
      if (last) last.toMs = trueMs;
    }
  }
  if (changes.policy) {
    books.policyVersion = changes.policy.version;
    books.versions.push({ version: changes.policy.version, fromMs: trueMs });
  }
}

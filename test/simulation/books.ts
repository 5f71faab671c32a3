/**
 * The books that a witness keeps of everything that commits: what each row was charged, which scopes
 * are paused, which policy is in force. In the order of the commits, which is the order of the store.
 */

import type * as Ledger from '../../lib/domain/ledger.ts';
import { type Charged, keysOf, type Staged } from './naive.ts';
import type { Unit } from './plan.ts';

/** A pause from its commit to that of its end, true time. */
export type Pause = {
  readonly incidentId: string;
  readonly fromMs: number;
  toMs: number | undefined;
};

/** What was charged to a scope, with the number of the commit that charged it. */
export type Entry = Charged & { readonly commit: number };

/** The step in which a scope resumes. */
export type Resuming = Staged & {
  readonly incidentId: string;
  /** From 0. */
  readonly step: number;
  /** The commit that began it, its decision's time and its own. */
  readonly commit: number;
  readonly atMs: number;
  readonly fromMs: number;
};

/** An incident that is not closed, and the one beside which it was opened. */
export type Held = { readonly scope: string; readonly beside: string | undefined };

/** What people have put their names to: the incidents, and limits that count anew. */
export type Order = {
  readonly incidentIds: readonly string[];
  readonly rebase: readonly { readonly limitId: string; readonly scope: string }[];
  readonly isAtOnce: boolean;
};

/** What has happened so far. */
export type Books = {
  readonly units: ReadonlyMap<string, Unit>;
  readonly rows: Map<string, Ledger.Row>;
  /** Every scope that was ever written. */
  readonly items: Set<string>;
  readonly charged: Map<string, Entry[]>;
  /** In which commit a unit was charged at a time: a charge that moves to another row stays as old as it is. */
  readonly chargedIn: Map<string, number>;
  readonly pauses: Map<string, Pause[]>;
  readonly epochs: Map<string, number>;
  /** Scopes that resume in steps. */
  readonly steps: Map<string, Resuming>;
  readonly held: Map<string, Held>;
  /** Scopes that are tightened, by the incident that says so; a breaker has no part in it. */
  readonly tightened: Map<string, string>;
  /** All of them that ever were. */
  readonly everTightened: Set<string>;
  /** With which incident people hear of one that was opened beside another, also after it is closed. */
  readonly beside: Map<string, string>;
  readonly openedAgain: { readonly incidentId: string; readonly epoch: number }[];
  /** Since which commit a limit counts in a scope, by both. */
  readonly bases: Map<string, number>;
  /** By the row of the command or proposal. */
  readonly orders: Map<string, Order>;
  /** By the row of a proposal: the epochs of what it is about when it was made, by incident. */
  readonly proposed: Map<string, ReadonlyMap<string, number>>;
  commits: number;
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
    chargedIn: new Map(),
    steps: new Map(),
    held: new Map(),
    tightened: new Map(),
    everTightened: new Set(),
    beside: new Map(),
    openedAgain: [],
    bases: new Map(),
    orders: new Map(),
    proposed: new Map(),
    commits: 0,
    versions: [],
    policyVersion: 0,
  };
}

/** The rows that a unit may have: of its withdrawal, and of its outflow. */
export function rowIdsOf(unit: Unit): readonly [withdrawal: string, outflow: string] {
  return [`withdrawal:${unit.withdrawalId}`, `outflow:eip155:1:${unit.transaction}:${unit.place}`];
}

/** Whether a scope is paused now. */
export function isPaused(books: Books, scope: string): boolean {
  return books.pauses.get(scope)?.at(-1)?.toMs === undefined && books.pauses.has(scope);
}

/** The word of people that a commit acts on. */
export function orderIn(books: Books, changes: Ledger.Changes): Order | undefined {
  return changes.rows.map(({ row }) => books.orders.get(row.rowId)).find((order) => order);
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
  if (before?.state === 'reserved' && after.state === 'reserved') return true;
  const [had, has] = [legsOf(before), legsOf(after)];
  return (
    has.length > 0 && (had.length === 0 || before?.money?.chargedAtMs !== after.money?.chargedAtMs)
  );
}

/** Notes what a commit did to rows and charges. */
export function noteRows(books: Books, changes: Ledger.Changes): void {
  books.commits += 1;
  for (const { key } of changes.items) books.items.add(key);
  for (const { row } of changes.rows) {
    const unit = books.units.get(row.rowId);
    // Admitted again, it is charged anew, also within the same millisecond.
    const isAgain = row.state === 'reserved' && books.rows.get(row.rowId)?.state === 'reserved';
    if (unit && isAgain) books.chargedIn.delete(nameOf(unit, row));
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
  const commit = commitOf(books, unit, row);
  const sums = new Map<string, Entry>();
  for (const leg of legsOf(row)) {
    const { asset, amount } = unit.transfer;
    const isWithdrawal = leg.asset === asset && leg.amount >= amount;
    for (const [kind, key] of Object.entries(keysOf(unitOf(unit, row), leg.asset))) {
      const sofar = sums.get(key);
      const isOne = kind === 'asset' || kind === 'wallet-asset';
      sums.set(key, {
        rowId: row.rowId,
        atMs,
        commit,
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

function nameOf(unit: Unit, row: Ledger.Row): string {
  return `${unit.number}|${row.money?.chargedAtMs}`;
}

/** The commit in which a unit was charged what one of its rows stands charged with. */
export function commitOf(books: Books, unit: Unit, row: Ledger.Row): number {
  const name = nameOf(unit, row);
  const commit = books.chargedIn.get(name) ?? books.commits;
  books.chargedIn.set(name, commit);
  return commit;
}

/** An outflow as the chain shows it names no customer; a charge that it carried for its report keeps that. */
export function unitOf(unit: Unit, row: Ledger.Row): Unit {
  if (row.money?.subject.actor === unit.transfer.actor) return unit;
  return { ...unit, transfer: { ...unit.transfer, actor: undefined } };
}

/**
 * Notes which scopes a commit paused and resumed, and which policy it put in force.
 *
 * @param about.staged how the policy in force resumes.
 */
export function noteControl(
  books: Books,
  changes: Ledger.Changes,
  about: { readonly trueMs: number; readonly staged: Staged },
): void {
  const { trueMs } = about;
  for (const write of changes.incidents) noteIncident(books, { changes, write }, about);
  for (const { incidentId, cause } of changes.causes) {
    const scope = books.held.get(incidentId)?.scope;
    if (cause.reopened === undefined || scope === undefined) continue;
    pause(books, scope, { incidentId, fromMs: trueMs, toMs: undefined });
    books.epochs.set(scope, cause.reopened);
    books.steps.delete(scope);
    books.openedAgain.push({ incidentId, epoch: cause.reopened });
  }
  for (const { key, item } of changes.items) {
    const was = books.steps.get(key);
    const { breaker } = item;
    if (!was || breaker.state !== 'half-open' || breaker.step === was.step) continue;
    const began = { commit: books.commits, atMs: changes.atMs, fromMs: trueMs };
    books.steps.set(key, { ...was, ...began, step: breaker.step });
  }
  for (const { row } of changes.rows) {
    if (!row.proposal || books.proposed.has(row.rowId)) continue;
    const epochs = [...books.held].map(([id, { scope }]) => [id, books.epochs.get(scope)] as const);
    const known = epochs.flatMap(([id, epoch]) =>
      epoch === undefined ? [] : [[id, epoch] as const],
    );
    books.proposed.set(row.rowId, new Map(known));
  }
  const order = orderIn(books, changes);
  if (order && changes.incidents.length > 0) {
    for (const { limitId, scope } of order.rebase) {
      books.bases.set(`${limitId}|${scope}`, books.commits);
    }
  }
  if (changes.policy) {
    books.policyVersion = changes.policy.version;
    books.versions.push({ version: changes.policy.version, fromMs: trueMs });
  }
}

function noteIncident(
  books: Books,
  { changes, write }: { changes: Ledger.Changes; write: Ledger.IncidentWrite },
  { trueMs, staged }: { readonly trueMs: number; readonly staged: Staged },
): void {
  const { incident, expected } = write;
  const { scope, incidentId, epoch, quarantinedBy: beside } = incident;
  if (incident.overlay !== undefined) {
    if (expected === 'absent') books.tightened.set(incidentId, scope);
    else books.tightened.delete(incidentId);
    books.everTightened.add(incidentId);
    return;
  }
  if (expected === 'absent') {
    pause(books, scope, { incidentId, fromMs: trueMs, toMs: undefined });
    books.epochs.set(scope, epoch);
    books.held.set(incidentId, { scope, beside });
    if (beside !== undefined) books.beside.set(incidentId, toldWith(books, beside));
    return;
  }
  const last = books.pauses.get(scope)?.at(-1);
  if (last) last.toMs ??= trueMs;
  if (incident.state === 'closed') {
    books.steps.delete(scope);
    books.held.delete(incidentId);
    return;
  }
  const began = { commit: books.commits, atMs: changes.atMs, fromMs: trueMs };
  books.steps.set(scope, { ...staged, ...began, incidentId, step: 0 });
}

/**
 * Which incident people have heard of when one is opened beside another: that may itself have been
 * stopped beside a third, which counts for as long as it is open.
 */
function toldWith(books: Books, beside: string): string {
  const further = books.beside.get(beside);
  return further !== undefined && books.held.has(further) ? further : beside;
}

function pause(books: Books, scope: string, one: Pause): void {
  books.pauses.set(scope, [...(books.pauses.get(scope) ?? []), one]);
}

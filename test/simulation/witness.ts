/** Judges every commit at its instant, by the books and by nothing that the product says of itself. */

import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import {
  type Books,
  createBooks,
  isNewCharge,
  isPaused,
  legsOf,
  noteControl,
  noteRows,
  unitOf,
} from './books.ts';
import { coveredBy, keysOf, slotMsOf, stoppedBy, sumOf, WIDEN_MS, worth } from './naive.ts';
import type { Unit } from './plan.ts';
import { policyFrom } from './policies.ts';

/** Something that must not be. `promise` is the number in the design. */
export type Violation = { readonly promise: string; readonly text: string };

/** What was looked at. */
export type Counts = {
  commits: number;
  evaluations: number;
  crossings: number;
  earlyTrips: number;
  allows: number;
  overCountMaxMicroUsd: bigint;
};

/** A witness of one schedule. */
export type Witness = {
  readonly books: Books;
  readonly violations: Violation[];
  readonly counts: Counts;
  /** Policies by version, as they were written. */
  readonly policies: Map<number, Policy.Policy>;
  /** The longest that each unit's events had waited when they were decided on. */
  readonly lagsMs: Map<number, number>;
  readonly thefts: Set<number>;
};

/** A witness who has seen nothing yet. */
export function createWitness(units: readonly Unit[], thefts: readonly Unit[]): Witness {
  return {
    books: createBooks(units),
    violations: [],
    counts: {
      commits: 0,
      evaluations: 0,
      crossings: 0,
      earlyTrips: 0,
      allows: 0,
      overCountMaxMicroUsd: 0n,
    },
    policies: new Map(),
    lagsMs: new Map(),
    thefts: new Set(thefts.map(({ number }) => number)),
  };
}

/** Notes something that must not be. */
export function blame(witness: Witness, promise: string, text: string): void {
  witness.violations.push({ promise, text });
}

/** Sees one commit at the instant at which it took place. */
export function see(witness: Witness, changes: Ledger.Changes, trueMs: number): void {
  const { books, counts } = witness;
  counts.commits += 1;
  judgeControl(witness, changes);
  judgeAllows(witness, changes);
  const before = changes.rows.map(({ row }) => books.rows.get(row.rowId));
  noteRows(books, changes);
  noteControl(books, changes, trueMs);
  if (changes.policy) {
    const policy = policyFrom(changes.policy.source);
    if (policy) witness.policies.set(changes.policy.version, policy);
    return;
  }
  judgeMeters(witness, changes);
  judgeTrips(witness, changes);
  for (const [position, { row }] of changes.rows.entries()) {
    const unit = books.units.get(row.rowId);
    if (!unit) continue;
    judgeLegs(witness, unit, row);
    judgeMatch(witness, unit, { before: before[position], row });
    judgeGivenBack(witness, row, trueMs);
    if (!isNewCharge(before[position], row)) continue;
    if (row.money?.chargedAtMs === changes.atMs) judgeCharge(witness, unit, { row, changes });
  }
}

/** P3, P8: one opening at a time for each scope, each with the next epoch; only what is open is closed, by a command. */
function judgeControl(witness: Witness, changes: Ledger.Changes): void {
  const { books } = witness;
  for (const { incident, expected } of changes.incidents) {
    const { scope, incidentId, epoch } = incident;
    const open = isPaused(books, scope);
    const last = books.pauses.get(scope)?.at(-1);
    if (expected === 'absent') {
      if (open) blame(witness, 'P3', `${scope} was opened a second time, by ${incidentId}`);
      const next = (books.epochs.get(scope) ?? 0) + 1;
      if (epoch !== next) blame(witness, 'P3', `${scope} opened with epoch ${epoch}, not ${next}`);
      continue;
    }
    const isCommand = changes.rows.some(({ row }) => row.rowId.startsWith('command:resume'));
    if (!open || last?.incidentId !== incidentId || !isCommand) {
      blame(witness, 'P8', `${scope} was closed for ${incidentId} without being held by it`);
    }
  }
}

/** The longest life of an admission in the policies of the schedules. */
const LIFE_MAX_MS = 30_000;

/** P6: nothing is charged as allowed while something that stops it is paused. P5, P12: nor beyond what its limits allow. */
function judgeAllows(witness: Witness, changes: Ledger.Changes): void {
  const { books, counts } = witness;
  for (const { row } of changes.rows) {
    const unit = books.units.get(row.rowId);
    const isAllow = row.state === 'reserved' && isNewCharge(books.rows.get(row.rowId), row);
    if (!unit || !isAllow) continue;
    counts.allows += 1;
    const livesMs = (row.admittedUntilMs ?? 0) - (row.money?.chargedAtMs ?? 0);
    if (livesMs > LIFE_MAX_MS) {
      blame(witness, 'P5', `${row.rowId} is admitted for ${livesMs} ms after its charge`);
    }
    const stop = stoppedBy(unit).find((scope) => isPaused(books, scope));
    if (stop !== undefined) {
      blame(witness, 'P6', `${row.rowId} was allowed while ${stop} was paused`);
    }
  }
}

/** P1, P4: what a meter says of a window is at least what was charged in it, and at most one slot more. */
function judgeMeters(witness: Witness, changes: Ledger.Changes): void {
  const { books, counts } = witness;
  for (const { key, item } of changes.items) {
    const kind = key === 'global' ? key : key.slice(0, key.indexOf(':'));
    const charged = books.charged.get(key) ?? [];
    for (const { metric, windowMs } of WINDOWS[kind] ?? []) {
      const window = { metric, windowMs, widenMs: WIDEN_MS, nowMs: changes.atMs };
      const used = Meter.outflow(item.meter, window);
      counts.evaluations += 1;
      const fromMs = changes.atMs - windowMs - WIDEN_MS;
      const least = sumOf(charged, { metric, fromMs, toMs: changes.atMs });
      const slotMs = slotMsOf(windowMs);
      const most = sumOf(charged, { metric, fromMs: fromMs - slotMs, toMs: Number.MAX_VALUE });
      if (used < least) blame(witness, 'P1', `${key} ${metric} ${windowMs}: ${used} < ${least}`);
      if (used > most) blame(witness, 'P4', `${key} ${metric} ${windowMs}: ${used} > ${most}`);
      if (metric === 'notional' && used - least > counts.overCountMaxMicroUsd) {
        counts.overCountMaxMicroUsd = used - least;
      }
    }
  }
}

/** What limits of the schedules look at, by kind of scope. */
const MINUTE_MS = 60_000;
type Window = { readonly metric: 'notional' | 'amount' | 'count'; readonly windowMs: number };
const WINDOWS: Readonly<Record<string, readonly Window[]>> = {
  wallet: [
    { metric: 'notional', windowMs: MINUTE_MS },
    { metric: 'notional', windowMs: 5 * MINUTE_MS },
  ],
  global: [{ metric: 'notional', windowMs: 5 * MINUTE_MS }],
  actor: [{ metric: 'count', windowMs: MINUTE_MS }],
  destination: [{ metric: 'notional', windowMs: 5 * MINUTE_MS }],
  'wallet-asset': [{ metric: 'amount', windowMs: MINUTE_MS }],
  'key-domain': [{ metric: 'notional', windowMs: 15 * MINUTE_MS }],
  chain: [{ metric: 'count', windowMs: 5 * MINUTE_MS }],
};

/** P4: a limit trips only where at most one slot and the widening are between it and what was charged. */
function judgeTrips(witness: Witness, changes: Ledger.Changes): void {
  const { books, counts } = witness;
  for (const { incident, expected } of changes.incidents) {
    const { first } = incident;
    if (expected !== 'absent' || first.kind !== 'limit' || !first.limit) continue;
    const limit = limitsInForce(witness).find(({ limitId }) => limitId === first.limit?.limitId);
    const unit = books.units.get(first.rowId);
    if (!limit || !unit || limit.metric === 'single' || limit.tripOnRefusal) continue;
    const key = keysOf(unit)[limit.scope] ?? '';
    const charged = [...(books.charged.get(key) ?? []), ...outflowsOf(books, unit, limit.scope)];
    const { metric, windowMs } = limit;
    const toMs = changes.atMs;
    const exact = sumOf(charged, { metric, fromMs: toMs - windowMs, toMs });
    if (exact <= limit.allowed) counts.earlyTrips += 1;
  }
}

/** An outflow names no customer: its charges lie in the scope of none. */
function outflowsOf(books: Books, unit: Unit, kind: string) {
  if (kind !== 'actor' || unit.transfer.actor === undefined) return [];
  return books.charged.get('actor:%none') ?? [];
}

/** P2: a row is charged with the whole of its unit, at its price, or with its fee, and with nothing else. */
function judgeLegs(witness: Witness, unit: Unit, row: Ledger.Row): void {
  const { asset, amount } = unit.transfer;
  for (const leg of legsOf(row)) {
    const isWhole = leg.asset === asset && leg.amount === amount;
    const isFee = leg.asset.endsWith('slip44:60') && leg.amount === unit.feeWei;
    const isBoth = leg.asset === asset && isEther(asset) && leg.amount === amount + unit.feeWei;
    if ((isWhole || isFee || isBoth) && leg.notional === worth(leg.asset, leg.amount)) continue;
    blame(witness, 'P2', `${row.rowId} was charged ${leg.amount} ${leg.asset} as ${leg.notional}`);
  }
}

/** Whether an asset is that of the fees. */
function isEther(asset: string): boolean {
  return asset.endsWith('slip44:60');
}

/** P11: what nobody approved trips at first sight; what was approved before it was seen does not. */
function judgeMatch(
  witness: Witness,
  unit: Unit,
  seen: {
    readonly before: Ledger.Row | undefined;
    readonly row: Ledger.Row;
  },
): void {
  const { books, thefts } = witness;
  const { before, row } = seen;
  const isNew = !before || before.state === 'removed';
  if (!row.rowId.startsWith('outflow:') || !isNew) return;
  const isTheft = thefts.has(unit.number);
  if (isTheft && row.state !== 'unmatched' && row.state !== 'removed') {
    blame(witness, 'P11', `${row.rowId}, which nobody approved, is ${row.state}`);
  }
  if (row.state !== 'unmatched') return;
  const kind = policyInForce(witness)?.unmatched.scope ?? 'global';
  const scope = keysOf(unit)[kind] ?? 'global';
  if (!isPaused(books, scope)) {
    blame(witness, 'P11', `${row.rowId} is unmatched, and ${scope} is not paused`);
  }
  const approved = books.rows.get(`withdrawal:${unit.withdrawalId}`);
  if (approved?.state === 'reported' || approved?.state === 'reserved') {
    blame(witness, 'P11', `${row.rowId} is unmatched, and was approved (${approved.state})`);
  }
}

/** P2: nothing is given back on somebody's word while it may still be signed. */
function judgeGivenBack(witness: Witness, row: Ledger.Row, trueMs: number): void {
  const { state, note = '', admittedUntilMs = 0, rowId } = row;
  if (state !== 'failed' || note.startsWith('nonce-spent') || admittedUntilMs <= trueMs) return;
  blame(witness, 'P2', `${rowId} was given back while its admission lived`);
}

/** P3: what crosses a limit trips in its own commit. P5, P12: what is admitted crosses none. */
function judgeCharge(
  witness: Witness,
  unit: Unit,
  charged: { readonly row: Ledger.Row; readonly changes: Ledger.Changes },
): void {
  const { row, changes } = charged;
  const lagMs = lagOf(witness, changes);
  const seen = unitOf(unit, row);
  const notional = legsOf(row).reduce((sum, leg) => sum + leg.notional, 0n);
  for (const limit of limitsInForce(witness)) {
    if (limit.mode !== 'enforce') continue;
    for (const asset of new Set(legsOf(row).map((leg) => leg.asset))) {
      if (limit.where.asset !== undefined && limit.where.asset !== asset) continue;
      const keys = keysOf(seen, asset);
      const sum = limit.metric === 'single' ? notional : exactly(witness, limit, keys, changes);
      if (sum <= limit.allowed) continue;
      const name = `${row.rowId}: ${sum} of ${limit.allowed} ${limit.limitId}`;
      if (row.state === 'reserved') {
        if (limit.action.kind !== 'alert') blame(witness, 'P5', `${name}, and was admitted`);
        continue;
      }
      const isLate = limit.metric !== 'single' && lagMs * 10 > limit.windowMs;
      if (limit.action.kind !== 'pause' || isLate) continue;
      witness.counts.crossings += 1;
      const { scope } = limit.action;
      const isCovered = coveredBy(scope, keys, seen).some((key) => isPaused(witness.books, key));
      if (!isCovered) blame(witness, 'P3', `${name}, and ${scope} is not paused`);
    }
  }
}

/** One that waited long may be what crosses a limit for the others of its commit. */
function lagOf({ books, lagsMs }: Witness, changes: Ledger.Changes): number {
  const lags = changes.rows.map(({ row }) => lagsMs.get(books.units.get(row.rowId)?.number ?? -1));
  return Math.max(0, ...lags.map((lag) => lag ?? 0));
}

function exactly(
  witness: Witness,
  limit: Policy.Limit,
  ...[keys, { atMs }]: [Readonly<Record<string, string>>, Ledger.Changes]
): bigint {
  const charged = witness.books.charged.get(keys[limit.scope] ?? '') ?? [];
  const { metric, windowMs } = limit;
  return sumOf(charged, { metric, fromMs: atMs - windowMs, toMs: atMs });
}

function policyInForce(witness: Witness): Policy.Policy | undefined {
  return witness.policies.get(witness.books.policyVersion);
}

function limitsInForce(witness: Witness): readonly Policy.Limit[] {
  return policyInForce(witness)?.limits ?? [];
}

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
  orderIn,
  type Resuming,
  unitOf,
} from './books.ts';
import {
  coveredBy,
  keysOf,
  quarantinedBy,
  slotMsOf,
  stepBounds,
  stoppedBy,
  sumOf,
  WIDEN_MS,
  worth,
} from './naive.ts';
import type { Plan, Unit } from './plan.ts';
import { BLIND_AFTER_MS, DELAY_MS, LEASE_MS, policyFrom, QUORUM } from './policies.ts';

/** Something that must not be. `promise` is the number in the design. */
export type Violation = { readonly promise: string; readonly text: string };

/** What was looked at. */
export type Counts = {
  commits: number;
  evaluations: number;
  crossings: number;
  earlyTrips: number;
  allows: number;
  /** Steps of resumes that began, what was admitted in one, and those that were passed. */
  stepsBegun: number;
  stepAllows: number;
  reopenings: number;
  /** Resumes that several signed. */
  ceremonies: number;
  /** Outflows that tripped before they were deep enough to be counted. */
  sighted: number;
  /** Scopes that somebody tightened alone. */
  tightened: number;
  /** Looser policies that several signed and waited for. */
  loosened: number;
  overCountMaxMicroUsd: bigint;
};

/** That somebody has signed, and when it was made, true time. */
export type Signed = { readonly operator: string; readonly round: number; readonly atMs: number };

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
  /** When the newest heartbeat was sent that came through, and when the newest block was mined that a watcher has remembered; true time. */
  heartbeatMs: number;
  sightMs: number;
  /** Since when messages lie aside, if they do. */
  deadSinceMs: number | undefined;
  /** How leases run out, if they do. */
  readonly proof: Pick<Plan, 'isLeased' | 'isWatched' | 'startMs'>;
  /** Who has signed for a proposal in which round. */
  readonly signed: Map<string, Signed[]>;
};

/** A witness who has seen nothing yet. */
export function createWitness(
  units: readonly Unit[],
  thefts: readonly Unit[],
  proof: Pick<Plan, 'isLeased' | 'isWatched' | 'startMs'>,
): Witness {
  return {
    proof,
    heartbeatMs: proof.startMs,
    sightMs: proof.startMs,
    deadSinceMs: undefined,
    books: createBooks(units),
    violations: [],
    counts: {
      commits: 0,
      evaluations: 0,
      crossings: 0,
      earlyTrips: 0,
      allows: 0,
      stepsBegun: 0,
      stepAllows: 0,
      reopenings: 0,
      ceremonies: 0,
      sighted: 0,
      tightened: 0,
      loosened: 0,
      overCountMaxMicroUsd: 0n,
    },
    policies: new Map(),
    lagsMs: new Map(),
    thefts: new Set(thefts.map(({ number }) => number)),
    signed: new Map(),
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
  const { heartbeat } = changes;
  if (heartbeat) witness.heartbeatMs = Math.max(witness.heartbeatMs, heartbeat.sentAtMs);
  judgeControl(witness, changes);
  judgePolicy(witness, changes);
  judgeAllows(witness, changes);
  const before = changes.rows.map(({ row }) => books.rows.get(row.rowId));
  const stepped: Stepped = new Map(books.steps);
  noteRows(books, changes);
  const staged = policyInForce(witness)?.resume ?? { steps: [], budget: 0n };
  noteControl(books, changes, { trueMs, staged });
  judgeGates(witness, changes);
  if (changes.policy) {
    const policy = policyFrom(changes.policy.source);
    if (policy) witness.policies.set(changes.policy.version, policy);
    return;
  }
  judgeMeters(witness, changes);
  judgeMarks(witness, changes);
  judgeTrips(witness, changes);
  for (const [position, { row }] of changes.rows.entries()) {
    const unit = books.units.get(row.rowId);
    const sighted = books.units.get(row.rowId.replace(/^sighted:/, ''));
    if (!unit && sighted && !before[position]) {
      counts.sighted += 1;
      judgeTheft(witness, sighted, row);
    }
    if (!unit) continue;
    judgeLegs(witness, unit, row);
    judgeMatch(witness, unit, { before: before[position], row });
    judgeGivenBack(witness, row, trueMs);
    if (!isNewCharge(before[position], row)) continue;
    if (row.money?.chargedAtMs !== changes.atMs) continue;
    judgeCharge(witness, unit, { row, changes });
    judgeStep(witness, unit, { row, changes, stepped });
  }
}

/** Steps in which scopes resumed just before a commit. */
type Stepped = ReadonlyMap<string, Resuming>;

/** P3, P8: one opening at a time for each scope, each with the next epoch; only what is open is closed, by the word of people. */
function judgeControl(witness: Witness, changes: Ledger.Changes): void {
  const { books, counts } = witness;
  for (const { incident, expected } of changes.incidents) {
    const { scope, incidentId, epoch } = incident;
    const open = isPaused(books, scope) || books.steps.has(scope);
    const isHeld = books.held.get(incidentId)?.scope === scope;
    if (incident.overlay !== undefined) {
      judgeOverlay(witness, changes, { incident, expected });
      continue;
    }
    if (expected === 'absent') {
      if (open) blame(witness, 'P3', `${scope} was opened a second time, by ${incidentId}`);
      const next = (books.epochs.get(scope) ?? 0) + 1;
      const { rowId } = incident.first;
      const isAgain = rowId.startsWith('sighted:') && books.rows.has(rowId);
      if (isAgain) blame(witness, 'P2', `${scope} was opened by a second sight of ${rowId}`);
      if (epoch !== next) blame(witness, 'P3', `${scope} opened with epoch ${epoch}, not ${next}`);
      continue;
    }
    if (!open || !isHeld) {
      blame(witness, 'P8', `${scope} was closed for ${incidentId} without being held by it`);
    }
    const why = whyNotMeant(witness, changes, incident);
    if (why !== undefined) blame(witness, 'P8', `${scope} was closed for ${incidentId}: ${why}`);
  }
  for (const { incidentId, cause } of changes.causes) {
    if (cause.reopened === undefined) continue;
    counts.reopenings += 1;
    const { scope = '' } = books.held.get(incidentId) ?? {};
    const next = (books.epochs.get(scope) ?? 0) + 1;
    const isSame = books.steps.get(scope)?.incidentId === incidentId;
    if (isSame && cause.reopened === next) continue;
    blame(witness, 'P3', `${scope} opened again as ${incidentId} ${cause.reopened}, not ${next}`);
  }
}

/** P8: one tightening at a time for each scope, lifted by the word of people only. */
function judgeOverlay(
  witness: Witness,
  changes: Ledger.Changes,
  { incident: { incidentId, scope }, expected }: Ledger.IncidentWrite,
): void {
  const { tightened } = witness.books;
  if (expected === 'absent') {
    witness.counts.tightened += 1;
    const isSecond = [...tightened.values()].includes(scope);
    if (isSecond) blame(witness, 'P3', `${scope} was tightened a second time, by ${incidentId}`);
    return;
  }
  const order = orderIn(witness.books, changes);
  const isNamed = order?.incidentIds.includes(incidentId) === true;
  const why = isNamed ? whyNotAgreed(witness, changes, incidentId) : 'nobody has named it';
  if (why !== undefined) blame(witness, 'P8', `${incidentId} on ${scope} was lifted: ${why}`);
}

/** How far decisions of two hosts may be apart, ms: both clocks, and what their dates leave open. */
const CLOCKS_MS = 8_000;

/** Why an incident may not be closed, or begin to close: nobody has named it, or its steps are not over. */
function whyNotMeant(
  witness: Witness,
  changes: Ledger.Changes,
  { incidentId, scope, state }: Ledger.IncidentWrite['incident'],
): string | undefined {
  const { books } = witness;
  const order = orderIn(books, changes);
  if (order) {
    if (!order.incidentIds.includes(incidentId)) return 'nobody has named it';
    return whyNotAgreed(witness, changes, incidentId);
  }
  const step = books.steps.get(scope);
  if (step?.incidentId !== incidentId || state !== 'closed') return 'nobody has said so';
  if (step.step + 1 < step.steps.length) return `step ${step.step + 1} is not the last`;
  return whyNotOver(step, changes);
}

function whyNotOver({ step, steps, atMs }: Resuming, changes: Ledger.Changes): string | undefined {
  const ranMs = changes.atMs - atMs;
  const forMs = steps[step]?.forMs ?? 0;
  return ranMs + CLOCKS_MS < forMs ? `its step has run for ${ranMs} of ${forMs} ms` : undefined;
}

/** One alone in a trial; else enough that signed in this round what the breaker still is. */
function whyNotAgreed(
  witness: Witness,
  changes: Ledger.Changes,
  incidentId: string,
): string | undefined {
  const { books, counts } = witness;
  const isTrial = policyInForce(witness)?.resume.kind === 'trial';
  const proposal = changes.rows.find(({ row }) => row.proposal)?.row;
  if (!proposal?.proposal) return isTrial ? undefined : 'one alone has said so';
  counts.ceremonies += 1;
  const { proposalId, round } = proposal.proposal;
  const all = witness.signed.get(proposalId) ?? [];
  const names = new Set(all.filter((one) => one.round === round).map(({ operator }) => operator));
  if (names.size < (isTrial ? 1 : QUORUM)) return `${names.size} have signed`;
  if (books.tightened.has(incidentId)) return undefined;
  const epoch = books.epochs.get(books.held.get(incidentId)?.scope ?? '');
  const was = books.proposed.get(proposal.rowId)?.get(incidentId);
  return epoch === was ? undefined : `it was signed for epoch ${was}, and ${epoch} is held`;
}

/** P8, P12: what is looser comes into force only when enough have signed, and their delay is over. */
function judgePolicy(witness: Witness, changes: Ledger.Changes): void {
  const before = policyInForce(witness);
  const after = changes.policy && policyFrom(changes.policy.source);
  if (!before || !after || before.resume.kind === 'trial' || !isLooser(before, after)) return;
  const why = whyNotSigned(witness, changes);
  if (why !== undefined) blame(witness, 'P12', `policy ${after.name} is looser, and ${why}`);
}

function whyNotSigned(witness: Witness, changes: Ledger.Changes): string | undefined {
  const row = changes.rows.find(({ row }) => row.proposal)?.row;
  if (!row?.proposal) return 'one alone has put it in force';
  witness.counts.loosened += 1;
  const { proposalId, round } = row.proposal;
  const all = (witness.signed.get(proposalId) ?? []).filter((one) => one.round === round);
  const byName = Map.groupBy(all, ({ operator }) => operator);
  const first = [...byName.values()].map((own) => Math.min(...own.map(({ atMs }) => atMs)));
  const enoughMs = first.sort((one, other) => one - other)[QUORUM - 1];
  if (enoughMs === undefined) return 'too few have signed';
  return changes.atMs + CLOCKS_MS < enoughMs + DELAY_MS ? 'its delay is not over' : undefined;
}

/** Whether any limit allows more, or is gone: the least that makes a policy looser. */
function isLooser(before: Policy.Policy, after: Policy.Policy): boolean {
  return before.limits.some((limit) => {
    if (limit.mode !== 'enforce') return false;
    const next = after.limits.find(({ limitId }) => limitId === limit.limitId);
    return next?.mode !== 'enforce' || next.allowed > limit.allowed;
  });
}

/** P3, P8: each breaker that is written says what its incidents and the word of people have made of it. */
function judgeGates(witness: Witness, changes: Ledger.Changes): void {
  const { books } = witness;
  for (const { key, item } of changes.items) {
    const { state, epoch } = item.breaker;
    const has = state === 'isolated' ? 'open' : state;
    const step = books.steps.get(key);
    const should = step ? 'half-open' : isPaused(books, key) ? 'open' : 'closed';
    const next = books.epochs.get(key) ?? 0;
    if (has !== should || epoch !== next) {
      blame(witness, 'P3', `${key} is ${has} ${epoch}, and should be ${should} ${next}`);
    }
  }
}

/** P8: steps follow one after the other, each when the one before it is over. */
function judgeAdvances(witness: Witness, changes: Ledger.Changes): void {
  for (const { key, item } of changes.items) {
    const was = witness.books.steps.get(key);
    const { breaker } = item;
    if (breaker.state !== 'half-open') continue;
    if (was?.step !== breaker.step) witness.counts.stepsBegun += 1;
    if (!was || breaker.step === was.step) continue;
    const why = breaker.step > was.step + 1 ? 'one was left out' : whyNotOver(was, changes);
    if (why !== undefined) blame(witness, 'P8', `${key} is in step ${breaker.step + 1}: ${why}`);
  }
}

/** The longest life of an admission in the policies of the schedules. */
const LIFE_MAX_MS = 30_000;

/** P6: nothing is charged as allowed while something that stops it is paused. P5, P12: nor beyond what its limits allow. */
function judgeAllows(witness: Witness, changes: Ledger.Changes): void {
  const { books, counts } = witness;
  judgeAdvances(witness, changes);
  for (const { row } of changes.rows) {
    const unit = books.units.get(row.rowId);
    const isAllow = row.state === 'reserved' && isNewCharge(books.rows.get(row.rowId), row);
    if (!unit || !isAllow) continue;
    counts.allows += 1;
    judgeProof(witness, `${row.rowId} was allowed`, changes.atMs);
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

/** P7: nothing is enabled or allowed longer after the last sign of life than a lease is worth, and a chain may be blind. */
export function judgeProof(witness: Witness, what: string, atMs: number): void {
  const { heartbeatMs, sightMs, deadSinceMs, proof } = witness;
  if (!proof.isLeased) return;
  const uncountedMs = atMs - heartbeatMs - LEASE_MS - CLOCKS_MS;
  if (uncountedMs > 0) blame(witness, 'P7', `${what}, and nothing proved health for long enough`);
  const asideMs = atMs - (deadSinceMs ?? atMs) - LEASE_MS - CLOCKS_MS;
  if (asideMs > 0) blame(witness, 'P7', `${what}, and messages lay aside for long enough`);
  if (!proof.isWatched) return;
  const unseenMs = atMs - sightMs - BLIND_AFTER_MS - LEASE_MS - CLOCKS_MS;
  if (unseenMs > 0) blame(witness, 'P7', `${what}, and no block was seen for long enough`);
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

/** P1: a count since a step began, or since a limit was given a base, misses nothing that later commits charged. */
function judgeMarks(witness: Witness, changes: Ledger.Changes): void {
  const { books } = witness;
  for (const { key, item } of changes.items) {
    const { breaker, meter, bases = [] } = item;
    const step = books.steps.get(key);
    const marks = bases.flatMap(({ limitIds, mark }) =>
      limitIds.map((limitId) => ({ mark, commit: books.bases.get(`${limitId}|${key}`) })),
    );
    if (breaker.state === 'half-open') marks.push({ mark: breaker.mark, commit: step?.commit });
    for (const { mark: since, commit = 0 } of marks) {
      const charged = (books.charged.get(key) ?? []).filter((one) => one.commit > commit);
      for (const metric of ['notional', 'count'] as const) {
        const window = { windowMs: Meter.LONGEST_MS, widenMs: 0, nowMs: changes.atMs, since };
        const used = Meter.outflow(meter, { metric, ...window });
        const least = sumOf(charged, { metric, fromMs: 0, toMs: Number.MAX_VALUE });
        if (used < least) blame(witness, 'P1', `${key} ${metric} since a mark: ${used} < ${least}`);
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
  // What tripped at first sight, and people have resumed from, does not trip when it is counted.
  if (!books.rows.has(`sighted:${row.rowId}`)) judgeTheft(witness, unit, row);
  const approved = books.rows.get(`withdrawal:${unit.withdrawalId}`);
  if (approved?.state === 'reported' || approved?.state === 'reserved') {
    blame(witness, 'P11', `${row.rowId} is unmatched, and was approved (${approved.state})`);
  }
}

/** P11: what nobody approved stops its scope, its wallet and its destination in its own commit. */
function judgeTheft(witness: Witness, unit: Unit, { rowId }: Ledger.Row): void {
  const kind = policyInForce(witness)?.unmatched.scope ?? 'global';
  const scope = keysOf(unit)[kind] ?? 'global';
  for (const each of [scope, ...quarantinedBy(unit)]) {
    if (isPaused(witness.books, each)) continue;
    blame(witness, 'P11', `${rowId} is unmatched, and ${each} is not paused`);
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

/**
 * P5: nothing is admitted beyond the step of a scope that resumes: all that was charged there by later
 * commits than the one that began it. P6: nor what the step does not name. P3: what has left beyond it
 * opens the scope again.
 */
function judgeStep(
  witness: Witness,
  unit: Unit,
  charged: {
    readonly row: Ledger.Row;
    readonly changes: Ledger.Changes;
    readonly stepped: Stepped;
  },
): void {
  const { row, changes, stepped } = charged;
  const { books, counts } = witness;
  const isAdmitted = row.state === 'reserved';
  const seen = unitOf(unit, row);
  const { asset, memo, destination } = unit.transfer;
  const whole = `destination:${destination}`;
  if (isAdmitted && memo !== undefined && stepped.has(whole)) {
    blame(witness, 'P6', `${row.rowId} was allowed, and ${whole} resumes without a memo`);
  }
  // A fee alone opens nothing again.
  if (!isAdmitted && row.state !== 'reported' && row.state !== 'unmatched') return;
  for (const each of new Set(legsOf(row).map((leg) => leg.asset))) {
    for (const [kind, key] of Object.entries(keysOf(seen, each))) {
      const step = stepped.get(key);
      if (!step) continue;
      const why = passedBy(witness, { kind, key, step, asset, of: each });
      if (isAdmitted && why === undefined) counts.stepAllows += 1;
      if (why === undefined) continue;
      if (isAdmitted) blame(witness, 'P5', `${row.rowId} was admitted in ${key}: ${why}`);
      const isLate = lagOf(witness, changes) > changes.atMs - step.atMs;
      if (isAdmitted || isLate || isPaused(books, key)) continue;
      blame(witness, 'P3', `${row.rowId} left, and ${key} did not open again: ${why}`);
    }
  }
}

/** What of a step has been passed, with what is charged since it began. */
function passedBy(
  witness: Witness,
  about: {
    readonly kind: string;
    readonly key: string;
    readonly step: Resuming;
    /** The asset that moves, and that of the scope: a fee's may be another. */
    readonly asset: string;
    readonly of: string;
  },
): string | undefined {
  const { kind, key, step, asset, of } = about;
  const { shareBps = 0, assets } = step.steps[step.step] ?? {};
  if (assets?.includes(asset) === false) return 'the step names other assets';
  const limits = limitsInForce(witness).filter(
    ({ scope, where }) => scope === kind && (where.asset ?? of) === of,
  );
  const { commit } = step;
  const since = (witness.books.charged.get(key) ?? []).filter((one) => one.commit > commit);
  const span = { fromMs: 0, toMs: Number.MAX_VALUE };
  const { budget } = step;
  const bounds = stepBounds(limits, { shareBps, budget });
  const passed = bounds.find(({ metric, allowed }) => sumOf(since, { metric, ...span }) > allowed);
  if (!passed) return undefined;
  const { metric, allowed, name } = passed;
  return `${sumOf(since, { metric, ...span })} since it began, of ${allowed} of ${name}`;
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
  const key = keys[limit.scope] ?? '';
  const base = witness.books.bases.get(`${limit.limitId}|${key}`) ?? -1;
  const all = witness.books.charged.get(key) ?? [];
  const charged = all.filter(({ commit }) => commit > base);
  const { metric, windowMs } = limit;
  return sumOf(charged, { metric, fromMs: atMs - windowMs, toMs: atMs });
}

function policyInForce(witness: Witness): Policy.Policy | undefined {
  return witness.policies.get(witness.books.policyVersion);
}

function limitsInForce(witness: Witness): readonly Policy.Limit[] {
  return policyInForce(witness)?.limits ?? [];
}

/** What counted money sets off: breakers that open, and what people are told. */

import type * as Breaker from './breaker.ts';
import * as Canary from './canary.ts';
import * as Draft from './draft.ts';
import * as Evaluate from './evaluate.ts';
import * as Explain from './explain.ts';
import type * as Ledger from './ledger.ts';
import type * as Matching from './matching.ts';
import * as Policy from './policy.ts';
import * as Quarantine from './quarantine.ts';
import * as Scope from './scope.ts';
import type * as Step from './step.ts';
import * as Withdrawal from './withdrawal.ts';

/** What one event set off; collected while it is judged. */
export type Effect = { readonly trips: Draft.Trip[]; readonly wouldTrip: Scope.Key[] };

/** An event that was charged, with how long it waited before it came to us. */
export type Charged = Matching.Hashed & { readonly lagMs: number };

type Fact = Pick<Breaker.Cause, 'atMs' | 'rowId' | 'notional'>;

/** Limits whose window is shorter than this many lags alert instead of tripping: a backlog lands in one slot. */
const LAG_FACTOR = 10;

/** Nothing set off yet. */
export function noEffect(): Effect {
  return { trips: [], wouldTrip: [] };
}

/**
 * Judges money that has been charged: whether anybody approved it, what of it is unknown, and which
 * limits it passed. A fee alone is no breach of a step's budget, which what was approved may have used
 * to the last: it counts there, and the full limits judge it.
 */
export function enforce(
  draft: Draft.Draft,
  incoming: Charged,
  judged: {
    readonly resolved: Policy.Resolved;
    readonly before: ReadonlyMap<Scope.Key, Ledger.Item>;
    readonly unmatched?: string | undefined;
    readonly isFee?: boolean;
  },
): Effect & { readonly notional: bigint } {
  const { resolved, before, unmatched, isFee = false } = judged;
  const { subject } = resolved;
  const notional = notionalOf(resolved);
  const rowId = Withdrawal.rowId(incoming.event);
  const effect = noEffect();
  const fact = { atMs: draft.atMs, rowId, notional };
  const { transfer } = incoming.event;
  const theft =
    unmatched === undefined
      ? undefined
      : { subject, cause: causeOf(draft, { rowId, transfer, notional, why: unmatched }) };
  const trip = theft && tripTheft(draft, effect, theft);
  for (const what of resolved.unknown) raiseUnknown(draft, effect, { what, subject, fact });
  for (const { breach, subject: at } of passed(draft, resolved, before)) {
    if (breach.limit.step && isFee) continue;
    raiseBreach(draft, effect, { breach, subject: at, fact, lagMs: incoming.lagMs });
  }
  // Last: what else it tripped belongs to its incident, and not to those beside it.
  if (theft && trip) quarantine(draft, theft, trip);
  return { notional, ...effect };
}

/** Trips for money that nobody approved, and stops its wallet and destination beside it. */
export function unapproved(
  draft: Draft.Draft,
  effect: Effect,
  about: {
    readonly rowId: string;
    readonly transfer: Withdrawal.Transfer;
    readonly subject: Scope.Subject;
    readonly notional: bigint;
    readonly why: string;
  },
): void {
  stopTheft(draft, effect, { subject: about.subject, cause: causeOf(draft, about) });
}

/** Trips for a theft, or for a way to one, and stops what it comes from and goes to beside it. */
export function stopTheft(draft: Draft.Draft, effect: Effect, theft: Theft): void {
  const trip = tripTheft(draft, effect, theft);
  if (trip) quarantine(draft, theft, trip);
}

type Theft = { readonly subject: Scope.Subject; readonly cause: Breaker.Cause };

/** Opens the scope that the policy names; wider ones that resume in steps open again. Nothing in shadow. */
function tripTheft(
  draft: Draft.Draft,
  effect: Effect,
  { subject, cause }: Theft,
): Draft.Trip | undefined {
  const { mode, unmatched } = draft.context.policy;
  const isDrill = isOfDrill(draft, { subject, cause });
  const kind = isDrill ? 'wallet' : unmatched.scope;
  const before = effect.trips.length;
  open(draft, effect, { kind, subject, cause, mode });
  const trip = effect.trips[before];
  if (!trip || isDrill) return trip;
  const wider = Scope.covering(kind, subject).map(Scope.key);
  for (const key of wider) Draft.pin(draft, key);
  const resuming = wider.filter((key) => Draft.item(draft, key).breaker.state === 'half-open');
  effect.trips.push(...resuming.map((key) => Draft.tripKey(draft, key, cause)));
  return trip;
}

function quarantine(draft: Draft.Draft, theft: Theft, trip: Draft.Trip): void {
  if (!isOfDrill(draft, theft)) Quarantine.quarantine(draft, { ...theft, trip });
}

/** A drill stops the canary and nobody else, and leaves nothing stopped that only people could resume. */
function isOfDrill(draft: Draft.Draft, { subject, cause }: Theft): boolean {
  const { wallet } = subject;
  return Canary.isDrill(draft.context.policy, { wallet, rowId: cause.rowId });
}

function causeOf(
  draft: Draft.Draft,
  about: {
    readonly rowId: string;
    readonly transfer: Withdrawal.Transfer;
    readonly notional: bigint;
    readonly why: string;
  },
): Breaker.Cause {
  const { rowId, transfer, notional, why } = about;
  const text = Explain.unmatched(draft.context.policy, transfer, why);
  return { kind: 'unmatched', atMs: draft.atMs, rowId, notional, text };
}

/** A limit that money passed, with the subject whose scope it did so in. */
export type Passed = { readonly breach: Evaluate.Breach; readonly subject: Scope.Subject };

/**
 * Every limit that charged money passed. A fee in another asset is judged in the scopes of that
 * asset too, or it could drain them unseen; a limit speaks once about each scope.
 */
export function passed(
  draft: Draft.Draft,
  resolved: Policy.Resolved,
  before: ReadonlyMap<Scope.Key, Ledger.Item>,
): readonly Passed[] {
  const notional = notionalOf(resolved);
  const all = new Map<string, Passed>();
  for (const asset of new Set(resolved.legs.map((leg) => leg.asset))) {
    const subject = { ...resolved.subject, asset };
    const flows = resolved.subject;
    const event = { subject, flows, notional, before, after: draft.items, nowMs: draft.atMs };
    for (const breach of Evaluate.breaches(draft.context.policy, event)) {
      const kind = breach.limit.step ? 'step' : 'limit';
      const once = `${kind}|${breach.limit.limitId}|${Scope.key(breach.scope)}`;
      if (!all.has(once)) all.set(once, { breach, subject });
    }
  }
  return [...all.values()];
}

/** The size of all legs, micro-USD. */
export function notionalOf(resolved: Policy.Resolved): bigint {
  return resolved.legs.reduce((sum, leg) => sum + leg.notional, 0n);
}

/** One id with two bodies: noted once, and a cause. */
export function raiseConflict(draft: Draft.Draft, hashed: Matching.Hashed, noteId: string): Effect {
  const { policy } = draft.context;
  const resolved = Policy.resolve(policy, hashed.event.transfer);
  const rowId = Withdrawal.rowId(hashed.event);
  const text = Explain.conflict(hashed.event, Draft.row(draft, rowId));
  Draft.putNote(draft, { rowId: noteId, bodyHash: hashed.bodyHash, note: text });
  const notional = notionalOf(resolved);
  const cause = { kind: 'conflict' as const, atMs: draft.atMs, rowId, notional, text };
  const effect = noEffect();
  const { subject } = resolved;
  open(draft, effect, { kind: policy.conflict.scope, subject, cause, mode: policy.mode });
  return effect;
}

function raiseBreach(
  draft: Draft.Draft,
  effect: Effect,
  about: {
    readonly breach: Evaluate.Breach;
    readonly subject: Scope.Subject;
    readonly fact: Fact;
    readonly lagMs: number;
  },
): void {
  const { policy } = draft.context;
  const { breach, subject, fact } = about;
  if (breach.limit.step) {
    raiseStep(draft, effect, { ...about, step: breach.limit.step });
    return;
  }
  const { action, metric, mode, windowMs } = breach.limit;
  const late = about.lagMs * LAG_FACTOR > windowMs && metric !== 'single';
  if (breach.level === 'breach' && action.kind === 'pause' && !late) {
    const cause = { ...fact, kind: 'limit' as const, ...Explain.limit(policy, breach) };
    const acting = policy.mode === 'shadow' ? 'shadow' : mode;
    const shows = metric === 'single' ? 'once' : 'again';
    open(draft, effect, { kind: action.scope, subject, cause, mode: acting, shows });
    return;
  }
  Draft.alert(draft, Explain.alert(policy, breach, { ...fact, late }));
}

/**
 * More has left than a step of a resume allows: its breaker opens again. What came to us before the
 * step began has left before, and only alerts.
 */
function raiseStep(
  draft: Draft.Draft,
  effect: Effect,
  about: {
    readonly breach: Evaluate.Breach;
    readonly step: Step.Of;
    readonly fact: Fact;
    readonly lagMs: number;
  },
): void {
  const { policy } = draft.context;
  const { breach, step, fact, lagMs } = about;
  const cause = { ...fact, kind: 'limit' as const, ...Explain.limit(policy, breach) };
  if (lagMs > fact.atMs - step.sinceMs) {
    Draft.alert(draft, Explain.alert(policy, breach, { ...fact, late: true }));
  } else if (policy.mode === 'enforce') {
    effect.trips.push(Draft.tripKey(draft, step.scope, cause));
  } else {
    effect.wouldTrip.push(step.scope);
    Draft.alert(draft, Explain.wouldTrip(step.scope, cause));
  }
}

function raiseUnknown(
  draft: Draft.Draft,
  effect: Effect,
  about: {
    readonly what: Policy.Unknown;
    readonly subject: Scope.Subject;
    readonly fact: Fact;
  },
): void {
  const { policy } = draft.context;
  const { what, subject, fact } = about;
  const rule = policy.unknown[what];
  const text = Explain.unknown(what, subject);
  if (rule.outflow === 'pause') {
    const cause = { ...fact, kind: 'unknown' as const, text };
    open(draft, effect, { kind: rule.scope, subject, cause, mode: policy.mode });
    return;
  }
  const scope = Scope.key(Scope.of(rule.scope, subject));
  const alertId = `unknown|${what}|${scope}|${Math.floor(fact.atMs / Explain.DAY_MS)}`;
  Draft.alert(draft, { alertId, kind: 'unknown', atMs: fact.atMs, scope, rowId: fact.rowId, text });
}

/**
 * Trips, or in shadow mode says that it would have.
 *
 * `shows`: a sum over a window shows `again` at the next withdrawal, whoever resumes what meanwhile.
 * Everything else shows `once`, and an incident that was opened for another reason must not swallow
 * it: people resume what they were told of.
 */
export function open(
  draft: Draft.Draft,
  effect: Effect,
  request: {
    readonly kind: Scope.Kind;
    readonly subject: Scope.Subject;
    readonly cause: Breaker.Cause;
    readonly mode: Policy.Mode;
    readonly shows?: 'once' | 'again';
  },
): void {
  const { kind, subject, cause, mode, shows = 'once' } = request;
  const own = Scope.key(Scope.of(kind, subject));
  if (mode === 'enforce') {
    const wider = Scope.covering(kind, subject).map(Scope.key);
    const hasThis = (key: Scope.Key) => effect.trips.some(({ scope }) => scope === key);
    const collectors = shows === 'again' ? wider : wider.filter(hasThis);
    effect.trips.push(Draft.trip(draft, { own, collectors }, cause));
    return;
  }
  effect.wouldTrip.push(own);
  Draft.alert(draft, Explain.wouldTrip(own, cause));
}

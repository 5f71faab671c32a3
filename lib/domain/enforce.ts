/** What counted money sets off: breakers that open, and what people are told. */

import type * as Breaker from './breaker.ts';
import * as Canary from './canary.ts';
import * as Draft from './draft.ts';
import * as Evaluate from './evaluate.ts';
import * as Explain from './explain.ts';
import type * as Ledger from './ledger.ts';
import type * as Matching from './matching.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';
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
 * limits it passed.
 */
export function enforce(
  draft: Draft.Draft,
  incoming: Charged,
  judged: {
    readonly resolved: Policy.Resolved;
    readonly before: ReadonlyMap<Scope.Key, Ledger.Item>;
    readonly unmatched?: string | undefined;
  },
): Effect & { readonly notional: bigint } {
  const { resolved, before, unmatched } = judged;
  const { subject } = resolved;
  const notional = notionalOf(resolved);
  const rowId = Withdrawal.rowId(incoming.event);
  const effect = noEffect();
  const fact = { atMs: draft.atMs, rowId, notional };
  if (unmatched !== undefined) {
    const { transfer } = incoming.event;
    unapproved(draft, effect, { rowId, transfer, subject, notional, why: unmatched });
  }
  for (const what of resolved.unknown) raiseUnknown(draft, effect, { what, subject, fact });
  for (const { breach, subject: at } of passed(draft, resolved, before)) {
    raiseBreach(draft, effect, { breach, subject: at, fact, lagMs: incoming.lagMs });
  }
  return { notional, ...effect };
}

/** Trips for money that nobody approved. */
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
  const { policy } = draft.context;
  const { rowId, transfer, subject, notional, why } = about;
  const text = Explain.unmatched(policy, transfer, why);
  const cause = { kind: 'unmatched' as const, atMs: draft.atMs, rowId, notional, text };
  // A drill stops the canary and nobody else.
  const isDrill = Canary.isDrill(policy, { wallet: subject.wallet, rowId });
  const kind = isDrill ? 'wallet' : policy.unmatched.scope;
  open(draft, effect, { kind, subject, cause, mode: policy.mode });
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
    const event = { subject, notional, before, after: draft.items, nowMs: draft.atMs };
    for (const breach of Evaluate.breaches(draft.context.policy, event)) {
      const once = `${breach.limit.limitId}|${Scope.key(breach.scope)}`;
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

/** What the limits say about one event, after it was charged. Pure arithmetic over loaded meters. */

import type * as Ledger from './ledger.ts';
import * as Meter from './meter.ts';
import * as Money from './money.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import * as Step from './step.ts';

/** A limit that an event passed, or whose warn level it passed, as it stands for the scope. */
export type Breach = {
  readonly level: 'warn' | 'breach';
  readonly limit: Step.Bound;
  readonly scope: Scope.Scope;
  /** What the window holds with this event. */
  readonly used: bigint;
};

/** Use of one limit in one scope, for people. */
export type Use = {
  readonly limit: Step.Bound;
  readonly scope: string;
  readonly used: bigint;
  readonly headroom: bigint;
};

/** One event as the limits see it. */
export type Event = {
  readonly subject: Scope.Subject;
  readonly notional: bigint;
  /** The money as steps see it: a fee in another asset flows with what it is paid for. Unless given, the subject. */
  readonly flows?: Scope.Subject;
  /** Items before and after the charge; a scope without an item counts as empty. */
  readonly before: ReadonlyMap<Scope.Key, Ledger.Item>;
  readonly after: ReadonlyMap<Scope.Key, Ledger.Item>;
  readonly nowMs: number;
};

/**
 * Every limit that the event breaches, or whose warn level it crosses, narrowest scope first; in a
 * scope that resumes in steps, behind the limits the shares of them that the step allows.
 * A sum equal to the limit passes; one unit more breaches; a saturated sum always does.
 */
export function breaches(policy: Policy.Policy, event: Event): readonly Breach[] {
  const { subject, flows = subject, nowMs } = event;
  return Scope.all(subject).flatMap((scope) => {
    const item = event.after.get(Scope.key(scope));
    const limits = standingOn(policy, { item, scope, subject, nowMs });
    const steps = stepBounds(policy, { item, scope, subject, flows, nowMs });
    return [...limits, ...steps].flatMap((limit) => judge({ policy, limit, scope, event }) ?? []);
  });
}

/** Everything that a step of a resume allows in a scope, and of what. */
export function stepBounds(
  policy: Policy.Policy,
  about: {
    readonly item: Ledger.Item | undefined;
    readonly scope: Scope.Scope;
    readonly subject: Scope.Subject;
    readonly flows?: Scope.Subject;
    readonly nowMs: number;
  },
): readonly Step.Bound[] {
  const { item, scope, subject, flows = subject } = about;
  if (item?.breaker.state !== 'half-open') return [];
  // The scopes of a fee's asset are its own; in all others it is part of what flows.
  const isOfAsset = scope.kind === 'asset' || scope.kind === 'wallet-asset';
  const limits = standingOn(policy, { ...about, subject: isOfAsset ? subject : flows });
  return Step.bounds(item, { scope, flows, limits });
}

function standingOn(
  policy: Policy.Policy,
  about: {
    readonly item: Ledger.Item | undefined;
    readonly scope: Scope.Scope;
    readonly subject: Scope.Subject;
    readonly nowMs: number;
  },
): readonly Policy.Standing[] {
  const { item, scope, subject, nowMs } = about;
  const limits = Policy.limitsOn(policy, scope.kind, subject);
  return limits.map((limit) => inForce(limit, item, nowMs));
}

/**
 * A limit as it stands in a scope at a time, with what people have agreed on there. An overlay lets
 * it allow only its share; without one an allowance that is not over adds its part.
 */
export function inForce(
  limit: Policy.Standing,
  item: Ledger.Item | undefined,
  nowMs: number,
): Policy.Standing {
  const { limitId, allowed } = limit;
  if (item?.overlay) return { ...limit, allowed: Money.shareOf(allowed, item.overlay.shareBps) };
  const extra = item?.allowances?.find((each) => each.limitId === limitId && each.untilMs > nowMs);
  if (!extra) return limit;
  return { ...limit, allowed: allowed + Money.shareOf(allowed, extra.extraBps) };
}

/**
 * What a limit's window holds in a scope at `nowMs`: from its base on, where a resume gave it one. Of
 * a step: all that left since it began. Fail direction: closed, what is bound by a step that is over
 * counts as {@link Money.MAX}.
 */
export function used(
  item: Ledger.Item | undefined,
  limit: Step.Bound,
  at: { readonly nowMs: number; readonly widenMs: number },
): bigint {
  if (!item || limit.metric === 'single') return 0n;
  const { metric } = limit;
  if (limit.step) {
    const since = Step.markOf(item, limit.step);
    if (!since) return Money.MAX;
    const all = { windowMs: Meter.LONGEST_MS, widenMs: 0, nowMs: at.nowMs };
    return Meter.outflow(item.meter, { metric, ...all, since });
  }
  return Meter.outflow(item.meter, windowOf(item, { ...limit, metric }, at));
}

function windowOf(
  item: Ledger.Item | undefined,
  limit: Policy.Standing & { readonly metric: Meter.Metric },
  at: { readonly nowMs: number; readonly widenMs: number },
): Meter.Window {
  const { limitId, metric, windowMs } = limit;
  const since = item?.bases?.find(({ limitIds }) => limitIds.includes(limitId))?.mark;
  return { metric, windowMs, ...at, since };
}

/** Use and headroom of a limit in a scope; headroom is never negative. */
export function use(
  item: Ledger.Item | undefined,
  limit: Step.Bound,
  at: { readonly scope: string; readonly nowMs: number; readonly widenMs: number },
): Use {
  const amount = used(item, limit, at);
  const headroom = amount > limit.allowed ? 0n : limit.allowed - amount;
  return { limit, scope: at.scope, used: amount, headroom };
}

/**
 * When a limit's window has room for `need` in a scope, if nothing else leaves; absent where no time
 * brings it. Of a step: now, or when the next step begins that has the room.
 */
export function capacityAtMs(
  item: Ledger.Item | undefined,
  limit: Step.Bound,
  at: { readonly need: bigint; readonly nowMs: number; readonly widenMs: number },
): number | undefined {
  const { need, ...clock } = at;
  const { metric, allowed } = limit;
  if (limit.step) {
    const fits = used(item, limit, clock) + need <= allowed;
    return fits ? at.nowMs : Step.roomAtMs(item, limit.step, at);
  }
  if (metric === 'single' || need > allowed) return undefined;
  const window = windowOf(item, { ...limit, metric }, clock);
  return Meter.capacityAtMs(item?.meter ?? Meter.EMPTY, window, allowed - need);
}

function judge(parameters: {
  readonly policy: Policy.Policy;
  readonly limit: Step.Bound;
  readonly scope: Scope.Scope;
  readonly event: Event;
}): Breach | undefined {
  const { policy, limit, scope, event } = parameters;
  const key = Scope.key(scope);
  const at = { nowMs: event.nowMs, widenMs: Policy.widenMs(policy, scope) };
  const sum = limit.metric === 'single' ? event.notional : used(event.after.get(key), limit, at);
  if (sum > limit.allowed || sum >= Money.MAX) return { level: 'breach', limit, scope, used: sum };
  if (limit.warnBps === undefined) return undefined;
  const warnAbove = Money.shareOf(limit.allowed, limit.warnBps);
  const before = used(event.before.get(key), limit, at);
  return sum > warnAbove && before <= warnAbove
    ? { level: 'warn', limit, scope, used: sum }
    : undefined;
}

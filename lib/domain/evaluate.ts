/** What the limits say about one event, after it was charged. Pure arithmetic over loaded meters. */

import type * as Ledger from './ledger.ts';
import * as Meter from './meter.ts';
import * as Money from './money.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';

/** A limit that an event passed, or whose warn level it passed, as it stands for the scope. */
export type Breach = {
  readonly level: 'warn' | 'breach';
  readonly limit: Policy.Standing;
  readonly scope: Scope.Scope;
  /** What the window holds with this event. */
  readonly used: bigint;
};

/** Use of one limit in one scope, for people. */
export type Use = {
  readonly limit: Policy.Standing;
  readonly scope: string;
  readonly used: bigint;
  readonly headroom: bigint;
};

/** One event as the limits see it. */
export type Event = {
  readonly subject: Scope.Subject;
  readonly notional: bigint;
  /** Items before and after the charge; a scope without an item counts as empty. */
  readonly before: ReadonlyMap<Scope.Key, Ledger.Item>;
  readonly after: ReadonlyMap<Scope.Key, Ledger.Item>;
  readonly nowMs: number;
};

/**
 * Every limit that the event breaches, or whose warn level it crosses, narrowest scope first.
 * A sum equal to the limit passes; one unit more breaches; a saturated sum always does.
 */
export function breaches(policy: Policy.Policy, event: Event): readonly Breach[] {
  return Scope.all(event.subject).flatMap((scope) =>
    Policy.limitsOn(policy, scope.kind, event.subject).flatMap(
      (limit) => judge({ policy, limit, scope, event }) ?? [],
    ),
  );
}

/** What a limit's window holds in a scope at `nowMs`. */
export function used(
  item: Ledger.Item | undefined,
  limit: Policy.Standing,
  at: { readonly nowMs: number; readonly widenMs: number },
): bigint {
  if (!item || limit.metric === 'single') return 0n;
  const { metric, windowMs } = limit;
  return Meter.outflow(item.meter, { metric, windowMs, ...at });
}

/** Use and headroom of a limit in a scope; headroom is never negative. */
export function use(
  item: Ledger.Item | undefined,
  limit: Policy.Standing,
  at: { readonly scope: string; readonly nowMs: number; readonly widenMs: number },
): Use {
  const amount = used(item, limit, at);
  const headroom = amount > limit.allowed ? 0n : limit.allowed - amount;
  return { limit, scope: at.scope, used: amount, headroom };
}

/** When a limit's window has room for `need` in a scope, if nothing else leaves; absent where no time brings it. */
export function capacityAtMs(
  item: Ledger.Item | undefined,
  limit: Policy.Standing,
  at: { readonly need: bigint; readonly nowMs: number; readonly widenMs: number },
): number | undefined {
  const { need, ...clock } = at;
  if (limit.metric === 'single' || need > limit.allowed) return undefined;
  const { metric, windowMs, allowed } = limit;
  const window = { metric, windowMs, ...clock };
  return Meter.capacityAtMs(item?.meter ?? Meter.EMPTY, window, allowed - need);
}

function judge(parameters: {
  readonly policy: Policy.Policy;
  readonly limit: Policy.Standing;
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

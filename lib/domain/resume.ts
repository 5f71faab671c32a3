/**
 * What people have agreed to resume: one incident, of one epoch of its breaker, at once or in steps.
 * Who had to agree is decided before; what is ordered here is carried out whole or not at all.
 */

import * as Breaker from './breaker.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import * as Meter from './meter.ts';
import type * as Scope from './scope.ts';

/** An incident that is closed, as it stands: its scope, and the epoch of the breaker there. */
export type Named = {
  readonly incidentId: string;
  readonly scope: Scope.Key;
  /** Of the breaker, not of the incident: it has moved on where that has opened again since. */
  readonly epoch: number;
};

/** A limit of a scope that counts from the resume on: what left before is known and dealt with. */
export type Rebase = { readonly limitId: string; readonly scope: Scope.Key };

/** What is ordered. */
export type Order = Named & {
  /** Empty: at once. */
  readonly steps: readonly Breaker.Step[];
  /** micro-USD: what 100 % means where the scope has no notional limit of its own. */
  readonly budget: bigint;
  /** At most {@link NAMED_MAX}. */
  readonly rebase: readonly Rebase[];
  /** Closed at once with it, such as what was quarantined; at most {@link NAMED_MAX}. */
  readonly also: readonly Named[];
};

/** Limits, and further incidents, that one order may name. */
export const NAMED_MAX = 20;
/** Steps of one order. */
export const STEPS_MAX = 20;
/** Longest step: over it the meter still knows all that left since it began. */
export const STEP_MS_MAX = 7 * 86_400_000;

/** Who ordered it and why, and the incidents that it names, as they are stored. */
export type By = {
  readonly actors: readonly string[];
  readonly reason: string;
  readonly incidents: ReadonlyMap<string, Breaker.Incident>;
};

/** The incidents to write, or why nothing was changed. */
export type Result =
  | { readonly kind: 'resumed'; readonly incidents: readonly Ledger.IncidentWrite[] }
  | { readonly kind: 'refused'; readonly why: string };

/** Items that must be loaded. */
export function keys(order: Order): readonly Scope.Key[] {
  const named = [order, ...order.rebase, ...order.also].map(({ scope }) => scope);
  return [...new Set(named)];
}

/** Incidents that must be loaded. */
export function incidentIds(order: Order): readonly string[] {
  return [...new Set([order, ...order.also].map(({ incidentId }) => incidentId))];
}

/**
 * Carries an order out on a draft. The incident stays open while it resumes in steps, and closes
 * with its breaker. One that is an overlay's opened no breaker: the overlay is lifted.
 * Fail direction: closed, an order that does not fit the breakers and incidents as they are now, in
 * any part, changes nothing.
 */
export function carryOut(draft: Draft.Draft, order: Order, by: By): Result {
  const why = whyNot(draft, order, by.incidents);
  if (why !== undefined) return { kind: 'refused', why };
  const writes = [order, ...order.also].map((named): Ledger.IncidentWrite => {
    const steps = named === order ? order.steps : [];
    const incident = by.incidents.get(named.incidentId) as Breaker.Incident;
    return { incident: resumeOne(draft, { incident, steps, order, by }), expected: 'open' };
  });
  for (const { limitId, scope } of order.rebase) rebase(draft, { limitId, scope });
  return { kind: 'resumed', incidents: writes };
}

function resumeOne(
  draft: Draft.Draft,
  one: {
    readonly incident: Breaker.Incident;
    readonly steps: readonly Breaker.Step[];
    readonly order: Order;
    readonly by: By;
  },
): Breaker.Incident {
  const { incident, steps, order, by } = one;
  const { incidentId, scope } = incident;
  const { actors, reason } = by;
  const { atMs } = draft;
  const item = Draft.item(draft, scope);
  const { overlay, ...plain } = item;
  const closed = { atMs, actor: actors.join(', '), reason };
  if (overlay?.incidentId === incidentId) {
    draft.items.set(scope, plain);
    return { ...incident, state: 'closed', closed };
  }
  const mark = Meter.mark(item.meter, atMs);
  const { budget } = order;
  const halfOpen = Breaker.resume(item.breaker, { incidentId, steps, budget, mark });
  if (halfOpen) {
    draft.items.set(scope, { ...item, breaker: halfOpen });
    return { ...incident, resuming: { atMs, actors, reason, epoch: halfOpen.epoch } };
  }
  const breaker = Breaker.reset(item.breaker, incidentId) ?? item.breaker;
  draft.items.set(scope, { ...item, breaker });
  return { ...incident, state: 'closed', closed };
}

/** The limit counts from now on. What an earlier resume said of it is forgotten. */
function rebase(draft: Draft.Draft, { limitId, scope }: Rebase): void {
  const item = Draft.item(draft, scope);
  const others = (item.bases ?? []).flatMap((base) => {
    const limitIds = base.limitIds.filter((each) => each !== limitId);
    return limitIds.length === 0 ? [] : [{ ...base, limitIds }];
  });
  const mark = Meter.mark(item.meter, draft.atMs);
  const same = others.find((base) => base.mark.atMs === mark.atMs);
  const bases = same
    ? others.map((base) =>
        base === same ? { ...base, limitIds: [...base.limitIds, limitId] } : base,
      )
    : [...others, { limitIds: [limitId], mark }];
  draft.items.set(scope, { ...item, bases });
}

function whyNot(draft: Draft.Draft, order: Order, incidents: By['incidents']): string | undefined {
  const all = [order, ...order.also];
  if (order.rebase.length > NAMED_MAX || order.also.length > NAMED_MAX) {
    return `it names more than ${NAMED_MAX} limits or incidents`;
  }
  if (new Set(all.map(({ incidentId }) => incidentId)).size < all.length) {
    return 'it names an incident twice';
  }
  if (order.budget < 0n) return 'its budget is negative';
  return (
    whyNotSteps(order.steps) ??
    all.map((named) => whyNotHeld(draft, named, incidents)).find((why) => why !== undefined) ??
    whyNotAgain(draft, order) ??
    order.rebase.map((named) => whyNotLimit(draft, named)).find((why) => why !== undefined)
  );
}

function whyNotSteps(steps: readonly Breaker.Step[]): string | undefined {
  if (steps.length > STEPS_MAX) return `it has more than ${STEPS_MAX} steps`;
  const isWithin = (value: number, max: number) =>
    Number.isSafeInteger(value) && value >= 1 && value <= max;
  const isSound = ({ shareBps, forMs }: Breaker.Step) =>
    isWithin(shareBps, 10_000) && isWithin(forMs, STEP_MS_MAX);
  if (steps.every(isSound)) return undefined;
  return 'a step is no share of 0.01% to 100% for a time of up to 7 days';
}

function whyNotHeld(
  draft: Draft.Draft,
  { incidentId, scope, epoch }: Named,
  incidents: By['incidents'],
): string | undefined {
  const incident = incidents.get(incidentId);
  if (!incident) return `there is no incident ${incidentId}`;
  if (incident.state === 'closed') return `incident ${incidentId} is closed already`;
  const { breaker, overlay } = Draft.item(draft, scope);
  const isOverlay = overlay?.incidentId === incidentId;
  const isHeld = breaker.state !== 'closed' && breaker.incidentId === incidentId;
  if (incident.scope !== scope || !(isOverlay || isHeld)) {
    return `the breaker of ${scope} is not held by ${incidentId}`;
  }
  if (breaker.epoch === epoch) return undefined;
  return `the breaker of ${scope} is in epoch ${breaker.epoch}, and this is for epoch ${epoch}: it has opened again since`;
}

/** Steps that began anew would hand out their budgets again. */
function whyNotAgain(draft: Draft.Draft, { scope, incidentId, steps }: Order): string | undefined {
  const { breaker } = Draft.item(draft, scope);
  if (breaker.state !== 'half-open' || breaker.incidentId !== incidentId) return undefined;
  if (steps.length === 0) return undefined;
  return `incident ${incidentId} is resuming already: step ${breaker.step + 1} of ${breaker.steps.length}`;
}

function whyNotLimit(draft: Draft.Draft, { limitId, scope }: Rebase): string | undefined {
  const limit = draft.context.policy.limits.find((each) => each.limitId === limitId);
  if (!limit) return `the policy has no limit ${limitId}`;
  if (limit.metric === 'single') return `limit ${limitId} has no window that could begin anew`;
  const isOn = scope === limit.scope || scope.startsWith(`${limit.scope}:`);
  return isOn ? undefined : `limit ${limitId} does not speak about ${scope}`;
}

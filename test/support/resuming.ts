/** A world in which breakers open, resume in steps and move on, with a clock that a test sets. */

import * as Advance from '../../lib/domain/advance.ts';
import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Draft from '../../lib/domain/draft.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type * as Reservation from '../../lib/domain/reservation.ts';
import * as Resume from '../../lib/domain/resume.ts';
import type { Verdict } from '../../lib/domain/verdict.ts';
import type * as Withdrawal from '../../lib/domain/withdrawal.ts';
import {
  HOUR_MS,
  hash,
  incoming,
  limit,
  outflow,
  policy,
  T0_MS,
  usd,
  withdrawal,
} from './builders.ts';
import { contextOf, reserve, settle, submit, world } from './world.ts';

/** 10 %, 25 % and all, an hour each. */
export const STEPS: readonly Breaker.Step[] = [
  { shareBps: 1_000, forMs: HOUR_MS },
  { shareBps: 2_500, forMs: HOUR_MS },
  { shareBps: 10_000, forMs: HOUR_MS },
];

/** What differs of a withdrawal that is asked for, and on whose word. */
type Asked = Partial<Withdrawal.Transfer> & { readonly by?: Reservation.By };

/** One wallet with 1 000 USD a day, and an unmatched outflow that opens its breaker. */
export function scene(overrides: Partial<Policy.Policy> = {}) {
  const rules = policy({
    limits: [limit({ windowMs: 24 * HOUR_MS })],
    unmatched: { scope: 'wallet', risks: 'pause' },
    ...overrides,
  });
  const here = world();
  const clock = { nowMs: T0_MS };
  let events = 0;
  const itemOf = (key: string) => here.items.get(key);
  const breakerOf = (key = 'wallet:hot-1') =>
    itemOf(key)?.breaker ?? { state: 'closed' as const, epoch: 0 };
  const transfer = (whole: number, more: Partial<Withdrawal.Transfer> = {}) => ({
    amount: usd(whole),
    ...more,
  });
  return {
    here,
    clock,
    rules,
    breakerOf,
    /** Approved money that has left. */
    report: (whole: number, more: Partial<Withdrawal.Transfer> = {}, lagMs = 0) => {
      events += 1;
      const event = withdrawal(`r${events}`, transfer(whole, more));
      const batch = [incoming(event, lagMs)];
      return submit(here, { policy: rules, nowMs: clock.nowMs, events: batch }).outcomes[0]!;
    },
    /** Money that left and that nobody approved. */
    steal: (whole: number, more: Partial<Withdrawal.Transfer> = {}) => {
      events += 1;
      const event = outflow({ transaction: `0x${events}` }, transfer(whole, more));
      const batch = { policy: rules, nowMs: clock.nowMs, events: [incoming(event)] };
      return submit(here, batch).outcomes[0]!;
    },
    ask: (id: string, whole: number, more: Asked = {}): Verdict => {
      const { by, ...parts } = more;
      const asked = withdrawal(id, transfer(whole, parts));
      const bodyHash = hash(id + whole);
      const asks = [{ withdrawal: asked, bodyHash }];
      const batch = { policy: rules, nowMs: clock.nowMs, asks, ...(by && { by }) };
      return reserve(here, batch).verdicts[0]!;
    },
    resume: (parts: Partial<Resume.Order> = {}) => {
      const scope = parts.scope ?? 'wallet:hot-1';
      const breaker = breakerOf(scope);
      const overlay = itemOf(scope)?.overlay?.incidentId ?? '';
      const incidentId = breaker.state === 'closed' ? overlay : breaker.incidentId;
      const order: Resume.Order = {
        incidentId,
        scope,
        epoch: breaker.epoch,
        steps: STEPS,
        budget: usd(1_000),
        rebase: [],
        also: [],
        ...parts,
      };
      return carryOut(here, { rules, nowMs: clock.nowMs, order });
    },
    draft: <T>(keys: readonly string[], act: (draft: Draft.Draft) => T): T =>
      settle(here, {
        keys: { rows: [], items: keys },
        decide: (loaded) => {
          const draft = Draft.start(contextOf(here, rules, clock.nowMs), loaded);
          const result = act(draft);
          return { result, changes: Draft.changes(draft) };
        },
      }).result,
    tick: (scope = 'wallet:hot-1') => {
      const breaker = breakerOf(scope);
      const incidentId = breaker.state === 'closed' ? '' : breaker.incidentId;
      const incident = here.incidents.get(incidentId);
      return settle<Advance.Decided>(here, {
        keys: { rows: [], items: [scope] },
        decide: (loaded) => {
          const draft = Draft.start(contextOf(here, rules, clock.nowMs), loaded);
          return Advance.advance(draft, { scope, incidentId, incident });
        },
      }).advanced;
    },
  };
}

function carryOut(
  here: ReturnType<typeof world>,
  given: { readonly rules: Policy.Policy; readonly nowMs: number; readonly order: Resume.Order },
): Resume.Result {
  const { rules, nowMs, order } = given;
  const incidents = new Map(
    Resume.incidentIds(order).flatMap((id) => {
      const incident = here.incidents.get(id);
      return incident ? [[id, incident] as const] : [];
    }),
  );
  const keys = { rows: [], items: Resume.keys(order) };
  return settle(here, {
    keys,
    decide: (loaded) => {
      const draft = Draft.start(contextOf(here, rules, nowMs), loaded);
      const by = { actors: ['alice', 'bob'], reason: 'checked', incidents };
      const result = Resume.carryOut(draft, order, by);
      if (result.kind === 'refused') {
        if (draft.items.size > 0) throw new Error('refused, and changed');
        return { result };
      }
      const changes: Ledger.Changes = { ...Draft.changes(draft), incidents: result.incidents };
      return { result, changes };
    },
  }).result;
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as Allowance from '../../lib/domain/allowance.ts';
import * as Overlay from '../../lib/domain/overlay.ts';
import * as Resume from '../../lib/domain/resume.ts';
import {
  CHAIN,
  ETH,
  eth,
  HOT_1_OTHER_CHAIN,
  HOUR_MS,
  limit,
  OTHER_CHAIN,
  STRANGER,
  USDC,
  usd,
  WRAPPED_ETH,
} from '../support/builders.ts';
import { STEPS, scene } from '../support/resuming.ts';

/** A scene whose wallet was tripped by a theft and resumes in steps. */
function resuming(overrides: Parameters<typeof scene>[0] = {}, parts: Partial<Resume.Order> = {}) {
  const here = scene(overrides);
  here.steal(1, { destination: STRANGER });
  expect(here.resume(parts).kind).toBe('resumed');
  here.clock.nowMs += 1;
  return here;
}

let asked = 0;
const kinds = (here: ReturnType<typeof scene>, ...wholes: readonly number[]) =>
  wholes.map((whole) => {
    asked += 1;
    return here.ask(`k${asked}`, whole).kind;
  });

describe('keys', () => {
  test('default', () => {
    const named = { incidentId: 'I', scope: 'wallet:a', epoch: 1 };
    const also = [{ ...named, incidentId: 'J', scope: 'destination:b' }];
    const rebase = [{ limitId: 'x', scope: 'wallet:a' }];
    const order = { ...named, steps: [], budget: 0n, rebase, also };
    expect(Resume.keys(order)).toEqual(['wallet:a', 'destination:b']);
    expect(Resume.incidentIds(order)).toEqual(['I', 'J']);
  });
});

describe('carryOut', () => {
  test('default: at once', () => {
    const here = scene();
    here.steal(1);
    const result = here.resume({ steps: [] });
    expect(result).toMatchObject({ kind: 'resumed', incidents: [{ expected: 'open' }] });
    expect(here.breakerOf()).toEqual({ state: 'closed', epoch: 1 });
    expect(here.here.incidents.get('INC1')).toMatchObject({
      state: 'closed',
      closed: { actor: 'alice, bob', reason: 'checked' },
    });
  });

  test('behavior: in steps the incident stays open, and tells who agreed', () => {
    const here = resuming();
    expect(here.breakerOf()).toMatchObject({ state: 'half-open', epoch: 1, step: 0 });
    expect(here.here.incidents.get('INC1')).toMatchObject({
      state: 'open',
      resuming: { actors: ['alice', 'bob'], reason: 'checked', epoch: 1 },
    });
  });

  test.each([
    ['another incident', { incidentId: 'INC9' }, 'there is no incident INC9'],
    ['another scope', { scope: 'wallet:hot-2', incidentId: 'INC1', epoch: 1 }, 'is not held by'],
    ['an epoch before', { epoch: 0 }, 'is in epoch 1, and this is for epoch 0'],
    ['an epoch to come', { epoch: 2 }, 'is in epoch 1, and this is for epoch 2'],
    ['a share of nothing', { steps: [{ shareBps: 0, forMs: 1 }] }, 'a step is no share'],
    ['more than all', { steps: [{ shareBps: 10_001, forMs: 1 }] }, 'a step is no share'],
    ['no time', { steps: [{ shareBps: 1, forMs: 0 }] }, 'a step is no share'],
    ['no end', { steps: [{ shareBps: 1, forMs: Number.POSITIVE_INFINITY }] }, 'a step is no share'],
    ['21 steps', { steps: Array(21).fill(STEPS[0]) }, 'more than 20 steps'],
    ['a debt', { budget: -1n }, 'its budget is negative'],
    ['an unknown limit', { rebase: [{ limitId: 'x', scope: 'wallet:hot-1' }] }, 'has no limit x'],
    [
      'a limit of another scope',
      { rebase: [{ limitId: 'wallet-hour', scope: 'asset:x' }] },
      'does not speak about asset:x',
    ],
    [
      'itself twice',
      { also: [{ incidentId: 'INC1', scope: 'wallet:hot-1', epoch: 1 }] },
      'it names an incident twice',
    ],
    [
      'another one that is not held',
      { also: [{ incidentId: 'INC2', scope: 'wallet:hot-1', epoch: 1 }] },
      'is not held by INC2',
    ],
  ])('error: %s changes nothing', (_, parts, why) => {
    const here = scene();
    here.steal(1);
    const before = [...here.here.incidents];
    const result = here.resume(parts);
    expect(result.kind === 'refused' && result.why).toContain(why);
    expect(here.breakerOf().state).toBe('open');
    expect([...here.here.incidents]).toEqual(before);
  });

  test('error: H74, H78: steps do not begin anew while they run, or their budget would come again', () => {
    const here = resuming();
    expect(here.resume()).toEqual({
      kind: 'refused',
      why: 'incident INC1 is resuming already: step 1 of 3',
    });
    expect(here.resume({ steps: [] }).kind).toBe('resumed');
    expect(here.breakerOf().state).toBe('closed');
  });

  test('error: an order of before it opened again, and one of an incident that is closed', () => {
    const here = resuming();
    here.steal(1);
    expect(here.resume({ epoch: 1 })).toMatchObject({ kind: 'refused' });
    expect(here.resume({ steps: [] }).kind).toBe('resumed');
    const again = { incidentId: 'INC1', epoch: 2 };
    expect(here.resume(again)).toMatchObject({ why: 'incident INC1 is closed already' });
  });

  test('behavior: H75, H76: what left before still counts, except for limits that it names', () => {
    const rules = { limits: [limit({ allowed: usd(100) })] };
    const plain = scene(rules);
    plain.report(90);
    plain.steal(1, { destination: STRANGER });
    plain.resume({ steps: [] });
    expect(kinds(plain, 9, 1)).toEqual(['allow', 'block']);
    const fresh = scene(rules);
    fresh.report(90);
    fresh.steal(1, { destination: STRANGER });
    fresh.resume({ steps: [], rebase: [{ limitId: 'wallet-hour', scope: 'wallet:hot-1' }] });
    expect(kinds(fresh, 90, 10, 1)).toEqual(['allow', 'allow', 'block']);
    fresh.clock.nowMs += 40 * 24 * HOUR_MS;
    expect(kinds(fresh, 100)).toEqual(['allow']);
    expect(fresh.here.items.get('wallet:hot-1')?.bases).toBeUndefined();
  });
});

describe('a step', () => {
  test('behavior: H78: at most its share of the limit leaves, to the unit; what is refused trips nothing', () => {
    const here = resuming();
    expect(kinds(here, 60, 40, 1)).toEqual(['allow', 'allow', 'block']);
    const refused = here.ask('more', 1);
    expect(refused).toMatchObject({
      kind: 'block',
      reason: 'limit',
      provisional: true,
      incidentId: 'INC1',
      limit: { limitId: 'wallet-hour', used: usd(100), allowed: usd(100), headroom: 0n },
    });
    expect(refused.kind === 'block' && refused.capacityAtMs).toBe(here.clock.nowMs - 1 + HOUR_MS);
    expect(here.breakerOf()).toMatchObject({ state: 'half-open', causes: 1 });
  });

  test('behavior: each step has its own budget from its beginning on, late ticks only prolong', () => {
    const here = resuming();
    expect(kinds(here, 100, 1)).toEqual(['allow', 'block']);
    here.clock.nowMs += 5 * HOUR_MS;
    expect(kinds(here, 1)).toEqual(['block']);
    expect(here.tick()).toMatchObject({ now: 'next-step' });
    expect(here.breakerOf()).toMatchObject({ step: 1, stepSinceMs: here.clock.nowMs });
    expect(here.tick()).toBeUndefined();
    expect(kinds(here, 250, 1)).toEqual(['allow', 'block']);
    here.clock.nowMs += HOUR_MS - 1;
    expect(here.tick()).toBeUndefined();
    here.clock.nowMs += 1;
    expect(here.tick()).toMatchObject({ now: 'next-step' });
    expect(kinds(here, 648, 2)).toEqual(['allow', 'block']);
    here.clock.nowMs += HOUR_MS;
    expect(here.tick()).toMatchObject({ now: 'closed' });
    expect(here.breakerOf()).toEqual({ state: 'closed', epoch: 1 });
    expect(here.here.incidents.get('INC1')).toMatchObject({
      state: 'closed',
      closed: { actor: 'alice, bob' },
    });
    expect(here.tick()).toBeUndefined();
  });

  test('behavior: H29, H78: money that has left beyond it opens the same incident again, with a new epoch', () => {
    const here = resuming();
    expect(here.report(100).trips).toEqual([]);
    expect(here.report(1).trips).toEqual([
      { scope: 'wallet:hot-1', incidentId: 'INC1', opened: true },
    ]);
    expect(here.breakerOf()).toMatchObject({
      state: 'open',
      epoch: 2,
      incidentId: 'INC1',
      causes: 2,
    });
    expect(here.here.causes.get('INC1#2')).toMatchObject({
      kind: 'limit',
      reopened: 2,
      text: expect.stringContaining('step 1 of 3 of resuming wallet:hot-1: $101'),
    });
    expect(here.tick()).toBeUndefined();
    expect(here.resume().kind).toBe('resumed');
  });

  test('behavior: every other cause opens it again, a pause as isolated', () => {
    const here = resuming();
    here.steal(1);
    expect(here.breakerOf()).toMatchObject({ state: 'open', epoch: 2, unmatched: 1 });
  });

  test('behavior: what came to us before the step began has left before: it counts, and opens nothing', () => {
    const here = resuming();
    expect(here.report(101, {}, HOUR_MS).trips).toEqual([]);
    expect(kinds(here, 1)).toEqual(['block']);
  });

  test('behavior: what was admitted before it moves its charge into it once, and then is a repeat', () => {
    const here = scene();
    here.ask('before', 40);
    here.steal(1, { destination: STRANGER });
    here.resume();
    here.clock.nowMs += 1;
    const expiryOf = () => {
      const verdict = here.ask('before', 40);
      return verdict.kind === 'allow' && verdict.expiresAtMs;
    };
    const movedMs = here.clock.nowMs;
    const first = expiryOf();
    here.clock.nowMs += 1_000;
    expect([expiryOf(), expiryOf()]).toEqual([first, first]);
    expect(here.here.rows.get('withdrawal:before')?.money?.chargedAtMs).toBe(movedMs);
    expect(kinds(here, 60, 1)).toEqual(['allow', 'block']);
  });

  test('behavior: without a notional limit of its own the budget bounds it', () => {
    const here = resuming({ limits: [] }, { budget: usd(50) });
    expect(kinds(here, 5, 1)).toEqual(['allow', 'block']);
    const none = resuming({ limits: [] }, { budget: 0n });
    expect(kinds(none, 1)).toEqual(['block']);
  });

  test('behavior: limits that only alert, and those in shadow, are no limits of its own', () => {
    const alert = limit({ action: { kind: 'alert' } });
    const here = resuming({ limits: [alert, limit({ limitId: 's', mode: 'shadow' })] });
    expect(kinds(here, 100, 1)).toEqual(['allow', 'block']);
  });

  test('behavior: H33: chains and assets that it does not name are not resumed yet', () => {
    const named = [{ shareBps: 10_000, forMs: HOUR_MS, chains: [CHAIN], assets: [ETH] }];
    const here = resuming({}, { steps: named });
    const other = here.ask('usdc', 1);
    expect(other).toMatchObject({ kind: 'block', reason: 'paused', incidentId: 'INC1' });
    expect(other.kind === 'block' && other.text).toContain('not resumed yet');
    expect(here.ask('eth', 0, { asset: ETH, amount: eth(1) / 1_000n }).kind).toBe('allow');
    const there = { asset: WRAPPED_ETH, account: HOT_1_OTHER_CHAIN, amount: 1n };
    expect(here.ask('weth', 0, there)).toMatchObject({ reason: 'paused' });
    expect(OTHER_CHAIN).not.toBe(CHAIN);
    expect(here.report(1, { asset: USDC }).trips).toHaveLength(1);
    expect(here.breakerOf()).toMatchObject({ state: 'open', epoch: 2 });
  });

  test('behavior: H19, H78: a give-back of what left before makes no room in the step', () => {
    const here = scene();
    expect(here.ask('old', 50).kind).toBe('allow');
    here.steal(1, { destination: STRANGER });
    here.resume();
    // Asked again: its charge moves into the step, beside which it would pass otherwise.
    here.clock.nowMs += 1;
    expect(here.ask('old', 50).kind).toBe('allow');
    expect(kinds(here, 50, 1)).toEqual(['allow', 'block']);
  });

  test('behavior: H77, H79: a limit that holds keeps what does not fit, and lets it go by age', () => {
    const holding = limit({ action: { kind: 'hold' }, windowMs: 24 * HOUR_MS });
    const here = resuming({ limits: [holding] });
    expect(here.ask('a', 80).kind).toBe('allow');
    expect(here.ask('big', 90).kind).toBe('hold');
    expect(here.ask('small', 20).kind).toBe('allow');
    here.clock.nowMs += HOUR_MS;
    here.tick();
    expect(here.ask('young', 200)).toMatchObject({ kind: 'hold', reason: 'queue' });
    expect(here.ask('big', 90, { by: { kind: 'room' } }).kind).toBe('allow');
    expect(here.ask('big', 90, { by: { kind: 'room' } })).toMatchObject({ kind: 'block' });
  });

  test('behavior: H78: nobody lets one go beyond it', () => {
    const here = resuming({ limits: [limit({ action: { kind: 'hold' } })] });
    expect(here.ask('big', 101).kind).toBe('hold');
    expect(here.ask('big', 101, { by: { kind: 'operator', actor: 'eve' } }).kind).toBe('hold');
  });

  test('behavior: H78: in any order of asking, reporting and moving on no step passes more than its share', () => {
    const act = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), whole: fc.nat({ max: 120 }) }),
      fc.record({ kind: fc.constant('again' as const), whole: fc.constant(30) }),
      fc.record({ kind: fc.constant('wait' as const), whole: fc.nat({ max: 90 }) }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
        const here = resuming({ limits: [limit({ windowMs: 24 * HOUR_MS, allowed: usd(400) })] });
        const passed = STEPS.map(() => new Map<string, number>());
        for (const [at, { kind, whole }] of acts.entries()) {
          const { breakerOf, clock } = here;
          const breaker = breakerOf();
          if (breaker.state !== 'half-open') break;
          if (kind === 'wait') {
            clock.nowMs += whole * 60_000;
            here.tick();
            continue;
          }
          const id = kind === 'again' ? 'same' : `w${at}`;
          const verdict = here.ask(id, whole);
          if (verdict.kind === 'allow') passed[breaker.step]?.set(id, whole);
        }
        const sums = passed.map((all) => [...all.values()].reduce((sum, one) => sum + one, 0));
        expect(sums[0]).toBeLessThanOrEqual(40);
        expect(sums[1]).toBeLessThanOrEqual(100);
        expect(sums[2]).toBeLessThanOrEqual(400);
      }),
      { numRuns: 60 },
    );
  });
});

describe('quarantine', () => {
  test('behavior: H79: wallet and destination of a theft are stopped by incidents of their own', () => {
    const here = scene({ unmatched: { scope: 'key-domain', risks: 'pause' } });
    here.steal(1, { destination: STRANGER, memo: '7' });
    const all = [...here.here.incidents.values()];
    expect(all.map(({ scope, quarantinedBy }) => [scope, quarantinedBy])).toEqual([
      ['key-domain:vault-a', undefined],
      ['wallet:hot-1', 'INC1'],
      [`destination:${STRANGER}|7`, 'INC1'],
      [`destination:${STRANGER}`, 'INC1'],
    ]);
    here.resume({ scope: 'key-domain:vault-a', steps: [] });
    expect(here.ask('w1', 1)).toMatchObject({ reason: 'paused', scope: 'wallet:hot-1' });
    const named = { incidentId: 'INC2', scope: 'wallet:hot-1', epoch: 1 };
    here.steal(1, { destination: STRANGER });
    here.resume({ scope: 'key-domain:vault-a', steps: [], also: [named] });
    expect(here.ask('w2', 1).kind).toBe('allow');
    expect(here.ask('w3', 1, { destination: STRANGER })).toMatchObject({ reason: 'paused' });
  });

  test('behavior: H79: a flood of destinations does not bury what else is open', () => {
    const here = scene();
    for (let at = 0; at < 230; at += 1) {
      here.steal(1, { destination: `eip155:1:0x${at.toString(16).padStart(40, 'd')}` });
    }
    const stopped = [...here.here.incidents.values()].filter((one) => one.quarantinedBy);
    expect(stopped).toHaveLength(200);
  });

  test('behavior: in shadow nothing is stopped', () => {
    const here = scene({ mode: 'shadow' });
    here.steal(1);
    expect(here.here.incidents.size).toBe(0);
  });

  test('behavior: H78, H79: a theft opens again what resumes around it', () => {
    const here = scene();
    here.draft(['global'], (draft) => draft);
    here.steal(1, { destination: STRANGER });
    here.resume();
    here.clock.nowMs += 1;
    here.steal(2, { destination: STRANGER });
    expect(here.breakerOf()).toMatchObject({ state: 'open', epoch: 2, incidentId: 'INC1' });
    expect(here.breakerOf(`destination:${STRANGER}`)).toMatchObject({ causes: 1 });
  });
});

describe('Overlay.set', () => {
  const to = { scope: 'wallet:hot-1', by: 'panic-1', reason: 'odd', rowId: 'command:c1' };
  const tighten = (here: ReturnType<typeof scene>, shareBps: number) =>
    here.draft([to.scope], (draft) => Overlay.set(draft, { ...to, shareBps }));

  test('default: every limit allows only its share, and a resume of its incident lifts it', () => {
    const here = scene();
    expect(tighten(here, 1_000)).toEqual({
      kind: 'tightened',
      incidentId: 'INC1',
      shareBps: 1_000,
    });
    expect(kinds(here, 100, 1)).toEqual(['allow', 'block']);
    expect(here.breakerOf().state).toBe('closed');
    expect(here.resume({ steps: [] }).kind).toBe('resumed');
    expect(here.here.items.get('wallet:hot-1')?.overlay).toBeUndefined();
    expect(kinds(here, 900)).toEqual(['allow']);
  });

  test('behavior: H52: the lower one wins in any order, with one incident', () => {
    const here = scene();
    tighten(here, 5_000);
    expect(tighten(here, 1_000)).toMatchObject({ kind: 'tightened', incidentId: 'INC1' });
    expect(tighten(here, 9_000)).toMatchObject({ kind: 'already', shareBps: 1_000 });
    expect(here.here.items.get('wallet:hot-1')?.overlay).toMatchObject({ causes: 3 });
    expect(here.here.incidents.size).toBe(1);
  });

  test.each([-1, 10_000, 0.5, Number.NaN])('error: %d is no tightening', (shareBps) => {
    expect(tighten(scene(), shareBps).kind).toBe('refused');
  });
});

describe('Allowance.grant', () => {
  const scope = 'wallet:hot-1';
  const grant = (here: ReturnType<typeof scene>, extraBps: number, forMs: number) =>
    here.draft([scope], (draft) => {
      const untilMs = here.clock.nowMs + forMs;
      return Allowance.grant(draft, { limitId: 'wallet-hour', scope, extraBps, untilMs });
    });

  test('default: it adds its part until its time, to the ms', () => {
    const here = scene();
    expect(grant(here, 10_000, HOUR_MS).kind).toBe('granted');
    here.clock.nowMs += HOUR_MS - 1;
    expect(kinds(here, 2_000)).toEqual(['allow']);
    here.clock.nowMs += 1;
    expect(kinds(here, 1)).toEqual(['block']);
  });

  test('behavior: an overlay goes before it', () => {
    const here = scene();
    grant(here, 10_000, HOUR_MS);
    const low = { scope, shareBps: 100, by: 'p', reason: 'r', rowId: 'c' };
    here.draft([scope], (draft) => Overlay.set(draft, low));
    expect(kinds(here, 11, 10)).toEqual(['block', 'allow']);
  });

  test('behavior: one at a time, and revoked at once', () => {
    const here = scene();
    grant(here, 100, HOUR_MS);
    expect(grant(here, 100, HOUR_MS)).toMatchObject({ kind: 'refused' });
    const of = { limitId: 'wallet-hour', scope };
    expect(here.draft([scope], (draft) => Allowance.revoke(draft, of))).toBe(true);
    expect(here.draft([scope], (draft) => Allowance.revoke(draft, of))).toBe(false);
    expect(grant(here, 100, 24 * HOUR_MS).kind).toBe('granted');
  });

  test.each([
    [0, HOUR_MS],
    [10_001, HOUR_MS],
    [100, 0],
    [100, 24 * HOUR_MS + 1],
    [1.5, HOUR_MS],
  ])('error: %d more for %d ms', (extraBps, forMs) => {
    expect(grant(scene(), extraBps, forMs).kind).toBe('refused');
  });
});

import { describe, expect, test } from 'vitest';
import * as Advance from '../../lib/domain/advance.ts';
import * as Allowance from '../../lib/domain/allowance.ts';
import * as Breaker from '../../lib/domain/breaker.ts';
import * as Draft from '../../lib/domain/draft.ts';
import * as Overlay from '../../lib/domain/overlay.ts';
import * as Resume from '../../lib/domain/resume.ts';
import { DAY_MS, HOUR_MS, limit, STRANGER, T0_MS, usd } from '../support/builders.ts';
import { STEPS, scene } from '../support/resuming.ts';
import { contextOf, load } from '../support/world.ts';

const SCOPE = 'wallet:hot-1';
const DOMAIN = 'key-domain:vault-a';

/** A scene with three limits of the wallet, one of all wallets, and one of a single withdrawal. */
const limited = () =>
  scene({
    limits: [
      limit({ limitId: 'hour' }),
      limit({ limitId: 'day', windowMs: DAY_MS, allowed: usd(5_000) }),
      limit({ limitId: 'week', windowMs: 7 * DAY_MS, allowed: usd(9_000) }),
      limit({ limitId: 'all', scope: 'global', allowed: usd(9_000) }),
      limit({ limitId: 'one', metric: 'single', windowMs: 0 }),
    ],
  });

describe('carryOut', () => {
  const basesOf = (here: ReturnType<typeof scene>) =>
    here.here.items
      .get(SCOPE)
      ?.bases?.map(({ limitIds, mark }) => [limitIds.join(' '), mark.atMs - T0_MS]);
  const renew = (here: ReturnType<typeof scene>, limitIds: readonly string[]) => {
    here.steal(1, { destination: STRANGER });
    const rebase = limitIds.map((limitId) => ({ limitId, scope: SCOPE }));
    expect(here.resume({ steps: [], rebase }).kind).toBe('resumed');
    here.clock.nowMs += 1_000;
  };

  test('behavior: H76: a limit counts from the last resume that named it, and from no other', () => {
    const here = limited();
    renew(here, ['hour', 'day']);
    expect(basesOf(here)).toEqual([['hour day', 0]]);
    renew(here, ['day']);
    expect(basesOf(here)).toEqual([
      ['hour', 0],
      ['day', 1_000],
    ]);
    renew(here, []);
    renew(here, ['hour']);
    expect(basesOf(here)).toEqual([
      ['day', 1_000],
      ['hour', 3_000],
    ]);
  });

  test('behavior: H76: of one ms, a third one joins the base that is there already', () => {
    const here = limited();
    renew(here, ['day']);
    here.steal(1, { destination: STRANGER });
    const twice = ['hour', 'hour'].map((limitId) => ({ limitId, scope: SCOPE }));
    expect(here.resume({ steps: [], rebase: twice }).kind).toBe('resumed');
    here.steal(1, { destination: STRANGER });
    here.resume({ steps: [], rebase: [{ limitId: 'day', scope: SCOPE }] });
    expect(basesOf(here)).toEqual([['hour day', 1_000]]);
  });

  test('behavior: H76: it joins the base of its own ms, and none before that', () => {
    const here = limited();
    renew(here, ['hour']);
    for (const limitId of ['day', 'week']) {
      here.steal(1, { destination: STRANGER });
      here.resume({ steps: [], rebase: [{ limitId, scope: SCOPE }] });
    }
    expect(basesOf(here)).toEqual([
      ['hour', 0],
      ['day week', 1_000],
    ]);
  });

  test('behavior: H76: a limit of everything counts anew where everything was stopped', () => {
    const here = scene({
      limits: [limit({ limitId: 'all', scope: 'global', allowed: usd(100) })],
      unmatched: { scope: 'global', risks: 'pause' },
    });
    here.report(90);
    here.steal(1, { destination: STRANGER });
    const named = { incidentId: 'INC2', scope: SCOPE, epoch: 1 };
    const rebase = [{ limitId: 'all', scope: 'global' }];
    expect(here.resume({ scope: 'global', steps: [], rebase, also: [named] }).kind).toBe('resumed');
    here.clock.nowMs += 1;
    expect([here.ask('all', 100).kind, here.ask('more', 1).kind]).toEqual(['allow', 'block']);
  });

  const refused = (here: ReturnType<typeof scene>, parts: Partial<Resume.Order>) => {
    const result = here.resume(parts);
    return result.kind === 'refused' ? result.why : result.kind;
  };
  const stopped = () => {
    const here = limited();
    here.steal(1, { destination: STRANGER });
    return here;
  };
  const hours = (count: number) => Array(count).fill({ limitId: 'hour', scope: SCOPE });

  test('error: H76: a limit of single withdrawals has nothing that could begin anew', () => {
    expect(refused(stopped(), { rebase: [{ limitId: 'one', scope: SCOPE }] })).toBe(
      'limit one has no window that could begin anew',
    );
  });

  test('args: at most 20 limits and 20 further incidents', () => {
    const why = 'it names more than 20 limits or incidents';
    expect(refused(stopped(), { rebase: hours(20) })).toBe('resumed');
    expect(refused(stopped(), { rebase: hours(21) })).toBe(why);
    const others = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ incidentId: `X${at}`, scope: SCOPE, epoch: 1 }));
    expect(refused(stopped(), { also: others(20) })).toBe('there is no incident X0');
    expect(refused(stopped(), { also: others(21) })).toBe(why);
  });

  test('args: steps at their bounds', () => {
    const week = { shareBps: 10_000, forMs: Resume.STEP_MS_MAX };
    expect(refused(stopped(), { steps: Array(20).fill({ shareBps: 1, forMs: 1 }) })).toBe(
      'resumed',
    );
    expect(refused(stopped(), { steps: [week] })).toBe('resumed');
    const longer = { ...week, forMs: Resume.STEP_MS_MAX + 1 };
    expect(refused(stopped(), { steps: [week, longer] })).toContain('a step is no share');
    expect(refused(stopped(), { steps: [{ shareBps: 1.5, forMs: 1 }] })).toContain('is no share');
  });

  test('behavior: H78: only the incident itself resumes in steps, what it names beside closes at once', () => {
    const here = scene({ unmatched: { scope: 'key-domain', risks: 'pause' } });
    here.steal(1, { destination: STRANGER });
    const also = [{ incidentId: 'INC2', scope: SCOPE, epoch: 1 }];
    expect(here.resume({ scope: DOMAIN, also }).kind).toBe('resumed');
    expect(here.breakerOf(DOMAIN).state).toBe('half-open');
    expect(here.breakerOf(SCOPE)).toEqual({ state: 'closed', epoch: 1 });
    expect(here.here.incidents.get('INC1')?.state).toBe('open');
    expect(here.here.incidents.get('INC2')).toMatchObject({
      state: 'closed',
      closed: { atMs: T0_MS, actor: 'alice, bob', reason: 'checked' },
    });
  });

  const panic = { scope: SCOPE, shareBps: 100, by: 'panic-1', reason: 'odd', rowId: 'command:c1' };

  test('behavior: H52, H74: an overlay is lifted while its scope resumes in steps of another incident', () => {
    const here = stopped();
    here.resume();
    here.draft([SCOPE], (draft) => Overlay.set(draft, panic));
    const { incidentId } = here.here.items.get(SCOPE)!.overlay!;
    expect(here.resume({ incidentId, epoch: 1 }).kind).toBe('resumed');
    expect(here.here.incidents.get(incidentId)).toMatchObject({
      state: 'closed',
      closed: { atMs: T0_MS, actor: 'alice, bob', reason: 'checked' },
    });
    expect(here.here.items.get(SCOPE)).not.toHaveProperty('overlay');
    expect(here.breakerOf()).toMatchObject({ state: 'half-open', step: 0, incidentId: 'INC1' });
  });
});

describe('advance', () => {
  const advance = (
    here: ReturnType<typeof scene>,
    incidentId: string,
    incident: Breaker.Incident | undefined,
  ) => {
    const draft = Draft.start(
      contextOf(here.here, here.rules, here.clock.nowMs),
      load(here.here, { rows: [], items: [SCOPE, 'global'] }),
    );
    return Advance.advance(draft, { scope: SCOPE, incidentId, incident });
  };
  const over = (steps = STEPS) => {
    const here = scene();
    here.steal(1, { destination: STRANGER });
    here.resume({ steps });
    here.clock.nowMs += HOUR_MS;
    return { here, incident: here.here.incidents.get('INC1')! };
  };

  test('default: people hear of the next step: which one, how much, and until when', () => {
    const { here } = over();
    here.tick();
    const { nowMs } = here.clock;
    expect(here.here.alerts.get('step|INC1|1|1')).toEqual({
      alertId: 'step|INC1|1|1',
      kind: 'step',
      atMs: nowMs,
      scope: SCOPE,
      rowId: 'incident:INC1',
      text: `2 of 3 of resuming ${SCOPE}: 25% of the limits until ${new Date(nowMs + HOUR_MS).toISOString()}, incident INC1`,
    });
  });

  test('behavior: of another incident nothing moves on', () => {
    const { here, incident } = over();
    expect(advance(here, 'INC9', incident)).toEqual({});
    expect(advance(here, 'INC1', incident).advanced).toMatchObject({ now: 'next-step' });
  });

  test('behavior: H78: one that tells of an older resume, or of none, is read again or taken as it is', () => {
    const { here, incident } = over();
    here.steal(1, { destination: STRANGER });
    here.resume();
    here.clock.nowMs += HOUR_MS;
    expect(advance(here, 'INC1', incident)).toEqual({});
    const { resuming: _, ...silent } = incident;
    expect(advance(here, 'INC1', silent).advanced?.now).toBe('next-step');
    const closed = { ...incident, state: 'closed' as const };
    expect(advance(here, 'INC1', closed).advanced?.now).toBe('next-step');
    expect(advance(here, 'INC1', undefined).advanced?.now).toBe('next-step');
  });

  test('behavior: the last one closes its incident; one that tells of no resume names nobody', () => {
    const { here, incident } = over(STEPS.slice(0, 1));
    const told = (given: Breaker.Incident | undefined) => advance(here, 'INC1', given).changes;
    expect(told(incident)?.incidents).toMatchObject([
      { incident: { closed: { actor: 'alice, bob', reason: 'checked' } }, expected: 'open' },
    ]);
    const { resuming: _, ...silent } = incident;
    expect(told(silent)?.incidents).toMatchObject([
      { incident: { state: 'closed', closed: { atMs: here.clock.nowMs, actor: '', reason: '' } } },
    ]);
    expect(told(undefined)?.incidents).toEqual([]);
  });
});

describe('Overlay.set', () => {
  const to = { scope: SCOPE, by: 'panic-1', reason: 'odd', rowId: 'command:c1' };
  const tighten = (here: ReturnType<typeof scene>, shareBps: number) =>
    here.draft([SCOPE], (draft) => Overlay.set(draft, { ...to, shareBps }));

  test('default: its incident says who tightened what, and why', () => {
    const here = scene();
    tighten(here, 1_050);
    expect(here.here.incidents.get('INC1')).toMatchObject({
      state: 'open',
      overlay: 1_050,
      openedAtMs: T0_MS,
      scope: SCOPE,
      first: {
        kind: 'operator',
        atMs: T0_MS,
        rowId: 'command:c1',
        text: 'tightened to 10.5% of each limit by panic-1: odd',
        notional: 0n,
        actor: 'panic-1',
      },
    });
  });

  test('args: nothing at all, and all but one part of 10,000', () => {
    const here = scene();
    expect(tighten(here, 9_999).kind).toBe('tightened');
    expect(tighten(here, 0).kind).toBe('tightened');
    expect(here.ask('w', 1).kind).toBe('block');
    expect(tighten(here, -1)).toEqual({
      kind: 'refused',
      why: 'an overlay allows 0% to 99.99% of each limit',
    });
  });

  test('behavior: H52: the same share again is another cause of it; the lower one is in its own name', () => {
    const here = scene();
    tighten(here, 5_000);
    here.clock.nowMs += 1;
    expect(tighten(here, 5_000)).toMatchObject({ kind: 'already', shareBps: 5_000 });
    expect(here.here.items.get(SCOPE)?.overlay).toMatchObject({ causes: 2, atMs: T0_MS });
    expect(here.here.causes.get('INC1#2')).toMatchObject({ actor: 'panic-1', atMs: T0_MS + 1 });
    tighten(here, 4_999);
    expect(here.here.items.get(SCOPE)?.overlay).toMatchObject({ causes: 3, atMs: T0_MS + 1 });
  });

  test('behavior: of many the first are kept in full, and later ones that lower it', () => {
    const here = scene();
    for (let count = 0; count <= Breaker.CAUSES_MAX; count += 1) tighten(here, 5_000);
    tighten(here, 1);
    const kept = [...here.here.causes.keys()];
    expect(kept).toContain(`INC1#${Breaker.CAUSES_MAX}`);
    expect(kept).not.toContain(`INC1#${Breaker.CAUSES_MAX + 1}`);
    expect(kept).toContain(`INC1#${Breaker.CAUSES_MAX + 2}`);
  });
});

describe('Allowance.grant', () => {
  const grant = (
    here: ReturnType<typeof scene>,
    more: Partial<Parameters<typeof Allowance.grant>[1]> = {},
  ) => {
    const untilMs = here.clock.nowMs + HOUR_MS;
    const whole = { limitId: 'hour', scope: SCOPE, extraBps: 100, untilMs, ...more };
    const granted = here.draft([whole.scope], (draft) => Allowance.grant(draft, whole));
    return granted.kind === 'refused' ? granted.why : granted.untilMs;
  };
  const running = (here: ReturnType<typeof scene>, scope = SCOPE) =>
    here.here.items.get(scope)?.allowances?.map(({ limitId }) => limitId);
  const revoke = (here: ReturnType<typeof scene>, limitId: string) =>
    here.draft([SCOPE], (draft) => Allowance.revoke(draft, { limitId, scope: SCOPE }));

  test('args: each bound, and what it says beyond it', () => {
    const bounds = 'an allowance adds 0.01% to 100% of its limit';
    const time = 'an allowance ends in the future, after 24 hours at most';
    const until = (byMs: number) => grant(limited(), { untilMs: T0_MS + byMs });
    expect(grant(limited(), { extraBps: 0 })).toBe(bounds);
    expect(grant(limited(), { extraBps: 1 })).toBe(T0_MS + HOUR_MS);
    expect(grant(limited(), { extraBps: 10_000 })).toBe(T0_MS + HOUR_MS);
    expect([until(0), until(DAY_MS + 1), until(1.5)]).toEqual([time, time, time]);
    expect([until(1), until(DAY_MS)]).toEqual([T0_MS + 1, T0_MS + DAY_MS]);
  });

  test('error: a limit that is not there, and a scope that it does not speak about', () => {
    expect(grant(limited(), { limitId: 'none' })).toBe('the policy has no limit none');
    expect(grant(limited(), { limitId: 'all' })).toBe(`limit all does not speak about ${SCOPE}`);
    expect(grant(limited(), { scope: 'global' })).toBe('limit hour does not speak about global');
    expect(grant(limited(), { scope: 'actor:x' })).toBe('limit hour does not speak about actor:x');
    expect(grant(limited(), { limitId: 'all', scope: 'global' })).toBe(T0_MS + HOUR_MS);
  });

  test('behavior: each limit of a scope has its own, and is asked for by its name', () => {
    const here = limited();
    grant(here);
    expect(grant(here, { limitId: 'day' })).toBe(T0_MS + HOUR_MS);
    expect(grant(here)).toBe(`limit hour has an allowance on ${SCOPE} already`);
    expect(running(here)).toEqual(['hour', 'day']);
    expect(revoke(here, 'one')).toBe(false);
    expect(revoke(here, 'hour')).toBe(true);
    expect(running(here)).toEqual(['day']);
    expect(revoke(here, 'day')).toBe(true);
    expect(here.here.items.get(SCOPE)).not.toHaveProperty('allowances');
  });

  test('behavior: one that has ended is none, to the ms, and is forgotten with the next', () => {
    const here = limited();
    grant(here);
    here.clock.nowMs += HOUR_MS - 1;
    expect(grant(here)).toBe(`limit hour has an allowance on ${SCOPE} already`);
    here.clock.nowMs += 1;
    expect(revoke(here, 'hour')).toBe(false);
    expect(grant(here, { limitId: 'day' })).toBe(here.clock.nowMs + HOUR_MS);
    expect(running(here)).toEqual(['day']);
  });
});

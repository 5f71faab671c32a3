import { describe, expect, test } from 'vitest';
import type { Incident } from '../../lib/domain/breaker.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import * as Propose from '../../lib/domain/propose.ts';
import {
  CUSTOMER,
  context,
  DAY_MS,
  HOUR_MS,
  hash,
  item,
  limit,
  loaded,
  policy,
  QUORUM,
  T0_MS,
} from '../support/builders.ts';

const SCOPE = 'wallet:hot-1';
const steps = [{ shareBps: 1_000, forMs: HOUR_MS }];
const RULES = policy({
  resume: { ...QUORUM, steps, budget: 7n } as Policy.Resume,
  limits: [
    limit({ limitId: 'other', scope: 'global' }),
    limit({ limitId: 'hour' }),
    limit({ limitId: 'one', metric: 'single', windowMs: 0 }),
  ],
});

const incident = (incidentId: string, scope = SCOPE, state: Incident['state'] = 'open') =>
  ({ incidentId, scope, epoch: 1, openedAtMs: T0_MS, state, policyVersion: 1 }) as Incident;
const held = (incidentId: string, epoch = 3): Ledger.Item =>
  item({ breaker: { state: 'open', epoch, incidentId, openedAtMs: T0_MS, causes: 1 } });

type Given = {
  readonly incidents?: readonly Incident[];
  readonly items?: Readonly<Record<string, Ledger.Item>>;
  readonly rules?: Policy.Policy;
  readonly next?: Policy.Policy;
  readonly rows?: readonly Ledger.Row[];
  readonly request?: Partial<Propose.Request>;
};

function decide(wish: Propose.Wish, given: Given = {}) {
  const { incidents = [incident('INC1')], rules = RULES, next, rows = [], request = {} } = given;
  const { items = { [SCOPE]: held('INC1') } } = given;
  return Propose.decide(
    context({ policy: rules }),
    loaded({ rows, items: { global: item(), ...items } }),
    {
      request: { commandId: 'c1', wish, reason: 'it is safe', ...request },
      by: {
        proposalId: 'P1',
        actor: 'anybody',
        bodyHash: 'b',
        incidents: new Map(incidents.map((one) => [one.incidentId, one])),
        next: next && { policy: next, compiled: 'compiled' },
      },
    },
  );
}
const outcome = (wish: Propose.Wish, given: Given = {}) => {
  const { result } = decide(wish, given);
  return result.kind === 'proposed' ? result.proposal.action : 'why' in result && result.why;
};
const resume = (more: Partial<Extract<Propose.Wish, { kind: 'resume' }>> = {}) =>
  ({
    kind: 'resume',
    incidentId: 'INC1',
    mode: 'steps',
    rebase: [],
    also: [],
    ...more,
  }) as const satisfies Propose.Wish;

describe('canonicalBody', () => {
  const request: Propose.Request = { commandId: 'c1', wish: resume(), reason: 'r' };

  test('default: H80: everything but the id tells requests apart; a policy stands in it by its hash', () => {
    const change = { kind: 'policy', source: 'name: x', hash: 'h' } as const;
    const bodies = [
      request,
      { ...request, wish: resume({ mode: 'at-once' }) },
      { ...request, reason: 's' },
      { ...request, notBeforeMs: 1 },
      { ...request, expiresAtMs: 1 },
      { ...request, wish: change },
      { ...request, wish: { ...change, hash: 'i' } },
    ].map(Propose.canonicalBody);
    expect(new Set(bodies).size).toBe(bodies.length);
    expect(bodies[5]).toBe('[{"kind":"policy","hash":"h"},"r",null,null]');
    expect(Propose.canonicalBody({ ...request, commandId: 'c2' })).toBe(bodies[0]);
  });
});

describe('keys', () => {
  test('default: scopes of the incidents that it names, as far as they are known', () => {
    const incidents = new Map([
      ['INC1', incident('INC1')],
      ['INC2', incident('INC2', 'global')],
    ]);
    const wish = resume({ also: ['INC2', 'INC9'] });
    expect(Propose.keys(wish, incidents)).toEqual([SCOPE, 'global']);
    expect(Propose.keys({ kind: 'maintenance', scope: SCOPE }, incidents)).toEqual([SCOPE]);
    expect(Propose.keys({ kind: 'policy', source: '', hash: 'h' }, incidents)).toEqual([]);
  });
});

describe('decide', () => {
  test('default: H74: a resume as things stand, in the steps of the policy or at once', () => {
    const order = { incidentId: 'INC1', scope: SCOPE, epoch: 3, budget: 7n, rebase: [], also: [] };
    expect(outcome(resume())).toEqual({ kind: 'resume', order: { ...order, steps } });
    expect(outcome(resume({ mode: 'at-once' }))).toEqual({
      kind: 'resume',
      order: { ...order, steps: [] },
    });
    const { changes } = decide(resume());
    expect(changes?.rows.find(({ row }) => row.rowId === 'command:c1')?.row).toMatchObject({
      state: 'noted',
      note: 'resume proposed by anybody',
      link: 'P1',
    });
    expect(changes?.draftPolicy).toBeUndefined();
  });

  test('behavior: H79: others are named as they stand, and all of them have to', () => {
    const incidents = [incident('INC1'), incident('INC2', 'global')];
    const items = { [SCOPE]: held('INC1'), global: held('INC2', 8) };
    expect(outcome(resume({ also: ['INC2'] }), { incidents, items })).toMatchObject({
      order: { also: [{ incidentId: 'INC2', scope: 'global', epoch: 8 }] },
    });
    expect(outcome(resume({ also: ['INC9'] }), { incidents, items })).toBe(
      'there is no incident INC9',
    );
  });

  test('error: H80: an incident that is unknown, closed, or not the one of the breaker', () => {
    expect(outcome(resume({ incidentId: 'INC9' }))).toBe('there is no incident INC9');
    const closed = [incident('INC1', SCOPE, 'closed')];
    expect(outcome(resume(), { incidents: closed })).toBe('incident INC1 is closed already');
    for (const other of [held('INC2'), item()]) {
      expect(outcome(resume(), { items: { [SCOPE]: other } })).toBe(
        `the breaker of ${SCOPE} is not held by INC1`,
      );
    }
  });

  test('behavior: H52: the incident of an overlay can be lifted while the breaker is closed', () => {
    const overlay = { shareBps: 100, incidentId: 'INC1', by: 'p', atMs: T0_MS, causes: 1 };
    expect(outcome(resume(), { items: { [SCOPE]: item({ overlay }) } })).toMatchObject({
      kind: 'resume',
    });
    const other = { ...overlay, incidentId: 'INC2' };
    expect(outcome(resume(), { items: { [SCOPE]: item({ overlay: other }) } })).toContain(
      'not held',
    );
  });

  test('args: at most 20 limits and 20 further incidents', () => {
    const hours = (count: number) => Array(count).fill({ limitId: 'hour', scope: SCOPE });
    expect(outcome(resume({ rebase: hours(20) }))).toMatchObject({ kind: 'resume' });
    expect(outcome(resume({ rebase: hours(21) }))).toBe('rebase: names more than 20 limits');
    const others = (count: number) => Array.from({ length: count }, (_, at) => `INC${at + 2}`);
    const incidents = ['INC1', ...others(20)].map((id) => incident(id, `wallet:${id}`));
    const items = Object.fromEntries(
      incidents.map(({ scope, incidentId }) => [scope, held(incidentId)]),
    );
    expect(outcome(resume({ also: others(20) }), { incidents, items })).toMatchObject({
      kind: 'resume',
    });
    expect(outcome(resume({ also: others(21) }), { incidents, items })).toBe(
      'also: names more than 20 incidents',
    );
  });

  test('error: H80: an incident twice, which no resume could carry out', () => {
    expect(outcome(resume({ also: ['INC1'] }))).toBe('also: names an incident twice');
    expect(outcome(resume({ also: ['INC2', 'INC2'] }))).toBe('also: names an incident twice');
  });

  test('error: H76: a limit that is not there, of another scope, or without a window', () => {
    const rebased = (limitId: string, scope = SCOPE) =>
      outcome(resume({ rebase: [{ limitId, scope }] }));
    expect(rebased('hour')).toMatchObject({ order: { rebase: [{ limitId: 'hour' }] } });
    const why = (limitId: string, scope = SCOPE) =>
      `rebase: the policy has no limit ${limitId} over a window on ${scope}`;
    expect(rebased('none')).toBe(why('none'));
    expect(rebased('other')).toBe(why('other'));
    expect(rebased('one')).toBe(why('one'));
    expect(rebased('hour', 'global')).toBe(why('hour', 'global'));
  });

  test('args: times, to the ms', () => {
    const times = (request: Partial<Propose.Request>) => {
      const { result } = decide(resume(), { request });
      if (result.kind !== 'proposed') return 'why' in result && result.why;
      return [result.proposal.notBeforeMs - T0_MS, result.proposal.expiresAtMs - T0_MS];
    };
    expect(times({})).toEqual([0, DAY_MS]);
    expect(times({ expiresAtMs: T0_MS })).toBe('expires: is past');
    expect(times({ expiresAtMs: T0_MS + 1 })).toEqual([0, 1]);
    expect(times({ expiresAtMs: T0_MS + 7 * DAY_MS })).toEqual([0, 7 * DAY_MS]);
    expect(times({ expiresAtMs: T0_MS + 7 * DAY_MS + 1 })).toBe(
      'expires: is more than 7 days ahead',
    );
    expect(times({ notBeforeMs: T0_MS + DAY_MS })).toBe('notBefore: is not before it expires');
    expect(times({ notBeforeMs: T0_MS + DAY_MS - 1 })).toEqual([DAY_MS - 1, DAY_MS]);
  });

  test('behavior: H48: a policy that loosens, with what it changes and after which delay', () => {
    const wish = { kind: 'policy', source: 'name: x', hash: hash('x') } as const;
    const looser = { ...RULES, own: [CUSTOMER] };
    const why = 'what goes there needs no approval, counts nothing and passes a pause';
    expect(outcome(wish, { next: looser })).toEqual({
      kind: 'policy',
      hash: hash('x'),
      revokes: false,
      delayMs: DAY_MS,
      changes: [`loosens: own ${CUSTOMER} (${why})`],
    });
    expect(decide(wish, { next: looser }).changes?.draftPolicy).toEqual({
      hash: hash('x'),
      source: 'name: x',
      compiled: 'compiled',
    });
    const resumeOf3 = { ...RULES.resume, quorum: 3 } as Policy.Resume;
    expect(outcome(wish, { next: { ...RULES, resume: resumeOf3 } })).toMatchObject({
      revokes: true,
      delayMs: 0,
    });
  });

  test('error: H48: a policy that nobody compiled, that loosens nothing, or that moves money', () => {
    const wish = { kind: 'policy', source: 'name: x', hash: hash('x') } as const;
    expect(outcome(wish)).toBe('nobody has compiled this policy, so nobody could read it');
    const tighter = { ...RULES, limits: [...RULES.limits, limit({ limitId: 'more' })] };
    for (const next of [RULES, { ...RULES, name: 'other' }, tighter]) {
      expect(outcome(wish, { next })).toBe(
        'it loosens nothing: breakwater policy apply puts it in force at once',
      );
    }
    const wallets = RULES.wallets.map((one) => ({ ...one, name: `${one.name}-new` }));
    expect(outcome(wish, { next: { ...RULES, wallets } })).toMatch(
      /^wallets\.hot-1-new\.addresses/,
    );
  });

  test('args: an allowance: its limit, its part and its time', () => {
    const wish = {
      kind: 'allowance',
      limitId: 'hour',
      scope: SCOPE,
      extraBps: 100,
      untilMs: T0_MS + HOUR_MS,
    } as const;
    expect(outcome(wish)).toEqual(wish);
    const no = `limit: the policy has no limit`;
    expect(outcome({ ...wish, limitId: 'none' })).toBe(`${no} none on ${SCOPE}`);
    expect(outcome({ ...wish, limitId: 'other' })).toBe(`${no} other on ${SCOPE}`);
    const extra = 'extra: is not more than nothing and at most one more limit (100%)';
    for (const extraBps of [0, 0.5, 10_001]) {
      expect(outcome({ ...wish, extraBps })).toBe(extra);
    }
    for (const extraBps of [1, 10_000])
      expect(outcome({ ...wish, extraBps })).toMatchObject({ extraBps });
    expect(outcome({ ...wish, untilMs: T0_MS })).toBe('until: is past');
    expect(outcome({ ...wish, untilMs: T0_MS + 1 })).toMatchObject({ untilMs: T0_MS + 1 });
    expect(outcome({ ...wish, untilMs: T0_MS + DAY_MS })).toMatchObject({ kind: 'allowance' });
    expect(outcome({ ...wish, untilMs: T0_MS + DAY_MS + 1 })).toBe(
      'until: is more than 24 hours ahead',
    );
  });

  test('behavior: maintenance of a scope that can be read', () => {
    const wish = { kind: 'maintenance', scope: SCOPE } as const;
    expect(outcome(wish)).toEqual(wish);
    expect(() => outcome({ ...wish, scope: 'nothing:x' })).toThrow();
  });

  test('behavior: H14: the same command acts once, another one under its id does nothing', () => {
    const row = {
      rowId: 'command:c1',
      version: 1,
      state: 'noted' as const,
      decisionId: 'd',
      atMs: T0_MS,
      policyVersion: 1,
      note: '',
      link: 'P0',
    };
    const again = decide(resume(), { rows: [{ ...row, bodyHash: 'b' }] });
    expect(again).toEqual({ result: { kind: 'duplicate', proposalId: 'P0' } });
    expect(outcome(resume(), { rows: [{ ...row, bodyHash: 'other' }] })).toBe(
      'commandId c1 was used for another command',
    );
  });
});

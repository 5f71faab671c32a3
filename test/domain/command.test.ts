import { describe, expect, test } from 'vitest';
import type * as Breaker from '../../lib/domain/breaker.ts';
import * as Command from '../../lib/domain/command.ts';
import {
  context,
  hash,
  incoming,
  loaded,
  outflow,
  policy,
  QUORUM,
  T0_MS,
} from '../support/builders.ts';
import {
  commit,
  contextOf,
  load,
  openScopes,
  submit,
  type World,
  world,
} from '../support/world.ts';

const NEXT = { policy: policy(), compiled: 'name: x, compiled' };

/** Decides on a command and commits what it changes, as an action would. */
function give(here: World, command: Command.Command, rules = policy()): Command.Result {
  here.decisions += 1;
  const incident = command.kind === 'resume' ? here.incidents.get(command.incidentId) : undefined;
  return decide(here, { command, incident, rules });
}

function decide(
  here: World,
  parts: {
    readonly command: Command.Command;
    readonly incident: Breaker.Incident | undefined;
    readonly rules: ReturnType<typeof policy>;
  },
): Command.Result {
  const { command, incident, rules } = parts;
  const items = [
    'global',
    ...(command.kind === 'pause' ? [command.scope] : []),
    ...(incident ? [incident.scope] : []),
  ];
  const keys = { rows: [Command.commandRowId(command.commandId)], items };
  const { result, changes } = Command.decide(contextOf(here, rules, T0_MS), load(here, keys), {
    command,
    by: {
      actor: 'alice',
      bodyHash: hash(Command.canonicalBody(command)),
      incidents: new Map(incident ? [[incident.incidentId, incident]] : []),
      next: NEXT,
    },
  });
  if (changes) commit(here, changes);
  return result;
}

const pause = (commandId: string, scope = 'wallet:hot-1') =>
  ({ kind: 'pause', commandId, scope, reason: 'odd traffic' }) as const;
const resume = (commandId: string, incidentId: string) =>
  ({ kind: 'resume', commandId, incidentId, reason: 'checked' }) as const;

describe('commandRowId', () => {
  test('default', () => {
    expect(Command.commandRowId('c1')).toBe('command:c1');
  });
});

describe('canonicalBody', () => {
  test('behavior: everything but the id tells commands apart', () => {
    const apply = { kind: 'apply-policy', commandId: 'c1', source: 'name: x' } as const;
    const bodies = [
      pause('c1'),
      pause('c1', 'global'),
      { ...pause('c1'), reason: 'other' },
      resume('c1', 'INC1'),
      resume('c1', 'INC2'),
      { ...resume('c1', 'INC1'), reason: 'other' },
      { ...resume('c1', 'INC1'), also: ['INC2'] },
      { ...apply, hash: 'h' },
      { ...apply, hash: 'i' },
      { ...apply, hash: 'h', reason: 'more' },
    ].map(Command.canonicalBody);
    expect(new Set(bodies).size).toBe(bodies.length);
    expect(Command.canonicalBody(pause('c2'))).toBe(bodies[0]);
    expect(bodies.slice(-4)).toEqual([
      '["resume","INC1","checked","INC2"]',
      '["apply-policy","h"]',
      '["apply-policy","i"]',
      '["apply-policy","h","more"]',
    ]);
    expect(Command.canonicalBody(resume('c9', 'INC1'))).toBe('["resume","INC1","checked"]');
  });
});

describe('refusal', () => {
  test('default', () => {
    const why = `no\nResume: x ${'y'.repeat(1_000)}`;
    const refused = { messageId: 'm-1', why, who: 'sns:topic', command: 'pause' };
    const changes = Command.refusal(context(), loaded(), refused);
    expect(changes).toMatchObject({ rows: [], incidents: [], causes: [] });
    expect(changes.alerts).toMatchObject([{ alertId: 'refused|m-1', kind: 'refused' }]);
    expect(changes.entries).toMatchObject([{ entryId: 'refused:m-1', who: 'sns:topic' }]);
    expect(changes.alerts[0]?.text).toMatch(/^command by topic: no Resume: x y{387}; see: /);
  });
});

describe('decide', () => {
  test('behavior: a pause opens its scope, by whom and why', () => {
    const here = world();
    expect(give(here, pause('c1'))).toEqual({
      kind: 'paused',
      scope: 'wallet:hot-1',
      incidentId: 'INC1',
      already: false,
    });
    expect(here.items.get('wallet:hot-1')?.breaker.state).toBe('isolated');
    expect(here.incidents.get('INC1')).toMatchInlineSnapshot(`
      {
        "epoch": 1,
        "first": {
          "actor": "alice",
          "atMs": 1694524860000,
          "kind": "operator",
          "notional": 0n,
          "rowId": "command:c1",
          "text": "paused by alice: odd traffic",
        },
        "incidentId": "INC1",
        "openedAtMs": 1694524860000,
        "policyVersion": 1,
        "scope": "wallet:hot-1",
        "state": "open",
      }
    `);
    expect(here.rows.get('command:c1')).toMatchObject({ state: 'noted', note: 'pause by alice' });
  });

  test('behavior: H14: the same command acts once', () => {
    const here = world();
    give(here, pause('c1'));
    give(here, resume('c2', 'INC1'));
    for (const again of [pause('c1'), resume('c2', 'INC1')]) {
      expect(give(here, again)).toEqual({ kind: 'duplicate' });
    }
    for (const other of [pause('c1', 'global'), resume('c1', 'INC1'), pause('c2')]) {
      expect(give(here, other)).toMatchObject({ kind: 'refused' });
    }
    expect(openScopes(here)).toEqual([]);
    expect(here.incidents.size).toBe(1);
  });

  test('behavior: H29: a second pause keeps incident and first cause', () => {
    const here = world();
    give(here, pause('c1'));
    expect(give(here, pause('c2'))).toMatchObject({
      kind: 'paused',
      incidentId: 'INC1',
      already: true,
    });
    expect(here.incidents.get('INC1')?.first.rowId).toBe('command:c1');
    expect(here.causes.get('INC1#2')?.rowId).toBe('command:c2');
  });

  test('behavior: H33: a pause of a scope inside an open one opens it too', () => {
    const here = world();
    give(here, pause('c1', 'global'));
    expect(give(here, pause('c2'))).toMatchObject({ incidentId: 'INC2', already: false });
    expect(give(here, pause('c3', 'chain:eip155:1'))).toMatchObject({ incidentId: 'INC3' });
    give(here, resume('c4', 'INC1'));
    expect(openScopes(here)).toEqual(['chain:eip155:1', 'wallet:hot-1']);
  });

  test('behavior: a resume in trial mode closes its incident and no other', () => {
    const here = world();
    give(here, pause('c1'));
    give(here, pause('c2', 'wallet:hot-2'));
    expect(give(here, resume('c3', 'INC1'))).toEqual({
      kind: 'resumed',
      scope: 'wallet:hot-1',
      incidentId: 'INC1',
      trial: true,
    });
    expect(openScopes(here)).toEqual(['wallet:hot-2']);
    expect(here.items.get('wallet:hot-1')?.breaker).toEqual({ state: 'closed', epoch: 1 });
    expect(here.incidents.get('INC1')).toMatchObject({
      state: 'closed',
      closed: { atMs: T0_MS, actor: 'alice', reason: 'checked' },
    });
    expect(here.incidents.get('INC2')?.state).toBe('open');
  });

  test('behavior: H79: in trial mode it closes what it names beside, all of it or nothing', () => {
    const here = world();
    give(here, pause('c1'));
    give(here, pause('c2', 'wallet:hot-2'));
    give(here, pause('c3', 'wallet:hot-3'));
    const named = (commandId: string, also: readonly string[]) => {
      const command = { ...resume(commandId, 'INC1'), also };
      const incidents = new Map(here.incidents);
      const items = ['global', 'wallet:hot-1', 'wallet:hot-2', 'wallet:hot-3'];
      const keys = { rows: [Command.commandRowId(commandId)], items };
      const decided = Command.decide(contextOf(here, policy(), T0_MS), load(here, keys), {
        command,
        by: { actor: 'alice', bodyHash: hash(Command.canonicalBody(command)), incidents },
      });
      if (decided.changes) commit(here, decided.changes);
      return decided.result;
    };
    expect(named('c4', ['INC2', 'INC9'])).toEqual({
      kind: 'refused',
      why: 'there is no incident INC9',
    });
    expect(openScopes(here)).toEqual(['wallet:hot-1', 'wallet:hot-2', 'wallet:hot-3']);
    expect(named('c5', ['INC2'])).toMatchObject({ kind: 'resumed', incidentId: 'INC1' });
    expect(openScopes(here)).toEqual(['wallet:hot-3']);
  });

  test('behavior: H78: in trial mode too it resumes in the steps of the policy, and says how many', () => {
    const here = world();
    give(here, pause('c1'));
    const steps = [{ shareBps: 1_000, forMs: 1 }];
    const rules = policy({ resume: { kind: 'trial', steps, budget: 5n } });
    expect(give(here, resume('c2', 'INC1'), rules)).toMatchObject({ kind: 'resumed', steps: 1 });
    expect(here.items.get('wallet:hot-1')?.breaker).toMatchObject({
      state: 'half-open',
      steps,
      budget: 5n,
    });
  });

  test('behavior: a pause of a scope that the policy does not know stops it, and says so', () => {
    const here = world();
    expect(give(here, pause('c1', 'wallet:hot-9'))).toMatchObject({
      kind: 'paused',
      doubt: expect.stringContaining('hot-9'),
    });
    expect(give(here, pause('c2'))).not.toHaveProperty('doubt');
  });

  test('behavior: H76: a resume keeps what was used', () => {
    const here = world();
    const events = [incoming(outflow({ transaction: '0xa' }))];
    submit(here, { policy: policy(), nowMs: T0_MS, events });
    const { meter } = here.items.get('key-domain:vault-a')!;
    give(here, resume('c1', 'INC1'));
    expect(here.items.get('key-domain:vault-a')).toMatchObject({
      meter,
      breaker: { state: 'closed' },
    });
  });

  test('behavior: H80: a quorum policy refuses one operator, and changes nothing', () => {
    const here = world();
    give(here, pause('c1'));
    const before = structuredClone(here);
    expect(give(here, resume('c2', 'INC1'), policy({ resume: QUORUM }))).toEqual({
      kind: 'refused',
      why: 'this policy asks for a quorum (resume: quorum): one operator alone cannot resume; run: breakwater resume propose INC1 --reason "…"',
    });
    expect({ ...here, decisions: 0 }).toEqual({ ...before, decisions: 0 });
  });

  test('behavior: H80: an incident that is unknown, closed, or not the one of the breaker', () => {
    const here = world();
    give(here, pause('c1'));
    expect(give(here, resume('c2', 'INC9'))).toEqual({
      kind: 'refused',
      why: 'there is no incident INC9',
    });
    give(here, resume('c3', 'INC1'));
    expect(give(here, resume('c4', 'INC1'))).toEqual({
      kind: 'refused',
      why: 'incident INC1 is closed already',
    });
    give(here, pause('c5'));
    const stale = { ...here.incidents.get('INC1')!, state: 'open' as const };
    const result = decide(here, {
      command: resume('c6', 'INC1'),
      incident: stale,
      rules: policy(),
    });
    expect(result).toEqual({
      kind: 'refused',
      why: 'the breaker of wallet:hot-1 is not held by INC1',
    });
    expect(openScopes(here)).toEqual(['wallet:hot-1']);
  });

  test('error: H80: an incident other than the one the command names closes nothing', () => {
    const here = world();
    give(here, pause('c1'));
    const incident = here.incidents.get('INC1');
    const result = decide(here, { command: resume('c2', 'INC9'), incident, rules: policy() });
    expect(result.kind).toBe('refused');
    expect(openScopes(here)).toEqual(['wallet:hot-1']);
  });

  test('behavior: H46: a policy comes into force with the next version, and touches nothing else', () => {
    const here = world();
    give(here, pause('c1', 'global'));
    const apply = (commandId: string) =>
      ({ kind: 'apply-policy', commandId, source: 'name: x', hash: 'h' }) as const;
    expect(give(here, apply('c2'))).toEqual({ kind: 'policy-applied', version: 1, hash: 'h' });
    expect(give(here, apply('c3'))).toMatchObject({ version: 2 });
    expect(give(here, apply('c3'))).toEqual({ kind: 'duplicate' });
    expect(here.items.get('global')).toMatchObject({
      policyVersion: 2,
      breaker: { incidentId: 'INC1' },
    });
  });

  test('behavior: H51: an applied policy is kept with its text, its time and who applied it', () => {
    const command = {
      kind: 'apply-policy',
      commandId: 'c1',
      source: 'name: x',
      hash: 'h',
    } as const;
    const context = { ...contextOf(world(), policy(), T0_MS), policyHash: '' };
    const { changes } = Command.decide(context, load(world(), { rows: [], items: [] }), {
      command,
      by: { actor: 'alice', bodyHash: 'b', next: NEXT },
    });
    expect(changes?.policy).toEqual({
      version: 1,
      hash: 'h',
      source: 'name: x',
      compiled: 'name: x, compiled',
      appliedAtMs: T0_MS,
      actor: 'alice',
      quorum: 0,
    });
    const said = { ...command, reason: 'more customers' };
    const again = Command.decide(context, load(world(), { rows: [], items: [] }), {
      command: said,
      by: { actor: 'alice', bodyHash: 'b', next: NEXT },
    });
    expect(again.changes?.policy).toEqual({ ...changes?.policy, reason: 'more customers' });
    expect(Command.canonicalBody(said)).not.toBe(Command.canonicalBody(command));
  });

  test('error: a policy that nobody has compiled is refused: nobody could read it', () => {
    const here = world();
    const command = { kind: 'apply-policy', commandId: 'c1', source: 'x', hash: 'h' } as const;
    const by = { actor: 'alice', bodyHash: 'b' };
    const loaded = load(here, { rows: [], items: [] });
    expect(Command.decide(contextOf(here, policy(), T0_MS), loaded, { command, by })).toEqual({
      result: { kind: 'refused', why: expect.stringContaining('compiled') },
    });
  });
});

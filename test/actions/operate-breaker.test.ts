import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { createPolicyInForce } from '../../lib/actions/policy-in-force.ts';
import { readFlag } from '../../lib/actions/read-flag.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { fromCompiled, toCompiled } from '../../lib/adapters/compiled-policy.ts';
import type { Command } from '../../lib/domain/command.ts';
import type { Policy } from '../../lib/domain/policy.ts';
import type { OperatorWorld as World } from '../../lib/runtime/world.ts';
import { putInForce, readyWorld, unreadable } from '../support/action-world.ts';
import {
  HOT_3,
  incoming,
  limit,
  outflow,
  policy,
  QUORUM,
  usd,
  withdrawal,
} from '../support/builders.ts';

const ACTOR = 'arn:aws:iam::111122223333:user/on-call';

function pause(scope: string, commandId: string = randomUUID()): Command {
  return { kind: 'pause', commandId, scope, reason: 'drill' };
}

function resume(incidentId: string, commandId: string = randomUUID()): Command {
  return { kind: 'resume', commandId, incidentId, reason: 'false alarm' };
}

async function operate(world: World, command: Command, actor = ACTOR) {
  const { incidents } = world.store;
  const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
  return operateBreaker(deps, { command, actor });
}

async function flagOf(world: World, wallet: string): Promise<boolean> {
  const { decisions, health } = world.store;
  const { policy: inForce } = world.decision;
  const deps = { decisions, health, policy: inForce, clock: world.clock };
  const { enabled } = await readFlag(deps, { wallet, chain: 'eip155:1' });
  return enabled;
}

async function incidentOf(world: World, command: Command): Promise<string> {
  const result = await operate(world, command);
  if (result.kind !== 'paused') throw new Error(`it was ${result.kind}`);
  return result.incidentId;
}

/** A stored policy of which neither the text nor what was made of it can be read. */
function garbled(quorum: number | undefined) {
  const stored = { hash: 'h', source: '?', compiled: '?', appliedAtMs: 1, actor: 'ann' };
  return async (version: number) => ({
    ...stored,
    version,
    ...(quorum === undefined ? {} : { quorum }),
  });
}

describe('operateBreaker', () => {
  test('default', async () => {
    const { world } = await readyWorld(policy());
    const result = await operate(world, pause('wallet:hot-1'));
    expect(result).toMatchObject({ kind: 'paused', scope: 'wallet:hot-1', already: false });
    const [incident] = await world.store.incidents.list(10);
    expect(incident?.first).toMatchObject({
      kind: 'operator',
      actor: ACTOR,
      text: `paused by ${ACTOR}: drill`,
    });
  });

  test('behavior: the same command twice acts once', async () => {
    const { world } = await readyWorld(policy());
    await operate(world, pause('wallet:hot-1', 'command-1'));
    expect(await operate(world, pause('wallet:hot-1', 'command-1'))).toEqual({ kind: 'duplicate' });
    const [incident, ...more] = await world.store.incidents.list(10);
    expect(more).toEqual([]);
    expect(await world.store.incidents.causes(incident?.incidentId ?? '')).toEqual([]);
  });

  test('H14: an id used again for another command does nothing, and says so', async () => {
    const { world } = await readyWorld(policy());
    await operate(world, pause('wallet:hot-1', 'command-1'));
    const refused = {
      kind: 'refused',
      why: expect.stringContaining('commandId command-1 was used'),
    };
    expect(await operate(world, pause('global', 'command-1'))).toEqual(refused);
    const [incident] = await world.store.incidents.list(1);
    expect(await operate(world, resume(incident?.incidentId ?? '', 'command-1'))).toEqual(refused);
    expect(await operate(world, pause('wallet:hot-1', 'command-1'), 'another')).toEqual({
      kind: 'duplicate',
    });
    expect((await world.store.incidents.list(10)).map(({ state }) => state)).toEqual(['open']);
  });

  test('H83: resuming a pause says that a theft came under it', async () => {
    const { world } = await readyWorld(policy());
    const incidentId = await incidentOf(world, pause('key-domain:vault-a'));
    await recordEvents(world.decision, [
      incoming(outflow({ transaction: '0x1' })),
      incoming(outflow({ transaction: '0x2' })),
    ]);
    expect(await operate(world, resume(incidentId))).toMatchObject({
      kind: 'resumed',
      alsoUnmatched: 2,
    });
  });

  test('behavior: a pause of long ago, delivered again after the resume, pauses nothing', async () => {
    const { world, clock } = await readyWorld(policy());
    const incidentId = await incidentOf(world, pause('global', 'command-1'));
    await operate(world, resume(incidentId));
    clock.nowMs += 3_600_000;
    expect(await operate(world, pause('global', 'command-1'))).toEqual({ kind: 'duplicate' });
    expect(await flagOf(world, 'hot-1')).toBe(true);
  });

  test('H29: pausing twice keeps the first cause and the first incident', async () => {
    const { world } = await readyWorld(policy());
    const first = await operate(world, pause('wallet:hot-1'), 'first');
    const second = await operate(world, pause('wallet:hot-1'), 'second');
    expect(second).toEqual({ ...first, already: true });
    const [incident, ...more] = await world.store.incidents.list(10);
    expect(more).toEqual([]);
    expect(incident?.first.actor).toBe('first');
    const causes = await world.store.incidents.causes(incident?.incidentId ?? '');
    expect(causes.map(({ actor }) => actor)).toEqual(['second']);
  });

  test('H29: pausing what the system tripped keeps the trip as the first cause', async () => {
    const { world } = await readyWorld(policy({ limits: [limit()] }));
    await recordEvents(world.decision, [incoming(withdrawal('w-1', { amount: usd(2_000) }))]);
    expect(await operate(world, pause('wallet:hot-1'))).toMatchObject({ already: true });
    expect((await world.store.incidents.list(10)).map(({ first }) => first.kind)).toEqual([
      'limit',
    ]);
  });

  test('H33: pausing one scope leaves the others alone, and they can still be paused', async () => {
    const { world } = await readyWorld(policy());
    await operate(world, pause('key-domain:vault-a'));
    const flags = await Promise.all(['hot-1', 'hot-2', 'hot-3'].map((name) => flagOf(world, name)));
    expect(flags).toEqual([false, false, true]);
    await operate(world, pause('chain:eip155:1'));
    expect(await flagOf(world, 'hot-3')).toBe(false);
    expect((await world.store.incidents.list(10)).length).toBe(2);
  });

  test('H33: resuming one of two incidents leaves the other in force', async () => {
    const { world } = await readyWorld(policy());
    const wallet = await incidentOf(world, pause('wallet:hot-1'));
    await operate(world, pause('key-domain:vault-a'));
    await operate(world, resume(wallet));
    expect(await flagOf(world, 'hot-1')).toBe(false);
    expect(
      (await world.store.incidents.list(10)).filter(({ state }) => state === 'open').length,
    ).toBe(1);
  });

  test('behavior: resuming closes the incident with who and why; a new pause opens the next epoch', async () => {
    const { world, clock } = await readyWorld(policy());
    const incidentId = await incidentOf(world, pause('wallet:hot-1'));
    clock.nowMs += 1_000;
    const result = await operate(world, resume(incidentId));
    expect(result).toEqual({ kind: 'resumed', scope: 'wallet:hot-1', incidentId, trial: true });
    const closed = await world.store.incidents.get(incidentId);
    expect(closed).toMatchObject({
      state: 'closed',
      closed: { atMs: clock.nowMs, actor: ACTOR, reason: 'false alarm' },
    });
    expect(await flagOf(world, 'hot-1')).toBe(true);
    await operate(world, pause('wallet:hot-1'));
    expect((await world.store.incidents.list(1))[0]?.epoch).toBe(2);
  });

  test('behavior: usage before the trip still counts after the resume', async () => {
    const { world } = await readyWorld(policy({ limits: [limit()] }));
    await recordEvents(world.decision, [incoming(withdrawal('w-1', { amount: usd(1_001) }))]);
    const [incident] = await world.store.incidents.list(1);
    await operate(world, resume(incident?.incidentId ?? ''));
    await recordEvents(world.decision, [incoming(withdrawal('w-2', { amount: 1n }))]);
    expect((await world.store.incidents.list(10)).map(({ state }) => state)).toEqual([
      'open',
      'closed',
    ]);
  });

  test('error: an incident that does not exist', async () => {
    const { world } = await readyWorld(policy());
    expect(await operate(world, resume('NOSUCHINCIDENT'))).toEqual({
      kind: 'refused',
      why: 'there is no incident NOSUCHINCIDENT',
    });
  });

  test('error: an incident that is closed', async () => {
    const { world } = await readyWorld(policy());
    const incidentId = await incidentOf(world, pause('wallet:hot-1'));
    await operate(world, resume(incidentId));
    await operate(world, pause('wallet:hot-1'));
    expect(await operate(world, resume(incidentId))).toMatchObject({ kind: 'refused' });
    expect(await flagOf(world, 'hot-1')).toBe(false);
  });

  test('H80: one person alone does not resume under a policy that asks for a quorum', async () => {
    const { world } = await readyWorld(policy({ resume: QUORUM }));
    const incidentId = await incidentOf(world, pause('wallet:hot-1'));
    const result = await operate(world, resume(incidentId));
    expect(result).toMatchObject({ kind: 'refused', why: expect.stringContaining('quorum') });
    expect(await flagOf(world, 'hot-1')).toBe(false);
  });

  test('H80: a resume that was refused does nothing when it comes again', async () => {
    const { world, committed } = await readyWorld(policy({ resume: QUORUM }));
    const incidentId = await incidentOf(world, pause('wallet:hot-1'));
    const count = committed.length;
    await operate(world, resume(incidentId, 'command-r'));
    await operate(world, resume(incidentId, 'command-r'));
    expect(committed.length).toBe(count);
  });

  test('behavior: two resumes at once: one resumes, one is refused', async () => {
    const { world } = await readyWorld(policy());
    const incidentId = await incidentOf(world, pause('wallet:hot-1'));
    const results = await Promise.all([
      operate(world, resume(incidentId)),
      operate(world, resume(incidentId)),
    ]);
    expect(results.map(({ kind }) => kind).sort()).toEqual(['refused', 'resumed']);
  });

  test('behavior: a resume that lost against a new trip does not close it', async () => {
    const { world } = await readyWorld(policy());
    const incidentId = await incidentOf(world, pause('wallet:hot-1'));
    const stale = { ...world.store.incidents };
    const incident = await stale.get(incidentId);
    await operate(world, resume(incidentId));
    await operate(world, pause('wallet:hot-1'));
    const deps = {
      ...world.decision,
      incidents: { ...stale, get: async () => incident },
      compilePolicy: world.compilePolicy,
    };
    const result = await operateBreaker(deps, { command: resume(incidentId), actor: ACTOR });
    expect(result).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('is not held by'),
    });
    expect(await flagOf(world, 'hot-1')).toBe(false);
  });

  test('error: a scope that is none, and a policy that does not parse, before anything is read', async () => {
    const { world } = await readyWorld(policy());
    const fail = async () => {
      throw new Error('was asked');
    };
    const { current, adopt, refresh } = { current: fail, adopt: fail, refresh: fail };
    const deps = {
      ...world.decision,
      decisions: { load: fail, commit: fail },
      policy: { current, adopt, refresh },
      incidents: { get: fail, causes: fail, list: fail, listOpen: fail },
      compilePolicy: world.compilePolicy,
    };
    const bad: Command = { kind: 'apply-policy', commandId: 'command-p', source: '{', hash: 'h' };
    await expect(operateBreaker(deps, { command: pause('walet:x'), actor: ACTOR })).rejects.toThrow(
      'is not a scope',
    );
    await expect(operateBreaker(deps, { command: bad, actor: ACTOR })).rejects.toThrow(
      'is no JSON',
    );
  });

  const applying = (next: Policy, commandId = 'command-p'): Command => {
    const source = toCompiled(next);
    return { kind: 'apply-policy', commandId, source, hash: source.slice(-64), reason: 'drill' };
  };
  const armed = (more: Partial<Policy> = {}) =>
    policy({ resume: QUORUM, limits: [limit()], ...more });

  test('behavior: H48, H51: under a quorum one operator tightens at once, and says why', async () => {
    const { world } = await readyWorld(armed());
    const before = await world.store.policies.load(1);
    const next = armed({ limits: [limit({ allowed: usd(999) })] });
    expect(await operate(world, applying(next))).toMatchObject({ version: 2 });
    expect(await world.store.policies.load(2)).toMatchObject({
      actor: ACTOR,
      reason: 'drill',
      beforeHash: before?.hash,
      judged: { tightens: 1, loosens: 0, revokes: 0, neutral: 0 },
    });
  });

  test('error: H48: what loosens, or takes rights, is refused with what it is and what to do', async () => {
    const { world } = await readyWorld(armed());
    const looser = await operate(world, applying(armed({ limits: [] })));
    expect(looser).toEqual({
      kind: 'refused',
      why: 'this loosens the policy: limit wallet-hour (what it refused or told passes). It needs the consent of 2 operators, and a delay of 86400s: breakwater policy propose FILE --reason "…"',
    });
    const stricter = armed({ resume: { ...QUORUM, quorum: 3 } as Policy['resume'] });
    expect(await operate(world, applying(stricter, 'c2'))).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('takes rights from people: resume quorum 2 → 3'),
    });
    expect((await world.decision.policy.refresh()).version).toBe(1);
  });

  test('error: H48: a compiled form that cannot be read opens no way around the quorum', async () => {
    const { world } = await readyWorld(armed());
    const { decisions, incidents } = world.store;
    const { policies } = unreadable(world.store);
    const broken = createPolicyInForce({ decisions, policies, parse: fromCompiled });
    const { compilePolicy } = world;
    const deps = { ...world.decision, policy: broken, incidents, compilePolicy };
    const give = (command: Command) => operateBreaker(deps, { command, actor: ACTOR });
    await expect(broken.refresh()).rejects.toThrow();
    expect(await give(applying(armed({ limits: [] })))).toMatchObject({ kind: 'refused' });
    expect(await give(applying(armed(), 'c2'))).toMatchObject({ version: 2 });
  });

  describe.each([
    ['is not answered', () => Promise.reject(new Error('throttled')), 'throttled'],
    ['is gone', async () => undefined, 'is in force but not stored'],
    ['says nothing that can be read', garbled(2), 'to replace it takes 2 operators'],
    [
      'was stored without its quorum',
      garbled(undefined),
      'to replace it takes a quorum of operators',
    ],
  ] as const)('error: H48: where the policy in force %s', (_, load, why) => {
    test('nobody replaces it', async () => {
      const { world } = await readyWorld(armed());
      const { decisions, incidents } = world.store;
      const broken = createPolicyInForce({ decisions, policies: { load }, parse: fromCompiled });
      const { compilePolicy } = world;
      const deps = { ...world.decision, policy: broken, incidents, compilePolicy };
      const command = applying(armed({ limits: [] }));
      await expect(operateBreaker(deps, { command, actor: ACTOR })).rejects.toThrow(why);
      expect((await world.decision.policy.refresh()).version).toBe(1);
    });
  });

  test('behavior: a trial that cannot be read is replaced by one alone', async () => {
    const { world } = await readyWorld(policy());
    const { decisions, incidents } = world.store;
    const policies = { load: garbled(0) };
    const broken = createPolicyInForce({ decisions, policies, parse: fromCompiled });
    const { compilePolicy } = world;
    const deps = { ...world.decision, policy: broken, incidents, compilePolicy };
    const result = await operateBreaker(deps, { command: applying(armed()), actor: ACTOR });
    expect(result).toMatchObject({ kind: 'policy-applied', version: 2 });
  });

  test('behavior: H49: every instance decides by a change from its next decision on', async () => {
    const { world } = await readyWorld(armed());
    const { decisions, policies } = world.store;
    const other = createPolicyInForce({ decisions, policies, parse: fromCompiled });
    await other.current();
    await operate(world, applying(armed({ limits: [limit({ allowed: 1n })] })));
    const deps = { ...world.decision, policy: other };
    await recordEvents(deps, [incoming(withdrawal('w-1', { amount: 2n }))]);
    expect((await other.current()).version).toBe(2);
    expect(await flagOf(world, 'hot-1')).toBe(false);
  });

  test('error: H50: in a trial, too, no address is moved to a fresh wallet', async () => {
    const { world } = await readyWorld(policy());
    const [first, ...others] = policy().wallets;
    const moved = policy({ wallets: [{ ...first!, name: 'fresh' }, ...others] });
    expect(await operate(world, applying(moved))).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('counts in wallet hot-1'),
    });
    const gone = policy({ wallets: others });
    expect(await operate(world, applying(gone, 'c2'))).toMatchObject({ version: 2 });
    expect(await operate(world, applying(moved, 'c3'))).toMatchObject({ kind: 'refused' });
    expect((await world.decision.policy.refresh()).policy.retired).toHaveLength(2);
  });

  test('H31, H46: a new policy keeps every meter and every open breaker', async () => {
    const { world } = await readyWorld(policy({ limits: [limit()] }));
    await recordEvents(world.decision, [incoming(withdrawal('w-1', { amount: usd(1_001) }))]);
    await putInForce(world, policy({ name: 'looser', limits: [limit({ allowed: usd(5_000) })] }));
    expect(await flagOf(world, 'hot-1')).toBe(false);
    await recordEvents(world.decision, [incoming(withdrawal('w-2', { amount: usd(3_999) }))]);
    await recordEvents(world.decision, [incoming(withdrawal('w-3', { amount: 1n }))]);
    const [incident] = await world.store.incidents.list(1);
    const causes = await world.store.incidents.causes(incident?.incidentId ?? '');
    expect(causes.map(({ limit: passed }) => passed?.used)).toEqual([usd(5_000) + 1n]);
  });

  test('H52, H53: two policies at once both come into force, one after the other', async () => {
    const { world } = await readyWorld(policy());
    await Promise.all([
      putInForce(world, policy({ name: 'a' })),
      putInForce(world, policy({ name: 'b' })),
    ]);
    const { version } = await world.decision.policy.refresh();
    expect(version).toBe(3);
    const names = await Promise.all(
      [2, 3].map(
        async (of) => fromCompiled((await world.store.policies.load(of))?.compiled ?? '').name,
      ),
    );
    expect(names.sort()).toEqual(['a', 'b']);
  });

  test('H28: a pause is as good as its answer: it is there when the answer comes', async () => {
    const { world } = await readyWorld(policy());
    await operate(world, pause('global'));
    expect(await flagOf(world, 'hot-3')).toBe(false);
    const event = incoming(withdrawal('w-1', { account: HOT_3 }));
    expect(await recordEvents(world.decision, [event])).toMatchObject([{ kind: 'decided' }]);
  });

  test('args: source', async () => {
    const { world } = await readyWorld(policy());
    const source = toCompiled(policy({ name: 'second' }));
    const command: Command = { kind: 'apply-policy', commandId: 'command-p', source, hash: 'hash' };
    expect(await operate(world, command)).toMatchObject({
      kind: 'policy-applied',
      version: 2,
      hash: 'hash',
    });
    expect(await world.store.policies.load(2)).toMatchObject({
      source,
      compiled: source,
      actor: ACTOR,
      version: 2,
    });
  });
});

import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { type Deps, projectState } from '../../lib/actions/project-state.ts';
import { recordEvents } from '../../lib/actions/record-events.ts';
import type { Incident } from '../../lib/domain/breaker.ts';
import { SUBJECT_MAX } from '../../lib/domain/page.ts';
import type { ControlRecord } from '../../lib/ports.ts';
import { putInForce, readyWorld, type TestWorld } from '../support/action-world.ts';
import { incident } from '../support/aws-shapes.ts';
import * as Build from '../support/builders.ts';

function depsOf({ world }: TestWorld): Deps {
  const { incidents, projections } = world.store;
  return { incidents, projections, notifier: world.notifier, clock: world.clock };
}

/** A world in which one unmatched outflow tripped, with the records that its stream told. */
async function tripped(): Promise<TestWorld> {
  const made = await readyWorld(Build.policy());
  made.records.length = 0;
  await recordEvents(made.world.decision, [
    Build.incoming(
      Build.outflow({ transaction: '0x1' }, { asset: Build.ETH, amount: Build.eth(4_947) }),
    ),
    Build.incoming(Build.outflow({ transaction: '0x2' })),
  ]);
  return made;
}

async function resume({ world }: TestWorld, incidentId: string): Promise<void> {
  const { incidents } = world.store;
  const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
  const command = { kind: 'resume', commandId: 'resume-1', incidentId, reason: 'checked' } as const;
  await operateBreaker(deps, { command, actor: 'on-call' });
}

async function operate({ world }: TestWorld, commandId: string): Promise<void> {
  const { incidents } = world.store;
  const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
  const command = { kind: 'pause', commandId, scope: 'key-domain:vault-a', reason: 'x' } as const;
  await operateBreaker(deps, { command, actor: 'on-call' });
}

const failing = async () => {
  throw new Error('not now');
};

describe('projectState', () => {
  test('default', async () => {
    const made = await tripped();
    for (const record of made.records) await projectState(depsOf(made), record);
    // The wallet and the destination are stopped beside it, and told with it.
    const types = ['incident-opened', 'incident-opened', 'incident-opened', 'cause-added'];
    expect(made.records.map(({ type }) => type)).toEqual(types);
    expect(made.messages).toMatchObject([{ severity: 'page' }]);
    expect(made.messages[0]?.subject).toMatch(
      /^TRIPPED key-domain:vault-a: unmatched \$7,420,500; run: breakwater incident \w+$/,
    );
    expect(await made.world.store.projections.flag()).toEqual({
      atMs: Build.T0_MS,
      open: [`destination:${Build.CUSTOMER}`, 'wallet:hot-1', 'key-domain:vault-a'].map(
        (scope) => ({ scope, incidentId: expect.any(String), sinceMs: Build.T0_MS }),
      ),
    });
  });

  test('behavior: one page for an incident, however often its record comes', async () => {
    const made = await tripped();
    for (let times = 0; times < 3; times += 1) {
      for (const record of made.records) await projectState(depsOf(made), record);
    }
    expect(made.messages.length).toBe(1);
  });

  test('behavior: a crash between sending and marking repeats the page and never loses it', async () => {
    const made = await tripped();
    const [opened] = made.records as [ControlRecord];
    const deps = depsOf(made);
    const dying = { ...deps, projections: { ...deps.projections, markPaged: failing } };
    await expect(projectState(dying, opened)).rejects.toThrow('not now');
    await projectState(deps, opened);
    await projectState(deps, opened);
    expect(made.messages.length).toBe(2);
  });

  test('error: a page that could not be sent is not marked, and goes out the next time', async () => {
    const made = await tripped();
    const [opened] = made.records as [ControlRecord];
    const deps = depsOf(made);
    const mute = { ...deps, notifier: { send: failing } };
    await expect(projectState(mute, opened)).rejects.toThrow('not now');
    expect(made.messages).toEqual([]);
    await projectState(deps, opened);
    expect(made.messages.length).toBe(1);
  });

  test('behavior: the page goes out although the mirror cannot be written', async () => {
    const made = await tripped();
    const [opened] = made.records as [ControlRecord];
    const deps = depsOf(made);
    const blind = { ...deps, incidents: { ...deps.incidents, listOpen: failing } };
    await expect(projectState(blind, opened)).rejects.toThrow('not now');
    expect(made.messages.length).toBe(1);
    await projectState(deps, opened);
    expect(made.messages.length).toBe(1);
    expect((await deps.projections.flag())?.open.length).toBe(3);
  });

  test('behavior: the mirror is written although the page cannot be sent', async () => {
    const made = await tripped();
    const [opened] = made.records as [ControlRecord];
    const deps = { ...depsOf(made), notifier: { send: failing } };
    await expect(projectState(deps, opened)).rejects.toThrow('not now');
    expect((await deps.projections.flag())?.open.length).toBe(3);
  });

  test('behavior: a closed incident leaves the mirror and is told once', async () => {
    const made = await tripped();
    const [opened] = made.records as [Extract<ControlRecord, { type: 'incident-opened' }>];
    await resume(made, opened.incident.incidentId);
    for (const record of [...made.records, ...made.records])
      await projectState(depsOf(made), record);
    const mirrored = (await made.world.store.projections.flag())?.open.map(({ scope }) => scope);
    expect(mirrored).toEqual([`destination:${Build.CUSTOMER}`, 'wallet:hot-1']);
    expect(made.messages.map(({ subject }) => subject.split(' ')[0])).toEqual([
      'TRIPPED',
      'RESUMED',
    ]);
  });

  test('H29, H62: a theft under an operator’s pause is paged, once', async () => {
    const made = await readyWorld(Build.policy());
    await operate(made, 'pause-1');
    const thefts = [1, 2, 3].map((n) =>
      Build.incoming(
        Build.outflow({ transaction: `0x${n}` }, { asset: Build.ETH, amount: Build.eth(3_333) }),
      ),
    );
    await recordEvents(made.world.decision, thefts);
    made.messages.length = 0;
    for (const record of [...made.records, ...made.records])
      await projectState(depsOf(made), record);
    const subjects = made.messages.filter(({ severity }) => severity === 'page');
    expect(subjects.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^PAUSED key-domain:vault-a: operator; run: /),
      expect.stringMatching(
        /^UNMATCHED OUTFLOW in key-domain:vault-a, already paused: \$4,999,500; run: breakwater incident \w+$/,
      ),
    ]);
  });

  test('H62: a theft is paged although a flood of volume came first', async () => {
    const limits = [
      Build.limit({ allowed: 0n, action: { kind: 'pause', scope: 'key-domain' }, mode: 'enforce' }),
    ];
    const made = await readyWorld(Build.policy({ limits }));
    for (let n = 0; n < 30; n += 1) {
      await recordEvents(made.world.decision, [Build.incoming(Build.withdrawal(`w-${n}`))]);
    }
    await recordEvents(made.world.decision, [
      Build.incoming(Build.outflow({ transaction: '0x1' }, { destination: Build.STRANGER })),
    ]);
    for (const record of made.records) await projectState(depsOf(made), record);
    const pages = made.messages.filter(({ severity }) => severity === 'page');
    expect(pages.map(({ subject }) => subject.split(' in ')[0]?.split(' ')[0])).toEqual([
      'TRIPPED',
      'UNMATCHED',
    ]);
  });

  test.each([
    ['operator', 'conflict', 1],
    ['operator', 'unknown', 1],
    ['limit', 'parked', 1],
    ['limit', 'limit', 0],
    ['limit', 'operator', 0],
    ['conflict', 'unmatched', 1],
    ['conflict', 'unknown', 0],
    ['unmatched', 'unmatched', 0],
  ] as const)('behavior: to %s comes %s: %i page', async (first, kind, pages) => {
    const made = await readyWorld(Build.policy());
    const opened = incident('1HNVAR50G0001', { kind: first });
    await made.world.store.decisions.commit({
      decisionId: 'd',
      atMs: Build.T0_MS,
      rows: [],
      items: [],
      incidents: [{ incident: opened, expected: 'absent' }],
      causes: [],
      alerts: [],
    });
    const cause = { ...opened.first, kind };
    const record = {
      type: 'cause-added',
      incidentId: opened.incidentId,
      number: 2,
      cause,
    } as const;
    await projectState(depsOf(made), record);
    expect(made.messages.length).toBe(pages);
  });

  test('behavior: what joins a wallet that was stopped along is news once the theft itself is resumed', async () => {
    const made = await tripped();
    const deps = depsOf(made);
    const all = await made.world.store.incidents.listOpen(10);
    const wallet = all.find(({ scope }) => scope.startsWith('wallet:'));
    if (!wallet?.quarantinedBy) throw new Error('no wallet was stopped along');
    const { incidentId, first } = wallet;
    const cause = { ...first, kind: 'conflict' } as const;
    const record = { type: 'cause-added', incidentId, number: 2, cause } as const;
    await projectState(deps, record);
    expect(made.messages).toEqual([]);
    await resume(made, wallet.quarantinedBy);
    await projectState(deps, record);
    await projectState(deps, record);
    expect(made.messages).toMatchObject([{ severity: 'page' }]);
  });

  test('H83: the mirror says when it does not name everything', async () => {
    const made = await readyWorld(Build.policy());
    const deps = depsOf(made);
    const mirrorOf = async (count: number, scope: string) => {
      const listOpen = async (limit: number) =>
        Array.from({ length: Math.min(count, limit) }, (_, n) => ({
          ...incident(`1HNVAR50G${n}`),
          scope,
        }));
      const record = { type: 'incident-opened', incident: incident('1HNVAR50G0001') } as const;
      await projectState({ ...deps, incidents: { ...deps.incidents, listOpen } }, record);
      const mirror = await deps.projections.flag();
      return [mirror?.open.length, mirror?.truncated];
    };
    expect(await mirrorOf(1_000, 'wallet:hot-1')).toEqual([1_000, undefined]);
    expect(await mirrorOf(1_001, 'wallet:hot-1')).toEqual([1_000, true]);
    expect(await mirrorOf(100, `actor:${'a'.repeat(1_994)}`)).toEqual([100, undefined]);
    expect(await mirrorOf(101, `actor:${'a'.repeat(1_994)}`)).toEqual([100, true]);
  });

  test('behavior: a record that comes late does not bring back what was closed since', async () => {
    const made = await tripped();
    const [opened] = made.records as [Extract<ControlRecord, { type: 'incident-opened' }>];
    await resume(made, opened.incident.incidentId);
    for (const record of made.records.toReversed()) await projectState(depsOf(made), record);
    expect((await made.world.store.projections.flag())?.open).toHaveLength(2);
  });

  test('behavior: an alert, a policy and a further cause', async () => {
    const limits = [Build.limit({ action: { kind: 'alert' } })];
    const made = await readyWorld(Build.policy({ limits }));
    const events = [1, 2].map((n) =>
      Build.incoming(Build.withdrawal(`w-${n}`, { amount: Build.usd(2_000) })),
    );
    await recordEvents(made.world.decision, events);
    await putInForce(made.world, Build.policy({ name: 'second' }));
    for (const record of made.records) await projectState(depsOf(made), record);
    expect(made.messages.map(({ severity }) => severity)).toEqual(['notice', 'notice', 'notice']);
    expect(made.messages.map(({ subject }) => subject.split(' ')[0])).toEqual([
      'POLICY',
      'BREACH',
      'POLICY',
    ]);
    const ignored: ControlRecord = { type: 'ignored' };
    await projectState(depsOf(made), ignored);
    expect(made.messages.length).toBe(3);
  });

  test.prop([
    fc.record({
      id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 600 }),
      notional: fc.bigInt({ min: 0n, max: 10n ** 40n }),
      kind: fc.constantFrom('unmatched', 'operator', 'conflict'),
      actor: fc.string({ unit: 'grapheme', maxLength: 600 }),
    }),
  ])(
    'behavior: first lines are at most 140 characters and name the next command, whatever the scope',
    async ({ id, notional, kind, actor }) => {
      const made = await readyWorld(Build.policy());
      const hostile: Incident = {
        incidentId: '1HNVAR50G0001',
        scope: `actor:${encodeURIComponent(id.toWellFormed())}`,
        epoch: 1,
        openedAtMs: Build.T0_MS,
        first: { kind, atMs: Build.T0_MS, rowId: 'row', text: id, notional },
        policyVersion: 1,
        state: 'open',
      };
      const closed = { atMs: Build.T0_MS, actor, reason: id };
      await projectState(depsOf(made), { type: 'incident-opened', incident: hostile });
      await projectState(depsOf(made), {
        type: 'incident-closed',
        incident: { ...hostile, state: 'closed', closed },
      });
      await projectState(depsOf(made), {
        type: 'alert-raised',
        alert: { alertId: id, kind: 'warn', atMs: 1, scope: id, rowId: id, text: id },
      });
      await projectState(depsOf(made), {
        type: 'policy-applied',
        policy: { version: 2 ** 50, hash: 'a'.repeat(64), source: id, appliedAtMs: 1, actor },
      });
      expect(made.messages.length).toBe(4);
      for (const { subject } of made.messages)
        expect(subject.length).toBeLessThanOrEqual(SUBJECT_MAX);
      expect(made.messages[0]?.subject).toContain('; run: breakwater incident 1HNVAR50G0001');
    },
  );
});

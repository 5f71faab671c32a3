import { fc, test } from '@fast-check/vitest';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { describe, expect } from 'vitest';
import { recordEvents } from '../../lib/actions/record-events.ts';
import { compilePolicy } from '../../lib/adapters/policy-file/compile.ts';
import { localContext } from '../../lib/local/context.ts';
import { operateBreaker, TimeoutError, type UrlEvent } from '../../lib/runtime/operate-breaker.ts';
import { source } from '../adapters/policy-file/source.ts';
import { readyWorld, type TestWorld, testWorld, unreadable } from '../support/action-world.ts';
import { snsEvent, urlEvent } from '../support/aws-shapes.ts';
import * as Build from '../support/builders.ts';

const CONTEXT = localContext('operate-breaker', 20_000);
const ACTOR = 'arn:aws:iam::111122223333:user/on-call';
const PAUSE = { command: 'pause', commandId: 'command-1', scope: 'wallet:hot-1', reason: 'drill' };

type Answered = { readonly status: number | undefined; readonly body: Record<string, unknown> };

async function call({ world }: TestWorld, event: UrlEvent): Promise<Answered> {
  const answer = (await operateBreaker(world)(event, CONTEXT)) as APIGatewayProxyStructuredResultV2;
  expect(answer.headers).toEqual({ 'content-type': 'application/json' });
  return { status: answer.statusCode, body: JSON.parse(answer.body ?? '') };
}

function ask(made: TestWorld, request: unknown): Promise<Answered> {
  return call(made, urlEvent(request));
}

/** A message of the topic, and what the log says became of it. */
async function publish(made: TestWorld, message: unknown): Promise<Record<string, unknown>> {
  expect(await operateBreaker(made.world)(snsEvent(message), CONTEXT)).toBeUndefined();
  const line = made.lines.findLast(({ message: what }) => what === 'command by topic');
  return { ...line?.fields };
}

function soon(made: TestWorld): string {
  return new Date(made.clock.nowMs + 60_000).toISOString();
}

async function openScopes({ world }: TestWorld): Promise<readonly string[]> {
  const all = await world.store.incidents.list(100);
  const incidents = all.filter((one) => !one.quarantinedBy);
  return incidents.filter(({ state }) => state === 'open').map(({ scope }) => scope);
}

async function trip(made: TestWorld): Promise<string> {
  await recordEvents(made.world.decision, [Build.incoming(Build.outflow({ transaction: '0x1' }))]);
  const incident = (await made.world.store.incidents.list(9)).find((one) => !one.quarantinedBy);
  return incident?.incidentId ?? '';
}

function movement(made: TestWorld) {
  return {
    command: 'movement.declare',
    commandId: 'command-m',
    wallet: Build.HOT_1,
    asset: Build.USDC,
    destination: Build.CUSTOMER,
    max: '1000000',
    until: soon(made),
    reason: 'gas for the sweep',
  };
}

describe('operateBreaker by URL', () => {
  test('default', async () => {
    const made = await readyWorld(Build.policy());
    const { status, body } = await ask(made, PAUSE);
    expect(status).toBe(200);
    expect(body).toEqual({
      kind: 'paused',
      scope: 'wallet:hot-1',
      incidentId: expect.any(String),
      already: false,
    });
    const [incident] = await made.world.store.incidents.list(1);
    expect(incident?.first.actor).toBe(ACTOR);
  });

  test.each<[string, UrlEvent['requestContext']]>([
    ['no authorizer', {}],
    ['no IAM', { authorizer: {} }],
    ['no caller', { authorizer: { iam: {} } }],
    ['an empty caller', { authorizer: { iam: { userArn: '' } } }],
  ])('error: 401 with %s, and nothing happens', async (_name, identity) => {
    const made = await readyWorld(Build.policy());
    expect((await call(made, urlEvent(PAUSE, identity))).status).toBe(401);
    expect((await call(made, urlEvent({ command: 'status' }, identity))).status).toBe(401);
    expect(await openScopes(made)).toEqual([]);
  });

  test('args: a body in base64', async () => {
    const made = await readyWorld(Build.policy());
    const body = Buffer.from(JSON.stringify(PAUSE)).toString('base64');
    expect(await call(made, { ...urlEvent(body), isBase64Encoded: true })).toMatchObject({
      status: 200,
    });
    expect(await openScopes(made)).toEqual(['wallet:hot-1']);
  });

  test('error: 400 without a body', async () => {
    const made = await readyWorld(Build.policy());
    const { body: _, ...event } = urlEvent('');
    expect((await call(made, event)).status).toBe(400);
    expect((await call(made, { ...event, isBase64Encoded: true })).status).toBe(400);
  });

  test.each<[string, unknown, string]>([
    ['JSON that is none', '{', 'is not JSON'],
    ['a command that is none', { command: 'destroy' }, 'command'],
    ['a scope that is none', { ...PAUSE, scope: 'walet:x' }, 'scope: "walet:x" is not a scope'],
    ['a scope that cannot occur', { ...PAUSE, scope: 'destination:eip155:1:0x1' }, 'scope: '],
    [
      'a reason with a line break',
      { ...PAUSE, reason: 'a\nResume: x' },
      'reason: must have no control characters',
    ],
    ['a reason with half a character', { ...PAUSE, reason: '\ud83d' }, 'reason: '],
    ['a scope of limits that is none', { command: 'limits', scope: 'x' }, 'scope: '],
  ])('error: 400 for %s', async (_name, request, why) => {
    const made = await readyWorld(Build.policy());
    const { status, body } = await ask(made, request);
    expect(status).toBe(400);
    expect(body.error).toContain(why);
    expect(await openScopes(made)).toEqual([]);
  });

  test('error: 400 for a policy with a mistake, which changes nothing', async () => {
    const made = testWorld(() => ({ compilePolicy }));
    const request = {
      command: 'policy.apply',
      commandId: 'command-p',
      source: source({ mode: 'mode: off' }),
    };
    const { status, body } = await ask(made, request);
    expect(status).toBe(400);
    expect(body.error).toContain('mode');
    expect(made.committed).toEqual([]);
  });

  test('behavior: pausing, and putting a right policy in force, work although the stored one cannot be read', async () => {
    const made = await readyWorld(Build.policy());
    const store = unreadable(made.world.store);
    const broken = testWorld(() => ({ ...made.world, store, compilePolicy }));
    expect(await ask(broken, PAUSE)).toMatchObject({ status: 200, body: { kind: 'paused' } });
    await expect(ask(broken, { command: 'status' })).rejects.toThrow('breakwater policy apply');
    expect(await ask(broken, { command: 'flag', wallet: 'hot-1' })).toMatchObject({
      body: { enabled: false, reason: 'unreachable' },
    });
    expect(await ask(broken, { command: 'policy.show' })).toMatchObject({
      status: 200,
      body: { version: 1, compiled: '{"format":2}' },
    });
    const apply = { command: 'policy.apply', commandId: 'command-p', source: source() };
    expect(await ask(broken, apply)).toMatchObject({ status: 200, body: { version: 2 } });
    expect((await ask(broken, { command: 'status' })).status).toBe(200);
  });

  test('H25: a breaker is opened in the spelling that events are counted under', async () => {
    const made = await readyWorld(Build.policy());
    const typed = Build.CUSTOMER.replaceAll('c', 'C');
    await ask(made, { ...PAUSE, scope: `destination:${typed}` });
    await ask(made, { ...PAUSE, commandId: 'command-2', scope: 'actor:bob@example.com' });
    const question = { command: 'flag', wallet: 'hot-1', chain: Build.CHAIN };
    const flags = await Promise.all(
      [{ destination: Build.CUSTOMER }, { actor: 'bob@example.com' }, { actor: 'bob' }].map(
        (about) => ask(made, { ...question, ...about }),
      ),
    );
    expect(flags.map(({ body }) => body.enabled)).toEqual([false, false, true]);
  });

  test('behavior: resume in trial mode, once; then 409', async () => {
    const made = await readyWorld(Build.policy());
    const incidentId = await trip(made);
    const request = { command: 'resume', commandId: 'command-2', incidentId, reason: 'checked' };
    expect(await ask(made, request)).toMatchObject({
      status: 200,
      body: { kind: 'resumed', trial: true },
    });
    expect(await ask(made, request)).toMatchObject({ status: 200, body: { kind: 'duplicate' } });
    expect(await ask(made, { ...request, commandId: 'command-3' })).toMatchObject({
      status: 409,
      body: { kind: 'refused', why: `incident ${incidentId} is closed already` },
    });
  });

  test('error: 409 for an expired command, which does nothing', async () => {
    const made = await readyWorld(Build.policy());
    const incidentId = await trip(made);
    const expiresAt = new Date(made.clock.nowMs).toISOString();
    const resume = {
      command: 'resume',
      commandId: 'command-2',
      incidentId,
      reason: 'late',
      expiresAt,
    };
    expect(await ask(made, resume)).toMatchObject({ status: 409, body: { kind: 'refused' } });
    expect(await openScopes(made)).toEqual(['key-domain:vault-a']);
    expect(await ask(made, { ...resume, expiresAt: soon(made) })).toMatchObject({ status: 200 });
  });

  const CLOSE = {
    command: 'withdrawal.close',
    withdrawalId: 'w-1',
    outcome: 'failed',
    reason: 'the signer was down',
  };

  test('H19: withdrawal.close gives back on an operator’s word, once, and keeps whose it was', async () => {
    const made = await readyWorld(Build.policy());
    await recordEvents(made.world.decision, [Build.incoming(Build.withdrawal('w-1'))]);
    expect(await ask(made, CLOSE)).toEqual({
      status: 200,
      body: { kind: 'recorded', withdrawalId: 'w-1', outcome: 'failed', givenBack: '1000000' },
    });
    expect(await ask(made, CLOSE)).toMatchObject({ status: 200, body: { kind: 'duplicate' } });
    const { rows } = await made.world.store.decisions.load({ rows: ['withdrawal:w-1'], items: [] });
    expect(rows.get('withdrawal:w-1')?.note).toBe(`operator ${ACTOR}: the signer was down`);
  });

  test('error: 409 for a withdrawal that nobody approved, and nobody else is told', async () => {
    const made = await readyWorld(Build.policy());
    expect(await ask(made, CLOSE)).toMatchObject({
      status: 409,
      body: { kind: 'refused', why: 'nobody approved such a withdrawal' },
    });
    expect(made.records.filter(({ type }) => type === 'alert-raised')).toEqual([]);
  });

  test('args: movement.declare, once, under the caller’s own name', async () => {
    const made = await readyWorld(Build.policy());
    expect(await ask(made, movement(made))).toEqual({
      status: 200,
      body: {
        kind: 'declared',
        movementId: 'command-m',
        untilMs: made.clock.nowMs + 60_000,
      },
    });
    expect(await ask(made, movement(made))).toEqual({ status: 200, body: { kind: 'duplicate' } });
    const { rows } = await made.world.store.decisions.load({
      rows: ['command:command-m'],
      items: [],
    });
    expect(rows.get('command:command-m')?.note).toContain(`declared by ${ACTOR} until`);
    const moved = Build.outflow({ transaction: '0x1' });
    const [recorded] = await recordEvents(made.world.decision, [Build.incoming(moved)]);
    expect(recorded).toMatchObject({ outcome: { result: 'moved-outflow' } });
    expect(await openScopes(made)).toEqual([]);
    expect(made.lines).toContainEqual({
      level: 'info',
      message: 'command',
      fields: expect.objectContaining({ actor: ACTOR, command: 'movement.declare' }),
    });
  });

  test.each<[string, { wrong: object; status: number; why: string }]>([
    [
      'another maximum under its id',
      { wrong: { max: '2000000' }, status: 409, why: 'was used for another command' },
    ],
    [
      'an end that is past',
      {
        wrong: { commandId: 'command-n', until: '2020-01-01T00:00:00Z' },
        status: 409,
        why: 'past',
      },
    ],
    [
      'an end too far ahead',
      {
        wrong: { commandId: 'command-n', until: '2099-01-01T00:00:00Z' },
        status: 409,
        why: '7 days',
      },
    ],
    [
      'a wallet of nobody',
      { wrong: { commandId: 'command-n', wallet: Build.STRANGER }, status: 409, why: 'no wallet' },
    ],
    [
      'an amount that is none',
      { wrong: { commandId: 'command-n', max: '1e18' }, status: 400, why: 'max' },
    ],
  ])('error: a movement with %s declares nothing', async (_name, { wrong, status, why }) => {
    const made = await readyWorld(Build.policy());
    await ask(made, movement(made));
    const before = made.committed.length;
    const answered = await ask(made, { ...movement(made), ...wrong });
    expect(answered.status).toBe(status);
    expect(JSON.stringify(answered.body)).toContain(why);
    expect(made.committed.length).toBe(before);
  });

  test('args: policy.apply and policy.show', async () => {
    const made = testWorld(() => ({ compilePolicy }));
    expect(await ask(made, { command: 'policy.show' })).toEqual({
      status: 200,
      body: { version: 0 },
    });
    const text = source();
    const applied = await ask(made, {
      command: 'policy.apply',
      commandId: 'command-p',
      source: text,
      reason: 'the first',
    });
    expect(applied).toMatchObject({ status: 200, body: { kind: 'policy-applied', version: 1 } });
    const shown = await ask(made, { command: 'policy.show' });
    expect(shown.body).toMatchObject({
      version: 1,
      source: text,
      actor: ACTOR,
      reason: 'the first',
      hash: applied.body.hash,
    });
  });

  test('args: status, limits, incidents, incident, flag', async () => {
    const made = await readyWorld(Build.policy({ limits: [Build.limit()] }));
    const incidentId = await trip(made);
    await recordEvents(made.world.decision, [
      Build.incoming(Build.outflow({ transaction: '0x2' })),
    ]);
    expect(await ask(made, { command: 'status' })).toMatchObject({
      status: 200,
      body: { summary: 'paused', open: [{}, {}, { incidentId }], policy: { resume: 'trial' } },
    });
    const limits = await ask(made, { command: 'limits', scope: 'wallet:hot-1' });
    expect(limits.body).toMatchObject({ lines: [{ limitId: 'wallet-hour', used: '2000000' }] });
    expect((await ask(made, { command: 'limits' })).body).toMatchObject({ truncated: false });
    expect((await ask(made, { command: 'incidents' })).body).toMatchObject([
      { scope: `destination:${Build.CUSTOMER}`, quarantinedBy: incidentId },
      { scope: 'wallet:hot-1', quarantinedBy: incidentId },
      { incidentId, first: { notional: '1000000' } },
    ]);
    const one = await ask(made, { command: 'incident', incidentId });
    expect(one.body).toMatchObject({ incident: { incidentId }, causes: [{}, {}] });
    expect(await ask(made, { command: 'flag', wallet: 'hot-2' })).toMatchObject({
      status: 200,
      body: { enabled: false, reason: 'breaker-open', incidentId },
    });
  });

  test('error: 404 for an incident that does not exist', async () => {
    const made = await readyWorld(Build.policy());
    expect((await ask(made, { command: 'incident', incidentId: 'NOSUCHINCIDENT' })).status).toBe(
      404,
    );
  });

  test('H32: the flag answers 200 and not enabled when nothing can be read', async () => {
    const made = await readyWorld(Build.policy(), ({ store }) => ({
      store: {
        ...store,
        health: { ...store.health, leases: async () => Promise.reject(new Error('down')) },
      },
    }));
    expect(await ask(made, { command: 'flag', wallet: 'hot-2' })).toMatchObject({
      status: 200,
      body: { enabled: false, reason: 'unreachable' },
    });
  });

  test('H18: a store that is down is an error and no answer', async () => {
    const down = new Error('down');
    const made = await readyWorld(Build.policy());
    const decisions = {
      load: async () => Promise.reject(down),
      commit: async () => Promise.reject(down),
    };
    const world = { ...made.world, decision: { ...made.world.decision, decisions } };
    await expect(ask({ ...made, world }, PAUSE)).rejects.toThrow('down');
    expect(made.lines.at(-1)).toMatchObject({ level: 'error', message: 'function failed' });
  });

  test('behavior: time runs out: 503 that says to look first', async () => {
    const never = () => new Promise<never>(() => undefined);
    const made = await readyWorld(Build.policy());
    const decision = { ...made.world.decision, decisions: { load: never, commit: never } };
    const context = { ...CONTEXT, getRemainingTimeInMillis: () => 501 };
    const answer = await operateBreaker({ ...made.world, decision })(urlEvent(PAUSE), context);
    expect(answer).toMatchObject({ statusCode: 503, body: expect.stringContaining('status') });
  });

  const json = fc.oneof(
    fc.json(),
    fc
      .record(
        {
          command: fc.constantFrom(
            'pause',
            'resume',
            'policy.apply',
            'limits',
            'incident',
            'flag',
            'status',
          ),
          commandId: fc.constantFrom('command-1', 'x'),
          scope: fc.constantFrom(
            'global',
            'wallet:hot-1',
            'wallet',
            'destination:x',
            'chain:eip155:1',
          ),
          incidentId: fc.constantFrom('NOSUCHINCIDENT', '../x'),
          wallet: fc.string(),
          reason: fc.string(),
          source: fc.json(),
        },
        { requiredKeys: ['command'] },
      )
      .map((request) => JSON.stringify(request)),
  );
  test.prop([json])(
    'behavior: any body gets a JSON answer and never an internal error',
    async (body) => {
      const made = await readyWorld(Build.policy(), () => ({ compilePolicy }));
      const { status } = await ask(made, body);
      expect([200, 400, 404, 409]).toContain(status);
    },
  );
});

describe('refusals by URL', () => {
  const entriesOf = ({ records }: TestWorld) =>
    records.flatMap((record) => (record.type === 'entry-added' ? [record.entry] : []));

  test('behavior: H51 a refused command is kept with who gave it and why, each time', async () => {
    const made = await readyWorld(Build.policy());
    const resume = {
      command: 'resume',
      commandId: 'command-1',
      incidentId: 'NO0000000',
      reason: 'x',
    };
    expect(await ask(made, resume)).toMatchObject({ status: 409 });
    expect(await ask(made, resume)).toMatchObject({ status: 409 });
    expect(entriesOf(made).length).toBe(2);
    expect(entriesOf(made)[0]).toMatchObject({
      what: 'command.refused',
      before: 'resume',
      reason: 'there is no incident NO0000000',
    });
  });

  test('behavior: what is no command that can be read is kept, a wrong question is not', async () => {
    const made = await readyWorld(Build.policy());
    for (const wrong of [{ command: 'pause' }, { command: 'x y' }, 'garbage', {}]) {
      expect(await ask(made, wrong)).toMatchObject({ status: 400 });
    }
    expect(entriesOf(made).map(({ before }) => before)).toEqual([
      'pause',
      'unreadable',
      'unreadable',
      'unreadable',
    ]);
    expect(await ask(made, { command: 'limits', scope: 'x' })).toMatchObject({ status: 400 });
    expect(entriesOf(made).length).toBe(4);
  });

  test('error: a refusal that cannot be kept is no answer', async () => {
    const made = await readyWorld(Build.policy());
    const note = async () => Promise.reject(new Error('down'));
    const store = { ...made.world.store, audit: { ...made.world.store.audit, note } };
    const other = { ...made, world: { ...made.world, store } };
    await expect(ask(other, { command: 'pause' })).rejects.toThrow('down');
  });
});

describe('operateBreaker by topic', () => {
  test('default', async () => {
    const made = await readyWorld(Build.policy());
    const given = await publish(made, { ...PAUSE, expiresAt: soon(made) });
    expect(given).toMatchObject({ result: { kind: 'paused', already: false } });
    const [incident] = await made.world.store.incidents.list(1);
    expect(incident?.first.actor).toBe('sns:arn:aws:sns:eu-central-1:111122223333:control');
  });

  test('H14: delivered twice it acts once', async () => {
    const made = await readyWorld(Build.policy());
    const message = { ...PAUSE, expiresAt: soon(made) };
    await publish(made, message);
    expect(await publish(made, message)).toMatchObject({ result: { kind: 'duplicate' } });
    expect((await made.world.store.incidents.list(10)).length).toBe(1);
  });

  test.each<[string, unknown, string]>([
    ['no expiry', PAUSE, 'expiresAt: is required'],
    ['an expiry that is past', { ...PAUSE, expiresAt: '2023-09-12T13:21:00Z' }, 'is past'],
    ['an expiry that is no time', { ...PAUSE, expiresAt: 'tomorrow' }, 'expiresAt'],
    [
      'a policy',
      { command: 'policy.apply', commandId: 'command-1', source: '' },
      'carries pause, resume.propose and what operators sign',
    ],
    ['a question', { command: 'status' }, 'carries pause, resume.propose and what operators sign'],
    [
      'a withdrawal to close',
      { command: 'withdrawal.close', withdrawalId: 'w-1', outcome: 'failed', reason: 'x' },
      'carries pause, resume.propose and what operators sign',
    ],
    [
      'a movement',
      {
        command: 'movement.declare',
        commandId: 'command-1',
        wallet: Build.HOT_1,
        asset: Build.USDC,
        destination: Build.CUSTOMER,
        max: '1',
        until: '2099-01-01T00:00:00Z',
        reason: 'x',
      },
      'carries pause, resume.propose and what operators sign',
    ],
    [
      'a resume by one alone',
      { command: 'resume', commandId: 'command-1', incidentId: 'INCIDENT1', reason: 'x' },
      'carries pause, resume.propose and what operators sign',
    ],
    [
      'a proposal without an expiry',
      { command: 'resume.propose', commandId: 'command-1', incidentId: 'INCIDENT1', reason: 'x' },
      'expiresAt: is required',
    ],
    [
      'a loosening policy',
      { command: 'policy.propose', commandId: 'command-1', source: '', reason: 'x' },
      'carries pause, resume.propose and what operators sign',
    ],
    [
      'a signature for a proposal that is not there',
      { command: 'resume.approve', proposalId: 'PROPOSAL1', signature: `0x${'11'.repeat(65)}` },
      'there is no proposal PROPOSAL1',
    ],
    [
      'a signature that is none',
      { command: 'resume.approve', proposalId: 'PROPOSAL1', signature: '0x11' },
      'signature: must be 65 bytes',
    ],
    [
      'a forged objection',
      {
        command: 'proposal.veto',
        proposalId: 'PROPOSAL1',
        signature: `0x${'11'.repeat(65)}`,
        reason: 'x',
      },
      'there is no proposal PROPOSAL1',
    ],
    [
      'a panic that nobody signed',
      {
        command: 'panic',
        commandId: 'command-1',
        scope: 'global',
        reason: 'x',
        expires: '2023-09-12T13:30:00Z',
        signature: `0x${'11'.repeat(64)}1b`,
      },
      'signature',
    ],
    ['a field too many', { ...PAUSE, force: true }, 'force'],
    ['garbage', 'pause everything', 'is not JSON'],
    ['nothing', '', 'is not JSON'],
    [
      'a scope that is none',
      { ...PAUSE, scope: 'x', expiresAt: '2099-01-01T00:00:00Z' },
      'is not a scope',
    ],
  ])(
    'error: %s is refused, logged, alerted once, and changes nothing',
    async (_name, message, why) => {
      const made = await readyWorld(Build.policy());
      const count = made.committed.length;
      const records = made.records.length;
      const given = await publish(made, message);
      await publish(made, message);
      expect(JSON.stringify(given)).toContain(why);
      expect(JSON.stringify(given)).toContain('refused');
      for (const changes of made.committed.slice(count)) {
        expect(changes).toMatchObject({ rows: [], incidents: [], causes: [] });
        expect(changes.items.map(({ key }) => key)).toEqual(['global']);
      }
      expect(await openScopes(made)).toEqual([]);
      const [told, kept, ...more] = made.records.slice(records);
      expect(more).toEqual([]);
      expect(kept).toMatchObject({ type: 'entry-added', entry: { what: 'command.refused' } });
      expect(told).toMatchObject({ type: 'alert-raised', alert: { kind: 'refused' } });
      expect(JSON.stringify(told)).toContain('command by topic: ');
    },
  );

  test('P9: a refusal that cannot be told throws, so that it is delivered again', async () => {
    const made = await readyWorld(Build.policy());
    const down = async () => Promise.reject(new Error('down'));
    const decision = { ...made.world.decision, decisions: { load: down, commit: down } };
    const handler = operateBreaker({ ...made.world, decision });
    await expect(handler(snsEvent('garbage'), CONTEXT)).rejects.toThrow('down');
  });

  test('H80: under a policy with a quorum the topic resumes nothing', async () => {
    const made = await readyWorld(Build.policy({ resume: Build.QUORUM }));
    const incidentId = await trip(made);
    const message = {
      command: 'resume',
      commandId: 'command-1',
      incidentId,
      reason: 'x',
      expiresAt: soon(made),
    };
    expect(await publish(made, message)).toMatchObject({ result: { kind: 'refused' } });
    expect(await openScopes(made)).toEqual(['key-domain:vault-a']);
  });

  test('P9: a command that could not be committed throws, so that it is delivered again', async () => {
    const made = await readyWorld(Build.policy());
    const down = async () => Promise.reject(new Error('down'));
    const decision = { ...made.world.decision, decisions: { load: down, commit: down } };
    const handler = operateBreaker({ ...made.world, decision });
    await expect(handler(snsEvent({ ...PAUSE, expiresAt: soon(made) }), CONTEXT)).rejects.toThrow(
      'down',
    );
  });

  test('P9: so does one for which time ran out: nobody reads an answer to the topic', async () => {
    const never = () => new Promise<never>(() => undefined);
    const made = await readyWorld(Build.policy());
    const decision = { ...made.world.decision, decisions: { load: never, commit: never } };
    const context = { ...CONTEXT, getRemainingTimeInMillis: () => 501 };
    const handler = operateBreaker({ ...made.world, decision });
    const event = snsEvent({ ...PAUSE, expiresAt: soon(made) });
    await expect(handler(event, context)).rejects.toThrow(TimeoutError);
  });
});

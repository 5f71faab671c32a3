import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Status } from '../../lib/actions/report-status.ts';
import type { Incident } from '../../lib/domain/breaker.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../lib/local/local-account.ts';
import type { Runtime } from '../../lib/local/runtime.ts';
import * as Build from '../support/builders.ts';
import {
  allGone,
  ask,
  enterFolder,
  flagOf,
  type Launched,
  launch,
  POLICY,
  report,
  send,
} from '../support/local-runtime.ts';

const ME = `local:${userInfo().username}`;
/** Another policy, far looser. */
const OTHER_POLICY = POLICY.replace('"1000"', '"900000"');
const ON_MAIN = { wallet: 'hot-1', chain: Build.CHAIN };
const ON_OTHER = { wallet: 'hot-1', chain: Build.OTHER_CHAIN };

let place: Awaited<ReturnType<typeof enterFolder>>;
beforeAll(async () => {
  place = await enterFolder();
});
afterAll(() => place.leave());

async function openIncidents(runtime: Runtime): Promise<readonly Incident[]> {
  const { body } = await ask(runtime, { command: 'status' });
  return (body as Status).open;
}

async function isEnabled(runtime: Runtime, question: Record<string, string>): Promise<boolean> {
  return (await flagOf(runtime, question)).enabled;
}

describe('the whole way', () => {
  let runtime: Launched;
  beforeEach(async () => {
    runtime = await launch();
    await runtime.tick();
  });
  afterEach(() => runtime.stop());

  test('default', async () => {
    expect(await flagOf(runtime, ON_MAIN)).toMatchObject({ enabled: true, reason: 'enabled' });

    await send(runtime, report('w-1', { amount: '1000000000' }));
    expect(await isEnabled(runtime, ON_MAIN)).toBe(true);
    await send(runtime, report('w-2'));

    const [incident] = await openIncidents(runtime);
    expect(incident).toMatchObject({
      scope: 'wallet:hot-1',
      epoch: 1,
      first: { kind: 'limit', rowId: 'withdrawal:w-2', limit: { limitId: 'wallet-hour' } },
    });
    const incidentId = incident?.incidentId ?? '';
    expect(await flagOf(runtime, ON_MAIN)).toMatchObject({
      enabled: false,
      reason: 'breaker-open',
      scope: 'wallet:hot-1',
      incidentId,
    });
    const pages = runtime.pages.filter(({ severity }) => severity === 'page');
    expect(pages.map(({ subject }) => subject)).toEqual([
      `TRIPPED wallet:hot-1: limit $1.00; run: breakwater incident ${incidentId}`,
    ]);
    expect(pages[0]?.subject.length).toBeLessThanOrEqual(140);
    expect(pages[0]?.body).toContain(`breakwater resume ${incidentId}`);

    const resume = { command: 'resume', incidentId, reason: 'known customer' };
    expect(await ask(runtime, { ...resume, commandId: 'resume-1' })).toEqual({
      status: 200,
      body: { kind: 'resumed', scope: 'wallet:hot-1', incidentId, trial: true },
    });
    expect(await isEnabled(runtime, ON_MAIN)).toBe(true);
    await runtime.idle();
    expect(runtime.pages.at(-1)).toMatchObject({
      severity: 'notice',
      subject: `RESUMED wallet:hot-1 by ${ME}`,
    });
    expect(await ask(runtime, { command: 'incident', incidentId })).toMatchObject({
      status: 200,
      body: {
        incident: { state: 'closed', closed: { actor: ME, reason: 'known customer' } },
        causes: [{ kind: 'limit', rowId: 'withdrawal:w-2' }],
      },
    });
    expect(runtime.errors).toEqual([]);
  });

  test('behavior: what left before a resume still counts after it', async () => {
    await send(runtime, report('w-1', { amount: '1000000001' }));
    const [first] = await openIncidents(runtime);
    const resume = { command: 'resume', incidentId: first?.incidentId, reason: 'looked at' };
    await ask(runtime, { ...resume, commandId: 'resume-1' });
    await send(runtime, report('w-2', { amount: '1' }));
    expect(await openIncidents(runtime)).toMatchObject([{ scope: 'wallet:hot-1', epoch: 2 }]);
    expect(await ask(runtime, { ...resume, commandId: 'resume-2' })).toMatchObject({
      status: 409,
      body: { kind: 'refused' },
    });
    expect(await isEnabled(runtime, ON_MAIN)).toBe(false);
  });

  test('behavior: status, limits and incidents tell what is the case', async () => {
    await send(runtime, report('w-1', { amount: '600000000' }));
    const enabled = await ask(runtime, { command: 'status' });
    expect(enabled).toMatchObject({
      status: 200,
      body: {
        summary: 'enabled',
        open: [],
        policy: { name: 'local-test', version: 1, mode: 'enforce', resume: 'trial' },
        chains: [
          { chain: Build.CHAIN, inForce: true, watched: false },
          { chain: Build.OTHER_CHAIN, inForce: true, watched: false },
        ],
      },
    });
    const limits = await ask(runtime, { command: 'limits', scope: 'wallet:hot-1' });
    expect(limits.body).toMatchObject({
      truncated: false,
      lines: [
        {
          limitId: 'wallet-hour',
          scope: 'wallet:hot-1',
          metric: 'notional',
          window: '1h',
          used: '600000000',
          limit: '1000000000',
          headroom: '400000000',
          usedText: '$600',
          limitText: '$1,000',
          usedBps: 6_000,
          mode: 'enforce',
        },
      ],
    });
    await send(runtime, report('w-2', { amount: '600000000' }));
    expect(await ask(runtime, { command: 'status' })).toMatchObject({
      body: { summary: 'paused', open: [{ scope: 'wallet:hot-1', state: 'open' }] },
    });
    expect(await ask(runtime, { command: 'incidents' })).toMatchObject({
      status: 200,
      body: [{ scope: 'wallet:hot-1', state: 'open', first: { notional: '600000000' } }],
    });
    expect(await ask(runtime, { command: 'incident', incidentId: 'AAAAAAAA' })).toEqual({
      status: 404,
      body: { error: 'there is no incident AAAAAAAA' },
    });
  });
});

describe('pause by HTTP', () => {
  let runtime: Launched;
  beforeEach(async () => {
    runtime = await launch();
    await runtime.tick();
  });
  afterEach(() => runtime.stop());

  const pause = (commandId: string, scope: string) =>
    ask(runtime, { command: 'pause', commandId, scope, reason: 'drill' });

  test('behavior: the consumer is told no by the next answer (H30)', async () => {
    expect(await isEnabled(runtime, ON_MAIN)).toBe(true);
    const answer = await pause('pause-001', 'wallet:hot-1');
    const flag = await flagOf(runtime, ON_MAIN);
    expect(answer).toMatchObject({ status: 200, body: { kind: 'paused', already: false } });
    const { incidentId } = answer.body as { incidentId: string };
    expect(flag).toMatchObject({ enabled: false, reason: 'breaker-open', incidentId });
    await runtime.idle();
    const pages = runtime.pages.filter(({ severity }) => severity === 'page');
    expect(pages.map(({ subject }) => subject)).toEqual([
      `PAUSED wallet:hot-1: operator; run: breakwater incident ${incidentId}`,
    ]);
  });

  test('behavior: pausing again keeps the first cause, and a command acts once (H29)', async () => {
    const first = await pause('pause-001', 'wallet:hot-1');
    expect(await pause('pause-001', 'wallet:hot-1')).toEqual({
      status: 200,
      body: { kind: 'duplicate' },
    });
    const { incidentId } = first.body as { incidentId: string };
    expect(await pause('pause-002', 'wallet:hot-1')).toMatchObject({
      body: { kind: 'paused', already: true, incidentId },
    });
    expect(await openIncidents(runtime)).toMatchObject([
      { incidentId, first: { kind: 'operator', actor: ME, rowId: 'command:pause-001' } },
    ]);
  });

  test('error: a command whose time is over changes nothing', async () => {
    const expiresAt = new Date(runtime.clock.nowMs()).toISOString();
    const command = { command: 'pause', commandId: 'pause-001', scope: 'global', reason: 'old' };
    expect(await ask(runtime, { ...command, expiresAt })).toEqual({
      status: 409,
      body: { kind: 'refused', why: `expiresAt: ${expiresAt} is past` },
    });
    expect(await isEnabled(runtime, ON_MAIN)).toBe(true);
  });

  test('behavior: one paused chain stops all wallets on it and leaves the others to be paused (H33)', async () => {
    await pause('pause-001', `chain:${Build.CHAIN}`);
    for (const wallet of ['hot-1', 'hot-2', 'hot-3']) {
      expect(await isEnabled(runtime, { wallet, chain: Build.CHAIN })).toBe(false);
    }
    expect(await isEnabled(runtime, ON_OTHER)).toBe(true);
    expect(await pause('pause-002', `chain:${Build.OTHER_CHAIN}`)).toMatchObject({
      body: { kind: 'paused', already: false },
    });
    expect(await isEnabled(runtime, ON_OTHER)).toBe(false);
    expect(await openIncidents(runtime)).toHaveLength(2);
  });
});

describe('pause by the control topic', () => {
  let runtime: Launched;
  let sns: SNSClient;
  let publish: (message: unknown) => Promise<void>;
  beforeAll(async () => {
    runtime = await launch();
    await runtime.tick();
    const { endpoint, controlTopicArn: TopicArn } = runtime.aws;
    sns = new SNSClient({ endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
    publish = async (message) => {
      const Message = typeof message === 'string' ? message : JSON.stringify(message);
      await sns.send(new PublishCommand({ TopicArn, Message }));
    };
  });
  afterAll(async () => {
    sns.destroy();
    await runtime.stop();
  });

  const pause = { command: 'pause', commandId: 'topic-001', scope: 'global', reason: 'drill' };
  const soon = () => new Date(runtime.clock.nowMs() + 60_000).toISOString();

  test.each([
    ['expired', () => ({ ...pause, expiresAt: new Date(runtime.clock.nowMs()).toISOString() })],
    ['without expiry', () => pause],
    ['with an unreadable expiry', () => ({ ...pause, expiresAt: 'tomorrow' })],
    ['of an unknown scope', () => ({ ...pause, scope: 'planet:earth', expiresAt: soon() })],
    ['that is garbage', () => '{"command":'],
    [
      'that is a policy',
      () => ({ command: 'policy.apply', commandId: 'topic-002', source: OTHER_POLICY }),
    ],
    ['that is a question', () => ({ command: 'status' })],
  ])('error: a message %s changes nothing', async (_, message) => {
    await publish(message());
    expect(await ask(runtime, { command: 'status' })).toMatchObject({
      body: { summary: 'enabled', open: [], policy: { version: 1 } },
    });
  });

  test('default', async () => {
    await publish({ ...pause, expiresAt: soon() });
    expect(await isEnabled(runtime, ON_MAIN)).toBe(false);
    expect(await isEnabled(runtime, { wallet: 'hot-3' })).toBe(false);
    const [incident] = await openIncidents(runtime);
    const actor = `sns:${runtime.aws.controlTopicArn}`;
    expect(incident).toMatchObject({ scope: 'global', first: { kind: 'operator', actor } });

    const { incidentId } = incident ?? {};
    const resume = { command: 'resume', commandId: 'topic-003', incidentId, reason: 'over' };
    // Nobody proves who publishes: one alone resumes under a name.
    await publish({ ...resume, expiresAt: soon() });
    expect(await isEnabled(runtime, ON_MAIN)).toBe(false);
    expect(await ask(runtime, resume)).toMatchObject({ status: 200 });
    expect(await isEnabled(runtime, ON_MAIN)).toBe(true);
  });
});

describe('startRuntime', () => {
  test('behavior: a restart or another policy on the same folder keeps what is paused (H31)', async () => {
    const folder = join(place.path, 'h31');
    const first = await launch({ folder });
    await first.tick();
    await ask(first, {
      command: 'pause',
      commandId: 'pause-001',
      scope: 'chain:eip155:1',
      reason: 'drill',
    });
    await send(first, report('w-1', { amount: '1000000001' }));
    const before = await openIncidents(first);
    await first.stop();

    const second = await launch({ folder, policySource: OTHER_POLICY });
    await second.tick();
    expect(await openIncidents(second)).toEqual(before);
    expect(before.map(({ scope }) => scope).sort()).toEqual(['chain:eip155:1', 'wallet:hot-1']);
    expect(await isEnabled(second, ON_MAIN)).toBe(false);
    expect(await isEnabled(second, ON_OTHER)).toBe(false);
    expect(await ask(second, { command: 'status' })).toMatchObject({
      body: { summary: 'paused', policy: { version: 2 } },
    });
    await second.stop();
  });

  test('behavior: the same policy is put in force once', async () => {
    const folder = join(place.path, 'same-policy');
    for (const _ of [1, 2]) {
      const runtime = await launch({ folder });
      const { body } = await ask(runtime, { command: 'status' });
      expect((body as Status).policy.version).toBe(1);
      await runtime.stop();
    }
  });

  test('behavior: a kept folder turns no clock back', async () => {
    const folder = join(place.path, 'clock');
    const clock = { startMs: Build.T0_MS, speed: 1 };
    const first = await launch({ folder, clock });
    first.clock.advanceTo(Build.T0_MS + Build.DAY_MS);
    await first.tick();
    await first.stop();
    const second = await launch({ folder, clock });
    expect(second.clock.nowMs()).toBeGreaterThanOrEqual(Build.T0_MS + Build.DAY_MS);
    await second.stop();
  });

  test('behavior: says in the current folder where it listens, as long as it does', async () => {
    const file = join(place.path, '.breakwater', 'runtime.json');
    const runtime = await launch();
    const told = JSON.parse(await readFile(file, 'utf8'));
    expect(told).toEqual({ url: runtime.url, pid: process.pid });
    await runtime.stop();
    await expect(readFile(file)).rejects.toThrow(/ENOENT/);
  });

  test('error: a folder in use', async () => {
    const folder = join(place.path, 'in-use');
    const runtime = await launch({ folder });
    await expect(launch({ folder })).rejects.toThrow(
      `${folder} is in use by a runtime that is still running (process ${process.pid})`,
    );
    expect((await fetch(`${runtime.url}/health`)).status).toBe(200);
    await runtime.stop();
    await (await launch({ folder })).stop();
  });

  test('error: a port in use, and nothing is left of the attempt', async () => {
    const folder = join(place.path, 'port');
    const runtime = await launch();
    const port = Number(new URL(runtime.url).port);
    await expect(launch({ folder, port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}; give another port, or stop what uses it`,
    );
    expect(await allGone(folder)).toEqual([]);
    await (await launch({ folder })).stop();
    await runtime.stop();
  });

  test('error: a damaged queue, and nothing is left of the attempt', async () => {
    const folder = join(place.path, 'damaged');
    await mkdir(folder);
    await writeFile(join(folder, 'events.queue'), 'garbage\n');
    await expect(launch({ folder })).rejects.toThrow(/line 1 of the journal cannot be read/);
    expect(await allGone(folder)).toEqual([]);
    await expect(launch({ folder })).rejects.toThrow(/line 1 of the journal cannot be read/);
  });

  test('error: a policy that cannot be read, and nothing is left of the attempt', async () => {
    const folder = join(place.path, 'bad-policy');
    await expect(launch({ folder, policySource: 'version: 2' })).rejects.toMatchObject({
      name: expect.stringMatching(/^PolicyFile\./),
    });
    expect(await allGone(folder)).toEqual([]);
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import * as Keystore from 'ox/Keystore';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Status } from '../../lib/actions/report-status.ts';
import type { Shown } from '../../lib/actions/show-proposals.ts';
import { asViem } from '../../lib/adapters/typed-signature.ts';
import type { TypedData } from '../../lib/domain/typed-data.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../lib/local/local-account.ts';
import { type Ran, run, type Setting } from '../cli/run.ts';
import * as Build from '../support/builders.ts';
import {
  ask,
  enterFolder,
  flagOf,
  type Launched,
  launch,
  POLICY,
  report,
  send,
} from '../support/local-runtime.ts';

/** TEST KEYS: made anew for each run, and never used for anything else. */
const KEYS = {
  alice: generatePrivateKey(),
  bob: generatePrivateKey(),
  carol: generatePrivateKey(),
  monitor: generatePrivateKey(),
  mallory: generatePrivateKey(),
};
type Person = keyof typeof KEYS;
const PASSPHRASE = 'a passphrase of this test';
const HOUR_MS = 3_600_000;
const SCOPE = 'wallet:hot-1';
const QUESTION = { wallet: 'hot-1', chain: Build.CHAIN };
/** Money in USDC, of 6 digits. */
const usd = (whole: number) => `${whole}000000`;

function operatorLine(name: Person, roles: string): string {
  const { address } = privateKeyToAccount(KEYS[name]);
  return `  - { name: ${name}, address: "${address}", roles: [${roles}] }`;
}

/** Two of three sign; an hour's limit of 1 000 USD, of which a step gives back 10, 50 and 100 %. */
const QUORUM_POLICY = POLICY.replace(
  'resume: trial',
  `resume:
  quorum: 2
  budgetUsd: "1000"
  steps: [{ share: 10%, for: 1h }, { share: 50%, for: 1h }, { share: 100%, for: 1h }]
operators:
${operatorLine('alice', 'pause, resume')}
${operatorLine('bob', 'pause, resume')}
${operatorLine('carol', 'pause, resume')}
${operatorLine('monitor', 'panic')}`,
);

let place: Awaited<ReturnType<typeof enterFolder>>;
let runtime: Launched;
let commands = 0;
beforeAll(async () => {
  place = await enterFolder();
  // As cast writes it, but for a cheaper cost.
  const [key, options] = Keystore.scrypt({ password: PASSPHRASE, n: 1_024, r: 8, p: 1 });
  await writeFile('alice.json', JSON.stringify(Keystore.encrypt(KEYS.alice, key, options)));
  await writeFile('passphrase', `${PASSPHRASE}\n`);
});
afterAll(() => place.leave());
beforeEach(async () => {
  runtime = await launch({ policySource: QUORUM_POLICY });
  await runtime.tick();
});
afterEach(() => runtime.stop());

/** Types a command. */
function cli(argv: readonly string[], setting: Setting = {}): Promise<Ran> {
  commands += 1;
  const env = { BREAKWATER_URL: runtime.url, BREAKWATER_PASSPHRASE_FILE: 'passphrase' };
  return run(argv, {
    cwd: place.path,
    nowMs: runtime.clock.nowMs(),
    commandId: `ceremony-${commands.toString().padStart(4, '0')}`,
    ...setting,
    env: { ...env, ...setting.env },
  });
}

/** Signs with a person's key from the environment, and sends it. */
function sign(who: Person, proposalId: string, ...more: readonly string[]): Promise<Ran> {
  const argv = ['resume', 'sign', proposalId, '--key-from-env', 'TEST_KEY', '--yes', ...more];
  return cli(argv, { env: { TEST_KEY: KEYS[who] } });
}

/** As a hardware wallet would: it sees typed data and gives a signature. */
function wallet(who: Person, typedData: TypedData): Promise<string> {
  return privateKeyToAccount(KEYS[who]).signTypedData(asViem(typedData));
}

async function status(): Promise<Status> {
  return (await ask(runtime, { command: 'status' })).body as Status;
}

async function openIncident(): Promise<Status['open'][number]> {
  const { open } = await status();
  const [incident] = open;
  if (!incident || open.length > 1) throw new Error(`${open.length} incidents are open`);
  return incident;
}

async function isEnabled(): Promise<boolean> {
  return (await flagOf(runtime, QUESTION)).enabled;
}

async function propose(incidentId: string): Promise<string> {
  const base = ['--new-base', `wallet-hour@${SCOPE}`];
  const argv = ['resume', 'propose', incidentId, '--reason', 'a known customer', ...base];
  const { code, out, err } = await cli([...argv, '--json']);
  if (code !== 0) throw new Error(err);
  return (JSON.parse(out) as { proposal: { proposalId: string } }).proposal.proposalId;
}

async function shown(proposalId: string): Promise<Shown> {
  return (await ask(runtime, { command: 'proposal.show', proposalId })).body as Shown;
}

/** Onto the control topic, as anybody whom its policy lets publish. */
async function publish(message: unknown): Promise<void> {
  const sns = new SNSClient({
    endpoint: runtime.aws.endpoint,
    region: LOCAL_REGION,
    credentials: LOCAL_CREDENTIALS,
  });
  const TopicArn = runtime.aws.controlTopicArn;
  await sns.send(new PublishCommand({ TopicArn, Message: JSON.stringify(message) }));
  sns.destroy();
  await runtime.idle();
}

/** An hour passes; health is proven again, and the steps move on. */
async function anHourLater(): Promise<void> {
  runtime.clock.advanceTo(runtime.clock.nowMs() + HOUR_MS);
  await runtime.tick();
  await runtime.idle();
}

/** Money that leaves at once in excess of the hour's limit. */
async function trip(): Promise<string> {
  await send(runtime, report('w-trip', { amount: '1000000001' }));
  return (await openIncident()).incidentId;
}

const subjects = () => runtime.pages.map(({ subject }) => subject);

describe('the ceremony', () => {
  test('default: trip, alert, two sign, step 1, breach, open again, resume to the end', async () => {
    const incidentId = await trip();
    expect(await isEnabled()).toBe(false);
    expect(subjects()).toContainEqual(expect.stringContaining(`TRIPPED ${SCOPE}`));
    const alone = await cli(['resume', incidentId, '--reason', 'I am sure']);
    expect(alone.code).toBe(3);

    const first = await propose(incidentId);
    await runtime.idle();
    expect(subjects()).toContainEqual(expect.stringContaining('TO SIGN'));
    const argv = ['resume', 'sign', first, '--keystore', 'alice.json'];
    const alice = await cli(argv, { answer: 'y', terminal: 80 });
    expect({ code: alice.code, err: alice.err }).toMatchObject({ code: 0 });
    expect(alice.out).toContain('1 of 2: alice');
    expect(await isEnabled()).toBe(false);

    const printed = await cli(['resume', 'sign', first, '--typed-data']);
    const signature = await wallet('bob', JSON.parse(printed.out) as TypedData);
    const bob = await cli(['resume', 'submit', first, '--signature', signature]);
    expect(bob.err).toBe('');
    expect(bob.out).toContain('CARRIED OUT');
    await runtime.idle();
    expect(await openIncident()).toMatchObject({
      incidentId,
      step: { number: 1, of: 3, shareBps: 1_000 },
    });
    expect((await cli(['status'], { terminal: 80 })).out).toContain('RESUMING');

    await send(runtime, report('w-1', { amount: usd(100) }));
    expect((await openIncident()).step).toMatchObject({ number: 1 });
    await send(runtime, report('w-2', { amount: '1' }));
    const again = await openIncident();
    expect(again.incidentId).toBe(incidentId);
    expect(again.step).toBeUndefined();
    expect(await isEnabled()).toBe(false);
    const replayed = await cli(['resume', 'submit', first, '--signature', signature]);
    expect(replayed).toMatchObject({ code: 3, err: expect.stringContaining('(replayed)') });

    const second = await propose(incidentId);
    expect((await sign('carol', second)).code).toBe(0);
    expect((await sign('bob', second, '--out', 'bob.json')).code).toBe(0);
    expect((await cli(['resume', 'submit', second, 'bob.json'])).out).toContain('CARRIED OUT');
    await anHourLater();
    expect((await openIncident()).step).toMatchObject({ number: 2, shareBps: 5_000 });
    await send(runtime, report('w-3', { amount: usd(500) }));
    await anHourLater();
    expect((await openIncident()).step).toMatchObject({ number: 3, shareBps: 10_000 });
    await anHourLater();
    expect((await status()).summary).toBe('enabled');
    expect(await isEnabled()).toBe(true);
    const incident = await cli(['incident', incidentId]);
    expect(incident.out).toContain('CLOSED');
    expect(runtime.errors).toEqual([]);
  });

  test('behavior: H80 one stolen key, a replay, a stranger and another stack change nothing', async () => {
    const incidentId = await trip();
    const proposalId = await propose(incidentId);
    expect((await sign('alice', proposalId)).code).toBe(0);
    const refusedAs = async (ran: Promise<Ran>, code: string) => {
      expect(await ran).toMatchObject({ code: 3, err: expect.stringContaining(`(${code})`) });
    };
    await refusedAs(sign('alice', proposalId), 'duplicate');
    await refusedAs(sign('mallory', proposalId), 'not-an-operator');
    await refusedAs(sign('monitor', proposalId), 'no-right');

    const { typedData } = await shown(proposalId);
    const elsewhere: TypedData = {
      ...typedData,
      domain: { ...typedData.domain, salt: `0x${'77'.repeat(32)}` },
    };
    const other = await wallet('bob', elsewhere);
    const approve = { command: 'resume.approve', proposalId, signature: other };
    await writeFile('other.json', JSON.stringify({ ...approve, signed: elsewhere }));
    await refusedAs(cli(['resume', 'submit', proposalId, 'other.json']), 'wrong-stack');
    await refusedAs(cli(['resume', 'submit', proposalId, '--signature', other]), 'not-an-operator');

    const mine = await wallet('alice', typedData);
    await publish({ command: 'resume.approve', proposalId, signature: mine });
    await publish({ command: 'resume.approve', proposalId, signature: other });
    await publish({ command: 'resume', commandId: 'topic-resume-1', incidentId, reason: 'r' });
    const stolen = await propose(incidentId);
    expect((await sign('alice', stolen)).code).toBe(0);
    expect(await openIncident()).toMatchObject({ incidentId, epoch: 1 });
    expect((await openIncident()).step).toBeUndefined();
    expect((await shown(proposalId)).signed).toEqual(['alice']);
    expect(await isEnabled()).toBe(false);

    const bob = await wallet('bob', typedData);
    await publish({ command: 'resume.approve', proposalId, signature: bob });
    expect((await openIncident()).step).toMatchObject({ number: 1 });
    await refusedAs(sign('carol', stolen), 'not-possible');
  });

  test('behavior: a partner stops with a key, over the topic, and lifts nothing', async () => {
    const { stackId } = (await ask(runtime, { command: 'policy.show' })).body as {
      readonly stackId: string;
    };
    const options = ['--reason', 'strange approvals', '--key-from-env', 'TEST_KEY'];
    const offline = { BREAKWATER_STACK_ID: stackId, TEST_KEY: KEYS.monitor };
    const argv = ['panic', 'pause', SCOPE, ...options, '--out', 'panic.json'];
    expect((await cli(argv, { env: offline })).code).toBe(0);
    expect(await isEnabled()).toBe(true);
    await publish(JSON.parse(await readFile('panic.json', 'utf8')));
    expect(await isEnabled()).toBe(false);
    const { incidentId } = await openIncident();
    expect(subjects()).toContainEqual(expect.stringContaining(SCOPE));
    const proposalId = await propose(incidentId);
    expect(await sign('monitor', proposalId)).toMatchObject({
      code: 3,
      err: expect.stringContaining('(no-right)'),
    });
  });

  test('behavior: H48 what loosens is proposed, objected to, signed again, and waits its day', async () => {
    await writeFile('next.yaml', QUORUM_POLICY.replace('limit: "1000"', 'limit: "2000"'));
    const alone = await cli(['policy', 'apply', 'next.yaml', '--yes', '--reason', 'busy season']);
    expect(alone).toMatchObject({ code: 3, err: expect.stringContaining('policy propose') });
    const made = await cli(['policy', 'propose', 'next.yaml', '--reason', 'growth', '--json']);
    const { proposalId } = (JSON.parse(made.out) as Pick<Shown, 'proposal'>).proposal;
    await writeFile('other.yaml', `${QUORUM_POLICY}# something else`);
    expect(await sign('alice', proposalId, '--policy', 'other.yaml')).toMatchObject({ code: 3 });
    expect((await sign('alice', proposalId, '--policy', 'next.yaml')).code).toBe(0);

    const veto = ['proposal', 'veto', proposalId, '--reason', 'not now', '--yes'];
    const objected = await cli([...veto, '--key-from-env', 'TEST_KEY'], {
      env: { TEST_KEY: KEYS.carol },
    });
    expect(objected.out).toContain('OBJECTED TO');
    expect((await shown(proposalId)).signed).toEqual([]);
    expect((await sign('alice', proposalId)).out).toContain('1 of 2: alice');
    expect((await sign('bob', proposalId)).out).toContain('Due');
    await runtime.tick();
    expect((await status()).policy.version).toBe(1);
    runtime.clock.advanceTo(runtime.clock.nowMs() + 24 * HOUR_MS);
    await runtime.tick();
    expect((await status()).policy.version).toBe(2);
    expect((await shown(proposalId)).proposal.state).toBe('done');
  });

  test('behavior: maintenance, opened and ended by two, without a page', async () => {
    const made = await cli(['maintenance', 'propose', SCOPE, '--reason', 'a new signer', '--json']);
    const { proposalId } = (JSON.parse(made.out) as Pick<Shown, 'proposal'>).proposal;
    for (const who of ['alice', 'bob'] as const) {
      expect((await sign(who, proposalId)).code).toBe(0);
    }
    await runtime.idle();
    expect(await isEnabled()).toBe(false);
    const pages = runtime.pages.filter(({ severity }) => severity === 'page');
    expect(pages.filter(({ subject }) => !subject.startsWith('TO SIGN'))).toEqual([]);
    const { incidentId } = await openIncident();
    const argv = ['resume', 'propose', incidentId, '--at-once', '--reason', 'done', '--json'];
    const again = JSON.parse((await cli(argv)).out) as Pick<Shown, 'proposal'>;
    for (const who of ['carol', 'alice'] as const) {
      expect(await sign(who, again.proposal.proposalId)).toMatchObject({ code: 0 });
    }
    expect(await isEnabled()).toBe(true);
  });

  test('behavior: an allowance gives one limit more room, for its time', async () => {
    const until = ['--extra', '50%', '--until', '2h', '--reason', 'a listing'];
    const argv = ['allowance', 'propose', 'wallet-hour', '--scope', SCOPE, ...until, '--json'];
    const { proposalId } = (JSON.parse((await cli(argv)).out) as Pick<Shown, 'proposal'>).proposal;
    for (const who of ['alice', 'bob'] as const) {
      expect((await sign(who, proposalId)).code).toBe(0);
    }
    await send(runtime, report('w-1', { amount: usd(1_500) }));
    expect((await status()).open).toEqual([]);
    await send(runtime, report('w-2', { amount: '1' }));
    expect((await openIncident()).scope).toBe(SCOPE);
  });
});

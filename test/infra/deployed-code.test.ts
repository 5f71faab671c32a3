/** What is deployed is run: each bundle as it is uploaded, with nothing but the environment that the constructs set. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { App, Stack } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { SNSMessage } from 'aws-lambda';
import { Construct } from 'constructs';
import type { JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDynamoClient } from '../../lib/adapters/dynamodb/client.ts';
import { createAdmissionVerifier } from '../../lib/client/admission.ts';
import { bundledCode } from '../../lib/infra/bundled-code.ts';
import { type CfnTemplate, permissionsOf } from '../../lib/infra/permission-table.ts';
import { startAwsEndpoint } from '../../lib/local/aws-endpoint.ts';
import { memoryCheckpoint } from '../../lib/local/checkpoint.ts';
import { localContext } from '../../lib/local/context.ts';
import { startEngine } from '../../lib/local/engine.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../lib/local/local-account.ts';
import { createServices, type Services } from '../../lib/local/services.ts';
import { createStreamPoller, type StreamPoller } from '../../lib/local/stream-poller.ts';
import { createTables } from '../../lib/local/tables.ts';
import { ENV } from '../../lib/runtime/environment.ts';
import * as Build from '../support/builders.ts';
import { type Kms, startKms } from '../support/kms.ts';
import { POLICY } from '../support/local-runtime.ts';
import { type Call, isAllowed, startRecorder } from '../support/recorded-calls.ts';
import { makeStack } from './synthesized.ts';

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

const TABLES = { ledger: 'deployed-ledger', control: 'deployed-control' };
const folder = mkdtempSync(join(tmpdir(), 'deployed-code-'));
const pages: SNSMessage[] = [];
const AUDIT_KEY_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/0b5a4c1e-0000-4000-8000-000000000009';
/** What was put into the bucket of the audit chain's copy. */
const copies: string[] = [];
const ending: (() => Promise<void>)[] = [];
const handlers = new Map<string, Handler>();
const recorded: (readonly Call[])[] = [];
let kms: Kms;
let services: Services;
let poller: StreamPoller;

/** Bundles a function as the construct does and loads what comes out. */
async function load(name: string): Promise<void> {
  const stack = new Stack(new App({ outdir: join(folder, name) }), 'Bundle');
  const lambdaFolder = join(import.meta.dirname, '..', '..', 'lambdas');
  bundledCode({ lambdaFolder, name }).bind(new Construct(stack, name));
  const [asset] = stack.node.findAll().filter((construct) => construct instanceof Asset);
  const path = join(folder, name, asset?.assetPath ?? '', 'index.mjs');
  const { handler } = await import(pathToFileURL(path).href);
  handlers.set(name, handler);
}

function run(name: string, event: unknown): Promise<unknown> {
  const handler = handlers.get(name);
  if (!handler) throw new Error(`${name} is not loaded`);
  return handler(event, localContext(name, 30_000));
}

const userArn = 'arn:aws:iam::123456789012:user/alice';

/** Calls a function as its URL does. */
async function callUrl(
  name: string,
  request: { readonly body: object; readonly method?: string; readonly rawPath?: string },
) {
  const { body, method = 'POST', rawPath = '/' } = request;
  const authorizer = { iam: { userArn } };
  const answer = (await run(name, {
    rawPath,
    body: JSON.stringify(body),
    requestContext: { http: { method }, authorizer },
  })) as { statusCode: number; body: string };
  expect(answer.statusCode).toBe(200);
  return JSON.parse(answer.body);
}

function reserve(method: string, rawPath: string, body = {}) {
  return callUrl('reserve-withdrawal', { method, rawPath, body });
}

async function command(body: unknown): Promise<{ status: number; body: unknown }> {
  const answer = (await run('operate-breaker', {
    body: JSON.stringify(body),
    requestContext: { authorizer: { iam: { userArn } } },
  })) as { statusCode: number; body: string };
  return { status: answer.statusCode, body: JSON.parse(answer.body) };
}

/** A bucket that takes everything. */
async function startBucket(): Promise<string> {
  const server = createServer(async (request, response) => {
    copies.push(await text(request));
    response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ending.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  const engine = await startEngine();
  ending.push(engine.stop);
  const connection = {
    endpoint: engine.endpoint,
    region: LOCAL_REGION,
    credentials: LOCAL_CREDENTIALS,
  };
  const client = createDynamoClient(connection);
  const streams = new DynamoDBStreamsClient(connection);
  const { controlStreamArn } = await createTables(client, TABLES);
  const clock = { nowMs: () => Date.now() };
  services = await createServices({ folder, clock, ending, onError: () => undefined });
  const { bus, events, deadLetters, rejects, alerts, control } = services;
  const address = await startAwsEndpoint({
    buses: [bus],
    queues: [events, deadLetters, rejects],
    topics: [alerts, control],
  });
  ending.push(address.stop);
  const s3 = await startBucket();
  kms = await startKms();
  ending.push(kms.stop);
  alerts.subscribe({ kind: 'callback', name: 'operator', receive: (page) => pages.push(page) });
  Object.assign(process.env, {
    AWS_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL: address.endpoint,
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
    AWS_ENDPOINT_URL_S3: s3,
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    [ENV.dynamodbEndpoint]: engine.endpoint,
    [ENV.ledgerTable]: TABLES.ledger,
    [ENV.controlTable]: TABLES.control,
    [ENV.eventBusName]: bus.name,
    [ENV.eventsQueueUrl]: address.queueUrl(events.name),
    [ENV.eventsDlqUrl]: address.queueUrl(deadLetters.name),
    [ENV.rejectQueueUrl]: address.queueUrl(rejects.name),
    [ENV.alertTopicArn]: alerts.arn,
    [ENV.admissionKeyId]: kms.keyArn,
    [ENV.admissionIssuer]: 'breakwater:deployed',
    [ENV.admissionAudience]: 'signer-1',
    [ENV.auditKeyId]: AUDIT_KEY_ARN,
    [ENV.auditIssuer]: 'breakwater:deployed',
    [ENV.auditBucket]: 'audit-copies',
  });
  for (const name of [
    'ingest-events',
    'project-state',
    'operate-breaker',
    'reserve-withdrawal',
    'close-withdrawal',
    'tick',
  ]) {
    // Each function through a recorder of its own: what it asks is held against its grants.
    const recorder = await startRecorder(engine.endpoint, name);
    ending.push(recorder.stop);
    recorded.push(recorder.calls);
    process.env[ENV.dynamodbEndpoint] = recorder.endpoint;
    await load(name);
  }
  events.consume({ handler: (event) => run('ingest-events', event) as Promise<undefined> });
  poller = createStreamPoller({
    client: streams,
    streamArn: controlStreamArn,
    checkpoint: memoryCheckpoint(),
    handler: (event) => run('project-state', event) as Promise<undefined>,
    onFailure: () => undefined,
  });
  ending.push(
    poller.stop,
    async () => streams.destroy(),
    async () => client.destroy(),
  );
}, 60_000);

afterAll(async () => {
  for (const end of ending.toReversed()) await end();
  rmSync(folder, { recursive: true, force: true });
});

describe('the deployed bundles', () => {
  test('default: from a policy to a verified pause and back', async () => {
    const apply = { command: 'policy.apply', commandId: 'deployed-1', source: POLICY };
    expect(await command(apply)).toMatchObject({ status: 200, body: { version: 1 } });

    await run('tick', {});
    await services.events.idle();
    await run('tick', {});
    const flag = { command: 'flag', wallet: Build.HOT_1 };
    expect(await command(flag)).toMatchObject({ body: { enabled: true } });

    const {
      account: wallet,
      asset,
      destination,
      amount,
    } = Build.outflow({ transaction: '0xa' }).transfer;
    const detail = {
      transaction: '0xa',
      place: 'top',
      wallet,
      asset,
      destination,
      amount: amount.toString(),
    };
    await services.events.send(JSON.stringify({ 'detail-type': 'outflow.observed', detail }));
    await services.events.send('{"detail-type":"outflow.observed","detail":{"wallet":5}}');
    await services.events.idle();
    expect(await command(flag)).toMatchObject({
      body: { enabled: false, reason: 'breaker-open', scope: 'wallet:hot-1' },
    });
    expect(services.rejects.depth()).toBe(1);

    await poller.idle();
    const subjects = pages.map(({ Message: text }) => text.split(':')[0]);
    expect(subjects).toContain('TRIPPED key-domain');
    expect(subjects.filter((subject) => subject?.startsWith('AUDIT'))).toEqual([]);
    expect(copies.join('')).toContain('"what":"incident.opened"');
    expect(kms.asked).toContain(`Sign ${AUDIT_KEY_ARN}`);

    const { body } = await command({ command: 'status' });
    const { open } = body as { open: { incidentId: string; scope: string }[] };
    const incidentId = open.find(({ scope }) => scope === 'key-domain:vault-a')?.incidentId;
    const beside = open.map((one) => one.incidentId).filter((id) => id !== incidentId);
    const told = { incidentId, also: beside, reason: 'checked' };
    const resume = { command: 'resume', commandId: 'deployed-2', ...told };
    expect(await command(resume)).toMatchObject({ status: 200, body: { kind: 'resumed' } });
    expect(await command(flag)).toMatchObject({ body: { enabled: true } });
  });

  test('default: from a reservation to an admission that a signer takes', async () => {
    await run('tick', {});
    await services.events.idle();
    await run('tick', {});
    const withdrawal = {
      withdrawalId: 'deployed-w-1',
      wallet: Build.HOT_3,
      asset: Build.USDC,
      destination: Build.CUSTOMER,
      amount: '600000000',
    };
    const again = { ...withdrawal, withdrawalId: 'deployed-w-2' };
    const { verdicts } = await reserve('POST', '/', { withdrawals: [withdrawal, again] });
    expect(verdicts).toMatchObject([
      { withdrawalId: 'deployed-w-1', verdict: 'allow' },
      { withdrawalId: 'deployed-w-2', verdict: 'block', reason: 'limit', provisional: true },
    ]);
    const jwks = (await reserve('GET', '/jwks')) as JSONWebKeySet;
    const issuer = 'breakwater:deployed';
    const verifier = createAdmissionVerifier({ jwks, issuer, audience: 'signer-1' });
    const { admission } = verdicts[0];
    expect(await verifier.verify(admission, again)).toMatchObject({ reason: 'withdrawal' });
    expect(await verifier.verify(admission, withdrawal)).toMatchObject({ ok: true });
    const asked = kms.asked.filter((one) => !one.endsWith(AUDIT_KEY_ARN));
    expect(asked).toEqual([`GetPublicKey ${kms.keyArn}`, `Sign ${kms.keyArn}`]);
    const settled = {
      'detail-type': 'withdrawal.settled',
      detail: { withdrawalId: 'deployed-w-1' },
    };
    const { results } = await callUrl('close-withdrawal', { body: { outcomes: [settled] } });
    expect(results).toMatchObject([{ withdrawalId: 'deployed-w-1', result: 'recorded' }]);
  });

  test('behavior: every call that was made is granted, and denied by no table', () => {
    const template: CfnTemplate = makeStack().app.synth().getStackByName('Breakwater').template;
    const policies = permissionsOf(template);
    const calls = recorded.flat().map((call) => ({
      ...call,
      table: call.table
        .replace(TABLES.ledger, 'LedgerTable')
        .replace(TABLES.control, 'ControlTable'),
    }));
    const asked = new Set(calls.map(({ who, verb, table }) => `${who} ${verb} ${table}`));
    console.info(`deployed code: ${calls.length} calls, ${asked.size} kinds`);
    expect(asked.size).toBeGreaterThan(15);
    const denied = calls.filter((call) => !isAllowed(call, policies));
    expect([...new Set(denied.map((call) => JSON.stringify(call)))]).toEqual([]);
    // What the judge is worth: a role with another's name is denied.
    const [write] = calls.filter(({ verb, key }) => verb === 'PutItem' && key.startsWith('item#'));
    expect(write && isAllowed({ ...write, who: 'project-state' }, policies)).toBe(false);
  }, 120_000);
});

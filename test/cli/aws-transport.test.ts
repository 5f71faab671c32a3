import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ENABLED } from './answers.ts';
import { event } from './events.ts';
import { type FakeAws, KEYS, startFakeAws } from './fake-aws.ts';
import { run } from './run.ts';

// Run against a server of this machine that checks signatures by itself; never against an account.
let aws: FakeAws;
beforeAll(async () => {
  aws = await startFakeAws();
});
afterAll(() => aws.close());
beforeEach(() => {
  aws.calls.length = 0;
  aws.lambda = [{ status: 200, body: ENABLED }];
  aws.throttled = 0;
  aws.outputs = { OperateUrl: `${aws.url}/`, EventBusName: 'Breakwater-events' };
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', KEYS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', KEYS.secretAccessKey);
  vi.stubEnv('AWS_SESSION_TOKEN', KEYS.sessionToken);
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
});
afterEach(() => vi.unstubAllEnvs());

const services = () => aws.calls.map(({ service }) => service);
const lines = (count: number) =>
  Array.from({ length: count }, (_, position) => JSON.stringify(event(position))).join('\n');

describe('connectAws', () => {
  test('default', async () => {
    const { code, out, err } = await run(['status', '--stack', 'Breakwater']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^ENABLED\n/);
    expect(out).toContain('Asked    stack Breakwater at');
    expect(services()).toEqual(['cloudformation', 'lambda', 'lambda']);
    expect(aws.calls[1]?.body).toBe('{"command":"status"}');
    expect(aws.calls[1]?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/lambda\/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=[0-9a-f]{64}$/,
    );
  });

  test('args: --region', async () => {
    await run(['status', '--stack', 'Breakwater', '--region', 'us-east-1']);
    expect(aws.calls[1]?.headers.authorization).toContain('/us-east-1/lambda/');
  });

  test('args: BREAKWATER_COMMAND_URL: the stack is not read', async () => {
    const env = { BREAKWATER_COMMAND_URL: `${aws.url}/` };
    expect((await run(['status'], { env })).code).toBe(0);
    expect(services()).toEqual(['lambda', 'lambda']);
  });

  test('behavior: asks again with the same command id', async () => {
    const paused = { kind: 'paused', scope: 'global', incidentId: '1HA4VYR80K2M3', already: false };
    aws.lambda = [
      { status: 502, body: '' },
      { status: 429, body: '' },
      { status: 200, body: paused },
    ];
    const { code } = await run(['pause', 'global', '--reason', 'odd', '--stack', 'Breakwater']);
    expect(code).toBe(0);
    const pauses = aws.calls.filter(({ body }) => body.includes('"pause"')).map(({ body }) => body);
    expect(new Set(pauses).size).toBe(1);
    expect(pauses).toHaveLength(3);
  });

  test('error: the service stays down', async () => {
    aws.lambda = [{ status: 503, body: { error: 'time ran out' } }];
    const { code, err } = await run(['status', '--stack', 'Breakwater']);
    expect(code).toBe(4);
    expect(err).toContain('stack Breakwater: time ran out');
    expect(services()).toEqual(['cloudformation', 'lambda', 'lambda', 'lambda']);
  });

  test('error: no such stack', async () => {
    const { code, err } = await run(['status', '--stack', 'Elsewhere']);
    expect(code).toBe(2);
    expect(err).toMatchInlineSnapshot(`
      "The outputs of stack Elsewhere could not be read: Stack with id Elsewhere does not exist
      Check --stack, --region and --profile: the name, and where it is.
      "
    `);
  });

  test('error: a stack that is no Breakwater', async () => {
    aws.outputs = { BucketName: 'b' };
    const { code, err } = await run(['status', '--stack', 'Breakwater']);
    expect(code).toBe(2);
    expect(err).toContain('has no output OperateUrl');
  });

  test('error: the caller may not give commands', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
    const env = { BREAKWATER_COMMAND_URL: `${aws.url}/` };
    const { code, err } = await run(['status'], { env });
    expect(code).toBe(3);
    expect(err).toContain('OperatorPolicyArn');
  });

  test('error: no credentials', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    const { code, err } = await run(['status', '--stack', 'Breakwater']);
    expect(code).toBe(2);
    expect(err).toContain('aws sso login');
  });

  test('error: no region', async () => {
    vi.stubEnv('AWS_REGION', undefined);
    const { code, err } = await run(['status', '--stack', 'Breakwater']);
    expect(code).toBe(2);
    expect(err).toContain('--region');
  });
});

describe('putEvents', () => {
  test('default', async () => {
    const { code, out } = await run(['send', '--stack', 'Breakwater'], { stdin: lines(12) });
    expect({ code, out }).toEqual({ code: 0, out: '12 events accepted by stack Breakwater\n' });
    const entries = aws.calls.slice(1).map(({ body }) => JSON.parse(body).Entries as unknown[]);
    expect(entries.map((each) => each.length)).toEqual([10, 2]);
    expect(entries[1]?.[1]).toEqual({
      EventBusName: 'Breakwater-events',
      Source: 'breakwater.cli',
      DetailType: 'withdrawal.reported',
      Detail: JSON.stringify(event(11).detail),
    });
  });

  test('behavior: tries again what the bus did not take', async () => {
    aws.throttled = 3;
    const { code } = await run(['send', '--stack', 'Breakwater'], { stdin: lines(5) });
    expect(code).toBe(0);
    const sizes = aws.calls.slice(1).map(({ body }) => JSON.parse(body).Entries.length);
    expect(sizes).toEqual([5, 3]);
  });

  test('error: not taken to the last', async () => {
    aws.throttled = 100;
    const { code, err } = await run(['send', '--stack', 'Breakwater'], { stdin: lines(2) });
    expect(code).toBe(4);
    expect(err).toMatchInlineSnapshot(`
      "The event bus Breakwater-events did not take 2 events (ThrottlingException).
      Send the same again: an event counts once.
      "
    `);
  });

  test('error: no bus is known', async () => {
    const env = { BREAKWATER_COMMAND_URL: `${aws.url}/` };
    const { code, err } = await run(['send'], { env, stdin: lines(1) });
    expect(code).toBe(2);
    expect(err).toContain('BREAKWATER_EVENT_BUS');
  });
});

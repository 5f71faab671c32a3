import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  admissionAudience,
  awsWorld,
  EnvironmentError,
  tickEveryMs,
} from '../../lib/runtime/aws-world.ts';
import { ENV } from '../../lib/runtime/environment.ts';
import { startLoopback } from '../adapters/aws/clients.ts';
import { CLAIMS } from '../client/tokens.ts';
import { startKms } from '../support/kms.ts';

const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/111122223333/dead';

beforeEach(() => {
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
});
afterEach(() => vi.unstubAllEnvs());

describe('awsWorld', () => {
  test('default', async () => {
    const counts = { ApproximateNumberOfMessages: '2', ApproximateNumberOfMessagesNotVisible: '0' };
    const body = JSON.stringify({
      Attributes: { ...counts, ApproximateNumberOfMessagesDelayed: '0' },
    });
    const loopback = await startLoopback({ body });
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', loopback.config.endpoint);
    vi.stubEnv(
      ENV.eventsDlqUrl,
      QUEUE_URL.replace('https://sqs.eu-west-1.amazonaws.com', loopback.config.endpoint),
    );
    expect(await awsWorld().deadLetters.count()).toBe(2);
    await loopback.stop();
  });

  test('behavior: a function is composed with what it was given, and fails where it uses more', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
    const { notifier, events, store } = awsWorld();
    await expect(notifier.send({ subject: 's', body: 'b', severity: 'page' })).rejects.toThrow();
    await expect(events.send({ detailType: 'heartbeat', detail: {} })).rejects.toThrow();
    await expect(store.decisions.load({ rows: [], items: ['global'] })).rejects.toThrow();
  });
});

describe('awsWorld signs', () => {
  test('default', async () => {
    const kms = await startKms();
    vi.stubEnv('AWS_ENDPOINT_URL_KMS', kms.endpoint);
    vi.stubEnv(ENV.admissionKeyId, kms.keyArn);
    vi.stubEnv(ENV.admissionIssuer, 'breakwater:1');
    const { signer } = awsWorld();
    expect(kms.asked).toEqual([]);
    expect(signer.issuer).toBe('breakwater:1');
    expect((await signer.sign(CLAIMS)).split('.')).toHaveLength(3);
    expect(kms.asked).toEqual([`GetPublicKey ${kms.keyArn}`, `Sign ${kms.keyArn}`]);
    await kms.stop();
  });

  test('args: ADMISSION_PUBLISHED_KEY_IDS', async () => {
    const kms = await startKms();
    vi.stubEnv('AWS_ENDPOINT_URL_KMS', kms.endpoint);
    vi.stubEnv(ENV.admissionKeyId, kms.keyArn);
    vi.stubEnv(ENV.admissionIssuer, 'breakwater:1');
    for (const [text, count] of [
      ['', 1],
      ['arn:aws:kms:eu-west-1:111122223333:key/2', 2],
      ['arn:aws:kms:eu-west-1:111122223333:key/2, arn:aws:kms:eu-west-1:111122223333:key/3,', 3],
    ] as const) {
      vi.stubEnv(ENV.admissionPublishedKeyIds, text);
      expect((await awsWorld().signer.jwks()).keys).toHaveLength(count);
    }
    await kms.stop();
  });

  test.each([
    [ENV.admissionKeyId, ENV.admissionIssuer],
    [ENV.admissionIssuer, ENV.admissionKeyId],
  ])('error: without %s nothing is signed, and the other functions start', async (absent, set) => {
    vi.stubEnv(absent, undefined);
    vi.stubEnv(set, 'set');
    const { signer } = awsWorld();
    await expect(signer.sign(CLAIMS)).rejects.toThrow(`${absent} must be set`);
    await expect(signer.jwks()).rejects.toThrow(EnvironmentError);
    expect(() => signer.issuer).toThrow(EnvironmentError);
  });
});

describe('admissionAudience', () => {
  test('default', () => {
    vi.stubEnv(ENV.admissionAudience, 'signer');
    expect(admissionAudience()).toBe('signer');
  });

  test.each([undefined, ''])('error: %s', (text) => {
    vi.stubEnv(ENV.admissionAudience, text);
    expect(() => admissionAudience()).toThrow('ADMISSION_AUDIENCE must be set');
  });
});

describe('tickEveryMs', () => {
  test('default', () => {
    vi.stubEnv(ENV.tickLoopMs, undefined);
    expect(tickEveryMs()).toBe(0);
    vi.stubEnv(ENV.tickLoopMs, '5000');
    expect(tickEveryMs()).toBe(5_000);
  });

  test.each(['-1', '1.5', 'x', 'NaN', 'Infinity'])('error: %s', (text) => {
    vi.stubEnv(ENV.tickLoopMs, text);
    expect(() => tickEveryMs()).toThrow(EnvironmentError);
  });
});

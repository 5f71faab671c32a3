import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { awsWorld, EnvironmentError, tickEveryMs } from '../../lib/runtime/aws-world.ts';
import { ENV } from '../../lib/runtime/environment.ts';
import { startLoopback } from '../adapters/aws/clients.ts';

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

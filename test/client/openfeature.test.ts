import { OpenFeature, ProviderEvents, ServerProviderStatus } from '@openfeature/server-sdk';
import { afterEach, describe, expect, test } from 'vitest';
import type { Question } from '../../lib/actions/read-flag.ts';
import { createFlagClient } from '../../lib/client/flag-client.ts';
import { createBreakwaterProvider } from '../../lib/client/openfeature.ts';
import type { Flag } from '../../lib/domain/flag.ts';
import { fakeTime, settled } from './fake-time.ts';

const KEY = 'withdrawals-enabled';
const WALLET = { wallet: 'eth-hot-1' };
const ENABLED: Flag = {
  enabled: true,
  reason: 'enabled',
  text: 'withdrawals are enabled',
  inForceUntilMs: 2_000_000,
};
const TRIPPED: Flag = {
  enabled: false,
  reason: 'breaker-open',
  text: 'wallet:eth-hot-1 is open, incident i-1',
  scope: 'wallet:eth-hot-1',
  incidentId: 'i-1',
  sinceMs: 1_000_000,
};

afterEach(async () => {
  await OpenFeature.clearProviders();
  OpenFeature.clearHandlers();
});

/** The real SDK with our provider over a source whose answer can be changed. */
async function setup(answer: 'check' | 'cached' = 'check', shadow = false) {
  const time = fakeTime();
  const source = { flag: ENABLED as Flag | Error, asked: [] as Question[] };
  const flag = createFlagClient({
    read: async (question) => {
      source.asked.push(question);
      if (source.flag instanceof Error) throw source.flag;
      return source.flag;
    },
    shadow,
    contexts: [WALLET],
    clock: time.clock,
    steadyClock: time.clock,
    timers: time.timers,
  });
  const provider = createBreakwaterProvider({ flag, answer });
  await OpenFeature.setProviderAndWait(provider);
  const client = OpenFeature.getClient();
  return { time, source, flag, provider, client };
}

describe('createBreakwaterProvider', () => {
  test('default', async () => {
    const { client, source } = await setup();
    expect(await client.getBooleanDetails(KEY, false, WALLET)).toEqual({
      flagKey: KEY,
      value: true,
      variant: 'enabled',
      reason: 'TARGETING_MATCH',
      flagMetadata: {
        reason: 'enabled',
        text: 'withdrawals are enabled',
        inForceUntilMs: 2_000_000,
      },
    });
    source.flag = TRIPPED;
    expect(await client.getBooleanDetails(KEY, true, WALLET)).toEqual({
      flagKey: KEY,
      value: false,
      variant: 'not-enabled',
      reason: 'TARGETING_MATCH',
      flagMetadata: {
        reason: 'breaker-open',
        text: TRIPPED.text,
        scope: 'wallet:eth-hot-1',
        incidentId: 'i-1',
        sinceMs: 1_000_000,
      },
    });
  });

  test('behavior: the whole context is asked about, and nothing else of it', async () => {
    const { client, source } = await setup();
    const context = {
      wallet: 'eip155:1:0x1111111111111111111111111111111111111111',
      chain: 'eip155:1',
      asset: 'eip155:1/slip44:60',
      destination: 'eip155:1:0x2222222222222222222222222222222222222222',
      memo: 'tag',
      actor: 'customer-7',
    };
    await client.getBooleanValue(KEY, false, { ...context, targetingKey: 'x', plan: 'gold' });
    expect(source.asked.at(-1)).toEqual(context);
  });

  test('args: answer cached', async () => {
    const { client, source, flag } = await setup('cached');
    await flag.refresh();
    const asked = source.asked.length;
    const details = await client.getBooleanDetails(KEY, true, WALLET);
    expect(details).toMatchObject({ value: true, reason: 'CACHED' });
    expect(await client.getBooleanValue(KEY, true, { wallet: 'eth-hot-2' })).toBe(false);
    expect(source.asked).toHaveLength(asked);
  });

  test.each([
    ['no context', {}],
    ['a wallet that is no text', { wallet: 7 }],
    ['an asset that is no text', { ...WALLET, asset: { id: 1 } }],
  ])('error: %s is false, whatever the default', async (_name, context) => {
    const { client } = await setup();
    const details = await client.getBooleanDetails(KEY, true, context);
    expect(details).toMatchObject({ value: false, reason: 'ERROR' });
    expect(details.flagMetadata).toMatchObject({ reason: 'unreachable' });
  });

  test('error: unreachable, lapsed and closed are false, whatever the default', async () => {
    const { client, source, time, flag } = await setup();
    source.flag = new Error('down');
    expect(await client.getBooleanDetails(KEY, true, WALLET)).toMatchObject({
      value: false,
      reason: 'ERROR',
      flagMetadata: { text: 'cannot tell, so not enabled: down' },
    });
    source.flag = ENABLED;
    time.stall(1_000_000);
    const lapsed = await client.getBooleanDetails(KEY, true, WALLET);
    expect(lapsed).toMatchObject({ value: false, reason: 'STALE' });
    flag.close();
    expect(await client.getBooleanValue(KEY, true, WALLET)).toBe(false);
  });

  test('error: another key is not found and false, whatever the default', async () => {
    const { client, source } = await setup();
    const asked = source.asked.length;
    const details = await client.getBooleanDetails('withdrawal-enabled', true, WALLET);
    expect(details).toMatchObject({ value: false, errorCode: 'FLAG_NOT_FOUND' });
    expect(source.asked).toHaveLength(asked);
  });

  test('behavior: over a flag client in shadow mode true, whatever the default', async () => {
    const { client, source, flag } = await setup('check', true);
    source.flag = TRIPPED;
    expect(await client.getBooleanDetails(KEY, false, WALLET)).toMatchObject({
      value: true,
      flagMetadata: { reason: 'breaker-open', wouldBe: false },
    });
    source.flag = new Error('down');
    expect(await client.getBooleanValue(KEY, false, WALLET)).toBe(true);
    expect(await client.getBooleanDetails(KEY, false, { wallet: 7 })).toMatchObject({
      value: true,
      flagMetadata: { reason: 'unreachable', wouldBe: false },
    });
    const misspelt = await client.getBooleanDetails('withdrawal-enabled', false, WALLET);
    expect(misspelt).toMatchObject({ value: true, errorCode: 'FLAG_NOT_FOUND' });
    flag.close();
    expect(await client.getBooleanValue(KEY, false, WALLET)).toBe(true);
    client.addHooks({
      before: () => {
        throw new Error('mine');
      },
    });
    expect(await client.getBooleanValue(KEY, false, WALLET)).toBe(true);
  });

  test('error: another type keeps the default, and says so', async () => {
    const { client } = await setup();
    const code = async (details: Promise<{ value: unknown; errorCode?: string }>) => {
      const { value, errorCode } = await details;
      return [value, errorCode];
    };
    expect(await code(client.getStringDetails(KEY, 'x', WALLET))).toEqual(['x', 'TYPE_MISMATCH']);
    expect(await code(client.getNumberDetails(KEY, 7, WALLET))).toEqual([7, 'TYPE_MISMATCH']);
    expect(await code(client.getObjectDetails(KEY, [], WALLET))).toEqual([[], 'TYPE_MISMATCH']);
    expect(await code(client.getStringDetails('a', 'x'))).toEqual(['x', 'FLAG_NOT_FOUND']);
  });

  test('error: a hook of the application that throws does not enable', async () => {
    const { client } = await setup();
    client.addHooks({
      before: () => {
        throw new Error('mine');
      },
    });
    const details = await client.getBooleanDetails(KEY, true, WALLET);
    expect(details).toMatchObject({ value: false, errorCode: 'GENERAL' });
  });

  test('behavior: ready from the start', async () => {
    const { provider, client } = await setup();
    expect(provider.initialize).toBeUndefined();
    expect(client.providerStatus).toBe(ServerProviderStatus.READY);
  });

  test('behavior: events on change, and as the poll gets worse and better', async () => {
    const { client, source, time } = await setup();
    const heard: string[] = [];
    for (const event of Object.values(ProviderEvents)) {
      client.addHandler(event, (details) => {
        const changed = details && 'flagsChanged' in details ? `: ${details.flagsChanged}` : '';
        heard.push(`${event}${changed}`);
      });
    }
    // The first answer is news as well.
    await settled();
    heard.length = 0;
    await time.advance(500);
    source.flag = TRIPPED;
    await time.advance(500);
    source.flag = new Error('down');
    await time.advance(500);
    expect(client.providerStatus).toBe(ServerProviderStatus.STALE);
    await time.advance(2_500);
    expect(client.providerStatus).toBe(ServerProviderStatus.ERROR);
    expect(await client.getBooleanValue(KEY, true, WALLET)).toBe(false);
    source.flag = ENABLED;
    await time.advance(500);
    await settled();
    expect(heard).toEqual([
      'PROVIDER_CONFIGURATION_CHANGED: withdrawals-enabled',
      'PROVIDER_STALE',
      'PROVIDER_CONFIGURATION_CHANGED: withdrawals-enabled',
      'PROVIDER_ERROR',
      'PROVIDER_CONFIGURATION_CHANGED: withdrawals-enabled',
      'PROVIDER_READY',
    ]);
  });

  test('behavior: a provider that was replaced hears nothing more', async () => {
    const { provider, source, time } = await setup();
    const heard: unknown[] = [];
    provider.events?.addHandler(ProviderEvents.ConfigurationChanged, (each) => heard.push(each));
    await OpenFeature.clearProviders();
    source.flag = TRIPPED;
    await time.advance(1_000);
    expect(heard).toEqual([]);
  });
});

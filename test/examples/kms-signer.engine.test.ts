import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { recoverTransactionAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { handler } from '../../examples/kms-signer/handler.ts';
import { createReplayTable } from '../../examples/kms-signer/replay-table.ts';
import { startTestEngine } from '../adapters/dynamodb/engine.ts';
import { type EthereumKms, startEthereumKms } from '../support/ethereum-kms.ts';
import { ISSUER, testSigner } from '../support/signer.ts';

const TABLE = 'used-admissions';
const CUSTOMER = `0x${'22'.repeat(20)}`;
const signer = testSigner();

let engine: Awaited<ReturnType<typeof startTestEngine>>;
let kms: EthereumKms;

beforeAll(async () => {
  [engine, kms] = await Promise.all([startTestEngine(), startEthereumKms()]);
  await engine.newClient().send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  const settings = {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
    AWS_ENDPOINT_URL_KMS: kms.endpoint,
    KEY_ID: kms.keyArn,
    NATIVE_ASSET: 'eip155:1/slip44:60',
    FEE_MAX_WEI: '10000000000000000',
    ADMISSION_AUDIENCE: 'kms-signer',
    ADMISSION_ISSUER: ISSUER,
    ADMISSION_JWKS: JSON.stringify(await signer.jwks()),
    REPLAY_TABLE: TABLE,
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([engine.stop(), kms.stop()]);
});

/** An admission of 1 wei from the key's address. */
function admit(withdrawalId: string): Promise<string> {
  const iat = Math.floor(Date.now() / 1_000);
  return signer.sign({
    iss: ISSUER,
    aud: 'kms-signer',
    sub: withdrawalId,
    jti: withdrawalId,
    wallet: `eip155:1:${kms.address.toLowerCase()}`,
    asset: 'eip155:1/slip44:60',
    amount: '1',
    destination: `eip155:1:${CUSTOMER}`,
    iat,
    exp: iat + 30,
  });
}

function request(withdrawalId: string, admission: string, value = '1') {
  const fees = { gas: '21000', maxFeePerGas: '1', maxPriorityFeePerGas: '1' };
  const transaction = { chainId: 1, nonce: 0, to: CUSTOMER, value, data: '0x', ...fees };
  return { withdrawalId, admission, transaction };
}

describe('handler', () => {
  test('default: signs once what was admitted', async () => {
    const admission = await admit('w-1');
    expect(await handler(request('w-1', admission, '2'))).toMatchObject({ reason: 'amount' });
    const signed = await handler(request('w-1', admission));
    if (!signed.ok) throw new Error(signed.text);
    const serializedTransaction = signed.serialized as `0x02${string}`;
    expect(await recoverTransactionAddress({ serializedTransaction })).toBe(kms.address);
    expect(await handler(request('w-1', admission))).toMatchObject({ reason: 'reused' });
  });
});

describe('createReplayTable', () => {
  test('default: one of many callers is first', async () => {
    const store = createReplayTable(engine.newClient(), TABLE);
    const claims = Array.from({ length: 16 }, () => store.claim('jti-1', Date.now() + 30_000));
    expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
  });

  test('error: a table that is not there refuses', async () => {
    const store = createReplayTable(engine.newClient(), 'another');
    await expect(store.claim('jti-1', Date.now())).rejects.toThrow();
  });
});

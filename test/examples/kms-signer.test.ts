import { readFileSync } from 'node:fs';
import { KMSClient } from '@aws-sdk/client-kms';
import type { JSONWebKeySet } from 'jose';
import {
  createPublicClient,
  createTestClient,
  encodeFunctionData,
  erc20Abi,
  http,
  keccak256,
  parseTransaction,
  recoverAddress,
  recoverTransactionAddress,
} from 'viem';
import { generatePrivateKey, privateKeyToAccount, sign as signHash } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  toEthereumSignature,
  UnusableSignatureError,
} from '../../examples/kms-signer/ethereum-signature.ts';
import { readTransfer } from '../../examples/kms-signer/evm-transfer.ts';
import { handler } from '../../examples/kms-signer/handler.ts';
import {
  kmsAccount,
  OnlyTransactionsError,
  UnfitKeyError,
} from '../../examples/kms-signer/kms-account.ts';
import {
  createWithdrawalSigner,
  type Options,
  type Transaction,
} from '../../examples/kms-signer/sign-withdrawal.ts';
import { createAdmissionVerifier } from '../../lib/client/admission.ts';
import type { AccountId, AssetId, ChainId } from '../../lib/domain/caip.ts';
import { findAnvil, startAnvil } from '../../lib/local/chain-node.ts';
import { localContext } from '../../lib/local/context.ts';
import { reserveWithdrawal } from '../../lib/runtime/reserve-withdrawal.ts';
import { readyWorld, type TestWorld } from '../support/action-world.ts';
import * as Build from '../support/builders.ts';
import { type EthereumKms, startEthereumKms } from '../support/ethereum-kms.ts';
import { toDer } from '../support/kms.ts';
import { ISSUER } from '../support/signer.ts';

const CHAIN: ChainId = 'eip155:31337';
const COIN: AssetId = `${CHAIN}/slip44:60`;
const TOKEN_ADDRESS = `0x${'a0'.repeat(20)}` as const;
const TOKEN: AssetId = `${CHAIN}/erc20:${TOKEN_ADDRESS}`;
const CUSTOMER = '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC';
const THIEF = '0x9999999999999999999999999999999999999999';
const GWEI = 10n ** 9n;
const FEE_MAX_WEI = 10n ** 16n;

let kms: EthereumKms;
let client: KMSClient;

beforeAll(async () => {
  kms = await startEthereumKms();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new KMSClient({ region: 'eu-west-1', endpoint: kms.endpoint, credentials });
});
afterAll(async () => {
  client.destroy();
  await kms.stop();
});

/** Breakwater with a policy that knows the key's address as a wallet, and the signer behind it. */
async function setUp(more: Partial<Options> = {}) {
  const floor = { floorPricePicoUsd: 10n ** 12n };
  const made = await readyWorld(
    Build.policy({
      chains: [{ pattern: CHAIN, name: 'Local' }],
      assets: [
        { pattern: COIN, symbol: 'ETH', decimals: 18, ...floor },
        { pattern: TOKEN, symbol: 'USDC', decimals: 6, ...floor },
      ],
      wallets: [
        { name: 'kms-hot', keyDomain: 'kms', addresses: [`${CHAIN}:${kms.address.toLowerCase()}`] },
      ],
    }),
  );
  await made.world.store.health.renew(
    { [CHAIN]: made.clock.nowMs + Build.DAY_MS },
    made.clock.nowMs,
  );
  const verifier = createAdmissionVerifier({
    jwks: (await made.world.signer.jwks()) as JSONWebKeySet,
    audience: 'kms-signer',
    issuer: ISSUER,
    clock: { nowMs: () => made.clock.nowMs },
  });
  const account = await kmsAccount(client, kms.keyArn);
  const sign = createWithdrawalSigner({
    account,
    verifier,
    nativeAsset: COIN,
    feeMaxWei: FEE_MAX_WEI,
    ...more,
  });
  return { made, sign };
}

/** Asks Breakwater, as the withdrawal service does, and gives the admission. */
async function reserve(
  made: TestWorld,
  wanted: { readonly asset?: AssetId; readonly amount?: string; readonly withdrawalId?: string },
): Promise<string> {
  const { asset = COIN, amount = `${10n ** 18n}`, withdrawalId = 'w-1' } = wanted;
  const destination: AccountId = `${CHAIN}:${CUSTOMER}`;
  const wallet: AccountId = `${CHAIN}:${kms.address}`;
  const withdrawals = [{ withdrawalId, wallet, asset, destination, amount }];
  const event = {
    rawPath: '/',
    body: JSON.stringify({ audience: 'kms-signer', withdrawals }),
    requestContext: { http: { method: 'POST' }, authorizer: { iam: { userArn: 'arn:test' } } },
  };
  const ask = reserveWithdrawal(made.world, { audience: 'nobody' });
  const answer = await ask(event, localContext('reserve-withdrawal', 8_000));
  const { verdicts } = JSON.parse(answer.body ?? '');
  expect(verdicts).toMatchObject([{ verdict: 'allow' }]);
  return verdicts[0].admission;
}

function payment(more: Partial<Transaction> = {}): Transaction {
  return {
    chainId: 31_337,
    nonce: 0,
    to: CUSTOMER,
    value: 10n ** 18n,
    data: '0x',
    gas: 100_000n,
    maxFeePerGas: 2n * GWEI,
    maxPriorityFeePerGas: GWEI,
    ...more,
  };
}

function tokenCall(recipient: `0x${string}`, amount: bigint): `0x${string}` {
  return encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [recipient, amount] });
}

describe('createWithdrawalSigner', () => {
  test.skipIf(findAnvil() === undefined)(
    'default: a node takes what was signed (needs anvil)',
    async () => {
      const { made, sign } = await setUp();
      const anvil = await startAnvil({ chainId: 31_337 });
      try {
        const transport = http(anvil.url);
        const admin = createTestClient({ mode: 'anvil', transport });
        const node = createPublicClient({ transport, pollingInterval: 50 });
        await admin.setBalance({ address: kms.address, value: 10n ** 19n });
        // Twice, since every second signature of this KMS has its s in the upper half.
        for (const nonce of [0, 1]) {
          const withdrawalId = `w-${nonce}`;
          const admission = await reserve(made, { withdrawalId });
          const signed = await sign({ withdrawalId, admission, transaction: payment({ nonce }) });
          if (!signed.ok) throw new Error(signed.text);
          const hash = await node.sendRawTransaction({ serializedTransaction: signed.serialized });
          expect(hash).toBe(signed.hash);
          const receipt = await node.waitForTransactionReceipt({ hash });
          expect(receipt.status).toBe('success');
        }
        expect(await node.getBalance({ address: CUSTOMER })).toBe(2n * 10n ** 18n);
      } finally {
        await anvil.stop();
      }
    },
  );

  test('behavior: an ERC-20 transfer is compared by what its calldata says', async () => {
    const { made, sign } = await setUp();
    const admission = await reserve(made, { asset: TOKEN, amount: '5000000' });
    const request = (data: `0x${string}`, more: Partial<Transaction> = {}) =>
      sign({
        withdrawalId: 'w-1',
        admission,
        transaction: payment({ to: TOKEN_ADDRESS, value: 0n, data, ...more }),
      });
    const data = tokenCall(CUSTOMER, 5_000_000n);
    expect(await request(tokenCall(CUSTOMER, 5_000_001n))).toMatchObject({ reason: 'amount' });
    expect(await request(tokenCall(THIEF, 5_000_000n))).toMatchObject({ reason: 'destination' });
    expect(await request(data, { to: THIEF })).toMatchObject({ reason: 'asset' });
    expect(await request(data, { value: 1n })).toMatchObject({ reason: 'transaction' });
    const signed = await request(data);
    if (!signed.ok) throw new Error(signed.text);
    const serializedTransaction = signed.serialized as `0x02${string}`;
    expect(await recoverTransactionAddress({ serializedTransaction })).toBe(kms.address);
    expect(parseTransaction(serializedTransaction)).toMatchObject({ to: TOKEN_ADDRESS, data });
  });

  test.each<[string, Partial<Transaction>, string]>([
    ['another amount', { value: 10n ** 18n + 1n }, 'amount'],
    ['another destination', { to: THIEF }, 'destination'],
    ['another chain', { chainId: 1 }, 'transaction'],
    ['an approval', { data: '0x095ea7b3' }, 'transaction'],
    ['calldata that is no transfer', { data: '0x00' }, 'transaction'],
    ['gas that would burn the wallet', { maxFeePerGas: 10n ** 18n }, 'fee'],
  ])('error: %s, and KMS is not asked', async (_name, change, reason) => {
    const { made, sign } = await setUp();
    const admission = await reserve(made, {});
    const before = kms.asked.length;
    const request = { withdrawalId: 'w-1', admission, transaction: payment(change) };
    expect(await sign(request)).toMatchObject({ ok: false, reason });
    expect(kms.asked).toHaveLength(before);
    // A refusal does not use the admission up.
    expect(await sign({ ...request, transaction: payment() })).toMatchObject({ ok: true });
  });

  test('error: an admission for another withdrawal, expired, or none', async () => {
    const { made, sign } = await setUp();
    const admission = await reserve(made, {});
    const transaction = payment();
    const other = { withdrawalId: 'w-2', admission, transaction };
    expect(await sign(other)).toMatchObject({ reason: 'withdrawal' });
    const none = { withdrawalId: 'w-1', admission: '', transaction };
    expect(await sign(none)).toMatchObject({ reason: 'malformed' });
    made.clock.nowMs += 30_000;
    const late = { withdrawalId: 'w-1', admission, transaction };
    expect(await sign(late)).toMatchObject({ reason: 'expired' });
  });

  test('error: an admission signs once, also with another nonce', async () => {
    const { made, sign } = await setUp();
    const request = { withdrawalId: 'w-1', admission: await reserve(made, {}) };
    expect(await sign({ ...request, transaction: payment() })).toMatchObject({ ok: true });
    const again = { ...request, transaction: payment({ nonce: 1 }) };
    expect(await sign(again)).toMatchObject({ ok: false, reason: 'reused' });
  });

  test('behavior: a flag that is not enabled stops it, and the admission is kept', async () => {
    let enabled = false;
    const check = async () => ({ enabled, reason: 'breaker-open', text: 'open' }) as const;
    const { made, sign } = await setUp({ flag: { check } });
    const request = {
      withdrawalId: 'w-1',
      admission: await reserve(made, {}),
      transaction: payment(),
    };
    expect(await sign(request)).toEqual({ ok: false, reason: 'flag', text: 'open' });
    enabled = true;
    expect(await sign(request)).toMatchObject({ ok: true });
  });

  test('behavior: fields that nobody looked at are not signed', async () => {
    const { made, sign } = await setUp();
    const extra = { accessList: [{ address: THIEF, storageKeys: [] }] };
    const transaction = { ...payment(), ...extra } as Transaction;
    const signed = await sign({
      withdrawalId: 'w-1',
      admission: await reserve(made, {}),
      transaction,
    });
    if (!signed.ok) throw new Error(signed.text);
    expect(parseTransaction(signed.serialized as `0x02${string}`).accessList).toBeUndefined();
  });
});

describe('readTransfer', () => {
  const from = { wallet: CUSTOMER, nativeAsset: COIN } as const;
  const read = (change: Partial<Transaction>) => readTransfer(payment(change), from);
  const call = tokenCall(CUSTOMER, 1n);

  test.each<[string, Partial<Transaction>]>([
    ['bytes after the arguments', { data: `${call}00`, value: 0n }],
    [
      'bits above the address',
      { data: `${call.slice(0, 10)}ff${call.slice(12)}` as '0x', value: 0n },
    ],
    ['transferFrom', { data: `0x23b872dd${'00'.repeat(96)}`, value: 0n }],
    ['no recipient', { to: '' as never }],
  ])('error: %s', (_name, change) => {
    expect(read(change)).toEqual({ problem: expect.any(String) });
  });
});

describe('kmsAccount', () => {
  test('default: the address of the public key', async () => {
    expect((await kmsAccount(client, 'alias/hot')).address).toBe(kms.address);
  });

  test('error: signs neither messages nor typed data', async () => {
    const account = await kmsAccount(client, kms.keyArn);
    await expect(account.signMessage({ message: 'x' })).rejects.toThrow(OnlyTransactionsError);
    await expect(account.signTypedData({} as never)).rejects.toThrow(OnlyTransactionsError);
  });

  test.each([[{ KeySpec: 'ECC_NIST_P256' }], [{ KeyUsage: 'KEY_AGREEMENT' }]])(
    'error: a key with %o',
    async (described) => {
      const other = await startEthereumKms(described);
      const { endpoint } = other;
      const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
      const its = new KMSClient({ region: 'eu-west-1', endpoint, credentials });
      await expect(kmsAccount(its, other.keyArn)).rejects.toThrow(UnfitKeyError);
      its.destroy();
      await other.stop();
    },
  );
});

describe('toEthereumSignature', () => {
  test('behavior: an s in the upper half becomes the lower one of the same signer (EIP-2)', async () => {
    const hash = keccak256('0x01');
    const privateKey = generatePrivateKey();
    const { address } = privateKeyToAccount(privateKey);
    const { r, s } = await signHash({ hash, privateKey });
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const halves = [BigInt(s), order - BigInt(s)].map((half) => toDer({ r: BigInt(r), s: half }));
    for (const der of halves) {
      const signature = await toEthereumSignature(der, { hash, address });
      expect(signature).toMatchObject({ r, s });
      expect(BigInt(signature.s) <= order / 2n).toBe(true);
      expect(await recoverAddress({ hash, signature })).toBe(address);
    }
  });

  const signed = { hash: `0x${'11'.repeat(32)}`, address: CUSTOMER } as const;

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['bytes after it', Buffer.concat([toDer({ r: 1n, s: 1n }), Buffer.alloc(1)])],
    ['zero', toDer({ r: 0n, s: 1n })],
    ['a number above the order', toDer({ r: 2n ** 256n - 1n, s: 1n })],
    ['a negative number', Buffer.from('3006020181020101', 'hex')],
    ['the signature of another key', toDer({ r: 1n, s: 1n })],
  ])('error: %s', async (_name, der) => {
    await expect(toEthereumSignature(der, signed)).rejects.toThrow(UnusableSignatureError);
  });
});

describe('handler', () => {
  test.each([
    ['nothing', undefined],
    ['a field that nobody looks at', request({ authorizationList: [] })],
    ['an amount that is a number', request({ value: 1 })],
    ['no gas', request({ gas: undefined })],
  ])('error: %s is refused before any setting is read', async (_name, event) => {
    expect(await handler(event)).toMatchObject({ ok: false, reason: 'transaction' });
  });

  test('error: a missing setting signs nothing', async () => {
    vi.stubEnv('ADMISSION_JWKS', '');
    await expect(handler(request({}))).rejects.toThrow('ADMISSION_JWKS is not set');
    vi.unstubAllEnvs();
  });
});

describe('key-policy.json', () => {
  test('default: one role signs digests, everybody else is denied', () => {
    const file = new URL('../../examples/kms-signer/key-policy.json', import.meta.url);
    const { Statement } = JSON.parse(readFileSync(file, 'utf8'));
    type One = { Effect: string; Action: string | string[]; Principal: { AWS: string } };
    const signing = (Statement as One[]).filter(({ Action }) =>
      [Action].flat().includes('kms:Sign'),
    );
    const role = 'arn:aws:iam::111122223333:role/withdrawal-signer';
    expect(signing).toMatchObject([
      { Effect: 'Allow', Principal: { AWS: role } },
      { Effect: 'Deny', Condition: { ArnNotEquals: { 'aws:PrincipalArn': role } } },
    ]);
    expect((Statement as One[]).some(({ Action }) => [Action].flat().includes('kms:*'))).toBe(
      false,
    );
  });
});

function request(change: Readonly<Record<string, unknown>>) {
  const fees = { gas: '21000', maxFeePerGas: '1', maxPriorityFeePerGas: '1' };
  const transaction = { chainId: 1, nonce: 0, to: CUSTOMER, value: '1', data: '0x', ...fees };
  return { withdrawalId: 'w-1', admission: 'x', transaction: { ...transaction, ...change } };
}

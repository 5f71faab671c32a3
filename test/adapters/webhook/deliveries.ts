/**
 * Deliveries as providers document them, and signatures as providers make them. None of these was
 * recorded from a live service: shapes are from the documentation that each names, values are ours.
 */

import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import type { Delivery } from '../../../lib/adapters/webhook/delivery.ts';
import type { Receipt, Receipts } from '../../../lib/adapters/webhook/receipts.ts';
import { LaterError } from '../../../lib/adapters/webhook/refusals.ts';

/** A delivery of JSON, or of text as it is. */
export function delivery(body: unknown, headers: Delivery['headers'] = {}): Delivery {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { headers, body: Buffer.from(text) };
}

/** Hex HMAC-SHA256. */
export function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

/** From the documentation: the transaction of Alchemy's example. */
export const HASH = '0x7a4a39da2a3fa1fc2ef88fd1eaea070286ed2aba21e0419dcfb6d5c5d9f02a72';
/** From the documentation: its block. */
export const BLOCK = '0xa99ec54413bd3db3f9bdb0c1ad3ab1400ee0ecefb47803e17f9d33bc4d0a1e91';
const USDC = '0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
const FROM = `0x${'1'.repeat(40)}`;
const TO = '0xbe3f4b43db5eb49d1f48f53443b9abce45da3b79';

/**
 * From the documentation (https://www.alchemy.com/docs/reference/address-activity-webhook): an entry
 * for an ERC-20 transfer. The payer is `hot-1` of the tests.
 */
export function tokenActivity(more: Readonly<Record<string, unknown>> = {}) {
  return {
    blockNum: '0xdf34a3',
    hash: HASH,
    fromAddress: FROM,
    toAddress: TO,
    value: 293.092129,
    erc721TokenId: null,
    erc1155Metadata: null,
    asset: 'USDC',
    category: 'token',
    rawContract: {
      rawValue: '0x0000000000000000000000000000000000000000000000000000000011783b21',
      address: USDC,
      decimals: 6,
    },
    typeTraceAddress: null,
    log: tokenLog(),
    ...more,
  };
}

/** From the documentation: the log of that entry. `logIndex` counts in the block. */
export function tokenLog(more: Readonly<Record<string, unknown>> = {}) {
  return {
    address: USDC,
    topics: ['0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'],
    data: '0x0000000000000000000000000000000000000000000000000000000011783b21',
    blockNumber: '0xdf34a3',
    transactionHash: HASH,
    transactionIndex: '0x46',
    blockHash: BLOCK,
    logIndex: '0x6e',
    removed: false,
    ...more,
  };
}

/** From the documentation: an entry for ether, at the top of its transaction or within it. */
export function etherActivity(more: Readonly<Record<string, unknown>> = {}) {
  return {
    blockNum: '0xdf34a3',
    hash: HASH,
    fromAddress: FROM,
    toAddress: TO,
    value: 0.5,
    asset: 'ETH',
    category: 'external',
    rawContract: { rawValue: '0x6f05b59d3b20000', decimals: 18 },
    ...more,
  };
}

/** From the documentation: the envelope of an address activity. */
export function addressActivity(activity: readonly unknown[], network = 'ETH_MAINNET') {
  return {
    webhookId: 'wh_k63lg72rxda78gce',
    id: 'whevt_vq499kv7elmlbp2v',
    createdAt: '2024-01-23T07:42:26.411977228Z',
    type: 'ADDRESS_ACTIVITY',
    event: { network, activity },
  };
}

/** A receipt of the example: two logs of others first. */
export function receipt(more: Partial<Receipt> = {}): Receipt {
  const logs = [0x6c, 0x6d, 0x6e].map((index) => ({ index, address: USDC }));
  return { from: FROM, succeeded: true, blockHash: BLOCK, logs, ...more };
}

/** A node that knows these receipts by hash, and notes what it was asked. */
export function node(known: Readonly<Record<string, Receipt>>): Receipts & { asked: string[] } {
  const asked: string[] = [];
  const find = async ({ hash }: { readonly hash: string }) => {
    asked.push(hash);
    const found = known[hash];
    if (!found) throw new LaterError({ why: 'unknown' });
    return found;
  };
  return { asked, find };
}

/** A key as Fireblocks publishes it, and what signs with it. */
export type Signer = {
  readonly jwks: JSONWebKeySet;
  readonly privateKey: KeyObject;
  readonly kid: string;
};

/** Makes one: RSA, RS512, with a `kid`. */
export function fireblocksSigner(kid = 'webhook-key-2025-01'): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS512' };
  return { jwks: { keys: [jwk] } as JSONWebKeySet, privateKey, kid };
}

/**
 * From the documentation (https://developers.fireblocks.com/reference/validating-webhooks): a detached
 * JWS, `header..signature`, over the base64url of the body.
 */
export function detached(signer: Signer, body: string, header = { alg: 'RS512' }): string {
  const protectedHeader = base64url(JSON.stringify({ ...header, kid: signer.kid }));
  const input = `${protectedHeader}.${base64url(body)}`;
  const signature = sign('RSA-SHA512', Buffer.from(input), signer.privateKey);
  return `${protectedHeader}..${signature.toString('base64url')}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** The workspace of the tests. */
export const WORKSPACE = '0b2cc3d2-4ea6-4a1c-9c0e-0d3a7a1f9a11';

/**
 * From the documentation (https://developers.fireblocks.com/reference/webhook-notification-structure
 * and `transaction-webhooks`): an XRP payment out of vault account 0.
 */
export function transaction(more: Readonly<Record<string, unknown>> = {}) {
  return {
    id: 'f4d8d8d2-3c0b-4c7e-8f43-1d6cbb5a0001',
    createdAt: 1_754_229_343_505,
    lastUpdated: 1_754_229_373_505,
    assetId: 'XRP',
    source: { id: '0', type: 'VAULT_ACCOUNT', name: 'Default', subType: '' },
    destination: { id: '', type: 'ONE_TIME_ADDRESS', name: 'N/A', subType: '' },
    amount: 25.5,
    networkFee: 0.000012,
    netAmount: 25.5,
    sourceAddress: 'rHotWallet1111111111111111111111111',
    destinationAddress: 'rCustomer22222222222222222222222222',
    destinationAddressDescription: '',
    destinationTag: '77001',
    status: 'COMPLETED',
    subStatus: 'CONFIRMED',
    txHash: 'A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E8F90',
    signedBy: [],
    createdBy: 'user-1',
    rejectedBy: '',
    addressType: '',
    note: '',
    exchangeTxId: '',
    requestedAmount: 25.5,
    feeCurrency: 'XRP',
    operation: 'TRANSFER',
    amountInfo: { amount: '25.5', requestedAmount: '25.5', netAmount: '25.5', amountUSD: '13.1' },
    feeInfo: { networkFee: '0.000012' },
    destinations: [],
    externalTxId: 'w-77',
    blockInfo: { blockHeight: '89412233', blockHash: 'ABCD' },
    networkRecords: [],
    ...more,
  };
}

/** From the documentation: the envelope of a notification. */
export function notification(
  data: unknown,
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    id: '7d0a2a2e-5d39-4a30-9a51-2f6f4e9d0001',
    resourceId: 'f4d8d8d2-3c0b-4c7e-8f43-1d6cbb5a0001',
    workspaceId: WORKSPACE,
    eventType: 'transaction.status.updated',
    createdAt: 1_754_229_373_763,
    data,
    ...more,
  };
}

/** Settings that know XRP, bitcoin and USDC. */
export const FIREBLOCKS_SETTINGS = {
  environment: 'sandbox',
  workspaceId: WORKSPACE,
  vaults: {
    '0': [
      'xrpl:0:rHotWallet1111111111111111111111111',
      'bip122:000000000019d6689c085ae165831e93:bc1qhotwallet',
      `eip155:1:${FROM}`,
      `eip155:137:${FROM}`,
    ],
  },
  ignoredVaults: ['9'],
  assets: {
    XRP: { asset: 'xrpl:0/slip44:144', decimals: 6 },
    BTC: { asset: 'bip122:000000000019d6689c085ae165831e93/slip44:0', decimals: 8 },
    ETH: { asset: 'eip155:1/slip44:60', decimals: 18 },
    USDC_POLYGON: {
      asset: 'eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359',
      decimals: 6,
    },
    MATIC_POLYGON: { asset: 'eip155:137/slip44:966', decimals: 18 },
  },
  counted: {
    'eip155:137': { native: 'eip155:137/slip44:966', rpcUrl: 'https://node.example/key' },
  },
};

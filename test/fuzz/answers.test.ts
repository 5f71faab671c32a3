/**
 * What others answer us and what lies in the tables, garbage and wrong in one field: the answer is not
 * used, and the error names the field. None of it throws what only a mistake of ours throws.
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toIncident } from '../../lib/adapters/dynamodb/control-codec.ts';
import { parseControlRecord } from '../../lib/adapters/dynamodb/control-record.ts';
import { fromItem, toItem } from '../../lib/adapters/dynamodb/item-codec.ts';
import { fromMeterBytes, toMeterBytes } from '../../lib/adapters/dynamodb/meter-codec.ts';
import { fromRow, toRow } from '../../lib/adapters/dynamodb/row-codec.ts';
import * as Evm from '../../lib/adapters/evm/wire.ts';
import { createHttpPriceReader } from '../../lib/adapters/price/http.ts';
import { createRpcReceipts } from '../../lib/adapters/webhook/receipts.ts';
import { hostTimers } from '../../lib/client/time.ts';
import * as Meter from '../../lib/domain/meter.ts';
import * as Aws from '../support/aws-shapes.ts';
import * as Build from '../support/builders.ts';
import { changed, garbage, LONG, said, wordsOf, wrongOf } from './strange.ts';

const RUNS = 150;
const HASH = `0x${'a'.repeat(64)}`;
const ADDRESS = `0x${'1'.repeat(40)}`;
const ASKED = { name: 'node-1', what: 'it' };

const HEADER = { number: '0x10', hash: HASH, parentHash: HASH, timestamp: '0x65' };
const TRANSACTION = {
  hash: HASH,
  from: ADDRESS,
  to: ADDRESS,
  nonce: '0x7',
  value: '0x10',
  input: '0x',
  type: '0x4',
  transactionIndex: '0x0',
  authorizationList: [
    { chainId: '0x1', address: ADDRESS, nonce: '0x1', yParity: '0x0', r: '0x1', s: '0x1' },
  ],
};
const LOG = {
  address: ADDRESS,
  topics: [HASH],
  data: '0x01',
  logIndex: '0x3',
  blockHash: HASH,
  blockNumber: '0x10',
  transactionHash: HASH,
};
const RECEIPT = {
  transactionHash: HASH,
  blockHash: HASH,
  status: '0x1',
  gasUsed: '0x5208',
  effectiveGasPrice: '0x1',
  contractAddress: ADDRESS,
  logs: [LOG],
};
const BLOCK = {
  ...HEADER,
  miner: ADDRESS,
  logsBloom: '0x00',
  withdrawals: [{ address: ADDRESS, amount: '0x1' }],
  transactions: [TRANSACTION],
};

describe.for<[string, unknown, (value: unknown, asked: typeof ASKED) => unknown]>([
  ['header', HEADER, Evm.readRawHeader],
  ['block', BLOCK, Evm.readRawBlock],
  ['logs', [LOG], Evm.readRawLogs],
  ['receipt', RECEIPT, Evm.readRawReceipt],
  ['receipts', [RECEIPT], Evm.readRawReceipts],
  ['pending', { transactions: [TRANSACTION] }, Evm.readRawPending],
  ['pool', { pending: { [ADDRESS]: { 7: TRANSACTION } }, queued: {} }, Evm.readRawPool],
])('an RPC endpoint shows a %s', ([, good, read]) => {
  test('behavior: one field that is wrong is refused by its name, with that of the endpoint', () => {
    expect(said(() => read(good, ASKED))).toBeUndefined();
    const unnamed = wrongOf(good).flatMap(({ path, text, put }) => {
      const words = said(() => read(JSON.parse(text), ASKED));
      if (words === undefined) return [];
      const isNamed = words.includes(path.join('.')) && words.includes('node-1');
      return isNamed ? [] : [`${path.join('.')} = ${put} → ${words}`];
    });
    expect(unnamed).toEqual([]);
  });

  test('behavior: garbage is refused, and no number is more than a double holds', async () => {
    await fc.assert(
      fc.property(fc.anything(), (value) => {
        said(() => read(value, ASKED));
      }),
      { numRuns: RUNS },
    );
    const huge = JSON.stringify(good).replaceAll('"0x10"', `"0x${'f'.repeat(64)}"`);
    const words = said(() => read(JSON.parse(huge), ASKED));
    if (huge.includes('number') || huge.includes('blockNumber')) expect(words).toContain('2^53');
  });
});

describe('a provider of prices', () => {
  const GOOD = '{"ethereum":{"usd":3456.789012345678901,"last_updated_at":1700000000}}';
  const read = async (text: string) => {
    const fetch = async () => new Response(text);
    const provider = async () => ({ url: 'https://prices.example/', headers: {} });
    const reader = createHttpPriceReader({ fetch, timers: hostTimers, timeoutMs: 500, provider });
    const [reading] = await reader.read([{ kind: 'http', id: 'ethereum' }]);
    return reading;
  };

  test('behavior: whatever it answers is a price that can be held, or a failure with its reason', async () => {
    const wrong = wrongOf(JSON.parse(GOOD)).map(({ text }) => text);
    const texts = fc.oneof(garbage(), changed(GOOD), fc.constantFrom(...wrong, ...LONG));
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const reading = await read(text);
        if (reading?.kind === 'failed') expect(reading.why.length).toBeGreaterThan(0);
        else {
          expect(reading?.pricePicoUsd).toBeGreaterThanOrEqual(0n);
          expect(Number.isSafeInteger(reading?.atMs)).toBe(true);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

describe('a node that is asked for a receipt', () => {
  const GOOD = {
    receipt: {
      result: {
        from: ADDRESS,
        status: '0x1',
        blockHash: HASH,
        contractAddress: ADDRESS,
        logs: [{ logIndex: '0x6e', address: ADDRESS }],
      },
    },
    transaction: { result: { to: ADDRESS, input: '0xa9059cbb' } },
  };

  test('behavior: whatever it answers is a receipt, or to be asked for later', async () => {
    const fields = wrongOf(GOOD).map(({ text }) => text);
    const texts = fc.oneof(garbage(), changed(JSON.stringify(GOOD)), fc.constantFrom(...fields));
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const fetch = async (_: unknown, init?: RequestInit) => {
          const isReceipt = String(init?.body).includes('Receipt');
          return new Response(partOf(text, isReceipt ? 'receipt' : 'transaction'));
        };
        const receipts = createRpcReceipts({ fetch, timers: hostTimers, timeoutMs: 500 });
        try {
          const found = await receipts.find({ rpcUrl: 'https://node.example/', hash: HASH });
          expect(found.logs.every(({ index }) => Number.isSafeInteger(index))).toBe(true);
        } catch (error) {
          expect(wordsOf(error)).toMatch(/node/);
        }
      }),
      { numRuns: RUNS },
    );
  });

  function partOf(text: string, part: string): string {
    try {
      return JSON.stringify(JSON.parse(text)[part]) ?? text;
    } catch {
      return text;
    }
  }
});

describe('the tables', () => {
  const charged = Meter.charge(Meter.EMPTY, Build.charge({ count: 1, notional: 5n }), Build.T0_MS);
  const row = toRow({
    rowId: 'withdrawal:w-1',
    version: 1,
    state: 'reported',
    decisionId: 'decision-1',
    bodyHash: Build.hash('body'),
    atMs: Build.T0_MS,
    policyVersion: 1,
    money: {
      transfer: Build.transfer(),
      subject: Build.subject(),
      charged: [{ asset: Build.USDC, amount: 5n, notional: 5n, pricePicoUsd: 10n ** 12n }],
      chargedAtMs: Build.T0_MS,
    },
  });
  type Attributes = Record<string, AttributeValue>;

  /** Each attribute in turn: gone, of another type, or with its text changed. */
  async function distort(good: Attributes, read: (attributes: Attributes) => unknown) {
    const names = fc.constantFrom(...Object.keys(good));
    const other = fc.oneof(
      fc.constantFrom<AttributeValue | undefined>(undefined, { NULL: true }, { BOOL: true }),
      fc.string({ maxLength: 40, unit: 'binary' }).map((S) => ({ S })),
      fc.constantFrom('-1', '0', '1e309', '1.5', '9'.repeat(38)).map((N) => ({ N })),
      fc.uint8Array({ maxLength: 60 }).map((B) => ({ B })),
      names.chain((name) => changed(good[name]?.S ?? '{}').map((S) => ({ S }))),
    );
    await fc.assert(
      fc.property(names, other, (name, value) => {
        const { [name]: _, ...rest } = good;
        const attributes = value === undefined ? rest : { ...rest, [name]: value };
        said(() => read(attributes as Attributes));
      }),
      { numRuns: RUNS * 2 },
    );
  }

  test('behavior: a row that is not as we write it is unreadable, not another row', () =>
    distort(row, (attributes) => fromRow('withdrawal:w-1', attributes)));

  test('behavior: an item that is not as we write it is unreadable, not an empty one', () =>
    distort(toItem('wallet:hot-1', Build.item({ meter: charged })), fromItem));

  test('behavior: bytes that are no meter are none', async () => {
    const good = toMeterBytes(charged);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.nat(good.length - 1), fc.nat(255))
        .map(([at, byte]) => new Uint8Array(good).with(at, byte)),
      fc.nat(good.length).map((length) => good.slice(0, length)),
    );
    await fc.assert(
      fc.property(bytes, (some) => {
        said(() => fromMeterBytes(some));
      }),
      { numRuns: RUNS * 2 },
    );
  });

  test('behavior: a record of the stream that is not ours is ignored or unreadable', () =>
    distort(toIncident(Aws.incident('1HA4VYR80K2M3')), (after) =>
      parseControlRecord(Aws.streamRecord(1, { after })),
    ));
});

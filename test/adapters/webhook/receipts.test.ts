import { afterEach, describe, expect, test } from 'vitest';
import { createRpcReceipts, placeOfLog } from '../../../lib/adapters/webhook/receipts.ts';
import { hostTimers } from '../../../lib/client/time.ts';
import { type HttpServer, startHttpServer } from '../../../lib/local/http-server.ts';
import { BLOCK, HASH, receipt } from './deliveries.ts';

let server: HttpServer | undefined;
afterEach(async () => server?.stop());

/** A node that answers everything alike; what it was asked is in `asked`. */
async function start(answer: { readonly status?: number; readonly body: unknown }) {
  const asked: unknown[] = [];
  const handle = async ({ json }: { readonly json: () => unknown }) => {
    asked.push(json());
    return { status: answer.status ?? 200, body: answer.body };
  };
  server = await startHttpServer({ routes: [{ method: 'POST', path: '/v2/secret-key', handle }] });
  const receipts = createRpcReceipts({ fetch, timers: hostTimers, timeoutMs: 2_000 });
  const rpcUrl = `${server.endpoint}/v2/secret-key`;
  return { asked, find: () => receipts.find({ rpcUrl, hash: HASH }), receipts };
}

const ANSWER = {
  from: '0xABCDEF0000000000000000000000000000000001',
  status: '0x1',
  blockHash: BLOCK.toUpperCase().replace('0X', '0x'),
  contractAddress: '0xCC',
  to: '0xDD',
  input: '0xa9059cbb',
  logs: [
    { logIndex: '0x6e', address: '0xAA' },
    { logIndex: '0x6d', address: '0xbb' },
  ],
};

describe('createRpcReceipts', () => {
  test('default', async () => {
    const { asked, find } = await start({ body: { jsonrpc: '2.0', id: 1, result: ANSWER } });
    expect(await find()).toEqual({
      from: '0xabcdef0000000000000000000000000000000001',
      succeeded: true,
      blockHash: BLOCK,
      created: '0xcc',
      called: '0xdd',
      logs: [
        { index: 0x6d, address: '0xbb' },
        { index: 0x6e, address: '0xaa' },
      ],
    });
    expect(asked).toMatchObject([
      { method: 'eth_getTransactionReceipt', params: [HASH] },
      { method: 'eth_getTransactionByHash', params: [HASH] },
    ]);
  });

  test.each(['0x', '0xa9059c'])('behavior: with the input %s it calls nobody', async (input) => {
    const { find } = await start({ body: { result: { ...ANSWER, input } } });
    expect((await find()).called).toBeUndefined();
  });

  test('behavior: reverted', async () => {
    const { find } = await start({ body: { result: { ...ANSWER, status: '0x0' } } });
    expect(await find()).toMatchObject({ succeeded: false });
  });

  test.each([
    ['unknown to the node', { body: { result: null } }],
    ['an error of the node', { body: { error: { code: -32000, message: 'busy' } } }],
    ['no JSON', { body: 'busy' }],
    ['an HTTP error', { status: 503, body: {} }],
    ['another shape', { body: { result: { from: 1 } } }],
  ])('error: %s: later, and the key is in no message', async (_name, answer) => {
    const { find } = await start(answer);
    const error = await find().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'Webhook.LaterError' });
    expect(String(error)).not.toContain('secret-key');
  });

  test('error: plain HTTP to elsewhere', async () => {
    const { receipts } = await start({ body: {} });
    const rpcUrl = 'http://node.example/secret-key';
    await expect(receipts.find({ rpcUrl, hash: HASH })).rejects.toThrow('must begin with https');
  });
});

describe('placeOfLog', () => {
  test('default: the position within the transaction', () => {
    expect(placeOfLog(receipt(), { index: 0x6c, blockHash: BLOCK })).toBe('log:0');
    expect(placeOfLog(receipt(), { index: 0x6e })).toBe('log:2');
  });

  test('error: another block, no such log, a log of another contract', () => {
    const other = { index: 0x6c, blockHash: `0x${'0'.repeat(64)}` };
    expect(() => placeOfLog(receipt(), other)).toThrow('different blocks');
    expect(() => placeOfLog(receipt(), { index: 1 })).toThrow('does not have the log');
    const foreign = { index: 0x6c, address: '0x00' };
    expect(() => placeOfLog(receipt(), foreign)).toThrow('does not have the log');
  });
});

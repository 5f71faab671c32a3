import { describe, expect, test } from 'vitest';
import {
  ALCHEMY_BODY_MAX_BYTES,
  isFromAlchemy,
  parseAlchemySettings,
  readAlchemy,
} from '../../../lib/adapters/webhook/alchemy.ts';
import type { Receipt } from '../../../lib/adapters/webhook/receipts.ts';
import { fromEnvelope } from '../../../lib/adapters/wire/event.ts';
import type { Policy } from '../../../lib/domain/policy.ts';
import { outflowRowId } from '../../../lib/domain/withdrawal.ts';
import * as Build from '../../support/builders.ts';
import {
  addressActivity,
  delivery,
  etherActivity,
  HASH,
  hmac,
  node,
  receipt,
  tokenActivity,
  tokenLog,
} from './deliveries.ts';

const KEY = 'whsec_0123456789abcdef';
const COUNTED = { 'eip155:1': { native: Build.ETH, rpcUrl: 'https://node.example/key' } };

function read(
  activity: readonly unknown[],
  more: {
    readonly receipt?: Receipt;
    readonly counted?: typeof COUNTED | Record<string, never>;
    readonly policy?: Policy;
  } = {},
) {
  const deps = {
    policy: more.policy ?? Build.policy(),
    counted: more.counted ?? COUNTED,
    receipts: node({ [HASH]: more.receipt ?? receipt() }),
  };
  return readAlchemy(deps, delivery(addressActivity(activity)));
}

describe('parseAlchemySettings', () => {
  test('default', () => {
    const counted = { 'eip155:137': { native: 'eip155:137/slip44:966', rpcUrl: 'https://x' } };
    const settings = { signingKeys: [KEY], counted };
    expect(parseAlchemySettings(JSON.stringify(settings))).toEqual(settings);
    expect(parseAlchemySettings(JSON.stringify({ signingKeys: [KEY] })).counted).toEqual({});
  });

  test('error: names the field and no value', () => {
    const wrong = () => parseAlchemySettings(JSON.stringify({ signingKeys: ['short'], typo: 1 }));
    expect(wrong).toThrow(/signingKeys\.0/);
    expect(wrong).not.toThrow(/"short"/);
    const counted = { ethereum: { native: 'eip155:1/slip44:60', rpcUrl: 'https://x' } };
    const misnamed = JSON.stringify({ signingKeys: [KEY], counted });
    expect(() => parseAlchemySettings(misnamed)).toThrow(/counted/);
    expect(() => parseAlchemySettings('')).toThrow(/secret: is not JSON/);
    expect(() => parseAlchemySettings('{"signingKeys":[]}')).toThrow(/signingKeys/);
  });
});

describe('isFromAlchemy', () => {
  const body = JSON.stringify(addressActivity([tokenActivity()]));
  const signed = (text: string, signature: string) =>
    isFromAlchemy(delivery(text, { 'x-alchemy-signature': signature }), [KEY]);

  test('default', () => {
    expect(signed(body, hmac(KEY, body))).toBe(true);
  });

  test('behavior: forged, altered by one byte, re-serialised or unsigned: no', () => {
    expect(signed(body, hmac('whsec_another-key-00', body))).toBe(false);
    expect(signed(body.replace('11783b21', '11783b22'), hmac(KEY, body))).toBe(false);
    expect(signed(JSON.stringify(JSON.parse(body), undefined, 1), hmac(KEY, body))).toBe(false);
    expect(isFromAlchemy(delivery(body), [KEY])).toBe(false);
  });
});

describe('readAlchemy', () => {
  test('default: the place is the one within the transaction, the amount the raw value', async () => {
    expect(await read([tokenActivity()])).toMatchInlineSnapshot(`
      {
        "events": [
          {
            "detail": {
              "amount": "293092129",
              "asset": "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
              "destination": "eip155:1:0xbe3f4b43db5eb49d1f48f53443b9abce45da3b79",
              "place": "log:2",
              "transaction": "0x7a4a39da2a3fa1fc2ef88fd1eaea070286ed2aba21e0419dcfb6d5c5d9f02a72",
              "wallet": "eip155:1:0x1111111111111111111111111111111111111111",
            },
            "detailType": "outflow.observed",
          },
        ],
        "left": [],
      }
    `);
  });

  test('behavior: ether at the top, and within the transaction, at the trace a node would name', async () => {
    const internal = { category: 'internal', typeTraceAddress: 'call_0_1' };
    const { events } = await read([etherActivity(), etherActivity(internal)]);
    expect(events.map(({ detail }) => detail)).toMatchObject([
      { place: 'top', asset: Build.ETH, amount: '500000000000000000' },
      { place: 'trace:0.1', asset: Build.ETH, amount: '500000000000000000' },
    ]);
  });

  test('behavior: every transfer of a transaction is a leg of its own (H23)', async () => {
    const second = tokenActivity({ log: tokenLog({ logIndex: '0x6d' }) });
    const { events } = await read([tokenActivity(), second, etherActivity()]);
    const places = events.map(({ detail }) => (detail as { place: string }).place);
    expect(places).toEqual(['log:2', 'log:1', 'top']);
  });

  test('behavior: included again in another block, the same id (H66)', async () => {
    const other = `0x${'5'.repeat(64)}`;
    const logs = [0x06, 0x07, 0x08].map((index) => ({ index, address: tokenLog().address }));
    const again = await read(
      [tokenActivity({ log: tokenLog({ logIndex: '0x8', blockHash: other }) })],
      {
        receipt: receipt({ blockHash: other, logs }),
      },
    );
    const first = await read([tokenActivity()]);
    expect(again.events).toEqual(first.events);
    const id = first.events.map(({ detailType, detail }) => {
      const event = fromEnvelope({ 'detail-type': detailType, detail });
      return event.kind === 'outflow' ? outflowRowId(event) : '';
    });
    expect(id).toEqual([`outflow:eip155:1:${HASH}:log:2`]);
  });

  test('behavior: hashes and addresses in another case are the same outflow (H25)', async () => {
    const upper = (text: string) => `0x${text.slice(2).toUpperCase()}`;
    const plain = tokenActivity();
    const shouted = await read([
      tokenActivity({
        hash: upper(plain.hash),
        toAddress: upper(plain.toAddress),
        rawContract: { ...plain.rawContract, address: upper(plain.rawContract.address) },
      }),
    ]);
    expect(shouted).toEqual(await read([plain]));
  });

  test('behavior: a chain with a watcher is left to it, and no node is asked', async () => {
    const { events, left } = await read([tokenActivity(), etherActivity()], { counted: {} });
    expect(events).toEqual([]);
    expect(left.map(({ why }) => why)).toEqual(Array(2).fill('the watcher of its chain counts it'));
  });

  test('behavior: deposits and strangers are none of our business, whatever they look like', async () => {
    const stranger = tokenActivity({ fromAddress: `0x${'9'.repeat(40)}`, hash: 'odd', log: 7 });
    expect(await read([stranger])).toEqual({ events: [], left: [] });
  });

  test('behavior: what a reorganisation removed gives nothing back', async () => {
    const { events, left } = await read([tokenActivity({ log: tokenLog({ removed: true }) })]);
    expect(events).toEqual([]);
    expect(left).toMatchObject([{ why: expect.stringContaining('stays counted') }]);
  });

  test('behavior: what a new contract was given went to that contract', async () => {
    const created = `0x${'d'.repeat(40)}`;
    const making = etherActivity({ toAddress: null });
    expect((await read([making], { receipt: receipt({ created }) })).events).toMatchObject([
      { detail: { place: 'top', destination: `eip155:1:${created}` } },
    ]);
  });

  test('behavior: zero moves nothing, nor does a delegatecall or a reverted transaction (H72)', async () => {
    const zero = { rawValue: '0x', address: tokenActivity().rawContract.address };
    const calls = { category: 'internal', typeTraceAddress: 'DELEGATECALL_0' };
    const { events } = await read([tokenActivity({ rawContract: zero }), etherActivity(calls)]);
    expect(events).toEqual([]);
    expect(
      (await read([etherActivity()], { receipt: receipt({ succeeded: false }) })).events,
    ).toEqual([]);
  });

  test("behavior: a stranger's token that only names the wallet is no outflow; called by the wallet it is (H62)", async () => {
    const address = Build.UNLISTED.split(':').at(-1) ?? '';
    const fake = tokenActivity({
      rawContract: { rawValue: '0xffff', address },
      log: tokenLog({ address }),
    });
    const logs = [{ index: 0x6e, address }];
    const emitted = await read([fake], { receipt: receipt({ from: `0x${'9'.repeat(40)}`, logs }) });
    expect(emitted.events).toEqual([]);
    expect(emitted.left).toMatchObject([{ why: expect.stringContaining('did not call') }]);
    const called = await read([fake], { receipt: receipt({ logs, called: address }) });
    expect(called.events).toMatchObject([{ detail: { asset: Build.UNLISTED, place: 'log:0' } }]);
    // A withdrawal is paid to a customer's own contract, which logs what it likes; or it calls another one.
    expect((await read([fake], { receipt: receipt({ logs }) })).events).toEqual([]);
    const other = receipt({ logs, called: `0x${'9'.repeat(40)}` });
    expect((await read([fake], { receipt: other })).events).toEqual([]);
  });

  test('behavior: a pattern for many contracts lists none of them (H62)', async () => {
    const policy = Build.policy({
      assets: [{ pattern: 'eip155:1/erc20:*', symbol: 'any', decimals: 18 }],
    });
    const by = receipt({ from: `0x${'9'.repeat(40)}` });
    expect((await read([tokenActivity()], { receipt: by, policy })).events).toEqual([]);
  });

  test('behavior: a listed token moved by somebody else is an outflow', async () => {
    const by = receipt({ from: `0x${'9'.repeat(40)}` });
    expect((await read([tokenActivity()], { receipt: by })).events).toHaveLength(1);
  });

  test('behavior: ERC-721 is one, ERC-1155 the sum of its batch', async () => {
    const nft = tokenActivity({
      erc721TokenId: '0x7',
      rawContract: { address: tokenLog().address },
    });
    const batch = tokenActivity({
      category: 'erc1155',
      log: tokenLog({ logIndex: '0x6c' }),
      erc1155Metadata: [
        { tokenId: '0x1', value: '0x2' },
        { tokenId: '0x2', value: '0x3' },
      ],
    });
    const [, contract] = Build.USDC.split('erc20:');
    const { events } = await read([nft, batch], { receipt: receipt({ called: contract }) });
    expect(events.map(({ detail }) => detail)).toMatchObject([
      { asset: `eip155:1/erc721:${contract}`, amount: '1', place: 'log:2' },
      { asset: `eip155:1/erc1155:${contract}`, amount: '5', place: 'log:0' },
    ]);
  });

  test('behavior: the largest uint256, to the last unit (H11)', async () => {
    const rawValue = `0x${'f'.repeat(64)}`;
    const { events } = await read([
      tokenActivity({ value: 1.157e77, rawContract: { ...tokenActivity().rawContract, rawValue } }),
    ]);
    expect(events).toMatchObject([{ detail: { amount: (2n ** 256n - 1n).toString() } }]);
  });

  test('behavior: one receipt for each transaction', async () => {
    const receipts = node({ [HASH]: receipt() });
    const deps = { policy: Build.policy(), counted: COUNTED, receipts };
    await readAlchemy(deps, delivery(addressActivity([tokenActivity(), etherActivity()])));
    expect(receipts.asked).toEqual([HASH]);
  });

  test('behavior: other types are left', async () => {
    const deps = { policy: Build.policy(), counted: COUNTED, receipts: node({}) };
    const { left } = await readAlchemy(deps, delivery({ type: 'MINED_TRANSACTION', event: {} }));
    expect(left).toEqual([{ what: 'MINED_TRANSACTION', why: 'is no address activity' }]);
  });

  test('error: the node is behind, on another block, or has no such log: later', async () => {
    const later = { name: 'Webhook.LaterError' };
    const unknown = tokenActivity({ hash: `0x${'b'.repeat(64)}` });
    await expect(read([unknown])).rejects.toMatchObject(later);
    const elsewhere = receipt({ blockHash: `0x${'5'.repeat(64)}` });
    await expect(read([tokenActivity()], { receipt: elsewhere })).rejects.toMatchObject(later);
    await expect(read([tokenActivity()], { receipt: receipt({ logs: [] }) })).rejects.toMatchObject(
      later,
    );
    const [, second] = receipt().logs;
    const foreign = { index: 0x6e, address: `0x${'a'.repeat(40)}` };
    const logs = second ? [second, foreign] : [];
    await expect(read([tokenActivity()], { receipt: receipt({ logs }) })).rejects.toMatchObject(
      later,
    );
  });

  test.each([
    ['a hash that is none', tokenActivity({ hash: '0x12' }), /event\.activity\.0\.hash/],
    ['an unknown category', tokenActivity({ category: 'magic' }), /category: "magic" is not known/],
    [
      'an unknown call',
      etherActivity({ category: 'internal', typeTraceAddress: 'jump_0' }),
      /jump_0/,
    ],
    ['no raw value', etherActivity({ rawContract: { rawValue: null } }), /rawValue: is missing/],
    ['a token without a log', tokenActivity({ log: null }), /log: is missing/],
    ['no payer', { ...etherActivity(), fromAddress: 5 }, /activity\.0\.fromAddress/],
  ])('error: %s', async (_name, activity, problem) => {
    await expect(read([activity])).rejects.toThrow(problem);
  });

  test('error: an unknown network is refused by name, never guessed', async () => {
    const deps = { policy: Build.policy(), counted: COUNTED, receipts: node({}) };
    for (const network of ['SOLANA_MAINNET', 'constructor', '']) {
      const body = delivery(addressActivity([], network));
      await expect(readAlchemy(deps, body)).rejects.toThrow('is no known EVM network');
    }
  });

  test("error: Alchemy's own error in place of the activity", async () => {
    const deps = { policy: Build.policy(), counted: COUNTED, receipts: node({}) };
    const event = { error: 'Monthly capacity limit exceeded.' };
    const body = delivery({ type: 'ADDRESS_ACTIVITY', event });
    await expect(readAlchemy(deps, body)).rejects.toThrow(/event\.network: is missing/);
    await expect(readAlchemy(deps, delivery('{'))).rejects.toThrow('body: is not JSON');
  });

  test('behavior: a block full of activity fits', () => {
    const many = addressActivity(Array.from({ length: 700 }, () => tokenActivity()));
    expect(JSON.stringify(many).length).toBeLessThan(ALCHEMY_BODY_MAX_BYTES);
  });
});

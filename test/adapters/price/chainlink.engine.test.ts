import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RpcSettings } from '../../../lib/adapters/evm/rpc-settings.ts';
import { createChainlinkReader } from '../../../lib/adapters/price/chainlink.ts';
import type * as Price from '../../../lib/domain/price.ts';
import { type Anvil, findAnvil, startAnvil } from '../../../lib/local/chain-node.ts';
import { type Contracts, loadContracts } from '../../support/contracts.ts';
import { call, deploy, NATIVE, type Signer, signer } from '../evm/chain-world.ts';

const UPDATED_S = 1_700_000_000n;

describe.skipIf(findAnvil() === undefined)('createChainlinkReader', () => {
  let anvil: Anvil;
  let contracts: Contracts;
  let by: Signer;
  const servers: Server[] = [];

  beforeAll(async () => {
    contracts = await loadContracts();
    anvil = await startAnvil();
    by = signer(anvil, 1);
  });
  afterAll(() => anvil?.stop());
  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
  });

  async function feed(decimals: number, ...said: readonly bigint[]) {
    const at = await deploy(by, contracts.Feed, { args: [decimals] });
    if (said.length > 0) await say(at, ...said);
    return at;
  }

  async function say(
    at: Address,
    ...[answer = 0n, updatedAt = UPDATED_S, roundId = 1n, answeredIn = roundId]: readonly bigint[]
  ) {
    await call(by, { at, is: contracts.Feed }, ['say', answer, updatedAt, roundId, answeredIn]);
  }

  function nodes(...urls: readonly string[]): () => Promise<RpcSettings> {
    const endpoints = urls.map((url, at) => ({ name: `node-${at + 1}`, url }));
    return async () => new Map([['eip155:1', { native: NATIVE, endpoints }]]);
  }

  function chainlink(at: string): Price.Feed {
    return { kind: 'chainlink', chain: 'eip155:1', address: at.toLowerCase() };
  }

  test('default: price and time of the feed, in its own decimals', async () => {
    const feeds = [await feed(8, 200_012_345_678n), await feed(18, 10n ** 18n)].map(chainlink);
    expect(await createChainlinkReader(nodes(anvil.url)).read(feeds)).toEqual([
      {
        kind: 'quote',
        feed: feeds[0],
        pricePicoUsd: 2_000_123_456_780_000n,
        atMs: Number(UPDATED_S) * 1_000,
      },
      { kind: 'quote', feed: feeds[1], pricePicoUsd: 10n ** 12n, atMs: Number(UPDATED_S) * 1_000 },
    ]);
  });

  test('error: H55 feeds that revert, are not there, or say nothing sensible spoil no other', async () => {
    const down = await feed(8, 5n);
    await call(by, { at: down, is: contracts.Feed }, ['fail']);
    const token = await deploy(by, contracts.Token);
    const all = [
      await feed(8, 10n ** 8n),
      down,
      `0x${'e'.repeat(40)}`,
      token,
      await feed(8, 5n, 0n),
      await feed(8, 5n, UPDATED_S, 9n, 8n),
      await feed(37, 5n),
      await feed(8, 5n, 10n ** 15n),
      await feed(8, 0n),
      await feed(8, -5n),
    ].map(chainlink);
    const read = await createChainlinkReader(nodes(anvil.url)).read(all);
    expect(read.map((one) => (one.kind === 'failed' ? one.why : one.pricePicoUsd))).toEqual([
      10n ** 12n,
      'node-1 refuses eth_call: execution reverted: no data present',
      'node-1 shows no price feed at this address',
      expect.stringContaining('node-1 '),
      'node-1 shows a round that is not complete',
      'node-1 shows an answer of an earlier round',
      'node-1 says that the feed has 37 decimals',
      'node-1 shows a time that is none',
      0n,
      -5n,
    ]);
  });

  test('error: no node, or settings that cannot be read', async () => {
    const one = chainlink(`0x${'1'.repeat(40)}`);
    const failing = async () => {
      throw new Error('no secret');
    };
    for (const settings of [failing, async () => new Map() as RpcSettings]) {
      expect(await createChainlinkReader(settings).read([one])).toEqual([
        { kind: 'failed', feed: one, why: 'no node of eip155:1 is set up' },
      ]);
    }
    expect(await createChainlinkReader(failing).read([{ kind: 'http', id: 'x' }])).toEqual([]);
  });

  test('behavior: an endpoint that hangs leaves what the other says', async () => {
    const hanging = createServer(() => undefined);
    servers.push(hanging);
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`;
    const one = chainlink(await feed(8, 10n ** 8n));
    const reader = createChainlinkReader(nodes(url, anvil.url), { timeoutMs: 200 });
    const read = await reader.read([one]);
    expect(read.map(({ kind }) => kind)).toEqual(['failed', 'quote']);
    hanging.closeAllConnections();
  });

  test('error: a node of another chain is not believed', async () => {
    const other = await startAnvil({ chainId: 10 });
    try {
      const at = chainlink(await feed(8, 5n));
      const [reading] = await createChainlinkReader(nodes(other.url)).read([at]);
      expect(reading).toMatchObject({ kind: 'failed' });
    } finally {
      await other.stop();
    }
  });
});

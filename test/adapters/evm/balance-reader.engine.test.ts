import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createBalanceReader } from '../../../lib/adapters/evm/balance-reader.ts';
import type { RpcSettings } from '../../../lib/adapters/evm/rpc-settings.ts';
import { findAnvil } from '../../../lib/local/chain-node.ts';
import { erc20, idOf, NATIVE, startWorld, type World } from './chain-world.ts';

describe.skipIf(findAnvil() === undefined)('createBalanceReader', () => {
  let world: World;
  const servers: Server[] = [];

  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world?.anvil.stop());
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });

  function nodes(...urls: readonly string[]): () => Promise<RpcSettings> {
    const endpoints = urls.map((url, at) => ({ name: `node-${at + 1}`, url }));
    return async () => new Map([['eip155:1', { native: NATIVE, endpoints }]]);
  }

  /** A node that answers every question with one word, and is of the right chain. */
  async function lying(word: string): Promise<string> {
    const server = createServer(async (request, response) => {
      let text = '';
      for await (const part of request) text += part;
      const asked = [JSON.parse(text)].flat() as { id: number; method: string }[];
      const answers = asked.map(({ id, method }) => ({
        jsonrpc: '2.0',
        id,
        result: method === 'eth_chainId' ? '0x1' : word,
      }));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(text.startsWith('[') ? answers : answers[0]));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const word = (amount: bigint) => `0x${amount.toString(16).padStart(64, '0')}`;

  test('default: native coin and token', async () => {
    const account = idOf(world.hot.account.address);
    const token = erc20(world.token);
    const read = await createBalanceReader(nodes(world.anvil.url)).read([
      { account, asset: NATIVE },
      { account, asset: token },
    ]);
    expect(read).toEqual([10_000n * 10n ** 18n, 1_000_000_000n]);
  });

  test('behavior: H38 of several endpoints the lowest counts', async () => {
    const holding = { account: idOf(world.hot.account.address), asset: erc20(world.token) };
    const more = await lying(word(10n ** 30n));
    const less = await lying(word(7n));
    const read = (...urls: readonly string[]) =>
      createBalanceReader(nodes(...urls)).read([holding]);
    expect(await read(more, world.anvil.url)).toEqual([1_000_000_000n]);
    expect(await read(world.anvil.url, less)).toEqual([7n]);
  });

  test('error: H38 what cannot be read is an error in its place', async () => {
    const account = idOf(world.hot.account.address);
    const read = await createBalanceReader(nodes(world.anvil.url)).read([
      { account, asset: erc20(`0x${'e'.repeat(40)}`) },
      { account, asset: 'eip155:1/erc721:0x01' },
      { account: `eip155:56:0x${'1'.repeat(40)}`, asset: 'eip155:56/slip44:714' },
      { account, asset: NATIVE },
    ]);
    expect(read.map((one) => (one instanceof Error ? one.message : one))).toEqual([
      expect.stringContaining('tells no balance'),
      'eip155:1/erc721:0x01 is neither native nor ERC-20',
      'no node of eip155:56 is set up',
      10_000n * 10n ** 18n,
    ]);
  });

  test('error: settings that cannot be read', async () => {
    const failing = async () => {
      throw new Error('no secret');
    };
    const [read] = await createBalanceReader(failing).read([
      { account: idOf(world.hot.account.address), asset: NATIVE },
    ]);
    expect(read).toBeInstanceOf(Error);
  });
});

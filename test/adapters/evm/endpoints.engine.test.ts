import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createChainReader, type ReaderLimits } from '../../../lib/adapters/evm/chain-reader.ts';
import * as Sighting from '../../../lib/domain/sighting.ts';
import { type Anvil, findAnvil, startAnvil } from '../../../lib/local/chain-node.ts';
import {
  call,
  deploy,
  idOf,
  type Lie,
  type LyingNode,
  NATIVE,
  startProxy,
  startWorld,
  type World,
} from './chain-world.ts';
import { createFollower } from './follow.ts';

const LIMITS: ReaderLimits = { timeoutMs: 2_000 };

/** A node that has no method of these names. */
const without =
  (...methods: readonly string[]): Lie =>
  ({ method }) =>
    methods.includes(method) ? { error: 'the method does not exist' } : 'pass';

describe.skipIf(!findAnvil())('createChainReader, with nodes that fail and lie', () => {
  let world: World;
  let liar: LyingNode;
  beforeAll(async () => {
    world = await startWorld();
    liar = await startProxy(world.anvil);
  });
  afterEach(() => {
    liar.lie = () => 'pass';
    liar.asked.length = 0;
  });
  afterAll(async () => {
    await liar?.stop();
    await world?.anvil.stop();
  });

  function readerOver(urls: Readonly<Record<string, string>>, accounts?: readonly `0x${string}`[]) {
    const watched = accounts ?? [world.hot.account.address];
    return createChainReader(
      {
        native: NATIVE,
        accounts: watched.map(idOf),
        endpoints: Object.entries(urls).map(([name, url]) => ({ name, url })),
      },
      LIMITS,
    );
  }
  const both = () => readerOver({ honest: world.anvil.url, liar: liar.url });
  const onlyLiar = () => readerOver({ liar: liar.url });

  async function newest(reader: ReturnType<typeof readerOver>, policy = world.policy) {
    const { head } = await reader.head();
    const { block, doubts } = await reader.block(head.number);
    const { sightings } = Sighting.sight({ policy, grants: new Set() }, block!);
    return {
      block: block!,
      doubts: doubts.map(({ kind, endpoint }) => `${kind} ${endpoint}`),
      sightings,
    };
  }

  /** A stranger uses the wallet's allowance: only a log shows it. */
  async function drainByAllowance(amount: bigint) {
    const token = { at: world.token, is: world.contracts.Token };
    const from = world.hot.account.address;
    await call(world.hot, token, ['approve', world.stranger.account.address, amount]);
    await call(world.stranger, token, ['transferFrom', from, world.customer, amount]);
  }

  test('behavior: H70 empty logs from one of two endpoints: the union counts, and it is doubted', async () => {
    liar.lie = ({ method }) => {
      if (method === 'eth_getLogs') return { result: [] };
      return method === 'eth_getBlockReceipts' ? { error: 'no such method' } : 'pass';
    };
    await drainByAllowance(4n);
    const { sightings, doubts } = await newest(both());
    expect(sightings.map(({ outflow }) => outflow.transfer.amount)).toEqual([4n]);
    expect(doubts).toContain('missing liar');
  });

  test('behavior: H70 empty logs from the only endpoint: the header’s filter shows it', async () => {
    liar.lie = ({ method }) => (method === 'eth_getLogs' ? { result: [] } : 'pass');
    await drainByAllowance(4n);
    const { sightings, doubts } = await newest(onlyLiar());
    expect(sightings.map(({ outflow }) => outflow.transfer.amount)).toEqual([4n]);
    expect(doubts).toEqual(['missing liar']);
  });

  test('behavior: H70 empty logs over a range: the headers’ filters show it', async () => {
    liar.lie = ({ method }) => (method === 'eth_getLogs' ? { result: [] } : 'pass');
    await drainByAllowance(4n);
    const reader = onlyLiar();
    const { head } = await reader.head();
    const to = head.number;
    const { blocks, doubts } = await reader.blocks({ from: to - 1, to });
    const events = blocks.flatMap(({ transactions }) => transactions.flatMap((one) => one.events));
    expect(events).toContainEqual(expect.objectContaining({ kind: 'transfer', amount: 4n }));
    expect(doubts.map(({ kind }) => kind)).toContain('missing');
  });

  test('behavior: H70 empty logs hide nothing of what the wallet signed', async () => {
    liar.lie = ({ method }) => (method === 'eth_getLogs' ? { result: [] } : 'pass');
    const token = { at: world.token, is: world.contracts.Token };
    await call(world.hot, token, ['transfer', world.customer, 3n]);
    const { sightings } = await newest(onlyLiar());
    expect(sightings.map(({ outflow }) => outflow.transfer.amount)).toEqual([3n]);
  });

  test('behavior: H70 a block without its transactions: the balance disagrees', async () => {
    liar.lie = ({ method }) =>
      method === 'eth_getBlockByNumber'
        ? { after: (block) => (block ? { ...block, transactions: [] } : block) }
        : method === 'debug_traceBlockByHash' || method === 'trace_block'
          ? { error: 'no such method' }
          : 'pass';
    await world.hot.sendTransaction({ to: world.customer, value: 10n ** 18n });
    const alone = await newest(onlyLiar());
    expect(alone.sightings).toMatchObject([{ kind: 'unexplained' }]);
    expect(alone.sightings[0]?.outflow.transfer.amount).toBeGreaterThan(10n ** 18n);
    expect(alone.doubts).toEqual(['unverified liar']);
    const { sightings, doubts } = await newest(both());
    expect(sightings.map(({ kind }) => kind)).toContain('native');
    expect(doubts).toContain('missing liar');
  });

  test('behavior: H70 a range without the wallet’s transaction: the nonce tells, whatever strangers delegate', async () => {
    const { hot, stranger, customer, contracts } = world;
    const from = Number(await hot.getBlockNumber()) + 1;
    await hot.sendTransaction({ to: customer, value: 5n });
    const delegate = await deploy(stranger, contracts.Delegate);
    const by = { contractAddress: delegate, executor: 'self' as const };
    const authorizationList = [await stranger.signAuthorization(by)];
    await stranger.sendTransaction({ to: customer, authorizationList, gas: 200_000n });
    const to = Number(await hot.getBlockNumber());
    const own = hot.account.address.toLowerCase();
    const stripped = (
      block: { readonly transactions: readonly { readonly from: string }[] } | null,
    ) =>
      block && {
        ...block,
        transactions: block.transactions.filter((one) => one.from?.toLowerCase() !== own),
      };
    liar.lie = ({ method }) =>
      method === 'eth_getBlockByNumber' ? { after: (block) => stripped(block as never) } : 'pass';
    const { doubts } = await onlyLiar().blocks({ from, to });
    expect(doubts.map(({ text }) => text).join()).toMatch(/counts 1 transactions .* and shows 0/);
  });

  test('behavior: a contract wallet on a node without traces: the balance shows the loss', async () => {
    liar.lie = without('debug_traceBlockByHash', 'trace_block');
    const at = await deploy(world.stranger, world.contracts.ContractWallet, {
      args: [world.stranger.account.address],
      value: 100n,
    });
    const wallet = { at, is: world.contracts.ContractWallet };
    const policy = {
      ...world.policy,
      wallets: [{ name: 'c', keyDomain: 'k', addresses: [idOf(at)] }],
    };
    await call(world.stranger, wallet, ['execTransaction', world.customer, 11n, '0x']);
    const alone = await newest(readerOver({ liar: liar.url }, [at]), policy);
    expect(alone.sightings).toMatchObject([{ kind: 'unexplained', outflow: { place: 'trace:' } }]);
    expect(alone.doubts).toEqual(['unverified liar']);
    const urls = { liar: liar.url, honest: world.anvil.url };
    const { sightings } = await newest(readerOver(urls, [at]), policy);
    expect(sightings.map(({ kind, outflow }) => [kind, outflow.transfer.amount])).toEqual([
      ['internal', 11n],
    ]);
    liar.lie = without('debug_traceBlockByHash');
    const flat = await newest(readerOver({ liar: liar.url }, [at]), policy);
    expect(flat.sightings).toMatchObject([{ kind: 'internal', outflow: { place: 'trace:0' } }]);
  });

  test('behavior: H69 two nodes on two chains: both outflows count, and the fork is doubted', async () => {
    const other = await startAnvil();
    try {
      const reader = readerOver({ one: world.anvil.url, two: other.url });
      await world.hot.sendTransaction({ to: world.customer, value: 21n });
      const { head } = await readerOver({ one: world.anvil.url }).head();
      await other.rpc('anvil_mine', `0x${(head.number - 1).toString(16)}`);
      await sendFrom(other, { value: 22n });
      const { sightings, doubts } = await newest(reader);
      expect(sightings.map(({ outflow }) => outflow.transfer.amount).sort()).toEqual([21n, 22n]);
      expect(doubts).toEqual(['fork two']);
    } finally {
      await other.stop();
    }
  });

  async function sendFrom(anvil: Anvil, { value }: { readonly value: bigint }) {
    const transaction = {
      from: world.hot.account.address,
      to: world.customer,
      value: `0x${value.toString(16)}`,
    };
    await anvil.rpc('eth_sendTransaction', transaction);
  }

  test('behavior: H69 an endpoint that lags is doubted', async () => {
    await world.mine(5);
    liar.lie = ({ method, params }) =>
      method === 'eth_getBlockByNumber' && params[0] === 'latest'
        ? { after: (block) => ({ ...(block as object), number: '0x1' }) }
        : 'pass';
    const { head, doubts } = await both().head();
    expect(head.number).toBeGreaterThan(5);
    expect(doubts.map(({ kind, endpoint }) => `${kind} ${endpoint}`)).toEqual(['lag liar']);
  });

  test('behavior: H69 one endpoint down is survived, all down throw, and no message shows a URL', async () => {
    const key = 'secret-key';
    const gone = `http://127.0.0.1:9/${key}`;
    const { doubts } = await readerOver({ honest: world.anvil.url, gone }).head();
    expect(doubts).toEqual([
      { kind: 'down', endpoint: 'gone', text: expect.not.stringContaining(key) },
    ]);
    const error = await readerOver({ gone })
      .head()
      .catch((one: unknown) => one);
    expect(error).toMatchInlineSnapshot(
      `[ChainReader.UnavailableError: no endpoint of the chain can be read: gone does not answer eth_chainId: no answer]`,
    );
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(key);
  });

  test('behavior: H68 ranges that the node refuses are asked for in smaller ones', async () => {
    const spans: number[] = [];
    liar.lie = ({ method, params }) => {
      const [filter] = params as [{ fromBlock?: string; toBlock?: string }];
      if (method !== 'eth_getLogs' || !filter.fromBlock) return 'pass';
      const span = Number(filter.toBlock) - Number(filter.fromBlock) + 1;
      spans.push(span);
      return span > 50 ? { error: 'query exceeds max block range 50' } : 'pass';
    };
    const reader = onlyLiar();
    const follower = createFollower(reader, { policy: world.policy });
    await follower.catchUp();
    await world.mine(300);
    await drainByAllowance(6n);
    await world.mine(300);
    await follower.catchUp();
    const moved = [...follower.standing.values()].map(({ outflow }) => outflow.transfer.amount);
    expect(moved).toContain(6n);
    const refused = spans.filter((span) => span > 50).length;
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(spans.length / 2);
  });

  test('error: logs of a block that is gone: read again, then refused', async () => {
    liar.lie = ({ method }) =>
      method === 'eth_getLogs'
        ? {
            after: (logs) =>
              (logs as object[]).map((log) => ({ ...log, blockHash: `0x${'0'.repeat(64)}` })),
          }
        : 'pass';
    await drainByAllowance(2n);
    await expect(newest(onlyLiar())).rejects.toThrow(/a log is of another block/);
  });

  test('error: an answer that is no block', async () => {
    liar.lie = ({ method }) =>
      method === 'eth_getBlockByNumber' ? { result: { number: 'one' } } : 'pass';
    await expect(onlyLiar().head()).rejects.toThrow(/liar contradicts itself: header latest: /);
  });

  test('behavior: H73 what waits is seen before it is mined', async () => {
    await world.anvil.rpc('evm_setAutomine', false);
    try {
      const token = { at: world.token, is: world.contracts.Token };
      const hash = await call(world.hot, token, ['transfer', world.customer, 8n]);
      for (const lie of [without(), without('txpool_content')]) {
        liar.lie = lie;
        const { pending } = await onlyLiar().pending();
        expect(pending.map((one) => one.hash)).toEqual([hash]);
        expect(Sighting.foresee(world.policy, pending[0]!)).toMatchObject([
          { amount: 8n, destination: idOf(world.customer) },
        ]);
      }
      liar.lie = without('txpool_content', 'eth_getBlockByNumber');
      expect((await onlyLiar().pending()).pending).toEqual([]);
    } finally {
      await world.anvil.rpc('evm_setAutomine', true);
      await world.mine();
    }
  });

  test('behavior: H69 an endpoint that does not have the block yet is doubted', async () => {
    await drainByAllowance(2n);
    const { head } = await onlyLiar().head();
    const hidden = `0x${head.number.toString(16)}`;
    liar.lie = ({ method, params }) =>
      method === 'eth_getBlockByNumber' && params[0] === hidden ? { result: null } : 'pass';
    const { block, doubts } = await both().block(head.number);
    expect(block?.transactions).toHaveLength(1);
    expect(doubts.map(({ text }) => text)).toEqual([`liar does not have block ${head.number} yet`]);
    const many = await both().blocks({ from: head.number - 3, to: head.number });
    expect(many.blocks).toHaveLength(4);
    expect(many.doubts.map(({ text }) => text)).toEqual([
      `liar does not have block ${head.number} yet`,
    ]);
    const short = await onlyLiar().blocks({ from: head.number - 3, to: head.number });
    expect(short.blocks).toHaveLength(3);
  });

  test('error: a node of another chain', async () => {
    liar.lie = ({ method }) => (method === 'eth_chainId' ? { result: '0x38' } : 'pass');
    await expect(onlyLiar().head()).rejects.toThrow(
      /liar contradicts itself: it serves chain 0x38/,
    );
    expect((await both().head()).doubts).toMatchObject([{ kind: 'down', endpoint: 'liar' }]);
  });

  test('behavior: a block above the head is absent', async () => {
    const { block } = await both().block(10_000_000);
    expect(block).toBeUndefined();
    expect(await both().header(10_000_000)).toBeUndefined();
  });
});

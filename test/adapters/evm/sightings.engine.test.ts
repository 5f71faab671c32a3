import { encodeFunctionData, type Hex, parseEther, parseSignature, zeroAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChainReader } from '../../../lib/adapters/evm/chain-reader.ts';
import * as Sighting from '../../../lib/domain/sighting.ts';
import { findAnvil } from '../../../lib/local/chain-node.ts';
import {
  call,
  deploy,
  erc20,
  idOf,
  NATIVE,
  policyOf,
  signer,
  startWorld,
  type World,
} from './chain-world.ts';

const none: Sighting.Grants = new Set();

describe.skipIf(!findAnvil())('sight, on a real chain', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world?.anvil.stop());

  /** What the newest block showed. */
  async function newest(grants = none, accounts = [idOf(world.hot.account.address)]) {
    const reader = createChainReader({
      native: NATIVE,
      accounts,
      endpoints: [{ name: 'one', url: world.anvil.url }],
    });
    const { head } = await reader.head();
    const { block, doubts } = await reader.block(head.number);
    expect(doubts).toEqual([]);
    const policy = policyOf({ token: world.token, accounts });
    return { block: block!, ...Sighting.sight({ policy, grants }, block!) };
  }

  const short = (sightings: readonly Sighting.Sighting[]) =>
    sightings.map(({ kind, authority, isOwn, isEmpty, outflow: { place, transfer } }) => ({
      kind,
      authority,
      place,
      to: transfer.destination.slice(-6),
      amount: transfer.amount,
      hasFee: transfer.fee !== undefined,
      ...(isOwn ? { isOwn } : {}),
      ...(isEmpty ? { isEmpty } : {}),
    }));

  const feeOf = async (hash: Hex) => {
    const receipt = await world.hot.getTransactionReceipt({ hash });
    return receipt.gasUsed * receipt.effectiveGasPrice;
  };

  test('default: H24 a native transfer, with its fee and the nonce', async () => {
    const nonce = await world.hot.getTransactionCount({ address: world.hot.account.address });
    const hash = await world.hot.sendTransaction({ to: world.customer, value: 5n });
    const { sightings, risks } = await newest();
    expect(risks).toEqual([]);
    expect(sightings).toHaveLength(1);
    expect(sightings[0]).toMatchObject({ kind: 'native', authority: 'signature', nonce });
    expect(sightings[0]?.outflow).toEqual({
      kind: 'outflow',
      transaction: hash,
      place: 'top',
      transfer: {
        account: idOf(world.hot.account.address),
        asset: NATIVE,
        destination: idOf(world.customer),
        amount: 5n,
        fee: { asset: NATIVE, amount: await feeOf(hash) },
      },
    });
  });

  test('behavior: H62 one unit of an ERC-20 to a known address', async () => {
    await call(world.hot, { at: world.token, is: world.contracts.Token }, [
      'transfer',
      world.customer,
      1n,
    ]);
    const { sightings } = await newest();
    expect(short(sightings)).toEqual([
      {
        kind: 'erc20',
        authority: 'signature',
        place: 'log:0',
        to: 'cccccc',
        amount: 1n,
        hasFee: true,
      },
    ]);
    expect(sightings[0]?.outflow.transfer.asset).toBe(erc20(world.token));
  });

  test('behavior: H62 a token that the policy does not list, moved by the wallet', async () => {
    const other = await deploy(world.stranger, world.contracts.Token);
    const is = { at: other, is: world.contracts.Token };
    await call(world.stranger, is, ['mint', world.hot.account.address, 10n]);
    expect((await newest()).sightings).toEqual([]);
    await call(world.hot, is, ['transfer', world.customer, 7n]);
    expect(short((await newest()).sightings)).toMatchObject([{ kind: 'erc20', amount: 7n }]);
  });

  test('behavior: H23 a batch of native coins through a contract: one outflow with the sum', async () => {
    const disperse = await deploy(world.stranger, world.contracts.Disperse);
    await call(world.hot, { at: disperse, is: world.contracts.Disperse, value: 5n }, [
      'disperse',
      [world.customer, `0x${'d'.repeat(40)}`],
      [2n, 3n],
    ]);
    expect(short((await newest()).sightings)).toMatchObject([
      { kind: 'native', amount: 5n, place: 'top', hasFee: true },
    ]);
  });

  test('behavior: H23 a batch of a token through a contract: each leg, one fee', async () => {
    const disperse = await deploy(world.stranger, world.contracts.Disperse);
    const token = { at: world.token, is: world.contracts.Token };
    await call(world.hot, token, ['approve', disperse, 5n]);
    const approved = await newest();
    expect(short(approved.sightings)).toMatchObject([
      { kind: 'fee', amount: 0n, hasFee: true, place: 'top' },
    ]);
    expect(approved.risks.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      expect.stringMatching(/^approval: wallet hot lets eip155:1:0x\w+ move 0\.000005 USDT, in/),
    ]);
    await call(world.hot, { at: disperse, is: world.contracts.Disperse }, [
      'disperseToken',
      world.token,
      [world.customer, `0x${'d'.repeat(40)}`],
      [2n, 3n],
    ]);
    expect(short((await newest()).sightings)).toMatchObject([
      { kind: 'erc20', amount: 2n, place: 'log:0', hasFee: true },
      { kind: 'erc20', amount: 3n, place: 'log:1', hasFee: false },
    ]);
  });

  test('behavior: a token that keeps a part: both legs', async () => {
    const token = await deploy(world.stranger, world.contracts.FeeToken);
    const is = { at: token, is: world.contracts.FeeToken };
    await call(world.stranger, is, ['mint', world.hot.account.address, 1_000n]);
    await call(world.hot, is, ['transfer', world.customer, 100n]);
    expect(short((await newest()).sightings).map(({ amount }) => amount)).toEqual([99n, 1n]);
  });

  test('behavior: ERC-721 and ERC-1155, single and batch', async () => {
    const collectible = {
      at: await deploy(world.stranger, world.contracts.Collectible),
      is: world.contracts.Collectible,
    };
    await call(world.stranger, collectible, ['mint', world.hot.account.address, 42n]);
    await call(world.hot, collectible, [
      'transferFrom',
      world.hot.account.address,
      world.customer,
      42n,
    ]);
    const moved = await newest();
    expect(short(moved.sightings)).toMatchObject([{ kind: 'erc721', amount: 1n, hasFee: true }]);
    expect(moved.sightings[0]?.tokenIds).toEqual([42n]);

    const items = {
      at: await deploy(world.stranger, world.contracts.Items),
      is: world.contracts.Items,
    };
    const from = world.hot.account.address;
    for (const id of [1n, 2n]) await call(world.stranger, items, ['mint', from, id, 10n]);
    await call(world.hot, items, ['safeTransferFrom', from, world.customer, 1n, 4n, '0x']);
    const single = await newest();
    expect(single.sightings[0]).toMatchObject({ kind: 'erc1155', tokenIds: [1n] });
    const batch = [[1n, 2n], [5n, 6n], '0x'];
    await call(world.hot, items, ['safeBatchTransferFrom', from, world.customer, ...batch]);
    const { sightings } = await newest();
    expect(short(sightings)).toMatchObject([{ kind: 'erc1155', amount: 11n, place: 'log:0' }]);
    expect(sightings[0]?.tokenIds).toEqual([1n, 2n]);
  });

  test('behavior: H65 approval, then transferFrom by another party: an outflow without a fee', async () => {
    const token = { at: world.token, is: world.contracts.Token };
    await call(world.hot, token, ['approve', world.stranger.account.address, 9n]);
    await newest();
    await call(world.stranger, token, [
      'transferFrom',
      world.hot.account.address,
      world.customer,
      9n,
    ]);
    const { sightings } = await newest();
    expect(short(sightings)).toMatchObject([{ authority: 'log', amount: 9n, hasFee: false }]);
    expect(sightings[0]?.nonce).toBeUndefined();
  });

  test('behavior: H62 transferFrom of an unlisted token counts by the allowance that the wallet gave', async () => {
    const token = {
      at: await deploy(world.stranger, world.contracts.Token),
      is: world.contracts.Token,
    };
    const from = world.hot.account.address;
    await call(world.stranger, token, ['mint', from, 100n]);
    await call(world.hot, token, ['approve', world.stranger.account.address, 9n]);
    const { grants } = await newest();
    await call(world.stranger, token, ['transferFrom', from, world.customer, 9n]);
    const unknowing = await newest();
    expect(unknowing.sightings).toEqual([]);
    expect(unknowing.risks).toMatchObject([{ kind: 'strange' }]);
    expect(short((await newest(grants)).sightings)).toMatchObject([
      { authority: 'grant', amount: 9n },
    ]);
  });

  test('behavior: H65 a permit in another party’s transaction', async () => {
    const owner = world.hot.account.address;
    const spender = world.stranger.account.address;
    const deadline = 2n ** 64n;
    const signature = await world.hot.account.signTypedData({
      domain: { name: 'Token', version: '1', chainId: 1, verifyingContract: world.token },
      types: {
        Permit: [
          { name: 'owner', type: 'address' },
          { name: 'spender', type: 'address' },
          { name: 'value', type: 'uint256' },
          { name: 'nonce', type: 'uint256' },
          { name: 'deadline', type: 'uint256' },
        ],
      },
      primaryType: 'Permit',
      message: { owner, spender, value: 3n, nonce: 0n, deadline },
    });
    const { v, r, s } = parseSignature(signature);
    await call(world.stranger, { at: world.token, is: world.contracts.Token }, [
      'permit',
      ...[owner, spender, 3n, deadline, Number(v), r, s],
    ]);
    const { sightings, risks } = await newest();
    expect(sightings).toEqual([]);
    expect(risks).toMatchObject([{ kind: 'permit', about: idOf(spender) }]);
  });

  test('behavior: a stranger’s fake token trips nothing: no outflow, one risk', async () => {
    const fake = {
      at: await deploy(world.stranger, world.contracts.FakeToken),
      is: world.contracts.FakeToken,
    };
    const { address } = world.hot.account;
    await call(world.stranger, fake, ['lie', address, world.customer, 10n ** 30n]);
    const lied = await newest();
    expect(lied.sightings).toEqual([]);
    expect(lied.risks.map(({ kind }) => kind)).toEqual(['strange']);
    await call(world.stranger, fake, ['lieApproval', address, world.customer, 10n ** 30n]);
    const approved = await newest();
    expect(approved.risks.map(({ kind }) => kind)).toEqual(['strange']);
    expect(approved.grants.size).toBe(0);
    await call(world.stranger, fake, ['malformed', address, world.customer]);
    const malformed = await newest();
    expect(malformed.sightings).toEqual([]);
    expect(malformed.risks.map(({ kind }) => kind)).toEqual(['strange']);
  });

  test('behavior: H72 a zero-value transfer of a listed token by a stranger is empty', async () => {
    await call(world.stranger, { at: world.token, is: world.contracts.Token }, [
      'transferFrom',
      world.hot.account.address,
      `0x${'c'.repeat(39)}d`,
      0n,
    ]);
    expect(short((await newest()).sightings)).toMatchObject([
      { kind: 'erc20', amount: 0n, isEmpty: true, hasFee: false },
    ]);
  });

  test('behavior: H24 a reverted transaction moved nothing and cost its gas', async () => {
    const at = await deploy(world.stranger, world.contracts.Reverter);
    const hash = await world.hot.sendTransaction({ to: at, value: 77n, gas: 100_000n });
    const { sightings } = await newest();
    expect(short(sightings)).toMatchObject([{ kind: 'fee', amount: 0n, hasFee: true }]);
    expect(sightings[0]?.outflow.transfer.fee?.amount).toBe(await feeOf(hash));
  });

  test('behavior: a transfer to an address of the same wallet is its own', async () => {
    const other = signer(world.anvil, 2).account.address;
    await world.hot.sendTransaction({ to: other, value: 5n });
    const accounts = [idOf(world.hot.account.address), idOf(other)];
    expect(short((await newest(none, accounts)).sightings)).toMatchObject([
      { kind: 'native', amount: 5n, isOwn: true, hasFee: true },
    ]);
  });

  test('behavior: H23 an internal transfer of a contract wallet, one that failed inside, and its control', async () => {
    const { contracts, hot, stranger, customer } = world;
    const at = await deploy(stranger, contracts.ContractWallet, {
      args: [stranger.account.address],
      value: parseEther('1'),
    });
    const wallet = { at, is: contracts.ContractWallet };
    const accounts = [idOf(at)];
    await call(stranger, wallet, ['execTransaction', customer, 11n, '0x']);
    expect(short((await newest(none, accounts)).sightings)).toEqual([
      {
        kind: 'internal',
        authority: 'call',
        place: 'trace:0',
        to: 'cccccc',
        amount: 11n,
        hasFee: false,
      },
    ]);
    const reverter = await deploy(stranger, contracts.Reverter);
    await call(stranger, wallet, ['tryTransaction', reverter, 11n, '0x']);
    expect((await newest(none, accounts)).sightings).toEqual([]);

    await call(stranger, { at: world.token, is: contracts.Token }, ['mint', at, 50n]);
    const data = encodeFunctionData({
      abi: contracts.Token.abi,
      functionName: 'transfer',
      args: [customer, 50n],
    });
    await call(stranger, wallet, ['execTransaction', world.token, 0n, data]);
    expect(short((await newest(none, accounts)).sightings)).toMatchObject([
      { kind: 'erc20', authority: 'call', amount: 50n },
    ]);

    await call(stranger, wallet, ['addOwner', hot.account.address, 1n]);
    const added = await newest(none, accounts);
    await call(stranger, wallet, ['enableModule', customer]);
    const enabled = await newest(none, accounts);
    await call(stranger, wallet, ['changeMasterCopy', customer]);
    const changed = await newest(none, accounts);
    const texts = [added, enabled, changed].flatMap(({ risks }) => risks.map(({ text }) => text));
    expect(texts.map((text) => text.replaceAll(/0x\w+/g, '0x…'))).toMatchInlineSnapshot(`
      [
        "wallet hot got a new owner (eip155:1:0x…), in transaction 0x….",
        "wallet hot changed how many owners must sign, in transaction 0x….",
        "wallet hot let a module act for it (eip155:1:0x…), in transaction 0x….",
        "wallet hot runs other code than before (eip155:1:0x…), in transaction 0x….",
        "wallet hot runs other code than before (eip155:1:0x…), in transaction 0x….",
        "wallet hot was handed to another owner (eip155:1:0x…), in transaction 0x….",
      ]
    `);
  });

  test('behavior: H65 a delegation that a stranger carries, and the drain through it', async () => {
    const { contracts, hot, stranger, customer } = world;
    const delegate = await deploy(stranger, contracts.Delegate);
    const authorization = await hot.signAuthorization({
      contractAddress: delegate,
      executor: stranger.account,
    });
    await stranger.sendTransaction({
      to: zeroAddress,
      authorizationList: [authorization],
      gas: 200_000n,
    });
    const delegated = await newest();
    expect(delegated.sightings).toEqual([]);
    expect(delegated.risks).toMatchObject([{ kind: 'delegation', about: idOf(delegate) }]);

    const drain = encodeFunctionData({
      abi: contracts.Token.abi,
      functionName: 'transfer',
      args: [customer, 6n],
    });
    await call(stranger, { at: hot.account.address, is: contracts.Delegate }, [
      'execute',
      ...[
        [customer, world.token],
        [13n, 0n],
        ['0x', drain],
      ],
    ]);
    expect(short((await newest()).sightings)).toMatchObject([
      { kind: 'internal', authority: 'call', amount: 13n, place: 'trace:0', hasFee: false },
      { kind: 'erc20', authority: 'call', amount: 6n, hasFee: false },
    ]);
    // The delegation ends here, so that the other tests have a plain wallet.
    const ended = await hot.signAuthorization({
      contractAddress: zeroAddress,
      executor: stranger.account,
    });
    await stranger.sendTransaction({
      to: zeroAddress,
      authorizationList: [ended],
      gas: 200_000n,
    });
    expect((await newest()).risks).toMatchObject([{ text: expect.stringContaining('ended') }]);
  });

  test('behavior: a receiver’s contract that claims a fake transfer in the payment itself counts nothing', async () => {
    const fake = await deploy(world.stranger, world.contracts.FakeToken);
    const disperse = await deploy(world.stranger, world.contracts.Delegate);
    const lie = encodeFunctionData({
      abi: world.contracts.FakeToken.abi,
      functionName: 'lie',
      args: [world.hot.account.address, world.customer, 10n ** 24n],
    });
    await call(world.hot, { at: disperse, is: world.contracts.Delegate, value: 5n }, [
      'execute',
      [world.customer, fake],
      [5n, 0n],
      ['0x', lie],
    ]);
    const { sightings, risks } = await newest();
    expect(short(sightings)).toMatchObject([{ kind: 'native', amount: 5n }]);
    expect(risks).toMatchObject([{ kind: 'strange' }]);
  });
});

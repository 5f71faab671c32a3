import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import { markSpent, readDelegations } from '../../../lib/adapters/evm/delegations.ts';
import { watch } from '../../../lib/adapters/evm/watch.ts';
import type { RawTransaction } from '../../../lib/adapters/evm/wire.ts';
import { WELL_KNOWN_KEYS } from '../../../lib/local/chain-node.ts';
import { idOf, NATIVE } from './chain-world.ts';

const DELEGATE = `0x${'d'.repeat(40)}` as const;
const signerAt = (position: number) => privateKeyToAccount(WELL_KNOWN_KEYS[position]!);
const account = idOf(signerAt(0).address);
const scope = watch({ native: NATIVE, accounts: [account] });

async function carrying(position: number, chainId: number): Promise<RawTransaction> {
  const signed = await signerAt(position).signAuthorization({
    address: DELEGATE,
    chainId,
    nonce: 4,
  });
  const { r, s, yParity } = signed;
  const authorization = {
    chainId: BigInt(chainId),
    address: DELEGATE,
    nonce: 4n,
    ...{ yParity, v: undefined, r: BigInt(r), s: BigInt(s) },
  };
  return {
    hash: `0x${'1'.repeat(64)}`,
    from: DELEGATE,
    nonce: 0,
    value: 0n,
    input: '0x',
    type: '0x4',
    authorizationList: [authorization],
  } as RawTransaction;
}

describe('readDelegations', () => {
  const delegation = { account, delegate: idOf(DELEGATE), nonce: 4n };

  test.each([0, 1])('default: for chain %i', async (chainId) => {
    expect(await readDelegations(scope, await carrying(0, chainId))).toEqual([delegation]);
  });

  test('behavior: H65 one for another chain is void: anybody can bring it here', async () => {
    const found = await readDelegations(scope, await carrying(0, 56));
    expect(found).toEqual([{ ...delegation, isVoid: true }]);
  });

  test('behavior: those of strangers are nobody’s concern', async () => {
    expect(await readDelegations(scope, await carrying(1, 1))).toEqual([]);
  });
});

describe('markSpent', () => {
  const delegation = { account, delegate: idOf(DELEGATE), nonce: 4n };
  const marked = async (nonce: bigint | undefined) =>
    (await markSpent([delegation], async () => nonce))[0]?.isVoid ?? false;

  test('behavior: H65 with the nonce just below, at and just above that of the wallet', async () => {
    expect([await marked(5n), await marked(4n), await marked(3n)]).toEqual([true, false, false]);
  });

  test('behavior: where nobody knows the nonce it has an effect', async () => {
    expect(await marked(undefined)).toBe(false);
  });
});

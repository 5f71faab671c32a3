/** What is watched on one chain, and its identifiers in both directions. */

import * as Caip from '../../domain/caip.ts';
import type { Hex } from './wire.ts';

/** The watched addresses of one chain. */
export type Watch = {
  readonly chain: Caip.ChainId;
  readonly chainId: bigint;
  /** The asset that fees are paid in, for example `eip155:1/slip44:60`. */
  readonly native: Caip.AssetId;
  /** Lower-case hex. */
  readonly addresses: ReadonlySet<Hex>;
};

/** What is watched. @throws {Caip.InvalidIdError} an account of another chain, or a chain that is no EVM chain. */
export function watch(scope: {
  readonly native: Caip.AssetId;
  readonly accounts: readonly Caip.AccountId[];
}): Watch {
  const chain = Caip.chainOf(scope.native);
  const [namespace, reference = ''] = chain.split(':');
  if (namespace !== 'eip155' || !/^\d+$/.test(reference)) {
    throw new Caip.InvalidIdError({ text: chain, expected: 'an EVM chain such as "eip155:1"' });
  }
  for (const account of scope.accounts) {
    if (Caip.chainOf(account) !== chain) {
      throw new Caip.InvalidIdError({ text: account, expected: `an account of ${chain}` });
    }
  }
  return {
    chain,
    chainId: BigInt(reference),
    native: scope.native,
    addresses: new Set(scope.accounts.map(addressOf)),
  };
}

/** The account at an address of this chain. */
export function accountAt(scope: Watch, address: Hex): Caip.AccountId {
  return `${scope.chain}:${address}`;
}

/** The asset of a contract of this chain. */
export function assetAt(scope: Watch, standard: string, contract: Hex): Caip.AssetId {
  return `${scope.chain}/${standard}:${contract}`;
}

/** The address of an account, lower-case hex. */
export function addressOf(account: Caip.AccountId): Hex {
  return account.slice(account.lastIndexOf(':') + 1) as Hex;
}

/** An address as a topic: 32 bytes. */
export function topicOf(address: Hex): Hex {
  return `0x${address.slice(2).padStart(64, '0')}`;
}

/** The address in the low 20 bytes of a word. What is above them is not looked at, as contracts do. */
export function addressIn(word: Hex): Hex {
  return `0x${word.slice(-40)}`;
}

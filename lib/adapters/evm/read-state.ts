/** Balances and code of watched wallets around a block. */

import { toHex } from './read-logs.ts';
import { RefusedError, type Rpc } from './rpc.ts';
import type { Watch } from './watch.ts';
import { type Hex, readHex, readQuantity } from './wire.ts';

/** What one wallet had before and after a block, and whether code stands at its address after it. */
export type State = { readonly before: bigint; readonly after: bigint; readonly hasCode: boolean };

/** A block by number and hash: state is asked for by hash (EIP-1898), where a node knows how. */
type Place = { readonly number: number; readonly hash: string };

/** The state of every wallet; absent where the node does not keep it any more. @throws {UnreachableError} */
export async function readStates(
  rpc: Rpc,
  scope: Watch,
  block: Place & { readonly parentHash: string },
): Promise<ReadonlyMap<Hex, State> | undefined> {
  const parent = { number: block.number - 1, hash: block.parentHash };
  try {
    const states = await Promise.all(
      [...scope.addresses].map(async (address): Promise<readonly [Hex, State]> => {
        const [before, after, code] = await Promise.all([
          ask(rpc, { method: 'eth_getBalance', address }, parent),
          ask(rpc, { method: 'eth_getBalance', address }, block),
          ask(rpc, { method: 'eth_getCode', address }, block),
        ]);
        const asked = { name: rpc.name, what: 'balance' };
        return [
          address,
          {
            before: readQuantity(before, asked),
            after: readQuantity(after, asked),
            hasCode: readHex(code, asked) !== '0x',
          },
        ];
      }),
    );
    return new Map(states);
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

/** Whether code stands at an address in a block, or now where the node does not keep that state. */
export async function readHasCode(rpc: Rpc, address: Hex, number: number): Promise<boolean> {
  const asked = { name: rpc.name, what: 'code' };
  try {
    return readHex(await rpc.call('eth_getCode', address, toHex(number)), asked) !== '0x';
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return readHex(await rpc.call('eth_getCode', address, 'latest'), asked) !== '0x';
  }
}

/** How many transactions a wallet had sent by a block; absent where the node does not keep that state. */
export async function readNonce(
  rpc: Rpc,
  address: Hex,
  number: number,
): Promise<bigint | undefined> {
  try {
    const value = await rpc.call('eth_getTransactionCount', address, toHex(number));
    return readQuantity(value, { name: rpc.name, what: 'nonce' });
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

async function ask(
  rpc: Rpc,
  what: { readonly method: string; readonly address: Hex },
  place: Place,
): Promise<unknown> {
  try {
    return await rpc.call(what.method, what.address, { blockHash: place.hash });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return rpc.call(what.method, what.address, toHex(place.number));
  }
}

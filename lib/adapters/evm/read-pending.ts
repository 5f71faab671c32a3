/** Transactions of watched wallets that wait to be mined. */

import type * as Block from '../../domain/block.ts';
import { partiesOf } from './read-block.ts';
import { RefusedError, type Rpc } from './rpc.ts';
import { accountAt, addressIn, assetAt, type Watch } from './watch.ts';
import * as Wire from './wire.ts';

/** `transfer(address,uint256)` of ERC-20. */
const ERC20_TRANSFER = '0xa9059cbb';
/** Selector, address and amount: hex digits with `0x`. */
const TRANSFER_LENGTH = 2 + 8 + 64 + 64;

/**
 * What waits: by the pool's own content where the node shows it, which includes what cannot be mined
 * yet, else by the block that the node would mine next. Absent where it shows neither.
 *
 * @throws {UnreachableError} @throws {InconsistentError}
 */
export async function readPending(
  rpc: Rpc,
  scope: Watch,
): Promise<readonly Block.Pending[] | undefined> {
  const raws = (await fromPool(rpc)) ?? (await fromBlock(rpc));
  return raws
    ?.filter(({ from }) => scope.addresses.has(from))
    .map((raw) => ({ hash: raw.hash, ...partiesOf(scope, raw), ...tokenOf(scope, raw) }));
}

async function fromPool(rpc: Rpc): Promise<readonly Wire.RawTransaction[] | undefined> {
  const value = await offered(rpc.call('txpool_content'));
  const asked = { name: rpc.name, what: 'pool' };
  return value === undefined ? undefined : Wire.readRawPool(value, asked);
}

async function fromBlock(rpc: Rpc): Promise<readonly Wire.RawTransaction[] | undefined> {
  const value = await offered(rpc.call('eth_getBlockByNumber', 'pending', true));
  const asked = { name: rpc.name, what: 'pending block' };
  return value === undefined ? undefined : Wire.readRawPending(value, asked);
}

async function offered(answer: Promise<unknown>): Promise<unknown> {
  try {
    return (await answer) ?? undefined;
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

function tokenOf(scope: Watch, raw: Wire.RawTransaction): Pick<Block.Pending, 'token'> {
  const { input, to } = raw;
  if (!to || !input.startsWith(ERC20_TRANSFER) || input.length < TRANSFER_LENGTH) return {};
  return {
    token: {
      asset: assetAt(scope, 'erc20', to),
      to: accountAt(scope, addressIn(`0x${input.slice(10, 74)}`)),
      amount: BigInt(`0x${input.slice(74, 138)}`),
    },
  };
}

/** Whether what is known to have come and gone explains what a wallet has left. */

import type * as Block from '../../domain/block.ts';
import type { State } from './read-state.ts';
import type { Call } from './read-traces.ts';
import { feeOf } from './receipts.ts';
import { accountAt, type Watch } from './watch.ts';
import type { Hex, RawBlock, RawReceipt } from './wire.ts';

/** Withdrawals of validators are counted in gwei (EIP-4895). */
const WEI_PER_GWEI = 1_000_000_000n;

/**
 * What each wallet has less than is explained. What it has more is no concern: contracts pay
 * deposits, and producers of blocks earn. A transaction to a wallet whose receipt is not known is
 * taken to have paid, so that not knowing it never hides a loss.
 */
export function unexplainedOf(known: {
  readonly scope: Watch;
  readonly raw: RawBlock;
  readonly states: ReadonlyMap<Hex, State>;
  readonly receipts: ReadonlyMap<Hex, RawReceipt>;
  readonly calls: readonly Call[];
}): readonly Block.Unexplained[] {
  return [...known.states].flatMap(([address, { before, after }]) => {
    const amount = before + changeOf(known, address) - after;
    const account = accountAt(known.scope, address);
    return amount > 0n ? [{ account, native: known.scope.native, amount }] : [];
  });
}

function changeOf(
  known: {
    readonly raw: RawBlock;
    readonly receipts: ReadonlyMap<Hex, RawReceipt>;
    readonly calls: readonly Call[];
  },
  address: Hex,
): bigint {
  let change = 0n;
  for (const { hash, from, to, value } of known.raw.transactions) {
    const receipt = known.receipts.get(hash);
    const moved = receipt?.status === 0 ? 0n : value;
    if (from === address) change -= moved + (receipt ? feeOf(receipt) : 0n);
    if (to === address) change += moved;
  }
  for (const { path, from, to, value } of known.calls) {
    if (path === '') continue;
    if (from === address) change -= value;
    if (to === address) change += value;
  }
  for (const withdrawal of known.raw.withdrawals ?? []) {
    if (withdrawal.address === address) change += withdrawal.amount * WEI_PER_GWEI;
  }
  return change;
}

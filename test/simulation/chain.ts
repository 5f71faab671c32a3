/** The chain of one schedule: transactions wait, are mined, and are taken off again by reorgs. */

import type * as Block from '../../lib/domain/block.ts';
import type { AccountId } from '../../lib/domain/caip.ts';
import { ETH, tokenOf } from '../support/builders.ts';
import type { Unit } from './plan.ts';

/** A chain that moves only when it is told to. */
export type Chain = {
  /** Waits for the next block. `by`: who signed it. */
  readonly submit: (unit: Unit, by: AccountId) => void;
  /** Takes a unit off: blocks from its own on are made again without it, and one more. */
  readonly drop: (unit: Unit) => void;
  readonly mine: () => void;
  /** The newest block, or as many before it as a node is behind. */
  readonly head: (behind?: number) => Block.Header;
  readonly block: (number: number) => Block.Block | undefined;
};

type Mined = { readonly unit: Unit; readonly by: AccountId };
type Made = { readonly header: Block.Header; readonly mined: readonly Mined[] };

/** A chain with its first block. */
export function createChain(nowMs: () => number): Chain {
  let made: readonly Made[] = [];
  let waiting: readonly Mined[] = [];
  let count = 0;
  const grow = (mined: readonly Mined[], timestampMs: number) => {
    count += 1;
    const hash = `0x${count.toString(16).padStart(64, '0')}`;
    const parentHash = made.at(-1)?.header.hash ?? '0x0';
    made = [...made, { header: { number: made.length, hash, parentHash, timestampMs }, mined }];
  };
  const isOther = (unit: Unit) => (one: Mined) => one.unit !== unit;
  grow([], nowMs());
  return {
    submit: (unit, by) => {
      waiting = [...waiting, { unit, by }];
    },
    drop: (unit) => {
      waiting = waiting.filter(isOther(unit));
      const at = made.findIndex(({ mined }) => mined.some((one) => one.unit === unit));
      if (at < 0) return;
      const again = made.slice(at);
      made = made.slice(0, at);
      for (const { mined, header } of again) grow(mined.filter(isOther(unit)), header.timestampMs);
      grow([], nowMs());
    },
    mine: () => {
      grow(waiting, nowMs());
      waiting = [];
    },
    head: (behind = 0) => (made[Math.max(0, made.length - 1 - behind)] as Made).header,
    block: (number) => {
      const one = made[number];
      return (
        one && { header: one.header, transactions: one.mined.map(transactionOf), unexplained: [] }
      );
    },
  };
}

function transactionOf({ unit, by }: Mined, index: number): Block.Transaction {
  const { transfer, number, transaction: hash, feeWei: fee } = unit;
  const { account: from, asset, amount, destination } = transfer;
  const isNative = asset === ETH;
  const to = isNative ? destination : tokenOf(asset);
  const moved = { kind: 'transfer', log: 0, standard: 'erc20', asset, from, tokenIds: [] } as const;
  return {
    ...{ hash, index, from: by, nonce: number, to, native: ETH, fee, type: '0x2' },
    value: isNative ? amount : 0n,
    ...(isNative ? {} : { selector: '0xa9059cbb' }),
    isReverted: false,
    delegations: [],
    events: isNative ? [] : [{ ...moved, to: destination, amount }],
    internal: [],
    calls: [],
  };
}

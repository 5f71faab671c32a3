/** A mix of approved and unapproved outflows on a real chain, several in each block, for tests and the bench. */

import type { Address, Hex } from 'viem';
import type * as Decision from '../../lib/domain/decision.ts';
import type * as Withdrawal from '../../lib/domain/withdrawal.ts';
import { call, erc20, idOf, NATIVE, type World } from '../adapters/evm/chain-world.ts';
import type { WatchedChain } from './watched-chain.ts';

/** What came of a mix. */
export type Mixed = {
  /** Unapproved outflows that did not trip. */
  readonly missed: number;
  /** Approved outflows that tripped. */
  readonly falseTrips: number;
  readonly matched: number;
  /** From the mining of a block with unapproved outflows to the commit of the step that tripped, ms. */
  readonly tripMs: readonly number[];
};

type Sent = { readonly hash: Hex; readonly isApproved: boolean };

/** Transactions of one block. */
const PER_BLOCK = 20;

/** Numbers that look random and are the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Sends `approved` reported and `unapproved` unreported outflows in random order, native and ERC-20,
 * to a few customers and with amounts that often meet. The node must mine only when it is told to.
 */
export async function mix(
  world: World,
  watched: WatchedChain,
  counts: { readonly approved: number; readonly unapproved: number; readonly seed: number },
): Promise<Mixed> {
  const random = numbers(counts.seed);
  let approved = counts.approved;
  let left = counts.approved + counts.unapproved;
  let nonce = await world.hot.getTransactionCount({ address: world.hot.account.address });
  const result = { missed: 0, falseTrips: 0, matched: 0, tripMs: [] as number[] };
  for (let number = 0; left > 0; ) {
    const block: Sent[] = [];
    for (let at = 0; at < PER_BLOCK && left > 0; at += 1, left -= 1, number += 1) {
      const isApproved = random() * left < approved;
      if (isApproved) approved -= 1;
      const transfer = draw(world, random, isApproved);
      if (isApproved) await watched.approve(`mixed-${number}`, transfer);
      block.push({ hash: await send(world, transfer, nonce), isApproved });
      nonce += 1;
    }
    await world.mine();
    const minedAtMs = performance.now();
    const outcomes = await watched.catchUp();
    judge(block, outcomes, result);
    if (block.some((one) => !one.isApproved)) result.tripMs.push(performance.now() - minedAtMs);
  }
  return result;
}

function judge(
  block: readonly Sent[],
  outcomes: readonly Decision.Outcome[],
  result: { missed: number; falseTrips: number; matched: number },
): void {
  for (const { hash, isApproved } of block) {
    const own = outcomes.filter(({ rowId }) => rowId.includes(hash));
    const hasTripped = own.some(({ trips }) => trips.length > 0);
    if (isApproved && hasTripped) result.falseTrips += 1;
    if (!isApproved && !hasTripped) result.missed += 1;
    result.matched += own.filter(({ result: what }) => what === 'matched-outflow').length;
  }
}

/** Unapproved ones go the same ways with other amounts, or other ways with the same amounts. */
function draw(world: World, random: () => number, isApproved: boolean): Withdrawal.Transfer {
  const customer = Math.floor(random() * 5);
  const isThief = !isApproved && random() < 0.5;
  const digit = isThief ? 'b' : customer.toString();
  const destination: Address = `0x${'c'.repeat(39)}${digit}`;
  const amount = BigInt(1 + Math.floor(random() * 20)) + (isApproved || isThief ? 0n : 1_000n);
  const asset = random() < 0.5 ? NATIVE : erc20(world.token);
  return {
    account: idOf(world.hot.account.address),
    asset,
    destination: idOf(destination),
    amount,
  };
}

function send(world: World, transfer: Withdrawal.Transfer, nonce: number): Promise<Hex> {
  const { hot, token, contracts } = world;
  const to = transfer.destination.slice(transfer.destination.lastIndexOf(':') + 1) as Address;
  const { asset, amount } = transfer;
  // A gas limit of its own: asking the node for each would take longer than everything else.
  if (asset === NATIVE) return hot.sendTransaction({ to, value: amount, nonce, gas: 21_000n });
  const at = { at: token, is: contracts.Token, nonce, gas: 100_000n };
  return call(hot, at, ['transfer', to, amount]);
}

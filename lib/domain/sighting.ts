/**
 * What a block means: which money left the policy's wallets, by whose word, and which changes often
 * come before a theft. Pure; whether somebody approved it is for matching to say.
 */

import type * as Block from './block.ts';
import { type AccountId, type AssetId, chainOf } from './caip.ts';
import * as Policy from './policy.ts';
import { changesOf, isListed, type Risk, risksOf, strange } from './risk.ts';
import type * as Withdrawal from './withdrawal.ts';

/**
 * How money left. `fee`: nothing moved, and the wallet paid for it: a call, an approval, a reverted
 * transaction. `unexplained`: a balance fell and no transaction says why; the receiver is not known.
 */
export type Kind = 'native' | 'internal' | Block.Standard | 'fee' | 'unexplained';

/**
 * By whose word. `signature`: the wallet signed the transaction. `call`: its own code made a call in
 * it. `grant`: an allowance of that token that the wallet gave. `log`: the token says so.
 */
export type Authority = 'signature' | 'call' | 'grant' | 'log';

/** Money that left, with what matching needs beside the outflow itself. */
export type Sighting = {
  readonly outflow: Withdrawal.Outflow;
  readonly kind: Kind;
  readonly authority: Authority;
  /** The wallet's nonce, where it signed the transaction. */
  readonly nonce?: number;
  /** It went to another address of the same wallet: only the fee left for good. */
  readonly isOwn: boolean;
  /** Nothing moved and nothing was paid: noise that matches nothing and stops nothing (address poisoning). */
  readonly isEmpty: boolean;
  /** What of an ERC-721 or ERC-1155 contract moved. */
  readonly tokenIds: readonly bigint[];
  readonly block: { readonly number: number; readonly hash: string };
};

/** What a block showed. `grants` are those that were given before it and in it. */
export type Sightings = {
  readonly sightings: readonly Sighting[];
  readonly risks: readonly Risk[];
  readonly grants: Grants;
};

/**
 * Allowances that wallets are known to have given: by their own word as {@link grantOf} names them,
 * and with the spender, once people have heard of it, as {@link allowanceOf} does.
 */
export type Grants = ReadonlySet<string>;

/** A sighting before the network fee has found its place. */
type Leg = Omit<Sighting, 'isEmpty'>;
type Known = {
  readonly policy: Policy.Policy;
  readonly block: Block.Block;
  readonly grants: Set<string>;
};

/**
 * The name of "this wallet let somebody move what is of this contract". It outlives the allowance:
 * nobody knows when one is used up. By contract, not by asset: one log gives away ERC-721 and ERC-1155
 * alike, and does not tell which one the contract is.
 */
export function grantOf(account: AccountId, asset: AssetId): string {
  return `${account}|${contractOf(asset)}`;
}

/** The name of "this wallet let this spender move what is of this contract". */
export function allowanceOf(given: {
  readonly owner: AccountId;
  readonly asset: AssetId;
  readonly spender: AccountId;
}): string {
  return `${grantOf(given.owner, given.asset)}|${given.spender}`;
}

/**
 * Everything in a block that left a wallet of the policy, in order, and every risk.
 *
 * - The network fee is on the first leg of its transaction that moved something, else on a leg of its
 *   own with amount 0 at `top`: gas counts also where nothing moved or everything was reverted.
 * - A token that the policy does not list by its own address counts only if the wallet called that
 *   very contract, or gave an allowance of it by such a call. That the wallet signed the transaction
 *   is not enough: whoever is paid in native coins can have a contract that claims anything in the
 *   payment's own transaction. What a thief signs is seen all the same, by its fee.
 * - Fail direction: a transfer of a listed token or of native coins counts whoever signed.
 */
export function sight(
  parameters: { readonly policy: Policy.Policy; readonly grants: Grants },
  block: Block.Block,
): Sightings {
  const { policy } = parameters;
  const known: Known = { policy, block, grants: new Set(parameters.grants) };
  const risks: Risk[] = [];
  const sightings = block.transactions.flatMap((transaction) => {
    risks.push(...risksIn(known, transaction));
    noteGrants(known, transaction);
    const legs = [...nativeLegs(known, transaction), ...tokenLegs(known, transaction, risks)];
    return withFee(known, transaction, legs);
  });
  risks.push(...changesOf(policy, block));
  const lost = block.unexplained.flatMap((loss) => unexplainedLeg(known, loss));
  const all = [...sightings, ...lost].map((leg) => ({ ...leg, isEmpty: isEmpty(leg) }));
  return { sightings: all, risks, grants: known.grants };
}

/**
 * What a waiting transaction would move if it were mined: for alarms before it is. It says nothing of
 * what a contract would move.
 */
export function foresee(
  policy: Policy.Policy,
  pending: Block.Pending,
): readonly Withdrawal.Transfer[] {
  if (!Policy.walletOf(policy, pending.from)) return [];
  const { from, token } = pending;
  const native = { account: from, asset: pending.native, amount: pending.value };
  const destination = pending.to ?? nobodyOn(from);
  return [
    ...(pending.value > 0n || !token ? [{ ...native, destination }] : []),
    ...(token
      ? [{ account: from, asset: token.asset, destination: token.to, amount: token.amount }]
      : []),
  ];
}

/** Judged by what was known before this transaction: an allowance that it gives is news. */
function risksIn({ policy, grants }: Known, transaction: Block.Transaction): readonly Risk[] {
  return risksOf(policy, transaction, {
    hasCalled: (call) => hasCalled(transaction, call),
    isAllowed: (given) => grants.has(allowanceOf(given)),
  });
}

function noteGrants({ policy, grants }: Known, transaction: Block.Transaction): void {
  for (const event of transaction.events) {
    if (event.kind !== 'approval' || event.amount === 0n) continue;
    if (!Policy.walletOf(policy, event.owner)) continue;
    const isOwnWord = hasCalled(transaction, { from: event.owner, to: event.contract });
    if (isOwnWord) grants.add(grantOf(event.owner, event.asset));
    if (isOwnWord || isListed(policy, event.asset)) grants.add(allowanceOf(event));
  }
}

function nativeLegs(known: Known, transaction: Block.Transaction): readonly Leg[] {
  const { from, to, created, native, value, isReverted, internal } = transaction;
  const moved = { asset: native, tokenIds: [] };
  const isTop = value > 0n && !isReverted && Policy.walletOf(known.policy, from);
  const destination = to ?? created ?? nobodyOn(from);
  const top = { ...moved, kind: 'native' as const, place: 'top', from, to: destination };
  return [
    ...(isTop ? [leg(known, transaction, { ...top, amount: value, by: 'signature' })] : []),
    ...internal
      .filter((one) => Policy.walletOf(known.policy, one.from))
      .map(({ path, ...one }) => {
        const by = authorityOf(transaction, one.from) === 'signature' ? 'signature' : 'call';
        const place = `trace:${path}`;
        return leg(known, transaction, { ...moved, ...one, kind: 'internal', place, by });
      }),
  ];
}

function tokenLegs(known: Known, transaction: Block.Transaction, risks: Risk[]): readonly Leg[] {
  return transaction.events.flatMap((event) => {
    if (event.kind !== 'transfer' || !Policy.walletOf(known.policy, event.from)) return [];
    const isGranted = known.grants.has(grantOf(event.from, event.asset));
    const isCalled = hasCalled(transaction, { from: event.from, to: contractOf(event.asset) });
    const word = authorityOf(transaction, event.from);
    const by = word === 'log' && isGranted ? 'grant' : word;
    if (!isCalled && !isGranted && !isListed(known.policy, event.asset)) {
      if (event.amount > 0n) risks.push(strange(known.policy, transaction, event));
      return [];
    }
    const { standard: kind, log, ...moved } = event;
    return [leg(known, transaction, { ...moved, kind, place: `log:${log}`, by })];
  });
}

/**
 * Whether the wallet itself called a contract: by its own transaction, or by its own code. A mere
 * payment is no call: what the paid contract claims in return is a stranger's word, and every customer
 * can have withdrawals paid to a contract of his own.
 */
function hasCalled(
  transaction: Block.Transaction,
  call: { readonly from: AccountId; readonly to: AccountId },
): boolean {
  const { from, to, selector, calls, internal } = transaction;
  const isThis = (one: { readonly from: AccountId; readonly to: AccountId }) =>
    one.from === call.from && one.to === call.to;
  if (selector !== undefined && from === call.from && to === call.to) return true;
  return calls.some(isThis) && !internal.some(isThis);
}

function authorityOf(
  transaction: Block.Transaction,
  account: AccountId,
): Exclude<Authority, 'grant'> {
  if (transaction.from === account) return 'signature';
  return transaction.calls.some(({ from }) => from === account) ? 'call' : 'log';
}

function contractOf(asset: AssetId): AccountId {
  return `${chainOf(asset)}:${asset.slice(asset.lastIndexOf(':') + 1)}`;
}

function leg(
  { policy, block }: Known,
  transaction: Pick<Block.Transaction, 'hash' | 'from' | 'nonce'>,
  moved: {
    readonly kind: Kind;
    readonly place: string;
    readonly by: Authority;
    readonly asset: AssetId;
    readonly from: AccountId;
    readonly to: AccountId;
    readonly amount: bigint;
    readonly tokenIds: readonly bigint[];
  },
): Leg {
  const { from, to, amount, asset } = moved;
  const wallet = Policy.walletOf(policy, from);
  const { number, hash } = block.header;
  return {
    outflow: {
      kind: 'outflow',
      transaction: transaction.hash,
      place: moved.place,
      transfer: { account: from, asset, destination: to, amount },
    },
    kind: moved.kind,
    authority: moved.by,
    ...(transaction.from === from ? { nonce: transaction.nonce } : {}),
    isOwn: from === to || (wallet?.addresses.includes(to) ?? false),
    tokenIds: moved.tokenIds,
    block: { number, hash },
  };
}

/** The fee goes to money that left for good, then to any that moved, then to a leg of its own. */
function withFee(
  known: Known,
  transaction: Block.Transaction,
  legs: readonly Leg[],
): readonly Leg[] {
  const { from, to, created, native, fee } = transaction;
  if (!Policy.walletOf(known.policy, from)) return legs;
  const moving = legs.filter(
    ({ outflow: { transfer } }) => transfer.account === from && transfer.amount > 0n,
  );
  const bearer = moving.find(({ isOwn }) => !isOwn) ?? moving[0];
  if (!bearer) {
    const destination = to ?? created ?? nobodyOn(from);
    const own = { kind: 'fee' as const, place: 'top', by: 'signature' as const, amount: 0n };
    const paid = { ...own, from, to: destination, asset: native, tokenIds: [] };
    return [charged(leg(known, transaction, paid), { asset: native, amount: fee }), ...legs];
  }
  return legs.map((one) => (one === bearer ? charged(one, { asset: native, amount: fee }) : one));
}

function charged(one: Leg, fee: Withdrawal.Fee): Leg {
  const { outflow } = one;
  return { ...one, outflow: { ...outflow, transfer: { ...outflow.transfer, fee } } };
}

/** Under the block's own hash, since no transaction is known that it belongs to. */
function unexplainedLeg(known: Known, loss: Block.Unexplained): readonly Leg[] {
  const { account, amount } = loss;
  if (!Policy.walletOf(known.policy, account)) return [];
  const nobody = nobodyOn(account);
  const unsigned = { hash: known.block.header.hash, from: nobody, nonce: 0 };
  const place = { kind: 'unexplained' as const, place: 'trace:', by: 'call' as const };
  const moved = { from: account, to: nobody, asset: loss.native, amount, tokenIds: [] };
  return [leg(known, unsigned, { ...place, ...moved })];
}

/** The zero address: a receiver that nobody knows, or none. */
function nobodyOn(account: AccountId): AccountId {
  return `${chainOf(account)}:0x${'0'.repeat(40)}`;
}

function isEmpty({ outflow: { transfer } }: Leg): boolean {
  return transfer.amount === 0n && !transfer.fee?.amount;
}

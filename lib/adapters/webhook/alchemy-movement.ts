/** One entry of an address activity: what moved, and where in its transaction. */

import * as z from 'zod/mini';
import type * as Caip from '../../domain/caip.ts';
import type * as Policy from '../../domain/policy.ts';
import { isListed } from '../../domain/risk.ts';
import type { CountedChain, Left, Outgoing } from './delivery.ts';
import { placeOfLog, type Receipt } from './receipts.ts';
import { MalformedError } from './refusals.ts';

const hex = z.string().check(z.regex(/^0x[0-9a-fA-F]*$/, 'must be hex with 0x'));
const hash = z.string().check(z.regex(/^0x[0-9a-fA-F]{64}$/, 'must be 32 bytes of hex with 0x'));
const address = z.string().check(z.regex(/^0x[0-9a-fA-F]{40}$/, 'must be 20 bytes of hex with 0x'));
const maybe = <T extends z.ZodMiniType>(shape: T) => z.optional(z.nullable(shape));

/** An entry, as far as it is read. Without `value`: it is a float, and money that went through one is another amount (H11). */
export const activityShape = z.object({
  fromAddress: address,
  toAddress: maybe(address),
  hash,
  category: z.string(),
  erc721TokenId: maybe(z.string()),
  erc1155Metadata: maybe(z.array(z.object({ tokenId: hex, value: hex }))),
  typeTraceAddress: maybe(z.string()),
  rawContract: maybe(z.object({ rawValue: maybe(hex), address: maybe(address) })),
  log: maybe(z.object({ logIndex: hex, blockHash: hash, removed: z.optional(z.boolean()) })),
});

type Activity = z.output<typeof activityShape>;

/** The place, as far as an entry knows it. `index` counts in the block. */
type Where =
  | { readonly kind: 'top' }
  | { readonly kind: 'trace'; readonly path: string }
  | {
      readonly kind: 'log';
      readonly index: number;
      readonly blockHash: string;
      readonly address: string;
    };

/** Something that left a wallet. */
export type Movement = {
  readonly wallet: Caip.AccountId;
  readonly transaction: string;
  /** The address paid; absent where the transaction made a contract. */
  readonly to: string | undefined;
  /** CAIP-19 namespace and reference; `native` is the chain's own coin. */
  readonly asset: 'native' | `${string}:${string}`;
  readonly amount: bigint;
  readonly where: Where;
};

/** Categories of tokens; each has a contract and a log. */
const TOKENS: ReadonlySet<string> = new Set(['token', 'erc20', 'erc721', 'erc1155']);

/** A receiver that nobody knows, or none. */
const NOBODY = `0x${'0'.repeat(40)}`;

/** `call_0_1`: the call's type, then its trace address. Only these move value. */
const VALUE_CALL = /^(?:call|create2?|suicide|selfdestruct)((?:_\d+)*)$/i;
const OTHER_CALL = /^(?:delegatecall|staticcall|callcode)(?:_\d+)*$/i;

/**
 * Reads an entry of a wallet. What a reorganisation removed gives nothing back, since no webhook knows
 * in which order removal and return came; zero moves nothing (H72).
 *
 * @throws {MalformedError}
 */
export function toMovement(one: Activity, wallet: Caip.AccountId): Movement | Left {
  const transaction = one.hash.toLowerCase();
  const left = (why: string): Left => ({ what: `${transaction} ${one.category}`, why });
  if (one.log?.removed) return left('a reorganisation removed it; what was counted stays counted');
  if (OTHER_CALL.test(one.typeTraceAddress ?? '')) return left('this kind of call moves no value');
  const { asset, amount } = worth(one);
  if (amount === 0n) return left('nothing moved');
  const to = one.toAddress?.toLowerCase();
  return { wallet, transaction, to, asset, amount, where: whereOf(one, transaction) };
}

function worth(one: Activity): Pick<Movement, 'asset' | 'amount'> {
  const contract = one.rawContract?.address?.toLowerCase();
  const raw = one.rawContract?.rawValue;
  if (isNative(one.category)) return { asset: 'native', amount: unitsOf(one, raw) };
  if (!TOKENS.has(one.category)) {
    throw malformed(one.hash, `category: "${one.category}" is not known`);
  }
  if (contract === undefined) throw malformed(one.hash, 'rawContract.address: is missing');
  if (one.erc1155Metadata && one.erc1155Metadata.length > 0) {
    const parts = one.erc1155Metadata.map(({ value }) => unitsOf(one, value));
    return { asset: `erc1155:${contract}`, amount: parts.reduce((sum, part) => sum + part, 0n) };
  }
  if (typeof one.erc721TokenId === 'string') return { asset: `erc721:${contract}`, amount: 1n };
  return { asset: `erc20:${contract}`, amount: unitsOf(one, raw) };
}

function isNative(category: string): boolean {
  return category === 'external' || category === 'internal';
}

function unitsOf(one: Activity, raw: string | null | undefined): bigint {
  if (typeof raw !== 'string') throw malformed(one.hash, 'rawContract.rawValue: is missing');
  return raw === '0x' ? 0n : BigInt(raw);
}

function whereOf(one: Activity, transaction: string): Where {
  if (one.category === 'external') return { kind: 'top' };
  if (one.category === 'internal') {
    const path = VALUE_CALL.exec(one.typeTraceAddress ?? '')?.[1];
    if (path === undefined) {
      throw malformed(transaction, `typeTraceAddress: "${one.typeTraceAddress}" is not known`);
    }
    return { kind: 'trace', path: path.slice(1).replaceAll('_', '.') };
  }
  const contract = one.rawContract?.address;
  if (!one.log || typeof contract !== 'string') throw malformed(transaction, 'log: is missing');
  const { logIndex, blockHash } = one.log;
  return { kind: 'log', index: Number(logIndex), blockHash, address: contract };
}

/**
 * The outflow of a movement, or why it is none. A token that the policy does not list by its own address
 * counts only if the wallet's transaction called that very contract, as the watcher of a chain has it:
 * else anybody could pause an exchange with a contract that logs its address, if need be in a payment
 * to him.
 *
 * @throws {LaterError} the node is not where the provider is.
 */
export function toOutflow(
  policy: Policy.Policy,
  given: {
    readonly movement: Movement;
    readonly here: CountedChain;
    readonly receipts: ReadonlyMap<string, Receipt>;
  },
): Outgoing | Left {
  const { movement, here, receipts } = given;
  const { wallet, transaction, to, amount, where } = movement;
  const left = (why: string): Left => ({ what: `${transaction} ${where.kind}`, why });
  const receipt = receipts.get(transaction);
  if (!receipt) return left('it has no receipt');
  if (!receipt.succeeded) return left('the transaction was reverted');
  const [namespace, reference] = wallet.split(':');
  const chain = `${namespace}:${reference}` as const;
  const asset = movement.asset === 'native' ? here.native : `${chain}/${movement.asset}`;
  const hasSigned = wallet === `${chain}:${receipt.from}`;
  if (where.kind === 'log' && !isListed(policy, asset as Caip.AssetId)) {
    const hasCalled = hasSigned && receipt.called === where.address.toLowerCase();
    if (!hasCalled) return left('an unlisted token moved that the wallet did not call');
  }
  const place = where.kind === 'log' ? placeOfLog(receipt, where) : placeOf(where);
  const destination = `${chain}:${to ?? receipt.created ?? NOBODY}`;
  const money = { wallet, asset, destination, amount: amount.toString() };
  return { detailType: 'outflow.observed', detail: { transaction, place, ...money } };
}

function placeOf(where: Exclude<Where, { kind: 'log' }>): string {
  return where.kind === 'top' ? 'top' : `trace:${where.path}`;
}

function malformed(transaction: string, problem: string): MalformedError {
  return new MalformedError({ problems: [`event.activity of ${transaction}: ${problem}`] });
}

/**
 * Events as producers send them: an EventBridge envelope whose `detail` is of one of a few shapes
 * (`docs/events.md`). Unknown JSON goes in, a domain event comes out, or an error that names field
 * and reason. Nothing is counted of what cannot be read.
 */

import * as z from 'zod/mini';
import * as Batch from '../../domain/batch.ts';
import * as Caip from '../../domain/caip.ts';
import * as Money from '../../domain/money.ts';
import type * as Outcome from '../../domain/outcome.ts';
import type * as Withdrawal from '../../domain/withdrawal.ts';
import * as Identifier from './identifier.ts';
import { read, readJson } from './read.ts';

/** Longest id, memo or actor that is accepted, in characters. */
const TEXT_LENGTH_MAX = 256;

const text = z.string().check(
  z.minLength(1),
  z.maxLength(TEXT_LENGTH_MAX),
  z.refine(
    (value) => value.isWellFormed() && !/\p{Cc}/u.test(value),
    'must have no control characters',
  ),
);
const amount = z
  .string()
  .check(
    z.regex(
      /^(0|[1-9]\d{0,77})$/,
      'must be a decimal string of base units such as "1000000", without sign, point or exponent',
    ),
  );
const account = parsed(Identifier.parseAccount);
const asset = parsed(Identifier.parseAsset);
const instant = z.pipe(
  z.iso.datetime({ offset: true }),
  z.transform((value: string) => Date.parse(value)),
);

/** One place has one spelling: `log:7` and `log:07` would be counted twice. */
const PLACE = /^(top|log:(0|[1-9]\d*)|trace:((0|[1-9]\d*)(\.(0|[1-9]\d*))*)?)$/;

const transferShape = {
  wallet: account,
  asset,
  destination: account,
  memo: z.optional(text),
  actor: z.optional(text),
  amount,
  fee: z.optional(z.strictObject({ asset, amount })),
};
const nonce = z.int().check(z.nonnegative());
const withdrawalDetail = z.strictObject({
  withdrawalId: text,
  transaction: z.optional(text),
  nonce: z.optional(nonce),
  ...transferShape,
});
const outflowDetail = z.strictObject({
  transaction: text,
  place: z
    .string()
    .check(
      z.maxLength(TEXT_LENGTH_MAX),
      z.regex(PLACE, 'must be "top", "log:<n>" or "trace:<n>.<n>", numbers without leading zeros'),
    ),
  withdrawalId: z.optional(text),
  observedAt: z.optional(instant),
  ...transferShape,
});
const batchDetail = z.strictObject({
  batchId: text,
  wallet: account,
  contract: account,
  asset,
  sum: amount,
  withdrawalIds: z.array(text).check(z.minLength(1), z.maxLength(Batch.WITHDRAWALS_MAX)),
});
const balanceDetail = z.strictObject({ wallet: account, asset, amount, at: instant });
const settledDetail = z.strictObject({ withdrawalId: text });
/** An operator's word is no event: it comes as a command, with the identity that IAM proved. */
const closedDetail = z.strictObject({
  withdrawalId: text,
  evidence: z.strictObject({ kind: z.enum(['nonce-spent', 'never-signed']), reference: text }),
});
const replacedDetail = z.strictObject({
  withdrawalId: text,
  transaction: text,
  evidence: z.strictObject({ kind: z.literal('nonce-spent'), reference: text }),
});
const heartbeatDetail = z.strictObject({ sentAt: instant });
const envelopeShape = z.object({ 'detail-type': z.string(), detail: z.optional(z.unknown()) });

/** A parsed event of the ingress. */
export type Event =
  | Withdrawal.Withdrawal
  | Withdrawal.Outflow
  | Outcome.Outcome
  | Heartbeat
  | ({ readonly kind: 'batch' } & Batch.Batch)
  | Balance;

/** What a whole wallet holds of an asset, named by any account of it, base units. */
export type Balance = {
  readonly kind: 'balance';
  readonly account: Caip.AccountId;
  readonly asset: Caip.AssetId;
  readonly amount: bigint;
  readonly atMs: number;
};

/** A proof, sent by `tick`, that events arrive. */
export type Heartbeat = { readonly kind: 'heartbeat'; readonly sentAtMs: number };

/** Names that `detail-type` may have. */
export const DETAIL_TYPES = [
  'withdrawal.reported',
  'batch.declared',
  'outflow.observed',
  'withdrawal.settled',
  'withdrawal.failed',
  'withdrawal.cancelled',
  'withdrawal.replaced',
  'balance.reported',
  'heartbeat',
] as const;

/**
 * Reads the text of an EventBridge envelope.
 *
 * @throws {InvalidEventError} with field and reason.
 */
export function parseEnvelope(body: string): Event {
  const reading = readJson(z.unknown(), body, { under: '', whole: 'event' });
  if ('problems' in reading) throw new InvalidEventError(reading);
  return fromEnvelope(reading.value);
}

/** Reads an envelope that is JSON already. @throws {InvalidEventError} */
export function fromEnvelope(value: unknown): Event {
  const envelope = readOrThrow(envelopeShape, value, '');
  const { detail } = envelope;
  switch (envelope['detail-type']) {
    case 'withdrawal.reported': {
      return toWithdrawal(readOrThrow(withdrawalDetail, detail, 'detail'));
    }
    case 'batch.declared':
      return toBatch(readOrThrow(batchDetail, detail, 'detail'));
    case 'outflow.observed':
      return toOutflow(readOrThrow(outflowDetail, detail, 'detail'));
    case 'withdrawal.settled':
      return { kind: 'settled', ...readOrThrow(settledDetail, detail, 'detail') };
    case 'withdrawal.failed':
      return { kind: 'failed', ...readOrThrow(closedDetail, detail, 'detail') };
    case 'withdrawal.cancelled':
      return { kind: 'cancelled', ...readOrThrow(closedDetail, detail, 'detail') };
    case 'withdrawal.replaced':
      return { kind: 'replaced', ...readOrThrow(replacedDetail, detail, 'detail') };
    case 'balance.reported':
      return toBalance(readOrThrow(balanceDetail, detail, 'detail'));
    case 'heartbeat':
      return { kind: 'heartbeat', sentAtMs: readOrThrow(heartbeatDetail, detail, 'detail').sentAt };
    default:
      throw new InvalidEventError({
        problems: [`detail-type: must be one of ${DETAIL_TYPES.join(', ')}`],
      });
  }
}

function toWithdrawal(detail: z.output<typeof withdrawalDetail>): Withdrawal.Withdrawal {
  const { withdrawalId, transaction, nonce: used, ...rest } = detail;
  const transfer = toTransfer(rest);
  const hash = transaction === undefined ? undefined : spelled(transaction, transfer.account);
  const isSent = hash !== undefined || used !== undefined;
  const sent = isSent ? { transaction: hash, nonce: used } : undefined;
  return { kind: 'withdrawal', withdrawalId, transfer, ...(sent && { sent }) };
}

function toBatch(detail: z.output<typeof batchDetail>): Event {
  const { batchId, wallet, contract, asset: moved, sum, withdrawalIds } = detail;
  const fields = { destination: 'contract', amount: 'sum' };
  const transfer = toTransfer({ wallet, asset: moved, destination: contract, amount: sum }, fields);
  return { kind: 'batch', batchId, transfer, withdrawalIds };
}

/** Above what can be counted nothing is held: it is a mistake of the sender. */
function toBalance(detail: z.output<typeof balanceDetail>): Balance {
  const { wallet, asset: held, at: atMs } = detail;
  const units = BigInt(detail.amount);
  if (units > Money.MAX)
    throw new InvalidEventError({ problems: ['detail.amount: is above 2^256 − 1'] });
  return { kind: 'balance', account: wallet, asset: held, amount: units, atMs };
}

function toOutflow(detail: z.output<typeof outflowDetail>): Withdrawal.Outflow {
  const { transaction, place, withdrawalId, observedAt: _, ...rest } = detail;
  const transfer = toTransfer(rest);
  const hash = spelled(transaction, transfer.account);
  return { kind: 'outflow', transaction: hash, place, withdrawalId, transfer };
}

/**
 * One transaction has one spelling: under two, its second sight would be an outflow that nobody
 * approved, and pause. Hashes are hex on EVM chains, with `0x`, and on Bitcoin's, without; other
 * namespaces (base 58 among them) keep what they say.
 */
function spelled(transaction: string, account: Caip.AccountId): string {
  if (isEvm(account)) return transaction.toLowerCase().replace(/^(?=[0-9a-f]{64}$)/, '0x');
  const isBitcoin = account.startsWith('bip122:') && /^[0-9a-f]{64}$/i.test(transaction);
  return isBitcoin ? transaction.toLowerCase() : transaction;
}

/** Hex on these chains means the same in either case, and addresses have no memo. */
function isEvm(account: Caip.AccountId): boolean {
  return account.startsWith('eip155:');
}

type TransferDetail = {
  readonly wallet: Caip.AccountId;
  readonly asset: Caip.AssetId;
  readonly destination: Caip.AccountId;
  readonly memo?: string | undefined;
  readonly actor?: string | undefined;
  readonly amount: string;
  readonly fee?: { readonly asset: Caip.AssetId; readonly amount: string } | undefined;
};

/** Checks what spans fields, and narrows to the domain's type. `names`: what the sender calls a field, where otherwise. */
function toTransfer(
  detail: TransferDetail,
  names = { destination: 'destination', amount: 'amount' },
): Withdrawal.Transfer {
  const chain = Caip.chainOf(detail.wallet);
  const named = { asset: 'asset', ...names };
  const problems = (['asset', 'destination'] as const)
    .filter((field) => Caip.chainOf(detail[field]) !== chain)
    .map(
      (field) =>
        `detail.${named[field]}: is on ${Caip.chainOf(detail[field])}, but the wallet is on ${chain}`,
    );
  if (detail.fee && Caip.chainOf(detail.fee.asset) !== chain) {
    problems.push(`detail.fee.asset: is not on the wallet's chain ${chain}`);
  }
  if (detail.memo !== undefined && isEvm(detail.wallet)) {
    problems.push('detail.memo: accounts on eip155 chains have no memo or tag');
  }
  const [amount, fee] = [BigInt(detail.amount), BigInt(detail.fee?.amount ?? '0')];
  if (amount > Money.MAX) problems.push(`detail.${names.amount}: is above 2^256 − 1`);
  if (fee > Money.MAX) problems.push('detail.fee.amount: is above 2^256 − 1');
  if (problems.length > 0) throw new InvalidEventError({ problems });
  return {
    account: detail.wallet,
    asset: detail.asset,
    destination: detail.destination,
    memo: detail.memo,
    actor: detail.actor,
    amount,
    fee: detail.fee && { asset: detail.fee.asset, amount: fee },
  };
}

function parsed<T extends string>(parse: (value: string) => T) {
  return z.pipe(
    z.string().check(z.maxLength(TEXT_LENGTH_MAX)),
    z.transform((value: string, context): T => {
      try {
        return parse(value);
      } catch (error) {
        context.issues.push({ code: 'custom', message: (error as Error).message, input: value });
        return z.NEVER;
      }
    }),
  );
}

function readOrThrow<T extends z.ZodMiniType>(
  shape: T,
  value: unknown,
  under: string,
): z.output<T> {
  const reading = read(shape, value, { under, whole: 'event' });
  if ('problems' in reading) throw new InvalidEventError(reading);
  return reading.value;
}

/** An event cannot be read. `problems` name field and reason; nothing of it was counted. */
export class InvalidEventError extends Error {
  override readonly name = 'Event.InvalidEventError';
  readonly problems: readonly string[];
  constructor(details: { readonly problems: readonly string[] }) {
    super(details.problems.join('; '));
    this.problems = details.problems;
  }
}

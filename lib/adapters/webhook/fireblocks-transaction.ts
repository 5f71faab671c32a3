/**
 * A transaction as Fireblocks' webhooks v2 tell it, as far as it is read. Fields from
 * https://developers.fireblocks.com/reference/webhooks-structures-eventtypes-transaction and
 * https://developers.fireblocks.com/reference/transaction-objects.
 */

import * as z from 'zod/mini';

const maybe = <T extends z.ZodMiniType>(shape: T) => z.optional(z.nullable(shape));
const text = z.string().check(z.minLength(1), z.maxLength(512));
const peer = z.object({ type: z.string(), id: maybe(z.string()) });

/** Amounts are the strings of `amountInfo` and `feeInfo`; the numbers beside them are floats and are not read (H11). */
export const transactionShape = z.object({
  id: text,
  status: text,
  subStatus: maybe(z.string()),
  externalTxId: maybe(z.string()),
  operation: maybe(z.string()),
  txHash: maybe(z.string()),
  assetId: maybe(text),
  source: maybe(peer),
  destination: maybe(peer),
  destinationAddress: maybe(z.string()),
  destinationTag: maybe(z.string()),
  destinations: maybe(
    z.array(
      z.object({
        amount: maybe(z.string()),
        destinationAddress: maybe(z.string()),
        destinationTag: maybe(z.string()),
      }),
    ),
  ),
  amountInfo: maybe(z.object({ amount: maybe(z.string()), netAmount: maybe(z.string()) })),
  feeInfo: maybe(
    z.object({ networkFee: maybe(z.string()), paidByRelay: z.optional(z.nullable(z.boolean())) }),
  ),
  feeCurrency: maybe(z.string()),
  index: maybe(z.int()),
  logIndex: maybe(z.int()),
  blockInfo: maybe(z.object({ blockHash: maybe(z.string()) })),
  networkRecords: maybe(z.array(z.object({ source: maybe(peer) }))),
});

/** The envelope of every notification. */
export const notificationShape = z.object({
  eventType: z.string(),
  workspaceId: z.string(),
  data: z.optional(z.unknown()),
});

/** A transaction. */
export type Transaction = z.output<typeof transactionShape>;

/** A text that is there, or nothing: Fireblocks sends `""` where it has none. */
export function given(value: string | null | undefined): string | undefined {
  return value === null || value === '' ? undefined : value;
}

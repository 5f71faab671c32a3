/**
 * Our own shape, for whatever else sees a chain: an indexer, a node's wallet, another custodian.
 * `X-Breakwater-Signature` is the hex HMAC-SHA256 of `<X-Breakwater-Timestamp>.<raw body>`; the
 * timestamp is in whole seconds and at most five minutes off.
 */

import * as z from 'zod/mini';
import type * as Policy from '../../domain/policy.ts';
import {
  type Delivery,
  mustBeTaken,
  type Outgoing,
  type Reading,
  readBody,
  readSettings,
} from './delivery.ts';
import { isSigned } from './hmac.ts';
import { spendShape, toOutflows } from './spend.ts';

/** Longest body that is read, bytes. */
export const GENERIC_BODY_MAX_BYTES = 262_144;

/** How far the signed time may lie from ours, either way, ms. What is repeated within it is stopped by the ledger's ids. */
const WINDOW_MS = 300_000;
const ITEMS_MAX = 200;
const TIMESTAMP = /^\d{1,12}$/;

const settingsShape = z.strictObject({
  keys: z.array(z.string().check(z.minLength(32))).check(z.minLength(1), z.maxLength(10)),
});

const transferShape = z.strictObject({
  kind: z.literal('transfer'),
  transaction: z.string(),
  place: z.optional(z.string()),
  wallet: z.string(),
  asset: z.string(),
  destination: z.string(),
  memo: z.optional(z.string()),
  amount: z.string(),
  fee: z.optional(z.strictObject({ asset: z.string(), amount: z.string() })),
  withdrawalId: z.optional(z.string()),
});
const bodyShape = z.strictObject({
  outflows: z
    .array(z.discriminatedUnion('kind', [transferShape, spendShape]))
    .check(z.minLength(1), z.maxLength(ITEMS_MAX)),
});

type Reported = z.output<typeof bodyShape>['outflows'][number];

/** Reads the secret: the keys, any of which may sign. @throws {SettingsError} */
export function parseGenericSettings(text: string): { readonly keys: readonly string[] } {
  return readSettings(settingsShape, text);
}

/** Whether a holder of a key sent it, just now. Fail direction: closed. */
export function isFromReporter(
  delivery: Delivery,
  by: { readonly keys: readonly string[]; readonly nowMs: number },
): boolean {
  const { headers, body } = delivery;
  const timestamp = headers['x-breakwater-timestamp'];
  const signature = headers['x-breakwater-signature'];
  if (timestamp === undefined || !TIMESTAMP.test(timestamp)) return false;
  const isNow = Math.abs(by.nowMs - Number(timestamp) * 1_000) <= WINDOW_MS;
  return isSigned({ keys: by.keys, parts: [`${timestamp}.`, body], signature }) && isNow;
}

/**
 * The outflows of a body. Every wallet is passed on, known or not: the policy decides.
 * Fail direction: closed, one part that cannot be read refuses the whole.
 *
 * @throws {MalformedError} {@link UnmappedError}
 */
export function readGeneric(policy: Policy.Policy, delivery: Delivery): Reading {
  const { outflows } = readBody(bodyShape, delivery.body);
  const read = outflows.flatMap((one, position) => {
    const under = `outflows.${position}`;
    return eventsOf(policy, { one, under }).map((event) => ({ event, under }));
  });
  const events = read.map(({ event }) => event);
  return { events: mustBeTaken(events, (position) => read[position]?.under ?? ''), left: [] };
}

function eventsOf(
  policy: Policy.Policy,
  { one, under }: { readonly one: Reported; readonly under: string },
): readonly Outgoing[] {
  if (one.kind === 'spend') return toOutflows(policy, { spend: one, under });
  const { kind: _, place = 'top', ...detail } = one;
  return [{ detailType: 'outflow.observed', detail: { place, ...detail } }];
}

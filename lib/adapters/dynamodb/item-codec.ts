/** The item of a scope at rest: `v` version, `m` meter, `b` breaker, `p` policy version, `s` stack id, `o` open reservations, `w` held ones that wait, `t` what counts or allows otherwise than the policy says, `expiresAtS`. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import * as Breaker from '../../domain/breaker.ts';
import type * as Ledger from '../../domain/ledger.ts';
import * as Meter from '../../domain/meter.ts';
import type * as Scope from '../../domain/scope.ts';
import * as Attributes from './attributes.ts';
import { itemKey } from './keys.ts';
import { fromMeterBytes, toMeterBytes } from './meter-codec.ts';

const SECOND_MS = 1_000;
/** Kinds of scope that come and go by the thousand: their items expire. */
const EXPIRING = /^(?:destination|actor):/;
/** A version starts at the time of its item's first write, in ms; one that is no such time is below this. */
const VERSION_MIN_MS = 1_000_000_000_000;

const StoredMark: z.ZodMiniType<Meter.Mark> = z.object({
  atMs: z.int(),
  held: z.array(z.object({ notional: Attributes.Units, amount: Attributes.Units, count: z.int() })),
});

const StoredStep: z.ZodMiniType<Breaker.Step> = z.object({
  shareBps: z.int(),
  forMs: z.int(),
  chains: z.exactOptional(z.array(z.string())),
  assets: z.exactOptional(z.array(z.string())),
});

const StoredBreaker: z.ZodMiniType<Breaker.Breaker> = z.discriminatedUnion('state', [
  z.object({ state: z.literal('closed'), epoch: z.int() }),
  z.object({
    state: z.enum(['open', 'isolated']),
    epoch: z.int(),
    incidentId: z.string(),
    openedAtMs: z.int(),
    causes: z.int(),
    unmatched: z.exactOptional(z.int()),
  }),
  z.object({
    state: z.literal('half-open'),
    epoch: z.int(),
    incidentId: z.string(),
    openedAtMs: z.int(),
    causes: z.int(),
    unmatched: z.exactOptional(z.int()),
    steps: z.array(StoredStep),
    step: z.int(),
    stepSinceMs: z.int(),
    mark: StoredMark,
    budget: Attributes.Units,
  }),
]);

const StoredWaiting: z.ZodMiniType<NonNullable<Ledger.Item['waiting']>> = z.array(
  z.object({ limitId: z.string(), count: z.int() }),
);

type Terms = Pick<Ledger.Item, 'bases' | 'overlay' | 'allowances'>;

const StoredTerms: z.ZodMiniType<Terms> = z.object({
  bases: z.exactOptional(z.array(z.object({ limitIds: z.array(z.string()), mark: StoredMark }))),
  overlay: z.exactOptional(
    z.object({
      shareBps: z.int(),
      incidentId: z.string(),
      by: z.string(),
      atMs: z.int(),
      causes: z.int(),
    }),
  ),
  allowances: z.exactOptional(
    z.array(z.object({ limitId: z.string(), extraBps: z.int(), untilMs: z.int() })),
  ),
});

/** Writes the item of a scope. A breaker that has never opened takes no room. */
export function toItem(key: Scope.Key, item: Ledger.Item): Record<string, AttributeValue> {
  const { version, meter, breaker, policyVersion, outstanding = 0, waiting } = item;
  const pristine = breaker.state === 'closed' && breaker.epoch === 0;
  const terms = termsOf(item);
  const isPlain = pristine && !terms;
  const isIdle = isPlain && policyVersion === undefined && outstanding === 0 && !waiting;
  const expires = EXPIRING.test(key) && isIdle;
  // What was held and never charged has an empty meter: then it counts from when its item was made.
  const madeAtMs = version > VERSION_MIN_MS ? version : 0;
  const newestMs = Math.max(meter.newestMs, madeAtMs);
  const expiresAtS = Math.ceil((newestMs + Meter.SILENCE_MS) / SECOND_MS);
  return {
    ...itemKeyOf(key),
    v: { N: version.toString() },
    m: { B: toMeterBytes(meter) },
    ...(pristine ? {} : { b: Attributes.toJson(breaker) }),
    ...(policyVersion === undefined ? {} : { p: { S: policyVersion.toString() } }),
    ...(item.stackId === undefined ? {} : { s: { S: item.stackId } }),
    ...(outstanding === 0 ? {} : { o: { S: outstanding.toString() } }),
    ...(waiting ? { w: Attributes.toJson(waiting) } : {}),
    ...(terms ? { t: Attributes.toJson(terms) } : {}),
    ...(expires && newestMs > 0 ? { expiresAtS: { N: expiresAtS.toString() } } : {}),
  };
}

/**
 * Reads the item of a scope. One that should have expired and is still there reads as it is: its
 * slots have left every window.
 *
 * @throws {Store.UnreadableError}
 */
export function fromItem(attributes: Attributes.Attributes): Ledger.Item {
  return {
    version: Attributes.numberOf(attributes, 'v'),
    meter: fromMeterBytes(Attributes.bytesOf(attributes, 'm')),
    breaker: attributes.b ? Attributes.jsonOf(attributes, 'b', StoredBreaker) : Breaker.CLOSED,
    ...(attributes.o ? { outstanding: Attributes.jsonOf(attributes, 'o', z.int()) } : {}),
    ...(attributes.w ? { waiting: Attributes.jsonOf(attributes, 'w', StoredWaiting) } : {}),
    ...(attributes.s ? { stackId: Attributes.textOf(attributes, 's') } : {}),
    ...(attributes.t ? Attributes.jsonOf(attributes, 't', StoredTerms) : {}),
    ...(attributes.p ? { policyVersion: Attributes.jsonOf(attributes, 'p', z.int()) } : {}),
  };
}

function termsOf({ bases, overlay, allowances }: Ledger.Item): Terms | undefined {
  if (!bases && !overlay && !allowances) return undefined;
  return {
    ...(bases && { bases }),
    ...(overlay && { overlay }),
    ...(allowances && { allowances }),
  };
}

function itemKeyOf(key: Scope.Key): Record<string, AttributeValue> {
  return { pk: { S: itemKey(key).pk } };
}

/** Proofs of health at rest: the leases (`v`: when they were given, ms) and the heartbeat. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { Leases } from '../../domain/flag.ts';
import type { Sight } from '../../domain/health.ts';
import type * as Ledger from '../../domain/ledger.ts';
import * as Attributes from './attributes.ts';
import { HEARTBEAT_KEY, LEASES_KEY, STUCK_KEY, sightKey } from './keys.ts';

/** Pairs, because a chain named `__proto__` must stay a chain. */
const StoredLeases = z.array(z.tuple([z.string(), z.int()]));

const StoredHeartbeat: z.ZodMiniType<Ledger.Heartbeat> = z.object({
  sentAtMs: z.int(),
  receivedAtMs: z.int(),
  oldestWaitingMs: z.int(),
});

const StoredSight: z.ZodMiniType<Sight> = z.object({
  seenAtMs: z.int(),
  timestampMs: z.int(),
  stopped: z.exactOptional(z.string()),
});

/** Writes what a chain's watcher saw last (`v`: when, ms). */
export function toSight(chain: string, sight: Sight): Record<string, AttributeValue> {
  const v = { N: sight.seenAtMs.toString() };
  return { pk: { S: sightKey(chain).pk }, v, b: Attributes.toJson(sight) };
}

/** Reads what a chain's watcher saw last. @throws {Store.UnreadableError} */
export function fromSight(attributes: Attributes.Attributes): Sight {
  return Attributes.jsonOf(attributes, 'b', StoredSight);
}

/** Writes the leases. */
export function toLeases(leases: Leases, atMs: number): Record<string, AttributeValue> {
  return {
    pk: { S: LEASES_KEY.pk },
    v: { N: atMs.toString() },
    b: Attributes.toJson(Object.entries(leases)),
  };
}

/** Reads the leases. @throws {Store.UnreadableError} */
export function fromLeases(attributes: Attributes.Attributes): Leases {
  return Object.fromEntries(Attributes.jsonOf(attributes, 'b', StoredLeases));
}

/** Writes the heartbeat. */
export function toHeartbeat(heartbeat: Ledger.Heartbeat): Record<string, AttributeValue> {
  return { pk: { S: HEARTBEAT_KEY.pk }, b: Attributes.toJson(heartbeat) };
}

/** Reads the heartbeat. @throws {Store.UnreadableError} */
export function fromHeartbeat(attributes: Attributes.Attributes): Ledger.Heartbeat {
  return Attributes.jsonOf(attributes, 'b', StoredHeartbeat);
}

/** Writes when an event was last seen stuck. */
export function toStuck(atMs: number): Record<string, AttributeValue> {
  return { pk: { S: STUCK_KEY.pk }, v: { N: atMs.toString() } };
}

/** Reads when an event was last seen stuck, ms. @throws {Store.UnreadableError} */
export function fromStuck(attributes: Attributes.Attributes): number {
  return Attributes.numberOf(attributes, 'v');
}

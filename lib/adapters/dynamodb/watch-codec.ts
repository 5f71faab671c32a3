/**
 * What a watcher remembers, at rest: `v` is its version, `b` its JSON, deflated (RFC 1951). Hundreds
 * of block hashes and ledger ids in hex take less than half their length so; an item holds 400 KB.
 */

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type * as Watch from '../../domain/watch.ts';
import * as Attributes from './attributes.ts';
import { watchKey } from './keys.ts';

const Seen = z.object({ number: z.int(), hash: z.string() });

const StoredState: z.ZodMiniType<Omit<Watch.State, 'version'>> = z.object({
  sequence: z.int(),
  cursor: z.object({
    chain: Attributes.identifier<Watch.State['cursor']['chain']>(),
    recent: z.array(Seen),
    accounted: z.exactOptional(Seen),
    seenAtMs: z.int(),
    timestampMs: z.int(),
  }),
  beganAt: z.exactOptional(z.int()),
  grants: z.array(z.string()),
  told: z.array(z.object({ block: z.string(), rowIds: z.array(z.string()) })),
  begun: z.array(z.object({ rowId: z.string(), number: z.int() })),
  stopped: z.exactOptional(z.string()),
});

/** Writes a state. */
export function toState(state: Watch.State): Record<string, AttributeValue> {
  const { version, ...rest } = state;
  const { pk, sk } = watchKey(state.cursor.chain);
  return {
    pk: { S: pk },
    sk: { S: sk },
    v: { N: version.toString() },
    b: { B: deflateRawSync(JSON.stringify(rest)) },
  };
}

/** Reads a state. @throws {Store.UnreadableError} */
export function fromState(attributes: Attributes.Attributes): Watch.State {
  const version = Attributes.numberOf(attributes, 'v');
  const text = inflateRawSync(Attributes.bytesOf(attributes, 'b')).toString('utf8');
  const stored = Attributes.jsonOf({ ...attributes, b: { S: text } }, 'b', StoredState);
  return { version, ...stored };
}

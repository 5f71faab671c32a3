/** What a provider sent, as it came, and the events that are read out of it. */

import * as z from 'zod/mini';
import type { EventSender } from '../../ports.ts';
import { fromEnvelope, InvalidEventError } from '../wire/event.ts';
import { read, readJson } from '../wire/read.ts';
import { MalformedError, SettingsError, UnmappedError } from './refusals.ts';

/** A request. The body is what was signed, byte for byte; names of headers are lower-case. */
export type Delivery = {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
};

/** An event on its way to the bus. */
export type Outgoing = Parameters<EventSender['send']>[0];

/** What a delivery comes to: events, and what is not for this way, with the reason. */
export type Reading = {
  readonly events: readonly Outgoing[];
  readonly left: readonly Left[];
};

/** A part of a delivery that is no event. */
export type Left = { readonly what: string; readonly why: string };

const rpcUrl = z.string().check(z.minLength(1), z.maxLength(2_048));

/** An EVM chain that has no watcher and whose outflows webhooks count: its native asset, and a node to ask for receipts. */
export type CountedChain = { readonly native: string; readonly rpcUrl: string };

/** The shape of {@link CountedChain}s by CAIP-2 chain. */
export const countedShape = z.optional(
  z.record(
    z.string().check(z.regex(/^eip155:\d+$/, 'must be a chain such as eip155:137')),
    z.strictObject({ native: z.string(), rpcUrl }),
  ),
);

/** Reads a body that has proved who sent it. @throws {MalformedError} with field and reason. */
export function readBody<T extends z.ZodMiniType>(shape: T, body: Uint8Array): z.output<T> {
  const text = Buffer.from(body).toString('utf8');
  const reading = readJson(shape, text, { under: '', whole: 'body' });
  if ('problems' in reading) throw new MalformedError(reading);
  return reading.value;
}

/** Reads a part of a body; problems are named under its path. @throws {MalformedError} */
export function readPart<T extends z.ZodMiniType>(
  shape: T,
  value: unknown,
  under: string,
): z.output<T> {
  const reading = read(shape, value, { under, whole: under });
  if ('problems' in reading) throw new MalformedError(reading);
  return reading.value;
}

/** Reads the text of a secret. @throws {SettingsError} with field and reason, without values. */
export function readSettings<T extends z.ZodMiniType>(shape: T, text: string): z.output<T> {
  const reading = readJson(shape, text, { under: '', whole: 'secret' });
  if ('problems' in reading) throw new SettingsError(reading);
  return reading.value;
}

/**
 * Checks that every event is one that the ingress takes: what it would reject later must be refused
 * now, while the provider still sends again.
 *
 * @param where what the sender knows an event by, instead of our `event 3: detail`.
 * @throws {UnmappedError}
 */
export function mustBeTaken(
  events: readonly Outgoing[],
  where = (position: number) => `event ${position}: detail`,
): readonly Outgoing[] {
  const problems = events.flatMap(({ detailType, detail }, position) => {
    try {
      fromEnvelope({ 'detail-type': detailType, detail });
      return [];
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error;
      return error.problems.map((problem) => problem.replace(/^detail\b/, where(position)));
    }
  });
  if (problems.length > 0) throw new UnmappedError({ problems });
  return events;
}

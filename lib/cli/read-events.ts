/** Events in a file or on standard input: JSON lines, a JSON array, or one JSON object. */

import * as z from 'zod/mini';
import { fromEnvelope, InvalidEventError } from '../adapters/wire/event.ts';
import type { EventToSend } from './transport.ts';

/** An event that cannot be sent. `place` is `line 12` or `event 3`. */
export type Invalid = { readonly place: string; readonly problems: readonly string[] };

/** What a text holds, in its order. */
export type Events = {
  readonly valid: readonly EventToSend[];
  readonly invalid: readonly Invalid[];
};

type Entry = { readonly place: string; readonly value: unknown };

const ENVELOPE = z.object({
  'detail-type': z.string(),
  detail: z.unknown(),
  source: z.optional(z.string().check(z.minLength(1))),
});

/** Reads a text. Never throws: what cannot be read is in `invalid`, each with line, field and reason. */
export function readEvents(text: string): Events {
  const valid: EventToSend[] = [];
  const invalid: Invalid[] = [];
  for (const entry of entriesOf(text)) {
    if (entry instanceof Error) {
      invalid.push({ place: entry.message, problems: ['event: is not JSON'] });
      continue;
    }
    const problems = problemsOf(entry.value);
    if (problems.length > 0) invalid.push({ place: entry.place, problems });
    else valid.push(toSend(entry.value));
  }
  return { valid, invalid };
}

/** A line that is no JSON comes as an error whose message is its place. */
function entriesOf(text: string): readonly (Entry | Error)[] {
  const whole = parseJson(text);
  if (Array.isArray(whole)) {
    return whole.map((value: unknown, position) => ({ place: `event ${position + 1}`, value }));
  }
  if (whole !== undefined) return [{ place: 'line 1', value: whole }];
  // A broken array would otherwise be blamed line by line.
  if (text.trimStart().startsWith('[')) return [new Error('the array')];
  return text.split('\n').flatMap((line, position) => {
    if (line.trim() === '') return [];
    const place = `line ${position + 1}`;
    const value = parseJson(line);
    return [value === undefined ? new Error(place) : { place, value }];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problemsOf(value: unknown): readonly string[] {
  try {
    const event = fromEnvelope(value);
    return event.kind === 'heartbeat'
      ? [
          'detail-type: heartbeat is for tick alone; sent by hand it would prove health that is not there',
        ]
      : [];
  } catch (error) {
    if (error instanceof InvalidEventError) return error.problems;
    throw error;
  }
}

/** Passes the detail on as it was written; of the envelope only what a producer chooses. */
function toSend(value: unknown): EventToSend {
  const { source, ...event } = ENVELOPE.parse(value);
  return source === undefined ? event : { ...event, source };
}

/** Outcomes as they travel in a call: the objects of the events in, one result for each out, in the same order. */

import * as z from 'zod/mini';
import type * as Outcome from '../../domain/outcome.ts';
import { fromEnvelope, InvalidEventError } from './event.ts';
import { readJson } from './read.ts';

/** Outcomes in one request. */
export const OUTCOMES_MAX = 100;
/** Problems named in one answer. */
const PROBLEMS_MAX = 20;

const KINDS = ['settled', 'failed', 'cancelled', 'replaced'] as const;
const request = z.strictObject({
  outcomes: z.array(z.unknown()).check(z.minLength(1), z.maxLength(OUTCOMES_MAX)),
});

/** What is told of one: the domain's result, or that it was not decided, and nothing of it written as far as is known. */
export type Result =
  | Outcome.Result
  | { readonly kind: 'undecided'; readonly withdrawalId: string; readonly why: string };

/** A result on the wire; `givenBack` in micro-USD, a decimal string. */
export type ResultJson = {
  readonly withdrawalId: string;
  readonly result: 'recorded' | 'duplicate' | 'refused' | 'undecided';
  readonly givenBack?: string;
  readonly why?: string;
};

/**
 * Reads the text of a request.
 * Fail direction: closed, one outcome that cannot be read refuses the request and nothing of it is
 * decided.
 *
 * @throws {InvalidRequestError} with field and reason, such as `outcomes.3.detail.evidence: …`.
 */
export function parseRequest(body: string): readonly Outcome.Outcome[] {
  const reading = readJson(request, body, { under: '', whole: 'request' });
  if ('problems' in reading) throw new InvalidRequestError(reading);
  const parsed = reading.value.outcomes.map((one, position) => parseOne(one, position));
  const problems = parsed.flatMap((one) => ('problems' in one ? one.problems : []));
  if (problems.length > 0) {
    throw new InvalidRequestError({ problems: problems.slice(0, PROBLEMS_MAX) });
  }
  return parsed.flatMap((one) => ('problems' in one ? [] : [one]));
}

function parseOne(
  value: unknown,
  position: number,
): Outcome.Outcome | { readonly problems: readonly string[] } {
  const field = `outcomes.${position}`;
  try {
    const event = fromEnvelope(value);
    const outcome = isOutcome(event) ? event : undefined;
    return outcome ?? { problems: [`${field}: is no outcome of a withdrawal`] };
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
    return { problems: error.problems.map((problem) => `${field}.${problem}`) };
  }
}

function isOutcome(event: { readonly kind: string }): event is Outcome.Outcome {
  return KINDS.some((kind) => kind === event.kind);
}

/** Writes a result. */
export function toResultJson(result: Result): ResultJson {
  const { kind, withdrawalId } = result;
  return {
    withdrawalId,
    result: kind,
    ...('givenBack' in result ? { givenBack: result.givenBack.toString() } : {}),
    ...('why' in result ? { why: result.why } : {}),
  };
}

/** A request cannot be read. `problems` name field and reason; nothing of it was decided. */
export class InvalidRequestError extends Error {
  override readonly name = 'Outcome.InvalidRequestError';
  readonly problems: readonly string[];
  constructor(details: { readonly problems: readonly string[] }) {
    super(details.problems.join('; '));
    this.problems = details.problems;
  }
}

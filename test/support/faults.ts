/**
 * Faults that a real DynamoDB makes and the embedded engine never does, put into an SDK client as
 * the innermost middleware: errors come as HTTP answers, so that the SDK reads them as it would.
 */

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CLOCK_GUARD } from '../../lib/adapters/dynamodb/clock-guard.ts';

/** One thing that goes wrong with one call. */
export type Fault =
  /** The service answers with this error and does nothing. */
  | { readonly kind: 'error'; readonly type: string; readonly status?: number }
  /** The transaction is cancelled for these reasons, without the items. */
  | { readonly kind: 'cancel'; readonly reasons: readonly string[] }
  /** The request never arrives. */
  | { readonly kind: 'lost-request' }
  /** The request is carried out, its answer never arrives. */
  | { readonly kind: 'lost-reply' }
  /** A batch read in which no key was worked off. */
  | { readonly kind: 'unprocessed' }
  /** Somebody holds a lock: the request waits. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The answer tells another time, in ms from now; `undefined` tells none. */
  | { readonly kind: 'date'; readonly offsetMs: number | undefined };

/** A call: the command's name without `Command`, and its place among the calls of that name, from 1. */
export type Call = { readonly operation: string; readonly number: number };

/** What goes wrong with a call, if anything. */
export type Script = (call: Call) => Fault | undefined;

/** A client's faults, and what it has been asked. */
export type Faults = {
  /** Requests that were sent, by operation, those that were lost included. */
  readonly calls: ReadonlyMap<string, number>;
};

type Answer = { readonly response: unknown };
type Handler = (request: unknown) => Promise<Answer>;

/** Puts faults into a client over which a store is made. */
export function injectFaults(client: DynamoDBClient, script: Script): Faults {
  const calls = new Map<string, number>();
  const middleware =
    <Request, Result extends Answer>(
      next: (request: Request) => Promise<Result>,
      context: { readonly commandName?: string },
    ) =>
    (request: Request): Promise<Result> => {
      const operation = context.commandName?.replace(/Command$/, '') ?? '';
      const number = (calls.get(operation) ?? 0) + 1;
      calls.set(operation, number);
      const handler = next as unknown as Handler;
      const fault = script({ operation, number });
      const answer =
        fault?.kind === 'unprocessed'
          ? unprocessed(request)
          : suffer(fault, () => handler(request));
      return answer as Promise<Result>;
    };
  // After the guard, so nearer to the wire: the guard sees what the faults make of the answer.
  client.middlewareStack.addRelativeTo(middleware, {
    name: 'faults',
    relation: 'after',
    toMiddleware: CLOCK_GUARD,
    override: true,
  });
  return { calls };
}

/** The listed faults for the first calls of one operation; `undefined` lets a call pass. */
export function sequence(operation: string, faults: readonly (Fault | undefined)[]): Script {
  return (call) => (call.operation === operation ? faults[call.number - 1] : undefined);
}

/** Faults at random, the same for the same seed. Each call fails with this probability. */
export function atRandom(
  seed: number,
  options: { readonly probability: number; readonly faults: readonly Fault[] },
): Script {
  const random = mulberry32(seed);
  return () => {
    const fails = random() < options.probability;
    const which = Math.floor(random() * options.faults.length);
    return fails ? options.faults[which] : undefined;
  };
}

/** Numbers in [0, 1), the same for the same seed. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function unprocessed(request: unknown): Promise<Answer> {
  const { body } = (request as { request: { body: Uint8Array } }).request;
  return answerOf(200, {
    Responses: {},
    UnprocessedKeys: JSON.parse(new TextDecoder().decode(body)).RequestItems,
  });
}

async function suffer(
  fault: Exclude<Fault, { kind: 'unprocessed' }> | undefined,
  proceed: () => Promise<Answer>,
): Promise<Answer> {
  switch (fault?.kind) {
    case undefined:
      return proceed();
    case 'error':
      return answerOf(fault.status ?? 400, { __type: `com.amazonaws.dynamodb#${fault.type}` });
    case 'cancel':
      return answerOf(400, cancellation(fault.reasons));
    case 'lost-request':
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    case 'lost-reply':
      await proceed();
      throw Object.assign(new Error('socket hang up'), {
        name: 'TimeoutError',
        code: 'ECONNRESET',
      });
    case 'delay':
      await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
      return proceed();
    case 'date':
      return redate(await proceed(), fault.offsetMs);
    default:
      return fault satisfies never;
  }
}

function answerOf(statusCode: number, body: object): Answer {
  const headers = {
    date: new Date().toUTCString(),
    'content-type': 'application/x-amz-json-1.0',
  };
  return { response: { statusCode, headers, body: Buffer.from(JSON.stringify(body)) } };
}

function cancellation(reasons: readonly string[]): object {
  return {
    __type: 'com.amazonaws.dynamodb#TransactionCanceledException',
    Message: `Transaction cancelled, please refer cancellation reasons [${reasons.join(', ')}]`,
    CancellationReasons: reasons.map((Code) => ({ Code })),
  };
}

function redate(answer: Answer, offsetMs: number | undefined): Answer {
  const response = answer.response as { headers: Record<string, string> };
  const { date: _, ...headers } = response.headers;
  const date = offsetMs === undefined ? undefined : new Date(Date.now() + offsetMs).toUTCString();
  response.headers = date === undefined ? headers : { ...headers, date };
  return answer;
}

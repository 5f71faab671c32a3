/** What became of withdrawals, by function URL, with the caller's IAM identity. */

import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { type Closed, closeWithdrawals } from '../actions/close-withdrawal.ts';
import * as Wire from '../adapters/wire/outcome.ts';
import type { Outcome } from '../domain/outcome.ts';
import { pipeline } from './pipeline.ts';
import type { World } from './world.ts';

/** What a function URL with IAM authorisation sends (payload 2.0), as far as it is read here. */
export type CloseEvent = {
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: {
    readonly http: { readonly method: string };
    readonly authorizer?: { readonly iam?: { readonly userArn?: string } };
  };
};

type Response = APIGatewayProxyStructuredResultV2;
/** One invocation: what it was found to say, as soon as that is read. */
type Call = { readonly event: CloseEvent; outcomes?: readonly Outcome[] };

/** Longest request, bytes: a hundred outcomes with room to spare. */
const BODY_MAX_BYTES = 128 * 1024;

/**
 * The same as the events `withdrawal.settled`, `failed`, `cancelled` and `replaced`, for who wants to
 * know what came of it: an event that is refused is told to operators only. A URL of its own, since
 * whoever asks for withdrawals must not be able to give their budget back.
 * Fail direction: closed, what is not decided in time stays charged and may be said again.
 */
export function closeWithdrawal(world: World) {
  return (event: CloseEvent, context: Context): Promise<Response> => {
    const call: Call = { event };
    const run = pipeline(() => respond(world, call), {
      name: 'close-withdrawal',
      log: world.log,
      onTimeout: () => outOfTime(world, call),
    });
    return run(event, context);
  };
}

async function respond(world: World, call: Call): Promise<Response> {
  const { requestContext } = call.event;
  const { method } = requestContext.http;
  const caller = requestContext.authorizer?.iam?.userArn;
  if (!caller) return answer(401, { error: 'no caller identity: the URL must be called with IAM' });
  if (method !== 'POST') return answer(405, { error: `outcomes are told by POST, not ${method}` });
  const body = bodyOf(call.event);
  if (Buffer.byteLength(body) > BODY_MAX_BYTES) {
    return answer(413, { error: `at most ${BODY_MAX_BYTES} bytes are taken; send it in parts` });
  }
  try {
    const outcomes = Wire.parseRequest(body);
    call.outcomes = outcomes;
    const deps = { ...world.decision, alerts: world.store.alerts };
    const closed = await closeWithdrawals(deps, outcomes);
    const results = outcomes.map((outcome, position) => resultOf(outcome, closed[position]));
    for (const result of results.map(Wire.toResultJson)) {
      world.log.info('outcome decided', { ...result, caller });
    }
    return answerAll(results);
  } catch (error) {
    if (!(error instanceof Wire.InvalidRequestError)) throw error;
    return answer(400, { error: 'nothing was decided', problems: error.problems });
  }
}

function resultOf({ withdrawalId }: Outcome, closed: Closed | undefined): Wire.Result {
  if (closed?.kind === 'closed') return closed.result;
  const why = closed?.error instanceof Error ? closed.error.name : 'unknown error';
  return undecided(withdrawalId, `could not be decided (${why}); say it again`);
}

function outOfTime(world: World, { outcomes }: Call): Response {
  world.log.error('outcomes out of time', { outcomes: outcomes?.length ?? 0 });
  if (!outcomes) return answer(503, { error: 'time ran out before the request was read' });
  const why = 'time ran out; say it again, what was recorded meanwhile is a duplicate then';
  return answerAll(outcomes.map(({ withdrawalId }) => undecided(withdrawalId, why)));
}

function undecided(withdrawalId: string, why: string): Wire.Result {
  return { kind: 'undecided', withdrawalId, why };
}

function bodyOf({ body = '', isBase64Encoded }: CloseEvent): string {
  return isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}

function answerAll(results: readonly Wire.Result[]): Response {
  return answer(200, { results: results.map(Wire.toResultJson) });
}

function answer(statusCode: number, body: unknown): Response {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { statusCode, headers, body: JSON.stringify(body) };
}

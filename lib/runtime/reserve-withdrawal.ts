/** Reservations by function URL, with the caller's IAM identity, and the keys to verify admissions with. */

import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { describeWithdrawal } from '../actions/describe-withdrawal.ts';
import { type Answer, reserveWithdrawals as reserve } from '../actions/reserve-withdrawals.ts';
import * as Wire from '../adapters/wire/reserve.ts';
import type { Ask } from '../domain/reservation.ts';
import { canonicalBody } from '../domain/withdrawal.ts';
import { pipeline } from './pipeline.ts';
import type { World } from './world.ts';

/** What a function URL with IAM authorisation sends (payload 2.0), as far as it is read here. */
export type ReserveEvent = {
  readonly rawPath: string;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: {
    readonly http: { readonly method: string };
    readonly authorizer?: { readonly iam?: { readonly userArn?: string } };
  };
};

/** `audience`: who may accept admissions of requests that name nobody. */
export type Options = { readonly audience: string };

type Response = APIGatewayProxyStructuredResultV2;
/** One invocation: what it was found to ask and when, as soon as that is read, and whether time ran out. */
type Call = {
  readonly event: ReserveEvent;
  asked?: { readonly asks: readonly Ask[]; readonly startedMs: number };
  isOutOfTime?: boolean;
};

/** Longest request, bytes: a hundred withdrawals with room to spare. */
const BODY_MAX_BYTES = 256 * 1024;
const KEYS_PATH = '/jwks';
const WITHDRAWALS_PATH = '/withdrawals/';

/**
 * The function that a withdrawal service asks before it signs. `POST` decides; `GET /jwks` gives the
 * public keys, `GET /withdrawals/<id>` says why one waits. The caller is the IAM identity that the URL proved.
 * Fail direction: closed, when time runs out every withdrawal of the request is a `block` that may
 * be asked again; what was charged for it meanwhile is found again by its id.
 */
export function reserveWithdrawal(world: World, options: Options) {
  return (event: ReserveEvent, context: Context): Promise<Response> => {
    const call: Call = { event };
    // One pipeline for each call: what is answered when time runs out depends on what was asked.
    const run = pipeline(() => respond(world, options, call), {
      name: 'reserve-withdrawal',
      log: world.log,
      onTimeout: () => outOfTime(world, call),
    });
    return run(event, context);
  };
}

async function respond(world: World, options: Options, call: Call): Promise<Response> {
  const { rawPath, requestContext } = call.event;
  const { method } = requestContext.http;
  const caller = requestContext.authorizer?.iam?.userArn;
  if (!caller) return answer(401, { error: 'no caller identity: the URL must be called with IAM' });
  if (rawPath === KEYS_PATH) {
    if (method !== 'GET') return answer(405, { error: `${KEYS_PATH} answers GET, not ${method}` });
    return answer(200, await world.signer.jwks());
  }
  if (rawPath.startsWith(WITHDRAWALS_PATH)) {
    if (method !== 'GET') {
      return answer(405, { error: `${WITHDRAWALS_PATH}<id> answers GET, not ${method}` });
    }
    return describe(world, rawPath.slice(WITHDRAWALS_PATH.length));
  }
  if (method !== 'POST')
    return answer(405, { error: `reservations are asked by POST, not ${method}` });
  const body = bodyOf(call.event);
  if (Buffer.byteLength(body) > BODY_MAX_BYTES) {
    return answer(413, { error: `at most ${BODY_MAX_BYTES} bytes are taken; send it in parts` });
  }
  const startedMs = world.clock.nowMs();
  try {
    const { audience = options.audience, withdrawals } = Wire.parseRequest(body);
    const asks = withdrawals.map((withdrawal): Ask => {
      return { withdrawal, bodyHash: world.digest.hash(canonicalBody(withdrawal.transfer)) };
    });
    call.asked = { asks, startedMs };
    const answers = await reserve(world.reserve, { asks, audience });
    for (const [position, one] of answers.entries())
      tell(world, { one, ask: asks[position], caller });
    // What was answered when time ran out is measured already; this answer reaches nobody.
    if (!call.isOutOfTime) measure(world, answers, startedMs);
    return verdicts(answers);
  } catch (error) {
    if (!(error instanceof Wire.InvalidRequestError)) throw error;
    return answer(400, { error: 'nothing was decided', problems: error.problems });
  }
}

/** `Undecided` are those of `Blocked` that no rule refused: something they needed failed. */
function measure({ metrics, clock }: World, answers: readonly Answer[], startedMs: number): void {
  const of = (kind: Answer['kind']) => answers.filter((one) => one.kind === kind).length;
  const [Allowed, Held, Blocked] = [of('allow'), of('hold'), of('block')];
  const Undecided = answers.filter(isUndecided).length;
  metrics.measure({ Allowed, Held, Blocked, Undecided, ReserveMs: clock.nowMs() - startedMs });
}

function isUndecided(one: Answer): boolean {
  return one.kind === 'block' && (one.reason === 'unavailable' || one.reason === 'timeout');
}

/** Why a withdrawal waits. The id comes percent-encoded. */
async function describe(world: World, encoded: string): Promise<Response> {
  let withdrawalId: string;
  try {
    withdrawalId = decodeURIComponent(encoded);
  } catch {
    return answer(400, { error: 'the id in the path is not percent-encoded UTF-8' });
  }
  const notice = await describeWithdrawal(world.reserve, withdrawalId);
  if (!notice) return answer(404, { error: 'no withdrawal of this id was admitted or held' });
  return answer(200, Wire.toNoticeJson(notice));
}

function bodyOf({ body = '', isBase64Encoded }: ReserveEvent): string {
  return isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}

/** One line for each decision. The admission stays out of it: whoever holds one may have it signed. */
function tell(
  world: World,
  about: { readonly one: Answer; readonly ask: Ask | undefined; readonly caller: string },
): void {
  const { one, ask, caller } = about;
  const { withdrawalId, kind: verdict } = one;
  const transfer = ask?.withdrawal.transfer;
  const why = one.kind === 'allow' ? one.wouldBe : one;
  world.log.info('reservation decided', {
    withdrawalId,
    verdict,
    ...(one.kind === 'allow' && why && { wouldBe: why.kind }),
    ...(why && { reason: why.reason, text: why.text }),
    wallet: transfer?.account,
    asset: transfer?.asset,
    destination: transfer?.destination,
    amount: transfer?.amount.toString(),
    caller,
  });
}

function outOfTime(world: World, call: Call): Response {
  const { asked } = call;
  call.isOutOfTime = true;
  world.log.error('reservation out of time', { withdrawals: asked?.asks.length ?? 0 });
  if (!asked) return answer(503, { error: 'time ran out before the request was read; ask again' });
  const text = 'time ran out before it was decided; nothing was admitted, ask again';
  const answers = asked.asks.map(({ withdrawal: { withdrawalId } }): Answer => {
    return { kind: 'block', withdrawalId, reason: 'timeout', text, provisional: true };
  });
  measure(world, answers, asked.startedMs);
  return verdicts(answers);
}

function verdicts(answers: readonly Answer[]): Response {
  return answer(200, { verdicts: answers.map(Wire.toVerdictJson) });
}

function answer(statusCode: number, body: unknown): Response {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { statusCode, headers, body: JSON.stringify(body) };
}

/** Commands and questions, by function URL (with the caller's IAM identity) or by the control topic. */

import type { APIGatewayProxyStructuredResultV2, Context, SNSEvent } from 'aws-lambda';
import { declareMovement } from '../actions/declare-movement.ts';
import { operateBreaker as operate } from '../actions/operate-breaker.ts';
import { readFlag } from '../actions/read-flag.ts';
import { reportLimits } from '../actions/report-limits.ts';
import { reportRefusal } from '../actions/report-refusal.ts';
import { reportStatus } from '../actions/report-status.ts';
import { resetDrill } from '../actions/reset-drill.ts';
import { showPolicy } from '../actions/show-policy.ts';
import * as Wire from '../adapters/wire/command.ts';
import { stringify } from '../adapters/wire/json.ts';
import type * as Command from '../domain/command.ts';
import type * as Movement from '../domain/movement.ts';
import { examine } from './doctor.ts';
import { serveWithdrawals } from './operate-withdrawals.ts';
import { pipeline } from './pipeline.ts';
import type { OperatorWorld, World } from './world.ts';

/** What a function URL with IAM authorisation sends, as far as it is read here. */
export type UrlEvent = {
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: {
    readonly authorizer?: { readonly iam?: { readonly userArn?: string } };
  };
};
type Answer = APIGatewayProxyStructuredResultV2;

/** Incidents in one list. */
const INCIDENTS_MAX = 100;

/**
 * The function that people's commands reach. The actor is the identity that the transport proved:
 * the IAM caller of the URL, or whoever the control topic's policy let publish.
 * Fail direction: closed, what cannot be read, proven or committed is answered as an error and did
 * nothing. Nobody waits for an answer to the topic: what time ran out for throws, so that Lambda
 * delivers it again.
 */
export function operateBreaker(world: OperatorWorld) {
  const shared = { name: 'operate-breaker', log: world.log };
  const byUrl = pipeline((event: UrlEvent) => answerUrl(world, event), {
    ...shared,
    onTimeout: () => answer(503, { error: 'time ran out; ask for the status before trying again' }),
  });
  const byTopic = pipeline((event: SNSEvent) => obeyTopic(world, event), {
    ...shared,
    onTimeout: (): undefined => {
      throw new TimeoutError();
    },
  });
  return (event: UrlEvent | SNSEvent, context: Context): Promise<Answer | undefined> =>
    'Records' in event ? byTopic(event, context) : byUrl(event, context);
}

async function obeyTopic(world: OperatorWorld, event: SNSEvent): Promise<undefined> {
  for (const { Sns: message } of event.Records) {
    const result = await obey(world, message.Message, `sns:${message.TopicArn}`);
    const { MessageId: messageId } = message;
    world.log.info('command by topic', { messageId, result });
    if (result.kind === 'refused') await reportRefusal(world.decision, { messageId, ...result });
  }
  return undefined;
}

async function answerUrl(world: OperatorWorld, event: UrlEvent): Promise<Answer> {
  const actor = event.requestContext.authorizer?.iam?.userArn;
  if (!actor) return answer(401, { error: 'no caller identity: the URL must be called with IAM' });
  const body = event.isBase64Encoded
    ? Buffer.from(event.body ?? '', 'base64').toString('utf8')
    : (event.body ?? '');
  try {
    return await serve(world, Wire.parseRequest(body), actor);
  } catch (error) {
    if (isCallersFault(error)) return answer(400, { error: (error as Error).message });
    throw error;
  }
}

/** A message of the control topic: changes only, with an expiry against replays; what is wrong is refused. */
async function obey(world: OperatorWorld, body: string, actor: string): Promise<Command.Result> {
  const refused = (why: string) => ({ kind: 'refused', why }) as const;
  try {
    const request = Wire.parseRequest(body);
    if (!Wire.isChange(request) || request.command === 'policy.apply') {
      return refused(`the control topic carries pause and resume, not ${request.command}`);
    }
    if (!request.expiresAt) return refused('expiresAt: is required on the control topic');
    return await change(world, request, actor);
  } catch (error) {
    if (!isCallersFault(error)) throw error;
    return refused((error as Error).message);
  }
}

async function serve(world: OperatorWorld, request: Wire.Request, actor: string): Promise<Answer> {
  switch (request.command) {
    case 'pause':
    case 'resume':
    case 'policy.apply':
    case 'movement.declare': {
      const isMovement = request.command === 'movement.declare';
      const result = isMovement
        ? await declare(world, request, actor)
        : await change(world, request, actor);
      return answer(result.kind === 'refused' ? 409 : 200, result);
    }
    case 'drill.reset':
      return answerReset(world, request, actor);
    case 'withdrawal.close':
    case 'withdrawal.release':
    case 'withdrawal.show':
    case 'withdrawal.held':
    case 'withdrawal.open': {
      const { statusCode, body } = await serveWithdrawals(world, request, actor);
      return answer(statusCode, body);
    }
    default:
      return reply(world, request);
  }
}

/** Answers what only looks. */
async function reply(world: World, question: Wire.Question): Promise<Answer> {
  const { store, clock, deadLetters } = world;
  const { decisions, incidents, health, held } = store;
  const { policy } = world.decision;
  switch (question.command) {
    case 'policy.show':
      return answer(200, await showPolicy(store));
    case 'doctor':
      return answer(200, await examine(world));
    case 'status':
      return answer(
        200,
        await reportStatus({ decisions, incidents, health, held, deadLetters, policy, clock }),
      );
    case 'limits':
      return answer(
        200,
        await reportLimits({ decisions, policy, clock }, { scope: question.scope }),
      );
    case 'incidents':
      return answer(200, await incidents.list(INCIDENTS_MAX));
    case 'incident':
      return answerIncident(world, question.incidentId);
    case 'flag': {
      const { command: _, ...asked } = question;
      return answer(200, await readFlag({ decisions, health, policy, clock }, asked));
    }
    default:
      return question satisfies never;
  }
}

/** A drill's canary, and nothing else: the domain refuses every other incident. */
async function answerReset(
  world: OperatorWorld,
  request: Extract<Wire.Request, { command: 'drill.reset' }>,
  actor: string,
): Promise<Answer> {
  const { incidents } = world.store;
  const result = await resetDrill({ ...world.decision, incidents }, { ...request, actor });
  world.log.info('command', { actor, command: request.command, result });
  return answer(result.kind === 'refused' ? 409 : 200, result);
}

async function answerIncident(world: World, incidentId: string): Promise<Answer> {
  const { incidents } = world.store;
  const incident = await incidents.get(incidentId);
  if (!incident) return answer(404, { error: `there is no incident ${incidentId}` });
  const causes = [incident.first, ...(await incidents.causes(incidentId))];
  return answer(200, { incident, causes });
}

async function change(
  world: OperatorWorld,
  request: Wire.Change,
  actor: string,
): Promise<Command.Result> {
  const expiresAt = 'expiresAt' in request ? request.expiresAt : undefined;
  if (expiresAt !== undefined && !(Date.parse(expiresAt) > world.clock.nowMs())) {
    return { kind: 'refused', why: `expiresAt: ${expiresAt} is past` };
  }
  const deps = {
    ...world.decision,
    incidents: world.store.incidents,
    compilePolicy: world.compilePolicy,
  };
  if (request.command === 'policy.apply') mustCompile(world, request.source);
  const command = Wire.toCommand(request, world.digest.hash);
  const result = await operate(deps, { command, actor });
  world.log.info('command', { actor, command: request.command, result });
  return result;
}

/** The exchange's own movement, declared before it is made. */
async function declare(
  world: World,
  request: Extract<Wire.Request, { command: 'movement.declare' }>,
  actor: string,
): Promise<Movement.Result> {
  const { command, commandId, wallet: account, asset, destination, memo, reason } = request;
  const transfer = { account, asset, destination, memo, amount: BigInt(request.max) };
  const declaration = { commandId, transfer, untilMs: Date.parse(request.until), reason };
  const result = await declareMovement(world.decision, { declaration, actor });
  world.log.info('command', { actor, command, reason, result });
  return result;
}

/** A mistake in the policy that is sent is the caller's, one in the policy that is stored is not. */
function mustCompile(world: OperatorWorld, source: string): void {
  try {
    world.compilePolicy(source);
  } catch (error) {
    const problem = error instanceof Error ? error.message : 'unknown';
    throw new Wire.InvalidCommandError({ problems: [problem] });
  }
}

/** Errors that a better request would not have caused carry the name of the parser that found them. */
function isCallersFault(error: unknown): boolean {
  return error instanceof Error && /^(Command|Scope|Caip)\./.test(error.name);
}

function answer(statusCode: number, body: unknown): Answer {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: stringify(body) };
}

/** Time ran out before a command of the topic was carried out; Lambda delivers it again. */
export class TimeoutError extends Error {
  override readonly name = 'OperateBreaker.TimeoutError';
  constructor() {
    super('time ran out before the command was carried out; it is delivered again');
  }
}

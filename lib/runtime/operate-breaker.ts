/** Commands and questions, by function URL (with the caller's IAM identity) or by the control topic. */

import type { APIGatewayProxyStructuredResultV2, Context, SNSEvent } from 'aws-lambda';
import { collectEvidence } from '../actions/collect-evidence.ts';
import { declareMovement } from '../actions/declare-movement.ts';
import { operateBreaker as operate } from '../actions/operate-breaker.ts';
import { checkAudit, readAudit } from '../actions/read-audit.ts';
import { readFlag } from '../actions/read-flag.ts';
import { reportLimits } from '../actions/report-limits.ts';
import { noteRefusal, reportRefusal } from '../actions/report-refusal.ts';
import { reportStatus } from '../actions/report-status.ts';
import { resetDrill } from '../actions/reset-drill.ts';
import { showPolicy } from '../actions/show-policy.ts';
import * as Wire from '../adapters/wire/command.ts';
import { stringify } from '../adapters/wire/json.ts';
import type * as Command from '../domain/command.ts';
import type * as Movement from '../domain/movement.ts';
import { examine } from './doctor.ts';
import {
  answerProposals,
  type Changed,
  changeProposals,
  type ProposeRequest,
  type SignedRequest,
} from './operate-proposals.ts';
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
    const who = `sns:${message.TopicArn}`;
    const result = await obey(world, message.Message, who);
    const { MessageId: messageId } = message;
    world.log.info('command by topic', { messageId, result });
    if (result.kind !== 'refused') continue;
    const { why } = result;
    const command = Wire.nameOf(message.Message);
    if (isRepeat(result)) {
      await keepRefusal(world, { who, command, why });
      continue;
    }
    await reportRefusal(world.decision, { messageId, why, who, command });
  }
  return undefined;
}

async function answerUrl(world: OperatorWorld, event: UrlEvent): Promise<Answer> {
  const actor = event.requestContext.authorizer?.iam?.userArn;
  if (!actor) return answer(401, { error: 'no caller identity: the URL must be called with IAM' });
  const body = event.isBase64Encoded
    ? Buffer.from(event.body ?? '', 'base64').toString('utf8')
    : (event.body ?? '');
  const command = Wire.nameOf(body);
  try {
    const served = await serve(world, Wire.parseRequest(body), actor);
    const { why } = JSON.parse(served.body ?? '{}');
    if (served.statusCode === 409) await keepRefusal(world, { who: actor, command, why });
    return served;
  } catch (error) {
    if (!isCallersFault(error)) throw error;
    const { message: why } = error as Error;
    if (!Wire.isQuestionName(command)) await keepRefusal(world, { who: actor, command, why });
    return answer(400, { error: why });
  }
}

/** Every refused command is in the audit chain, whoever has its answer. */
async function keepRefusal(
  world: World,
  refused: { readonly who: string; readonly command: string; readonly why: string },
): Promise<void> {
  const { clock, ids, store } = world;
  await noteRefusal({ clock, ids, audit: store.audit }, refused);
}

/**
 * A message of the control topic. Whoever its policy lets publish may pause, and propose; everything
 * else on it is signed by an operator. What the sender alone vouches for needs an expiry against
 * replays, and what is wrong is refused.
 */
async function obey(
  world: OperatorWorld,
  body: string,
  actor: string,
): Promise<Command.Result | Changed> {
  const refused = (why: string) => ({ kind: 'refused', why }) as const;
  try {
    const request = Wire.parseRequest(body);
    if (isSigned(request)) return await changeProposals(world, request, actor);
    if (request.command !== 'pause' && request.command !== 'resume.propose') {
      return refused(
        `the control topic carries pause, resume.propose and what operators sign, not ${request.command}`,
      );
    }
    if (!request.expiresAt) return refused('expiresAt: is required on the control topic');
    const late = whyLate(world, request);
    if (late) return late;
    return request.command === 'pause'
      ? await change(world, request, actor)
      : await changeProposals(world, request, actor);
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
      return changed(await change(world, request, actor));
    case 'movement.declare':
      return changed(await declare(world, request, actor));
    case 'resume.propose':
    case 'policy.propose':
    case 'allowance.propose':
    case 'maintenance.propose':
    case 'resume.approve':
    case 'proposal.approve':
    case 'proposal.veto':
    case 'panic':
      return changed(await changeSigned(world, request, actor));
    case 'proposal.show':
    case 'proposal.list': {
      const { statusCode, body } = await answerProposals(world, request);
      return answer(statusCode, body);
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

function changed(result: { readonly kind: string }): Answer {
  return answer(result.kind === 'refused' ? 409 : 200, result);
}

function changeSigned(
  world: OperatorWorld,
  request: ProposeRequest | SignedRequest,
  actor: string,
): Promise<Changed> | Changed {
  const late = 'expiresAt' in request ? whyLate(world, request) : undefined;
  if (late) return late;
  if (request.command === 'policy.propose') mustCompile(world, request.source);
  return changeProposals(world, request, actor);
}

/** The message itself may act no more. */
function whyLate(
  world: World,
  { expiresAt }: { readonly expiresAt?: string | undefined },
): Extract<Command.Result, { kind: 'refused' }> | undefined {
  if (expiresAt === undefined || Date.parse(expiresAt) > world.clock.nowMs()) return undefined;
  return { kind: 'refused', why: `expiresAt: ${expiresAt} is past` };
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
    case 'incident.pack': {
      const pack = await collectEvidence(
        { ...world.decision, incidents, audit: store.audit, policies: store.policies },
        question.incidentId,
      );
      const error = `there is no incident ${question.incidentId}`;
      return pack ? answer(200, pack) : answer(404, { error });
    }
    case 'audit.links':
      return answer(200, await readAudit(store.audit, question.from));
    case 'audit.check':
      return answer(200, await checkAudit({ audit: store.audit, digest: world.digest }));
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
  const late = 'expiresAt' in request ? whyLate(world, request) : undefined;
  if (late) return late;
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

/** What carries its own proof: who sends it does not matter. */
function isSigned(request: Wire.Request): request is SignedRequest {
  const { command } = request;
  return (
    command === 'resume.approve' ||
    command === 'proposal.approve' ||
    command === 'proposal.veto' ||
    command === 'panic'
  );
}

/** A topic delivers a message more than once: a signature that has been counted is no news. */
function isRepeat(refused: object): boolean {
  const code = 'code' in refused ? refused.code : undefined;
  return code === 'duplicate' || code === 'replayed';
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

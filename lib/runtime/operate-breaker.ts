/** Commands and questions, by function URL (with the caller's IAM identity) or by the control topic. */

import type { APIGatewayProxyStructuredResultV2, Context, SNSEvent } from 'aws-lambda';
import { closeWithdrawal } from '../actions/close-withdrawal.ts';
import { operateBreaker as operate } from '../actions/operate-breaker.ts';
import { readFlag } from '../actions/read-flag.ts';
import { reportLimits } from '../actions/report-limits.ts';
import { reportRefusal } from '../actions/report-refusal.ts';
import { reportStatus } from '../actions/report-status.ts';
import * as Wire from '../adapters/wire/command.ts';
import { stringify } from '../adapters/wire/json.ts';
import type * as Command from '../domain/command.ts';
import type * as Outcome from '../domain/outcome.ts';
import { pipeline } from './pipeline.ts';
import type { World } from './world.ts';

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
export function operateBreaker(world: World) {
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

async function obeyTopic(world: World, event: SNSEvent): Promise<undefined> {
  for (const { Sns: message } of event.Records) {
    const result = await obey(world, message.Message, `sns:${message.TopicArn}`);
    const { MessageId: messageId } = message;
    world.log.info('command by topic', { messageId, result });
    if (result.kind === 'refused') await reportRefusal(world.decision, { messageId, ...result });
  }
  return undefined;
}

async function answerUrl(world: World, event: UrlEvent): Promise<Answer> {
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
async function obey(world: World, body: string, actor: string): Promise<Command.Result> {
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

async function serve(world: World, request: Wire.Request, actor: string): Promise<Answer> {
  const { store, clock, deadLetters } = world;
  const { decisions, incidents, health } = store;
  const { policy } = world.decision;
  switch (request.command) {
    case 'pause':
    case 'resume':
    case 'policy.apply': {
      const result = await change(world, request, actor);
      return answer(result.kind === 'refused' ? 409 : 200, result);
    }
    case 'withdrawal.close': {
      const result = await close(world, request, actor);
      return answer(result.kind === 'refused' ? 409 : 200, result);
    }
    case 'policy.show': {
      const { version } = await policy.refresh();
      return answer(200, (await store.policies.load(version)) ?? { version: 0 });
    }
    case 'status':
      return answer(
        200,
        await reportStatus({ decisions, incidents, health, deadLetters, policy, clock }),
      );
    case 'limits':
      return answer(
        200,
        await reportLimits({ decisions, policy, clock }, { scope: request.scope }),
      );
    case 'incidents':
      return answer(200, await incidents.list(INCIDENTS_MAX));
    case 'incident': {
      const incident = await incidents.get(request.incidentId);
      if (!incident) return answer(404, { error: `there is no incident ${request.incidentId}` });
      return answer(200, {
        incident,
        causes: [incident.first, ...(await incidents.causes(request.incidentId))],
      });
    }
    case 'flag': {
      const { command: _, ...question } = request;
      return answer(200, await readFlag({ decisions, health, policy, clock }, question));
    }
    default:
      return request satisfies never;
  }
}

async function change(world: World, request: Wire.Change, actor: string): Promise<Command.Result> {
  const expiresAt = 'expiresAt' in request ? request.expiresAt : undefined;
  if (expiresAt !== undefined && !(Date.parse(expiresAt) > world.clock.nowMs())) {
    return { kind: 'refused', why: `expiresAt: ${expiresAt} is past` };
  }
  const deps = {
    ...world.decision,
    incidents: world.store.incidents,
    parsePolicy: world.parsePolicy,
  };
  if (request.command === 'policy.apply') mustParse(world, request.source);
  const command = Wire.toCommand(request, world.digest.hash);
  const result = await operate(deps, { command, actor });
  world.log.info('command', { actor, command: request.command, result });
  return result;
}

/** A person's word that a withdrawal will not leave: what it was charged is given back. Said twice it acts once. */
async function close(
  world: World,
  request: Extract<Wire.Request, { command: 'withdrawal.close' }>,
  actor: string,
): Promise<Outcome.Result> {
  const { withdrawalId, outcome, reason } = request;
  const deps = { ...world.decision, alerts: world.store.alerts };
  const evidence = { kind: 'operator', reference: actor, reason } as const;
  const result = await closeWithdrawal(deps, { kind: outcome, withdrawalId, evidence });
  const givenBack = 'givenBack' in result ? { givenBack: result.givenBack.toString() } : {};
  const { command } = request;
  world.log.info('command', { actor, command, reason, result: { ...result, ...givenBack } });
  return result;
}

/** A mistake in the policy that is sent is the caller's, one in the policy that is stored is not. */
function mustParse(world: World, source: string): void {
  try {
    world.parsePolicy(source);
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

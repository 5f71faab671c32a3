/** HTTP on loopback: the same events and commands that AWS takes, so that a real service can be pointed here. */

import { userInfo } from 'node:os';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod/mini';
import { type Question, readFlag } from '../actions/read-flag.ts';
import { fromEnvelope, InvalidEventError } from '../adapters/wire/event.ts';
import { stringify } from '../adapters/wire/json.ts';
import { read } from '../adapters/wire/read.ts';
import type { CloseEvent } from '../runtime/close-withdrawal.ts';
import type { UrlEvent } from '../runtime/operate-breaker.ts';
import type { WebhookEvent } from '../runtime/receive-webhook.ts';
import type { ReserveEvent } from '../runtime/reserve-withdrawal.ts';
import type { World } from '../runtime/world.ts';
import {
  type HttpRequest,
  type HttpResponse,
  type HttpRoute,
  RequestError,
} from './http-server.ts';
import type { LocalTables } from './local-world.ts';
import type { Submission } from './runtime.ts';

/** Events in one request. */
const EVENTS_MAX = 1_000;
/** Problems in one answer. */
const PROBLEMS_MAX = 100;
const JSON_TYPE = { 'content-type': 'application/json' };

const submitted = z.array(
  z.object({
    'detail-type': z.string(),
    detail: z.unknown(),
    source: z.optional(z.string().check(z.minLength(1))),
  }),
);

/** What the routes reach. */
export type Parts = {
  readonly world: World;
  readonly tables: LocalTables;
  readonly submit: (submissions: readonly Submission[]) => Promise<void>;
  readonly operate: (event: UrlEvent) => Promise<APIGatewayProxyStructuredResultV2 | undefined>;
  readonly reserve: (event: ReserveEvent) => Promise<APIGatewayProxyStructuredResultV2>;
  readonly close: (event: CloseEvent) => Promise<APIGatewayProxyStructuredResultV2>;
  readonly receive: (event: WebhookEvent) => Promise<APIGatewayProxyStructuredResultV2>;
};

/**
 * `POST /events`, `POST /commands`, `POST /reserve`, `POST /outcomes`, `POST /webhooks/<provider>`, `GET /jwks`,
 * `GET /withdrawals/<id>`, `GET /flag`, `GET /health`, `GET /tables`.
 */
export function routes(parts: Parts): readonly HttpRoute[] {
  return [
    { method: 'POST', path: '/events', handle: ({ json }) => takeEvents(parts, json()) },
    { method: 'POST', path: '/commands', handle: ({ text }) => takeCommand(parts, text) },
    {
      method: 'POST',
      path: '/reserve',
      handle: ({ text }) => passOn(parts, { method: 'POST', path: '/', text }),
    },
    { method: 'POST', path: '/outcomes', handle: ({ text }) => takeOutcomes(parts, text) },
    {
      method: 'GET',
      path: '/jwks',
      handle: () => passOn(parts, { method: 'GET', path: '/jwks', text: '' }),
    },
    {
      method: 'GET',
      path: '/withdrawals/:id',
      handle: ({ path: { id = '' } }) => {
        const path = `/withdrawals/${encodeURIComponent(id)}`;
        return passOn(parts, { method: 'GET', path, text: '' });
      },
    },
    {
      method: 'POST',
      path: '/webhooks/:provider',
      handle: (request) => takeWebhook(parts, request),
    },
    { method: 'GET', path: '/flag', handle: ({ query }) => answerFlag(parts, query) },
    { method: 'GET', path: '/health', handle: () => answerHealth(parts) },
    // For `breakwater watch`, which works on the tables as the deployed function does.
    { method: 'GET', path: '/tables', handle: async () => ({ status: 200, body: parts.tables }) },
  ];
}

/** Takes one event or an array: all of them, or none and the reasons by position. */
async function takeEvents(parts: Parts, body: unknown): Promise<HttpResponse> {
  const list: unknown = Array.isArray(body) ? body : [body];
  const reading = read(submitted, list, { under: '', whole: 'events' });
  if ('problems' in reading) {
    return refused(reading.problems.map((text) => text.replace(/^(\d+)(\.|: )/, 'event $1: ')));
  }
  const events = reading.value;
  if (events.length > EVENTS_MAX) return refused([`events: at most ${EVENTS_MAX} in one request`]);
  const problems = events.flatMap((event, position) => problemsOf(event, position));
  if (problems.length > 0) return refused(problems);
  await keep(
    parts,
    events.map(({ detail, source, 'detail-type': detailType }) => ({ detailType, detail, source })),
  );
  return { status: 202, body: { accepted: events.length } };
}

/** Fail direction: closed, the sender is told to send again unless every event is certainly kept. */
async function keep({ submit, world }: Parts, events: readonly Submission[]): Promise<void> {
  try {
    await submit(events);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown';
    world.log.error('events not kept', { events: events.length, reason: why });
    const reason = `${why}; send all of them again: an event counts once`;
    throw new RequestError({ status: 503, reason, cause });
  }
}

function problemsOf(event: unknown, position: number): readonly string[] {
  try {
    fromEnvelope(event);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
    return error.problems.map((problem) => `event ${position}: ${problem}`);
  }
}

function refused(problems: readonly string[]): HttpResponse {
  const body = { error: 'nothing was taken', problems: problems.slice(0, PROBLEMS_MAX) };
  return { status: 400, body };
}

/** Hands a command to the function as its URL would; the caller is whoever runs this runtime. */
async function takeCommand(parts: Parts, body: string): Promise<HttpResponse> {
  const userArn = `local:${userName()}`;
  const answer = await parts.operate({
    body,
    requestContext: { authorizer: { iam: { userArn } } },
  });
  return { status: answer?.statusCode ?? 500, headers: JSON_TYPE, body: answer?.body ?? '{}' };
}

/** Hands a reservation, or a question, to the function as its URL would. */
async function passOn(
  parts: Parts,
  request: { readonly method: 'GET' | 'POST'; readonly path: string; readonly text: string },
): Promise<HttpResponse> {
  const { method, path: rawPath, text: body } = request;
  const iam = { userArn: `local:${userName()}` };
  const answer = await parts.reserve({
    rawPath,
    body,
    requestContext: { http: { method }, authorizer: { iam } },
  });
  return { status: answer.statusCode ?? 500, headers: JSON_TYPE, body: answer.body ?? '{}' };
}

/** Hands outcomes to the function as its URL would. */
async function takeOutcomes(parts: Parts, body: string): Promise<HttpResponse> {
  const authorizer = { iam: { userArn: `local:${userName()}` } };
  const answer = await parts.close({
    body,
    requestContext: { http: { method: 'POST' }, authorizer },
  });
  return { status: answer.statusCode ?? 500, headers: JSON_TYPE, body: answer.body ?? '{}' };
}

/** Hands a delivery to the function as its public URL would. */
async function takeWebhook(parts: Parts, request: HttpRequest): Promise<HttpResponse> {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, value?.toString()]),
  );
  const answer = await parts.receive({
    rawPath: `/${request.path.provider}`,
    headers,
    body: request.text,
    requestContext: { http: { method: 'POST' } },
  });
  return { status: answer.statusCode ?? 500, headers: JSON_TYPE, body: answer.body ?? '{}' };
}

/** Whether the engine answers too: without it nothing is decided and nothing is enabled. */
async function answerHealth({ world }: Parts): Promise<HttpResponse> {
  try {
    await world.store.health.leases();
    return { status: 200, body: { ok: true } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    return { status: 503, body: { ok: false, error: reason } };
  }
}

/** A container can run under a number that no user has. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

async function answerFlag(parts: Parts, query: URLSearchParams): Promise<HttpResponse> {
  const { store, clock, decision } = parts.world;
  const { decisions, health } = store;
  const asked = (name: string) => query.get(name) ?? undefined;
  const question: Question = {
    wallet: asked('wallet') ?? '',
    chain: asked('chain'),
    asset: asked('asset'),
    destination: asked('destination'),
    memo: asked('memo'),
    actor: asked('actor'),
  };
  const flag = await readFlag({ decisions, health, policy: decision.policy, clock }, question);
  return { status: 200, headers: JSON_TYPE, body: stringify(flag) };
}

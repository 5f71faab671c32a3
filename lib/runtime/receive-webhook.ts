/** Deliveries of custodians and node providers → our own events on the bus. It decides nothing. */

import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Outgoing, Reading } from '../adapters/webhook/delivery.ts';
import {
  LaterError,
  MalformedError,
  SettingsError,
  UnmappedError,
  UnsignedError,
} from '../adapters/webhook/refusals.ts';
import type { EventSender, Secrets } from '../ports.ts';
import { pipeline } from './pipeline.ts';
import {
  PROVIDERS,
  type Provider,
  type ProviderDeps,
  type ProviderName,
  providers,
  type Received,
} from './webhook-providers.ts';
import type { World } from './world.ts';

/** What a function URL without authorisation sends (payload 2.0), as far as it is read here. */
export type WebhookEvent = {
  readonly rawPath: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: { readonly http: { readonly method: string } };
};

/** What the function needs beyond the world. */
export type Options = Omit<ProviderDeps, 'world'> & {
  readonly secrets: Secrets;
  /** Names of the secrets; a provider without one has no path. */
  readonly secretNames: Readonly<Partial<Record<ProviderName, string>>>;
  readonly sender: EventSender;
};

type Response = APIGatewayProxyStructuredResultV2;
type Deps = ProviderDeps & Options & { readonly world: World; readonly mayNote: () => boolean };
type Call = {
  readonly name: ProviderName;
  readonly provider: Provider;
  readonly secretName: string;
  readonly delivery: Received['delivery'];
};

/** A signature that no key made may be one of a key that was rotated in a moment ago: the secret is read again, at most this often, ms. */
const REREAD_MS = 30_000;
/** What is not known yet may be known a moment later. */
const LATER_MS = 1_500;
/** What anybody can cause is noted this often at most, ms, and cut to this length. */
const NOTE_EVERY_MS = 60_000;
const NOTE_LENGTH_MAX = 2_000;
const SENT_AT_ONCE = 10;
/** Parts of a delivery that one line of the log names. */
const LEFT_MAX = 20;

/**
 * The function behind the public URL: `POST /alchemy`, `/fireblocks`, `/generic`. 200 means that every
 * event of the delivery is on the bus; anything else, that the provider is to send it again.
 * Fail direction: closed. What is forged is answered 401 and told once a minute; what is signed and not
 * understood is put aside with its reason and alarms. Neither touches a lease.
 */
export function receiveWebhook(world: World, options: Options) {
  const deps = { ...options, world, mayNote: once(world, NOTE_EVERY_MS) };
  return pipeline((event: WebhookEvent) => respond(deps, event), {
    name: 'receive-webhook',
    log: world.log,
    onTimeout: (): Response => answer(503, { error: 'time ran out; send it again' }),
  });
}

async function respond(deps: Deps, event: WebhookEvent): Promise<Response> {
  const name = PROVIDERS.find((one) => event.rawPath === `/${one}`);
  const secretName = name && deps.secretNames[name];
  if (!name || !secretName) return answer(404, { error: 'there is nothing here' });
  const { method } = event.requestContext.http;
  if (method !== 'POST') return answer(405, { error: `deliveries come by POST, not ${method}` });
  const provider = providers[name];
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const call = { name, provider, secretName, delivery: { headers: lowered(event.headers), body } };
  if (body.length > provider.bodyMaxBytes) {
    await note(deps, call, `it has ${body.length} bytes`);
    return answer(413, { error: `at most ${provider.bodyMaxBytes} bytes are taken` });
  }
  return receive(deps, call);
}

async function receive(deps: Deps, call: Call): Promise<Response> {
  const proved = await prove(deps, call);
  if (!('secret' in proved)) return proved;
  try {
    const { events, left } = await readPatiently(deps, call, proved);
    await sendAll(deps.sender, events);
    tell(deps, call, { events, left });
    return answer(200, { taken: events.length, left: left.length });
  } catch (error) {
    return refuse(deps, call, error);
  }
}

/** The delivery with the secret that proves it, or the answer to whoever proved nothing. */
async function prove(deps: Deps, call: Call): Promise<Received | Response> {
  const { delivery, provider, secretName } = call;
  try {
    for (const maxAgeMs of [undefined, REREAD_MS]) {
      const secret = await deps.secrets.get(secretName, maxAgeMs);
      const received = { delivery, secret };
      if (await provider.authenticate(deps, received)) return received;
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    deps.world.log.error('webhook not proved', { provider: call.name, reason: why });
    await note(deps, call, `who sent it could not be found out: ${why}`);
    return answer(503, { error: 'it cannot be checked now; send it again' });
  }
  await note(deps, call, 'it is not signed by a key that is known');
  return answer(401, { error: 'not signed' });
}

async function readPatiently(deps: Deps, call: Call, received: Received): Promise<Reading> {
  try {
    return await call.provider.read(deps, received);
  } catch (error) {
    if (!(error instanceof LaterError)) throw error;
    await deps.world.sleep(LATER_MS);
    return call.provider.read(deps, received);
  }
}

async function sendAll(sender: EventSender, events: readonly Outgoing[]): Promise<void> {
  for (let at = 0; at < events.length; at += SENT_AT_ONCE) {
    const sent = events.slice(at, at + SENT_AT_ONCE).map((event) => sender.send(event));
    await Promise.all(sent);
  }
}

/** The answer to a delivery that is proved and not taken. Whatever it was, it is kept for a person. */
async function refuse(deps: Deps, call: Call, error: unknown): Promise<Response> {
  if (error instanceof UnsignedError) {
    await note(deps, call, error.message);
    return answer(401, { error: 'not signed' });
  }
  const reason = error instanceof Error ? error.message : 'unknown';
  deps.world.log.error('webhook not taken', { provider: call.name, reason });
  const kept = await keep(deps, { reason: reasonOf(call, reason), body: textOf(call) });
  if (!kept) return answer(503, { error: 'nothing was taken; send it again' });
  if (error instanceof MalformedError) return refusal(400, error.problems);
  if (error instanceof UnmappedError) return refusal(422, error.problems);
  const why = error instanceof LaterError || error instanceof SettingsError ? `: ${reason}` : '';
  return answer(503, { error: `nothing is certain to be taken, send it again${why}` });
}

function refusal(statusCode: number, problems: readonly string[]): Response {
  return answer(statusCode, { error: 'nothing was taken', problems });
}

/** Notes what anybody could have caused: seldom and short, so that nobody fills a queue from outside. */
async function note(deps: Deps, call: Call, why: string): Promise<void> {
  deps.world.log.info('webhook refused', { provider: call.name, reason: why });
  if (!deps.mayNote()) return;
  const body = textOf(call).slice(0, NOTE_LENGTH_MAX);
  await keep(deps, { reason: reasonOf(call, why), body });
}

async function keep({ world }: Deps, rejected: { reason: string; body: string }): Promise<boolean> {
  try {
    await world.rejects.send(rejected);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    world.log.error('webhook not put aside', { reason });
    return false;
  }
}

function tell({ world }: Deps, { name }: Call, { events, left }: Reading): void {
  world.log.info('webhook taken', {
    provider: name,
    events: events.map(({ detailType, detail }) => ({ detailType, detail })),
    left: left.slice(0, LEFT_MAX),
    leftCount: left.length,
  });
}

function reasonOf({ name }: Call, why: string): string {
  return `webhook ${name}: ${why}`;
}

function textOf({ delivery }: Call): string {
  return Buffer.from(delivery.body).toString('utf8');
}

function lowered(headers: WebhookEvent['headers'] = {}) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/** Says yes once in a while. */
function once({ clock }: World, everyMs: number): () => boolean {
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = clock.nowMs();
    if (nowMs - lastMs < everyMs && nowMs >= lastMs) return false;
    lastMs = nowMs;
    return true;
  };
}

function answer(statusCode: number, body: unknown): Response {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { statusCode, headers, body: JSON.stringify(body) };
}

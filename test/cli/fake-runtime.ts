import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { parseRequest, type Request } from '../../lib/adapters/wire/command.ts';
import { stringify } from '../../lib/adapters/wire/json.ts';

/** An answer as the service would give it; bigints are fine. */
export type Canned = { readonly status: number; readonly body: unknown };

/** A server that speaks as the embedded runtime does, with answers by command. */
export type FakeRuntime = {
  readonly url: string;
  /** Commands and questions that came, in order. */
  readonly requests: Request[];
  /** Bodies of `POST /events`, in order. */
  readonly events: unknown[];
  readonly answers: Map<Request['command'], Canned>;
  /** The answer to events; by default they are accepted. */
  eventsAnswer: (events: readonly unknown[]) => Canned;
  readonly close: () => Promise<void>;
};

/** Starts a fake runtime on a free port of this machine. */
export async function startFakeRuntime(): Promise<FakeRuntime> {
  const requests: Request[] = [];
  const events: unknown[] = [];
  const answers: FakeRuntime['answers'] = new Map();
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const canned = request.url === '/events' ? takeEvents(body) : takeCommand(body);
    response.writeHead(canned.status, { 'content-type': 'application/json' });
    response.end(stringify(canned.body));
  });
  const takeEvents = (body: string): Canned => {
    const given: unknown = JSON.parse(body);
    events.push(given);
    return fake.eventsAnswer(Array.isArray(given) ? given : [given]);
  };
  const takeCommand = (body: string): Canned => {
    const request = parseRequest(body);
    requests.push(request);
    return answers.get(request.command) ?? { status: 404, body: { error: 'no canned answer' } };
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeRuntime = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    events,
    answers,
    eventsAnswer: (given) => ({ status: 202, body: { accepted: given.length } }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

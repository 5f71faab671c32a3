/** A small HTTP server for this machine only. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** A request that fits a route. `path` holds the values of the route's `:names`, decoded. */
export type HttpRequest = {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The body as JSON. Throws the {@link RequestError} that becomes the answer if it is none. */
  readonly json: () => unknown;
};

/** The answer. A `body` that is no string is sent as JSON. */
export type HttpResponse = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/** Answers requests of one method and path, such as `GET` and `/incidents/:id`. */
export type HttpRoute = {
  readonly method: string;
  readonly path: string;
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>;
};

/** A running server. */
export type HttpServer = {
  readonly endpoint: string;
  readonly port: number;
  /** Takes no more requests, lets those under way end within two seconds, and closes every socket. */
  readonly stop: () => Promise<void>;
};

/** What to serve and where. */
export type HttpServerParameters = {
  readonly routes: readonly HttpRoute[];
  /** A free one by default. */
  readonly port?: number | undefined;
  /** 256 KiB by default. */
  readonly bodyMaxBytes?: number;
  /** Told what a handler threw; the caller of the request only learns that something failed. */
  readonly onError?: (error: unknown) => void;
};

const BODY_MAX_BYTES = 256 * 1024;
const REQUEST_MAX_MS = 30_000;
const STOP_MAX_MS = 2_000;
const SWEEP_MS = 20;
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Serves the routes on 127.0.0.1. Errors are JSON, `{"error": "<reason>"}`: 400 for a body that is no
 * JSON, 403 for a request that a web page of elsewhere could have made, 404, 405, 413 for a body above the maximum,
 * 500 when a handler throws anything but a {@link RequestError}.
 *
 * @throws {PortError} if the port cannot be had.
 */
export async function startHttpServer(parameters: HttpServerParameters): Promise<HttpServer> {
  const server = createServer({ requestTimeout: REQUEST_MAX_MS }, (request, response) => {
    answer(parameters, request)
      .catch((error: unknown) => failure(error, parameters.onError))
      .then((result) => write(response, result))
      .catch(() => response.destroy());
  });
  const port = await listen(server, parameters.port ?? 0);
  let stopped: Promise<void> | undefined;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    stop: () => {
      stopped ??= stop(server);
      return stopped;
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new PortError({ port, cause })));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // Clients keep a connection open after its last answer.
  const sweeping = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const closing = setTimeout(() => server.closeAllConnections(), STOP_MAX_MS);
  await closed;
  clearInterval(sweeping);
  clearTimeout(closing);
}

async function answer(
  parameters: HttpServerParameters,
  request: IncomingMessage,
): Promise<HttpResponse> {
  refuseForeign(request);
  const url = urlOf(request);
  const fitting = parameters.routes.flatMap((route) => {
    const path = match(route.path, url.pathname);
    return path ? [{ route, path }] : [];
  });
  if (fitting.length === 0) {
    throw new RequestError({ status: 404, reason: `there is nothing at ${url.pathname}` });
  }
  const found = fitting.find(({ route }) => route.method === request.method);
  if (!found) {
    const allow = [...new Set(fitting.map(({ route }) => route.method))].join(', ');
    const error = `${url.pathname} answers ${allow}, not ${request.method}`;
    return { status: 405, headers: { allow }, body: { error } };
  }
  const text = await bodyOf(request, parameters.bodyMaxBytes ?? BODY_MAX_BYTES);
  return found.route.handle({
    path: found.path,
    query: url.searchParams,
    headers: request.headers,
    text,
    json: () => parse(text),
  });
}

/**
 * A page in a browser on this machine can send requests here: directly, which shows in its Origin,
 * or under a name of its own that it lets point to 127.0.0.1, which shows in the Host.
 * Fail direction: what does not name this machine is refused.
 */
function refuseForeign({ headers }: IncomingMessage): void {
  const isHome = isLoopback(`http://${headers.host ?? ''}`);
  const isFromHome = headers.origin === undefined || isLoopback(headers.origin);
  if (isHome && isFromHome) return;
  throw new RequestError({ status: 403, reason: 'only requests of this machine are answered' });
}

function isLoopback(origin: string): boolean {
  return URL.canParse(origin) && LOOPBACK.has(new URL(origin).hostname);
}

function urlOf(request: IncomingMessage): URL {
  const target = `http://127.0.0.1${request.url ?? '/'}`;
  if (!request.url?.startsWith('/') || !URL.canParse(target)) {
    throw new RequestError({ status: 400, reason: 'the address of the request cannot be read' });
  }
  return new URL(target);
}

/** The values of the pattern's names, `undefined` if the path does not fit. */
function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith(':') && value !== '') values[part.slice(1)] = decode(value);
    else if (part !== value) return undefined;
  }
  return values;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    // Read to the end all the same, or the sender sees a broken connection and no answer; what
    // comes beyond is dropped, and the server's time limit bounds it.
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (bytes > maxBytes) {
    throw new RequestError({
      status: 413,
      reason: `the body has ${bytes} bytes; at most ${maxBytes} are taken, send it in parts`,
    });
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = `the body is not JSON: ${cause instanceof Error ? cause.message : cause}`;
    throw new RequestError({ status: 400, reason, cause });
  }
}

function failure(error: unknown, onError: ((error: unknown) => void) | undefined): HttpResponse {
  if (error instanceof RequestError) return { status: error.status, body: { error: error.reason } };
  onError?.(error);
  return { status: 500, body: { error: 'the request failed inside; see the log of the runtime' } };
}

function write(response: ServerResponse, result: HttpResponse): void {
  const isText = typeof result.body === 'string';
  const text = isText ? String(result.body) : JSON.stringify(result.body ?? {});
  response.writeHead(result.status, {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...result.headers,
  });
  response.end(text);
}

/** The request is at fault; a handler throws it to answer with this status and reason. */
export class RequestError extends Error {
  override readonly name = 'HttpServer.RequestError';
  readonly status: number;
  readonly reason: string;
  constructor(details: {
    readonly status: number;
    readonly reason: string;
    readonly cause?: unknown;
  }) {
    super(details.reason, { cause: details.cause });
    this.status = details.status;
    this.reason = details.reason;
  }
}

/** The server cannot listen on the port. */
export class PortError extends Error {
  override readonly name = 'HttpServer.PortError';
  constructor(details: { readonly port: number; readonly cause: unknown }) {
    super(`cannot listen on 127.0.0.1:${details.port}; give another port, or stop what uses it`, {
      cause: details.cause,
    });
  }
}

/** Sends reservations over HTTP: to the embedded runtime, or to the function's URL with a signature. */

import { type Fetch, requestJson, trustedUrl } from './http.ts';
import type { Request } from './reserve-wire.ts';

/** Sends one request and gives the parsed JSON of its answer, which is checked by the caller. */
export type Send = (body: Request, signal: AbortSignal) => Promise<unknown>;

/** What a signature is made over. A new one is asked for at each attempt: its time is part of it. */
export type Unsigned = {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** Where to send, and how to prove who sends. */
export type HttpOptions = {
  readonly url: string;
  readonly fetch?: Fetch | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Gives the headers to send, those of the request among them: AWS Signature Version 4, for example. */
  readonly sign?: ((request: Unsigned) => Promise<Readonly<Record<string, string>>>) | undefined;
};

const REQUEST_TIMEOUT = 408;
const TOO_MANY_REQUESTS = 429;

/**
 * A sender over HTTP. What it throws beside {@link RefusedError} is worth another attempt.
 *
 * @throws {Http.InsecureUrlError} at construction.
 */
export function createHttpSend(options: HttpOptions): Send {
  const url = trustedUrl(options.url).href;
  const send = options.fetch ?? fetch;
  return async (request, signal) => {
    const body = JSON.stringify(request);
    const plain = { 'content-type': 'application/json', ...options.headers };
    const unsigned: Unsigned = { method: 'POST', url, headers: plain, body };
    const headers = options.sign ? await options.sign(unsigned) : plain;
    const { status, value } = await requestJson(send, url, {
      method: 'POST',
      headers: { ...headers },
      body,
      signal,
    });
    if (status >= 200 && status < 300) return value;
    const isRefusal = status >= 400 && status < 500;
    if (isRefusal && status !== REQUEST_TIMEOUT && status !== TOO_MANY_REQUESTS) {
      throw new RefusedError({ why: `HTTP ${status}${problemIn(value)}` });
    }
    throw new FailedError({ status });
  };
}

/** The reason that an answer gives, as far as it is a text. */
function problemIn(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const said = Object.entries(value).filter(
    ([field]) => field === 'error' || field === 'problems' || field === 'message',
  );
  return said.length === 0 ? '' : `: ${JSON.stringify(Object.fromEntries(said)).slice(0, 300)}`;
}

/** The service will not take this request, however often it is sent. A sender of your own may throw it too. */
export class RefusedError extends Error {
  override readonly name = 'ReserveHttp.RefusedError';
  constructor(details: { readonly why: string }) {
    super(`the request was refused: ${details.why}`);
  }
}

/** The service did not answer with success. */
export class FailedError extends Error {
  override readonly name = 'ReserveHttp.FailedError';
  constructor(details: { readonly status: number }) {
    super(`the service answered HTTP ${details.status}`);
  }
}

/** How the CLI talks to a Breakwater: one request, one answer, wherever it runs. */

import type { Request } from '../adapters/wire/command.ts';
import { EXIT, StoppedError } from './exit-code.ts';

/** An answer as it came; the body is JSON, or its text where it is none. */
export type Answer = { readonly status: number; readonly body: unknown };

/** An event to send: its envelope, or `detail-type` and `detail` alone. */
export type EventToSend = {
  readonly 'detail-type': string;
  readonly detail: unknown;
  readonly source?: string | undefined;
};

/** Where the tables are, for commands that work on them as a function does; with the caller's own rights. */
export type Tables = {
  readonly ledger: string;
  readonly control: string;
  readonly client: {
    readonly region?: string | undefined;
    readonly profile?: string | undefined;
    readonly endpoint?: string | undefined;
    readonly credentials?:
      | { readonly accessKeyId: string; readonly secretAccessKey: string }
      | undefined;
  };
};

/** The way to one Breakwater. */
export type Transport = {
  /** Where it is, for people; without secrets. */
  readonly target: string;
  /**
   * Sends a command or a question. Asking twice with one `commandId` acts once.
   * Fail direction: closed, an answer that does not come is an error and never a success.
   *
   * @throws {StoppedError} nobody there, no credentials, no answer in time.
   */
  readonly ask: (request: Request) => Promise<Answer>;
  /** Events in one call of {@link Transport.send}, at most. */
  readonly eventsMax: number;
  /**
   * Sends events, at most {@link Transport.eventsMax}, all or nothing as far as the way in can tell.
   * Sending the same ones again is safe: an event counts once.
   *
   * @throws {StoppedError} as `ask`, and where the way in refuses one.
   */
  readonly send: (events: readonly EventToSend[]) => Promise<void>;
  /** @throws {StoppedError} where they cannot be found out. */
  readonly tables: () => Promise<Tables>;
};

/** One request over HTTP. */
export type Post = {
  readonly url: URL;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where it goes, for messages. */
  readonly target: string;
  /** What to do when nobody is there. */
  readonly hint: string;
};

/** Longest wait for an answer; the slowest function ends after 20 s. */
const ANSWER_MAX_MS = 30_000;

/**
 * Posts JSON and reads the answer. Redirects are not followed: a command goes where it was sent.
 *
 * @throws {StoppedError} `unreachable`.
 */
export async function post(parameters: Post): Promise<Answer> {
  const { url, body, headers, target, hint } = parameters;
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { ...headers, 'content-type': 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MAX_MS),
    });
    return { status: response.status, body: parseJson(await response.text()) };
  } catch (cause) {
    const message = isTimeout(cause)
      ? `${target} gave no answer within ${ANSWER_MAX_MS / 1_000} s.`
      : `No answer from ${target} (${reasonOf(cause)}).`;
    throw new StoppedError({ exitCode: EXIT.unreachable, message, hint, cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

/** What stands behind `fetch failed`, such as ECONNREFUSED. */
function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  if (typeof cause?.code === 'string') return cause.code;
  if (cause instanceof Error) return cause.message;
  return error instanceof Error ? error.message : 'unknown error';
}

/**
 * A guard in front of a withdrawal route, for any server that speaks Fetch (`Request`, `Response`).
 *
 * ```ts
 * const guard = guardWithdrawals({ flag: client.check, question: () => ({ wallet: 'eth-hot-1' }) });
 * app.use('/withdrawals', (c, next) => guard(c.req.raw, () => next().then(() => c.res)));
 * ```
 */

import type { Question } from '../actions/read-flag.ts';
import { type Flag, unreachable } from '../domain/flag.ts';
import { isSwitch, NO_SWITCH } from './shadow.ts';

/** What the guard asks, and how it refuses. */
export type Options = {
  /** `check` of a flag client, or `cached`. */
  readonly flag: (question: Question) => Flag | Promise<Flag>;
  /** What the request is about. It gets a copy, so that the route can still read the body. */
  readonly question: (request: Request) => Question | Promise<Question>;
  /**
   * For the first days of a roll-out: every request passes, also where the question cannot be had or
   * `flag` throws. A flag client in shadow mode has to be told so itself. Take it out to arm.
   */
  readonly shadow?: boolean | undefined;
  /** HTTP status of a refusal, 400 to 599; 503 unless given. */
  readonly status?: number | undefined;
  /** When the caller is told to come back, 30 s unless given. */
  readonly retryAfterS?: number | undefined;
};

/** Passes a request on, or answers it. */
export type Guard = (
  request: Request,
  next: () => Response | Promise<Response>,
) => Promise<Response>;

const STATUS = 503;
const RETRY_AFTER_S = 30;

/**
 * Makes a guard. When withdrawals are not enabled it answers problem+json (RFC 9457) with reason,
 * scope and incident; what `next` throws is not its own and passes through.
 * Fail direction: closed, a question or a flag that cannot be had is a refusal; with `shadow` open.
 *
 * @throws {InvalidOptionError} a status that would look like success, or a `shadow` that is neither
 *   true nor false.
 */
export function guardWithdrawals(options: Options): Guard {
  const { status = STATUS, retryAfterS = RETRY_AFTER_S } = options;
  if (!(Number.isInteger(status) && status >= 400 && status <= 599)) {
    throw new InvalidOptionError({ why: 'status must be 400 to 599' });
  }
  if (!isSwitch(options.shadow)) throw new InvalidOptionError({ why: `shadow ${NO_SWITCH}` });
  return async (request, next) => {
    const flag = await ask(options, request);
    return flag.enabled || options.shadow ? next() : refuse(flag, { status, retryAfterS });
  };
}

async function ask(options: Options, request: Request): Promise<Flag> {
  try {
    const flag = await options.flag(await options.question(request.clone()));
    return typeof flag?.enabled === 'boolean' ? flag : unreachable('the flag gave no answer');
  } catch (error) {
    return unreachable(error instanceof Error ? error.message : 'unknown error');
  }
}

function refuse(
  flag: Flag,
  how: { readonly status: number; readonly retryAfterS: number },
): Response {
  const { reason, text, scope, incidentId, sinceMs } = flag;
  const problem = {
    type: 'urn:breakwater:problem:withdrawals-not-enabled',
    title: 'Withdrawals are not enabled',
    status: how.status,
    detail: text,
    reason,
    scope,
    incidentId,
    since: sinceMs === undefined ? undefined : new Date(sinceMs).toISOString(),
  };
  return new Response(JSON.stringify(problem), {
    status: how.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': String(how.retryAfterS),
    },
  });
}

/** A guard cannot be made as it was asked for. */
export class InvalidOptionError extends Error {
  override readonly name = 'Guard.InvalidOptionError';
  constructor(details: { readonly why: string }) {
    super(details.why);
  }
}

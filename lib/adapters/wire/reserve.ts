/** Reservations as they travel: withdrawals in, one verdict for each out, in the same order. */

import * as z from 'zod/mini';
import type * as Notice from '../../domain/notice.ts';
import type * as Verdict from '../../domain/verdict.ts';
import type { Withdrawal } from '../../domain/withdrawal.ts';
import { fromEnvelope, InvalidEventError } from './event.ts';
import { readJson } from './read.ts';

/** Withdrawals in one request. */
export const WITHDRAWALS_MAX = 100;
/** Problems named in one answer. */
const PROBLEMS_MAX = 20;
/** Longest audience, characters. */
const AUDIENCE_LENGTH_MAX = 256;

const request = z.strictObject({
  audience: z.optional(
    z.string().check(
      z.minLength(1),
      z.maxLength(AUDIENCE_LENGTH_MAX),
      z.refine(
        (value) => value.isWellFormed() && !/\p{Cc}/u.test(value),
        'must have no control characters',
      ),
    ),
  ),
  withdrawals: z.array(z.unknown()).check(z.minLength(1), z.maxLength(WITHDRAWALS_MAX)),
});

/** A request, read. `audience` is absent where the service's default is meant. */
export type Request = {
  readonly audience?: string | undefined;
  readonly withdrawals: readonly Withdrawal[];
};

/** What is told of one withdrawal: a verdict of the domain, or that there is none. */
export type Answer =
  | {
      readonly kind: 'allow';
      readonly withdrawalId: string;
      /** The compact JWS. */
      readonly admission: string;
      readonly expiresAtMs: number;
      readonly wouldBe?: { readonly kind: 'hold' | 'block'; readonly text: string } | undefined;
    }
  | (Omit<Verdict.Refusal, 'reason'> & {
      readonly reason: Verdict.Reason | 'timeout' | 'unavailable';
    });

/** A verdict on the wire: times in ISO-8601, amounts as decimal strings in the limit's own unit. */
export type VerdictJson =
  | {
      readonly withdrawalId: string;
      readonly verdict: 'allow';
      readonly admission: string;
      readonly expiresAt: string;
      readonly wouldBe?: 'hold' | 'block';
      readonly text?: string;
    }
  | {
      readonly withdrawalId: string;
      readonly verdict: 'hold' | 'block';
      readonly reason: string;
      readonly text: string;
      readonly provisional: boolean;
      readonly limit?: Readonly<
        Record<'limitId' | 'scope' | 'used' | 'allowed' | 'headroom', string>
      >;
      readonly incidentId?: string;
      readonly scope?: string;
      readonly capacityAt?: string;
      readonly heldSince?: string;
      readonly position?: number;
    };

/**
 * Reads the text of a request. A withdrawal has the fields of a `withdrawal.reported` event.
 * Fail direction: closed, one withdrawal that cannot be read refuses the request and nothing of it
 * is decided.
 *
 * @throws {InvalidRequestError} with field and reason, such as `withdrawals.3.amount: must be …`.
 */
export function parseRequest(body: string): Request {
  const reading = readJson(request, body, { under: '', whole: 'request' });
  if ('problems' in reading) throw new InvalidRequestError(reading);
  const { audience, withdrawals } = reading.value;
  const parsed: Withdrawal[] = [];
  const problems: string[] = [];
  for (const [position, detail] of withdrawals.entries()) {
    const one = parseWithdrawal(detail, `withdrawals.${position}`);
    if ('problems' in one) problems.push(...one.problems);
    else parsed.push(one);
  }
  if (problems.length > 0) {
    throw new InvalidRequestError({ problems: problems.slice(0, PROBLEMS_MAX) });
  }
  return { audience, withdrawals: parsed };
}

function parseWithdrawal(
  detail: unknown,
  field: string,
): Withdrawal | { readonly problems: readonly string[] } {
  try {
    const event = fromEnvelope({ 'detail-type': 'withdrawal.reported', detail });
    if (event.kind === 'withdrawal') return event;
    return { problems: [`${field}: is no withdrawal`] };
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error;
    return { problems: error.problems.map((problem) => problem.replace(/^detail\b/, field)) };
  }
}

/** Writes a verdict. */
export function toVerdictJson(answer: Answer): VerdictJson {
  const { withdrawalId } = answer;
  if (answer.kind === 'allow') {
    const { admission, expiresAtMs, wouldBe } = answer;
    // In whole seconds, as the token itself has it, or it would be said to live longer than it does.
    const expiresAt = toIso(Math.floor(expiresAtMs / 1_000) * 1_000);
    const shadow = wouldBe && { wouldBe: wouldBe.kind, text: wouldBe.text };
    return { withdrawalId, verdict: 'allow', admission, expiresAt, ...shadow };
  }
  const { kind, reason, text, provisional, limit, incidentId, scope } = answer;
  const { capacityAtMs, heldSinceMs, position } = answer;
  return {
    withdrawalId,
    verdict: kind,
    reason,
    text,
    provisional,
    ...(limit && { limit: toLimitJson(limit) }),
    ...(incidentId !== undefined && { incidentId }),
    ...(scope !== undefined && { scope }),
    ...(capacityAtMs !== undefined && { capacityAt: toIso(capacityAtMs) }),
    ...(heldSinceMs !== undefined && { heldSince: toIso(heldSinceMs) }),
    ...(position !== undefined && { position }),
  };
}

/** Why a withdrawal waits, on the wire. `text` may be shown to a customer; times in ISO-8601. */
export type NoticeJson = Omit<Notice.Notice, 'sinceMs' | 'untilMs'> & {
  readonly since?: string;
  readonly until?: string;
};

/** Writes a notice. */
export function toNoticeJson({ sinceMs, untilMs, ...notice }: Notice.Notice): NoticeJson {
  return {
    ...notice,
    ...(sinceMs === undefined ? {} : { since: toIso(sinceMs) }),
    ...(untilMs === undefined ? {} : { until: toIso(untilMs) }),
  };
}

function toLimitJson(limit: NonNullable<Verdict.Refusal['limit']>) {
  const { limitId, scope, used, allowed, headroom } = limit;
  return {
    limitId,
    scope,
    used: used.toString(),
    allowed: allowed.toString(),
    headroom: headroom.toString(),
  };
}

function toIso(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** A request cannot be read. `problems` name field and reason; nothing of it was decided. */
export class InvalidRequestError extends Error {
  override readonly name = 'Reserve.InvalidRequestError';
  readonly problems: readonly string[];
  constructor(details: { readonly problems: readonly string[] }) {
    super(details.problems.join('; '));
    this.problems = details.problems;
  }
}

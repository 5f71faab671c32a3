/** Why a withdrawal waits, for the page that its customer looks at. */

import * as z from 'zod/mini';
import { type Fetch, requestJson, trustedUrl } from './http.ts';
import type { HttpOptions } from './reserve-http.ts';
import { hostTimers, within } from './time.ts';

// Plain refinements: the checks that the library has for these would be a tenth of the whole client.
const atMost = (charsMax: number) => z.string().check(z.refine((text) => text.length <= charsMax));
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const WORD = atMost(64);
const TIME = z
  .string()
  .check(z.refine((text) => ISO_TIME.test(text) && !Number.isNaN(Date.parse(text))));
const POSITION = z.number().check(z.refine((value) => Number.isSafeInteger(value) && value > 0));

const notice = z.object({
  withdrawalId: z.string(),
  state: WORD,
  text: atMost(500),
  lift: z.exactOptional(WORD),
  since: z.exactOptional(TIME),
  until: z.exactOptional(TIME),
  position: z.exactOptional(POSITION),
  reason: z.exactOptional(WORD),
  incidentId: z.exactOptional(WORD),
});

/**
 * What there is to say. `text` names no limit and no wallet and may be shown to the customer, as may
 * `since`, `until` (both ISO-8601) and `position`; `reason` and `incidentId` are for the exchange.
 * `state`: `held`, `waiting`, `ready`, `admitted`, `sent` or `closed`. `lift`: `time`, `operators`, `nobody`.
 */
export type WithdrawalNotice = Readonly<z.output<typeof notice>>;

/** Where to ask, how to prove who asks, and how long to wait. */
export type WithdrawalReaderOptions = Pick<HttpOptions, 'fetch' | 'headers'> & {
  /** The service's URL: of the function, or of the embedded runtime without a path. */
  readonly url: string;
  /** Gives the headers of a signed GET. */
  readonly sign?: (request: {
    readonly method: 'GET';
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
  }) => Promise<Readonly<Record<string, string>>>;
  /** 3 s unless given. */
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 3_000;

/**
 * Reads notices. A withdrawal that was neither held nor admitted gives `undefined`: what was refused
 * leaves nothing behind and may be asked for again. It decides nothing.
 *
 * @throws {Http.InsecureUrlError} at construction.
 */
export function createWithdrawalReader(options: WithdrawalReaderOptions): {
  /** @throws {UnreadableNoticeError} no answer in time, or none that can be read. */
  readonly read: (withdrawalId: string) => Promise<WithdrawalNotice | undefined>;
} {
  const base = trustedUrl(options.url).href.replace(/\/$/, '');
  const { timeoutMs = TIMEOUT_MS } = options;
  const send: Fetch = options.fetch ?? fetch;
  return {
    read: async (withdrawalId) => {
      const url = `${base}/withdrawals/${encodeURIComponent(withdrawalId)}`;
      const plain = { accept: 'application/json', ...options.headers };
      try {
        const { status, value } = await within(
          { timers: hostTimers, timeoutMs },
          async (signal) => {
            const signed = await options.sign?.({ method: 'GET', url, headers: plain });
            return requestJson(send, url, {
              method: 'GET',
              headers: { ...(signed ?? plain) },
              signal,
            });
          },
        );
        if (status === 404) return undefined;
        if (status !== 200) throw new UnreadableNoticeError({ why: `HTTP ${status}` });
        return z.parse(notice, value);
      } catch (cause) {
        if (cause instanceof UnreadableNoticeError) throw cause;
        const why = cause instanceof Error ? cause.name : 'unknown error';
        throw new UnreadableNoticeError({ why, cause });
      }
    },
  };
}

/** There is no answer that can be read. Show "unknown", never "sent". */
export class UnreadableNoticeError extends Error {
  override readonly name = 'Withdrawal.UnreadableNoticeError';
  constructor(details: { readonly why: string; readonly cause?: unknown }) {
    super(`the notice cannot be read: ${details.why}`, { cause: details.cause });
  }
}

/** An answer of the flag, judged at the reader: nothing that came from outside enables anything by itself. */

import * as z from 'zod/mini';
import type { Question } from '../actions/read-flag.ts';
import { type Flag, unreachable } from '../domain/flag.ts';
import { type Fetch, requestJson, trustedUrl } from './http.ts';

/** Reads the flag, strongly. May throw. */
export type Read = (question: Question, signal: AbortSignal) => Promise<Flag>;

const flagShape = z.object({
  enabled: z.boolean(),
  reason: z.enum(['enabled', 'breaker-open', 'lease-lapsed', 'unknown', 'unreachable']),
  text: z.string(),
  scope: z.optional(z.string()),
  incidentId: z.optional(z.string()),
  sinceMs: z.optional(z.number()),
  inForceUntilMs: z.optional(z.number()),
  wouldBe: z.optional(z.boolean()),
});

/** Fields of a question, in the order of its key and of a URL. */
const FIELDS = ['wallet', 'chain', 'asset', 'destination', 'memo', 'actor'] as const;

/** A text that is the same for the same question only. */
export function keyOf(question: Question): string {
  const { wallet, chain, asset, destination, memo, actor } = question;
  return JSON.stringify([wallet, chain, asset, destination, memo, actor]);
}

/** Reads the flag over HTTP, for example `GET /flag` of the embedded runtime. @throws {Http.InsecureUrlError} */
export function createHttpRead(options: { readonly url: string; readonly fetch: Fetch }): Read {
  const base = trustedUrl(options.url);
  return async (question, signal) => {
    const url = new URL(base);
    for (const field of FIELDS) {
      const value = question[field];
      if (value !== undefined) url.searchParams.set(field, value);
    }
    const { status, value } = await requestJson(options.fetch, url.href, { signal });
    return status === 200 ? fromUnknown(value) : unreachable(`the service answered HTTP ${status}`);
  };
}

/**
 * Narrows whatever a reader gave. Fail direction: closed, anything of another form is not enabled,
 * and so is `enabled` with a reason that says otherwise outside shadow mode.
 */
export function fromUnknown(value: unknown): Flag {
  const reading = z.safeParse(flagShape, value);
  if (!reading.success) return unreachable('the answer does not have the form of a flag');
  // Narrowed by the shape; optional fields that are absent stay absent.
  const flag = reading.data as Flag;
  const isPlain = flag.wouldBe === undefined;
  if (flag.enabled && isPlain && flag.reason !== 'enabled') {
    return unreachable('the answer contradicts itself');
  }
  return flag;
}

/**
 * The answer as it stands at a time. Without a lease in force an enabled flag is not enabled; in
 * shadow mode a lapsed lease stops nothing.
 */
export function inForce(flag: Flag, nowMs: number): Flag {
  if (!flag.enabled || flag.wouldBe !== undefined) return flag;
  const { inForceUntilMs } = flag;
  if (inForceUntilMs !== undefined && nowMs < inForceUntilMs) return flag;
  const text = 'no proof of health: the lease of the last answer ran out';
  return { enabled: false, reason: 'lease-lapsed', text };
}

/**
 * Prices of an HTTP provider of CoinGecko's shape: `/simple/price` with `include_last_updated_at`
 * (https://docs.coingecko.com/reference/simple-price).
 */

import * as z from 'zod/mini';
import { type Fetch, trustedUrl } from '../../client/http.ts';
import { type Timers, within } from '../../client/time.ts';
import type * as Price from '../../domain/price.ts';
import type { PriceReader } from '../../ports.ts';
import { readJson } from '../wire/read.ts';
import { parsePicoUsd } from './pico-usd.ts';

type HttpFeed = Extract<Price.Feed, { kind: 'http' }>;

/** Where the provider answers. The headers may hold a key: nothing here is ever shown. */
export type HttpPrices = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** The public endpoint, without a key. */
export const PUBLIC_PRICES: HttpPrices = {
  url: 'https://api.coingecko.com/api/v3/simple/price',
  headers: {},
};

/** Ids of one request. */
const IDS_MAX = 50;
/** Largest answer that is read: far more than 50 prices. */
const ANSWER_MAX_BYTES = 64_000;
const SECOND_MS = 1_000;

/** Numbers come as the text that stands in the answer. */
const entry = z.object({ usd: z.string(), last_updated_at: z.string() });
const answer = z.record(z.string(), z.unknown());
const settings = z.strictObject({
  url: z.string(),
  headers: z._default(z.record(z.string(), z.string()), {}),
});

/** A reader of prices by id. Ids travel in groups; one that is missing or odd spoils no other. */
export function createHttpPriceReader(options: {
  readonly fetch: Fetch;
  readonly timers: Timers;
  readonly timeoutMs: number;
  /** Read for each round, so that a key can be changed. */
  readonly provider: () => Promise<HttpPrices>;
}): PriceReader {
  return {
    read: async (feeds) => {
      const ours = feeds.filter((feed) => feed.kind === 'http');
      const groups: HttpFeed[][] = [];
      for (let at = 0; at < ours.length; at += IDS_MAX) groups.push(ours.slice(at, at + IDS_MAX));
      return (await Promise.all(groups.map((group) => readGroup(options, group)))).flat();
    },
  };
}

/** Reads the JSON of the secret: `{ "url": …, "headers": { … } }`. @throws {PriceSettingsError} */
export function parsePriceSettings(text: string): HttpPrices {
  const reading = readJson(settings, text, { under: '', whole: 'price settings' });
  if ('problems' in reading) throw new PriceSettingsError({ problems: reading.problems });
  return reading.value;
}

async function readGroup(
  options: Parameters<typeof createHttpPriceReader>[0],
  group: readonly HttpFeed[],
): Promise<readonly Price.Reading[]> {
  try {
    const { url, headers } = await options.provider();
    const asked = trustedUrl(url);
    asked.searchParams.set('ids', group.map(({ id }) => id).join(','));
    asked.searchParams.set('vs_currencies', 'usd');
    asked.searchParams.set('include_last_updated_at', 'true');
    asked.searchParams.set('precision', 'full');
    const text = await within(options, (signal) => get(options.fetch, asked, { headers, signal }));
    const byId = answer.safeParse(JSON.parse(text, keepNumbers));
    if (!byId.success) throw new ProviderError({ why: 'an answer that is no map' });
    return group.map((feed) => readingOf(feed, byId.data));
  } catch (error) {
    // A message of `fetch` may repeat the URL, which may hold a key.
    const why = error instanceof ProviderError ? error.message : 'the provider did not answer';
    return group.map((feed) => ({ kind: 'failed', feed, why }));
  }
}

function readingOf(feed: HttpFeed, byId: Readonly<Record<string, unknown>>): Price.Reading {
  const failed = (why: string): Price.Reading => ({ kind: 'failed', feed, why });
  if (!Object.hasOwn(byId, feed.id)) return failed('the provider knows no such id');
  const said = entry.safeParse(byId[feed.id]);
  if (!said.success) return failed('the provider gave no price with its time');
  const { usd, last_updated_at: updatedAt } = said.data;
  const pricePicoUsd = parsePicoUsd(usd);
  if (pricePicoUsd === undefined) return failed('the provider gave no price that can be read');
  if (!/^\d{1,11}$/.test(updatedAt)) return failed('the provider gave no time that can be read');
  return { kind: 'quote', feed, pricePicoUsd, atMs: Number(updatedAt) * SECOND_MS };
}

/** As much of an answer as it may be long. Fail direction: closed, a longer one is none. */
async function get(
  fetch: Fetch,
  url: URL,
  init: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<string> {
  const response = await fetch(url.href, { ...init, redirect: 'error' });
  if (!response.ok || !response.body) throw new ProviderError({ why: `status ${response.status}` });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.byteLength;
    if (bytes > ANSWER_MAX_BYTES) throw new ProviderError({ why: 'an answer that is too long' });
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** A float cannot hold every price: the text that stands there is kept (ECMAScript 2026, `JSON.parse` with source text). */
function keepNumbers(
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  return typeof value === 'number' ? context?.source : value;
}

/** The provider answered, and not with prices. */
export class ProviderError extends Error {
  override readonly name: string = 'HttpPrices.ProviderError';
  constructor(details: { readonly why: string }) {
    super(`the provider gave ${details.why}`);
  }
}

/** The settings of the provider are not of their form. */
export class PriceSettingsError extends Error {
  override readonly name = 'HttpPrices.PriceSettingsError';
  constructor(details: { readonly problems: readonly string[] }) {
    super(details.problems.join('; '));
  }
}

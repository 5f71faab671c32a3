/**
 * Prices that are read outside. What a feed said last stands until something newer comes from it;
 * its age is measured from the provider's own time, never from ours.
 */

import type { ChainId } from './caip.ts';

/** Where a price is read. */
export type Feed =
  /** A Chainlink aggregator: its chain and its lower-case address. */
  | { readonly kind: 'chainlink'; readonly chain: ChainId; readonly address: string }
  /** An id of the HTTP provider, such as CoinGecko's `ethereum`. */
  | { readonly kind: 'http'; readonly id: string };

/** A feed as an asset uses it. */
export type Source = {
  readonly feed: Feed;
  /** Above this age people are told. */
  readonly maxAgeMs: number;
  /** Above this age it is not used any more. */
  readonly keepMs: number;
};

/** What a feed said: pico-USD for one whole token, and the provider's time of it. */
export type Quote = { readonly pricePicoUsd: bigint; readonly atMs: number };

/** The last good quotes, by {@link feedId}: two assets with one feed share one, and an asset may have several. */
export type Quotes = ReadonlyMap<string, Quote>;

/** One attempt to read a feed; `pricePicoUsd` as it came, zero or negative too. */
export type Reading =
  | ({ readonly kind: 'quote'; readonly feed: Feed } & Quote)
  | { readonly kind: 'failed'; readonly feed: Feed; readonly why: string };

/** Why a feed is not to be relied on now. */
export type Doubt = { readonly feedId: string; readonly why: string };

/**
 * By how much one reading may differ from the last good one. A feed that says a thousand times as
 * much would hold everything, one that says a thousandth would let it go.
 */
const FACTOR_MAX = 10n;
/** A last good price older than this binds no new one: a real jump is believed after this time. */
const REFERENCE_MS = 86_400_000;
/** A price above this is none: 10^18 USD for one token, and what is stored stays bounded. */
const PRICE_MAX_PICO_USD = 10n ** 30n;
/** How far a provider's clock may be ahead of ours. */
const AHEAD_MAX_MS = 120_000;

/** The id of a feed. Injective: neither part holds a blank. */
export function feedId(feed: Feed): string {
  return feed.kind === 'http' ? `http ${feed.id}` : `chainlink ${feed.chain} ${feed.address}`;
}

/**
 * The price that money is valued at, pico-USD: the highest of the floor and of what the feeds said
 * last and is not too old; `undefined` where there is neither. Never 0 because a feed failed.
 * Fail direction: closed, a dead feed cannot bring a value below the floor, and an asset without a
 * floor has no price then.
 */
export function used(
  asset: {
    readonly floorPricePicoUsd?: bigint | undefined;
    readonly sources?: readonly Source[] | undefined;
  },
  quotes: Quotes,
  nowMs: number,
): bigint | undefined {
  let price = asset.floorPricePicoUsd;
  for (const { feed, keepMs } of asset.sources ?? []) {
    const quote = quotes.get(feedId(feed));
    if (!quote || nowMs - quote.atMs > keepMs) continue;
    if (price === undefined || quote.pricePicoUsd > price) price = quote.pricePicoUsd;
  }
  return price;
}

/**
 * Takes readings over into the last good quotes, each on its own. One that failed, is zero or
 * negative, comes from the future, is older than what is known, or is out of all proportion to it
 * leaves the last good one as it is. Nothing that is given is changed.
 */
export function take(
  quotes: Quotes,
  readings: readonly Reading[],
  nowMs: number,
): { readonly quotes: Quotes; readonly doubts: readonly Doubt[] } {
  const next = new Map(quotes);
  const doubts: Doubt[] = [];
  for (const reading of readings) {
    const id = feedId(reading.feed);
    const known = quotes.get(id);
    const why = reading.kind === 'failed' ? reading.why : unfit(reading, known, nowMs);
    if (why !== undefined) doubts.push({ feedId: id, why });
    else if (reading.kind === 'quote' && isNews(reading, next.get(id))) {
      const { pricePicoUsd, atMs } = reading;
      next.set(id, { pricePicoUsd, atMs: Math.min(atMs, nowMs) });
    }
  }
  return { quotes: next, doubts };
}

/** The feeds whose last good quote is older than it should be, or that have none. */
export function stale(
  sources: readonly Source[],
  quotes: Quotes,
  nowMs: number,
): readonly (Doubt & { readonly ageMs?: number })[] {
  const found = new Map<string, Doubt & { readonly ageMs?: number }>();
  for (const { feed, maxAgeMs, keepMs } of sources) {
    const id = feedId(feed);
    const quote = quotes.get(id);
    if (!quote) {
      found.set(id, { feedId: id, why: 'has said no price yet' });
      continue;
    }
    const ageMs = nowMs - quote.atMs;
    if (ageMs <= maxAgeMs) continue;
    const still = ageMs > keepMs ? 'is not used any more' : 'is still used';
    const why = `its last good price is ${ageText(ageMs)} old and ${still}`;
    found.set(id, { feedId: id, why, ageMs });
  }
  return [...found.values()];
}

function unfit(quote: Quote, known: Quote | undefined, nowMs: number): string | undefined {
  const { pricePicoUsd, atMs } = quote;
  if (pricePicoUsd <= 0n) return `answered ${pricePicoUsd < 0n ? 'a negative price' : 'zero'}`;
  if (pricePicoUsd > PRICE_MAX_PICO_USD) return 'answered more than anything is worth';
  if (atMs - nowMs > AHEAD_MAX_MS) return 'dates its price in the future';
  if (!known || nowMs - known.atMs > REFERENCE_MS) return undefined;
  const isHigh = pricePicoUsd > known.pricePicoUsd * FACTOR_MAX;
  const isLow = pricePicoUsd * FACTOR_MAX < known.pricePicoUsd;
  if (!isHigh && !isLow) return undefined;
  return `says more than ${FACTOR_MAX} times ${isHigh ? 'as much' : 'less'} than before`;
}

/** Of two answers for the same moment the higher one counts. */
function isNews(quote: Quote, known: Quote | undefined): boolean {
  if (!known || quote.atMs > known.atMs) return true;
  return quote.atMs === known.atMs && quote.pricePicoUsd > known.pricePicoUsd;
}

function ageText(ageMs: number): string {
  const minutes = Math.round(ageMs / 60_000);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

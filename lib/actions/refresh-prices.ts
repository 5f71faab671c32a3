/** Reads the prices that the policy names, and keeps the last good ones. */

import type { Policy } from '../domain/policy.ts';
import * as Price from '../domain/price.ts';
import * as Scope from '../domain/scope.ts';
import type { AlertStore, Clock, PriceReader, PriceStore } from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** What it needs. */
export type Deps = {
  readonly prices: PriceStore;
  readonly reader: PriceReader;
  readonly alerts: AlertStore;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
  /** Waits; resolves after about `ms`. */
  readonly sleep: (ms: number) => Promise<void>;
};

/** Prices are asked for once in this time, however often the caller comes: a schedule of a minute may be early. */
export const EVERY_MS = 50_000;
/** What has not come by then is asked for again the next time, ms. */
const READ_MAX_MS = 4_000;
/** People hear of feeds that fail once in this time. */
const TOLD_EVERY_MS = 3_600_000;
/** Feeds that one alert names. */
const NAMED_MAX = 5;

/**
 * Asks every feed once a minute. What fails, is late, or cannot be right changes nothing: the last
 * good price stays, and people are told once an hour. Gives back what is doubtful; nothing where it
 * was not yet time, or the policy names no feed.
 * Fail direction: a price that is not refreshed ages; what an old one is worth the decision judges.
 *
 * @throws what the store throws; nothing was changed then.
 */
export async function refreshPrices(deps: Deps): Promise<readonly Price.Doubt[]> {
  const { policy } = await deps.policy.current();
  const sources = sourcesOf(policy);
  if (sources.length === 0) return [];
  const { version, value } = await deps.prices.load();
  const askedAtMs = deps.clock.nowMs();
  const sinceMs = askedAtMs - value.askedAtMs;
  if (sinceMs >= 0 && sinceMs < EVERY_MS) return [];
  const feeds = [...new Map(sources.map(({ feed }) => [Price.feedId(feed), feed])).values()];
  const readings = await readInTime(deps, feeds);
  const nowMs = deps.clock.nowMs();
  const { quotes, doubts } = Price.take(named(feeds, value.quotes), readings, nowMs);
  // Somebody else has put meanwhile: as good as these.
  await deps.prices.put({ version, value: { quotes, askedAtMs } });
  const told = [...doubts, ...Price.stale(sources, quotes, nowMs)];
  if (told.length > 0) await deps.alerts.raise(alertOf(told, nowMs));
  return told;
}

async function readInTime(
  deps: Pick<Deps, 'reader' | 'sleep'>,
  feeds: readonly Price.Feed[],
): Promise<readonly Price.Reading[]> {
  const late = feeds.map(
    (feed) => ({ kind: 'failed', feed, why: 'did not answer in time' }) as const,
  );
  return Promise.race([deps.reader.read(feeds), deps.sleep(READ_MAX_MS).then(() => late)]);
}

/** The quotes of feeds that the policy still names. */
function named(feeds: readonly Price.Feed[], quotes: Price.Quotes): Price.Quotes {
  const kept = feeds.flatMap((feed) => {
    const id = Price.feedId(feed);
    const quote = quotes.get(id);
    return quote ? [[id, quote] as const] : [];
  });
  return new Map(kept);
}

function sourcesOf({ assets }: Policy): readonly Price.Source[] {
  return assets.flatMap(({ sources = [] }) => sources);
}

function alertOf(doubts: readonly Price.Doubt[], nowMs: number) {
  const texts = [...new Set(doubts.map(({ feedId, why }) => `${feedId}: ${why}`))];
  const more = texts.length > NAMED_MAX ? `; and ${texts.length - NAMED_MAX} more` : '';
  return {
    alertId: `price|${Math.floor(nowMs / TOLD_EVERY_MS)}`,
    kind: 'price',
    atMs: nowMs,
    scope: Scope.GLOBAL_KEY,
    rowId: 'prices',
    text: `prices to look after: ${texts.slice(0, NAMED_MAX).join('; ')}${more}. The last good price is used, never less than the floor`,
  } as const;
}

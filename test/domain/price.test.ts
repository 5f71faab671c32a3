import { describe, expect, test } from 'vitest';
import * as Money from '../../lib/domain/money.ts';
import * as Policy from '../../lib/domain/policy.ts';
import * as Price from '../../lib/domain/price.ts';
import {
  DAY_MS,
  ETH,
  eth,
  HOT_1,
  HOUR_MS,
  MINUTE_MS,
  policy,
  T0_MS,
  transfer,
  USDC,
  WRAPPED_ETH,
} from '../support/builders.ts';

const CHAINLINK: Price.Feed = {
  kind: 'chainlink',
  chain: 'eip155:1',
  address: `0x${'5'.repeat(40)}`,
};
const HTTP: Price.Feed = { kind: 'http', id: 'ethereum' };
const OTHER: Price.Feed = { kind: 'http', id: 'usd-coin' };

function pico(usd: number): bigint {
  return BigInt(usd) * 10n ** 12n;
}

function source(feed: Price.Feed = HTTP): Price.Source {
  return { feed, maxAgeMs: HOUR_MS, keepMs: DAY_MS };
}

function quote(usd: number, atMs = T0_MS, feed: Price.Feed = HTTP): Price.Reading {
  return { kind: 'quote', feed, pricePicoUsd: pico(usd), atMs };
}

function failed(feed: Price.Feed = HTTP): Price.Reading {
  return { kind: 'failed', feed, why: 'no answer' };
}

/** What a feed said last, at T0. */
function known(usd: number, atMs = T0_MS): Price.Quotes {
  return new Map([[Price.feedId(HTTP), { pricePicoUsd: pico(usd), atMs }]]);
}

const FLOOR = { floorPricePicoUsd: pico(1_500) };

describe('feedId', () => {
  test('behavior: H58 two feeds never share an id', () => {
    const ids = [CHAINLINK, HTTP, OTHER, { ...CHAINLINK, chain: 'eip155:10' as const }].map(
      Price.feedId,
    );
    expect(new Set(ids).size).toBe(4);
  });
});

describe('used', () => {
  const asset = { ...FLOOR, sources: [source()] };

  test('default: the higher of floor and feed', () => {
    expect(Price.used(asset, known(2_000), T0_MS)).toBe(pico(2_000));
    expect(Price.used(asset, known(1_499), T0_MS)).toBe(pico(1_500));
    expect(Price.used(asset, known(1_501), T0_MS)).toBe(pico(1_501));
  });

  test('args: no feed, or a feed that said nothing yet', () => {
    expect(Price.used(FLOOR, known(2_000), T0_MS)).toBe(pico(1_500));
    expect(Price.used(asset, new Map(), T0_MS)).toBe(pico(1_500));
    expect(Price.used({ sources: [source()] }, new Map(), T0_MS)).toBeUndefined();
    expect(Price.used({}, known(2_000), T0_MS)).toBeUndefined();
  });

  test('behavior: H55 the last good price stands until its bound, then the floor, never 0', () => {
    expect(Price.used(asset, known(2_000), T0_MS + DAY_MS - 1)).toBe(pico(2_000));
    expect(Price.used(asset, known(2_000), T0_MS + DAY_MS)).toBe(pico(2_000));
    expect(Price.used(asset, known(2_000), T0_MS + DAY_MS + 1)).toBe(pico(1_500));
    const bare = { sources: [source()] };
    expect(Price.used(bare, known(2_000), T0_MS + DAY_MS)).toBe(pico(2_000));
    expect(Price.used(bare, known(2_000), T0_MS + DAY_MS + 1)).toBeUndefined();
  });

  test('behavior: H58 of two feeds the higher one counts', () => {
    const both = { sources: [source(), source(CHAINLINK)] };
    const { quotes } = Price.take(new Map(), [quote(9), quote(10, T0_MS, CHAINLINK)], T0_MS);
    expect(Price.used(both, quotes, T0_MS)).toBe(pico(10));
  });

  test('args: a host whose clock is behind the provider', () => {
    expect(Price.used(asset, known(2_000), T0_MS - MINUTE_MS)).toBe(pico(2_000));
  });
});

describe('take', () => {
  test('default: what is newer replaces what is known', () => {
    const later = T0_MS + MINUTE_MS;
    const taken = Price.take(known(2_000), [quote(2_100, later)], later);
    expect(taken).toEqual({ quotes: known(2_100, later), doubts: [] });
  });

  test.each([
    ['zero', quote(0, T0_MS + 1), 'answered zero'],
    ['a negative price', quote(-1, T0_MS + 1), 'answered a negative price'],
    ['a failure', failed(), 'no answer'],
    ['the future', quote(2_100, T0_MS + 2 * MINUTE_MS + 2), 'dates its price in the future'],
    [
      'eleven times as much',
      quote(22_000, T0_MS + 1),
      'says more than 10 times as much than before',
    ],
    ['an eleventh', quote(181, T0_MS + 1), 'says more than 10 times less than before'],
    ['more than anything', quote(10 ** 19, T0_MS + 1), 'answered more than anything is worth'],
  ])('behavior: H55 %s leaves the last good price', (_name, reading, why) => {
    const taken = Price.take(known(2_000), [reading], T0_MS + 1);
    expect(taken.quotes).toEqual(known(2_000));
    expect(taken.doubts).toEqual([{ feedId: 'http ethereum', why }]);
  });

  test('behavior: H59 exactly ten times as much or as little is believed', () => {
    for (const usd of [20_000, 200]) {
      const taken = Price.take(known(2_000), [quote(usd, T0_MS + 1)], T0_MS + 1);
      expect(taken).toEqual({ quotes: known(usd, T0_MS + 1), doubts: [] });
    }
  });

  test('behavior: a real jump is believed once the last good price is a day old', () => {
    const at = (nowMs: number) => Price.take(known(1), [quote(100, nowMs)], nowMs).doubts.length;
    expect([at(T0_MS + DAY_MS), at(T0_MS + DAY_MS + 1)]).toEqual([1, 0]);
  });

  test('behavior: H56 a spike that returns to normal leaves nothing behind', () => {
    const before = known(2_000);
    const spike = Price.take(before, [quote(4_000, T0_MS + 1)], T0_MS + 1).quotes;
    const after = Price.take(spike, [quote(2_000, T0_MS + 2)], T0_MS + 2).quotes;
    expect(before).toEqual(known(2_000));
    expect(after).toEqual(known(2_000, T0_MS + 2));
  });

  test('behavior: H57 an older answer from a cache never replaces a newer one', () => {
    const taken = Price.take(known(2_000), [quote(1_000, T0_MS - 1)], T0_MS + HOUR_MS);
    expect(taken).toEqual({ quotes: known(2_000), doubts: [] });
  });

  test('behavior: of two answers for one moment the higher one counts, in either order', () => {
    for (const order of [
      [quote(2_001), quote(1_999)],
      [quote(1_999), quote(2_001)],
    ]) {
      expect(Price.take(new Map(), order, T0_MS).quotes).toEqual(known(2_001));
    }
  });

  test('behavior: H55 one feed that fails spoils no other', () => {
    const taken = Price.take(new Map(), [failed(OTHER), quote(2_000)], T0_MS);
    expect(taken.quotes).toEqual(known(2_000));
    expect(taken.doubts).toHaveLength(1);
  });

  test('args: a provider slightly ahead counts as now', () => {
    const taken = Price.take(new Map(), [quote(5, T0_MS + MINUTE_MS)], T0_MS);
    expect(taken.quotes).toEqual(known(5, T0_MS));
  });
});

describe('stale', () => {
  test('default: at the bound is fresh, beyond it is not', () => {
    const at = (ageMs: number) => Price.stale([source()], known(1), T0_MS + ageMs);
    expect(at(HOUR_MS)).toEqual([]);
    expect(at(HOUR_MS + 1)).toEqual([
      {
        feedId: 'http ethereum',
        ageMs: HOUR_MS + 1,
        why: 'its last good price is 60 min old and is still used',
      },
    ]);
    expect(at(2 * DAY_MS)[0]?.why).toBe('its last good price is 48 h old and is not used any more');
  });

  test('args: nothing was ever said', () => {
    expect(Price.stale([source(), source()], new Map(), T0_MS)).toEqual([
      { feedId: 'http ethereum', why: 'has said no price yet' },
    ]);
  });
});

describe('a policy that knows prices', () => {
  const sources = [source()];
  const rules = policy({
    assets: [
      { pattern: ETH, symbol: 'ETH', decimals: 18, ...FLOOR, sources },
      { pattern: WRAPPED_ETH, symbol: 'WETH', decimals: 8, ...FLOOR, sources, sameAs: ETH },
      { pattern: USDC, symbol: 'USDC', decimals: 6, sources: [source(OTHER)] },
    ],
  });
  const knowing = (quotes: Price.Quotes) =>
    Policy.at(rules, { quotes, balances: new Map() }, T0_MS);
  const oneEth = transfer({ account: HOT_1, asset: ETH, amount: eth(1) });

  test('behavior: H60 what is charged carries the price of its time', () => {
    const [leg] = Policy.resolve(knowing(known(2_000)), oneEth).legs;
    expect(leg).toMatchObject({ notional: Money.parseUsd('2000'), pricePicoUsd: pico(2_000) });
  });

  test('behavior: H56 the floor is what it was after any price', () => {
    Policy.resolve(knowing(known(9_000)), oneEth);
    expect(Policy.resolve(rules, oneEth).legs[0]?.pricePicoUsd).toBe(pico(1_500));
  });

  test('behavior: H55 an asset whose feed said nothing has no price; the others have theirs', () => {
    const usdc = transfer({ amount: 1n });
    expect(Policy.resolve(knowing(known(2_000)), usdc).unknown).toEqual(['price']);
    expect(Policy.resolve(knowing(known(2_000)), oneEth).unknown).toEqual([]);
  });

  test('behavior: H58 two assets with one feed have one price', () => {
    const wrapped = transfer({ asset: WRAPPED_ETH, amount: 10n ** 8n });
    const [leg] = Policy.resolve(knowing(known(2_000)), wrapped).legs;
    expect(leg).toMatchObject({ asset: ETH, notional: Money.parseUsd('2000') });
  });
});

describe('at the bounds', () => {
  const told = (reading: Price.Reading, nowMs = T0_MS) =>
    Price.take(new Map(), [reading], nowMs).doubts.map(({ why }) => why);

  test('behavior: H59 what is worth the most that anything is, is believed, and one more is not', () => {
    const most = { ...quote(1), pricePicoUsd: 10n ** 30n } as Price.Reading;
    expect(told(most)).toEqual([]);
    const more = { ...quote(1), pricePicoUsd: 10n ** 30n + 1n } as Price.Reading;
    expect(told(more)).toEqual(['answered more than anything is worth']);
  });

  test('behavior: a price of the future is believed up to what clocks may differ', () => {
    expect(told(quote(1, T0_MS + 120_000))).toEqual([]);
    expect(told(quote(1, T0_MS + 120_000 + 1))).toEqual(['dates its price in the future']);
  });

  test('behavior: the same answer again, and a lower one of the same moment, are no news', () => {
    const before = known(1_600);
    expect(Price.take(before, [quote(1_599)], T0_MS).quotes).toEqual(before);
    expect(Price.take(before, [quote(1_601)], T0_MS).quotes).toEqual(known(1_601));
    expect(Price.take(before, [quote(1_601, T0_MS - 1)], T0_MS).quotes).toEqual(before);
  });

  test('behavior: a stale price is told as used up to its bound, in minutes up to two hours', () => {
    const why = (ageMs: number) =>
      Price.stale([source()], known(1, T0_MS - ageMs), T0_MS).map((each) => each.why);
    expect(why(DAY_MS)).toEqual(['its last good price is 24 h old and is still used']);
    expect(why(DAY_MS + 1)).toEqual(['its last good price is 24 h old and is not used any more']);
    expect(why(119 * MINUTE_MS)).toEqual(['its last good price is 119 min old and is still used']);
    expect(why(2 * HOUR_MS)).toEqual(['its last good price is 2 h old and is still used']);
  });
});

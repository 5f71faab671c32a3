import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../lib/adapters/policy-file/parse.ts';
import { source, told } from './source.ts';

const ETH = 'eip155:1/slip44:60';
const WETH = `eip155:1/erc20:0x${'22'.repeat(20)}`;
const FEED = `0x${'5A'.repeat(20)}`;

function asset(price: string, more = ''): string {
  return source({
    assets: `assets: [{ id: "${ETH}", symbol: ETH, decimals: 18, price: ${price} }${more}]`,
  });
}

function wallet(floors: string): string {
  const address = `eip155:1:0x${'11'.repeat(20)}`;
  return source({
    assets: `assets: [{ id: "${ETH}", symbol: ETH, decimals: 18 }, { id: "${WETH}", symbol: WETH, decimals: 6, sameAs: "${ETH}" }]`,
    wallets: `wallets: [{ name: w, keyDomain: v, addresses: ["${address}"], floors: ${floors} }]`,
  });
}

function limit(fields: string): string {
  return source({ limits: `limits: [{ id: l, action: pause, ${fields} }]` });
}

describe('prices', () => {
  test('default: feeds with their ages; keep is a day, and never less than the age', () => {
    const chainlink = `chainlink: { chain: "eip155:1", feed: "${FEED}", maxAge: 25h }`;
    const text = asset(`{ ${chainlink}, http: { id: ethereum, maxAge: 10m } }`);
    expect(parsePolicy(text).assets[0]?.sources).toEqual([
      {
        feed: { kind: 'chainlink', chain: 'eip155:1', address: FEED.toLowerCase() },
        maxAgeMs: 90_000_000,
        keepMs: 90_000_000,
      },
      { feed: { kind: 'http', id: 'ethereum' }, maxAgeMs: 600_000, keepMs: 86_400_000 },
    ]);
  });

  test('behavior: H58 the same money has the same feeds, unless it has its own', () => {
    const http = (id: string) => `{ http: { id: ${id}, maxAge: 10m }, keep: 1h }`;
    const twin = (own: string) =>
      asset(http('a'), `, { id: "${WETH}", symbol: WETH, decimals: 6, sameAs: "${ETH}"${own} }`);
    const idOf = (text: string) => parsePolicy(text).assets[1]?.sources?.[0]?.feed;
    expect(idOf(twin(''))).toEqual({ kind: 'http', id: 'a' });
    expect(idOf(twin(`, price: ${http('b')}`))).toEqual({ kind: 'http', id: 'b' });
  });

  test('error: what is no feed', () => {
    const cases = {
      'no source': asset('{ keep: 1h }'),
      'no age': asset('{ http: { id: ethereum } }'),
      'an age of years': asset('{ http: { id: ethereum, maxAge: 400d } }'),
      'an id with a blank': asset('{ http: { id: "a b", maxAge: 1h } }'),
      'no EVM chain': asset(`{ chainlink: { chain: "solana:x", feed: "${FEED}", maxAge: 1h } }`),
      'no address': asset('{ chainlink: { chain: "eip155:1", feed: "0x12", maxAge: 1h } }'),
      'of a pattern': source({
        assets:
          'assets: [{ id: "eip155:1/erc20:*", symbol: T, decimals: 18, price: { http: { id: a, maxAge: 1h } } }]',
      }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "no source:
      line 6, assets[0].price: names no source; add chainlink or http
      no age:
      line 6, assets[0].price.http.maxAge: is missing; use a whole number with ms, s, m, h or d
      an age of years:
      line 6, assets[0].price.http.maxAge: "400d" is not a time of 1m to 3d; use a whole number with ms, s, m, h or d
      an id with a blank:
      line 6, assets[0].price.http.id: "a b" is not an id of the price provider; use one such as "ethereum"
      no EVM chain:
      line 6, assets[0].price.chainlink.chain: "solana:x" is not an EVM chain; use its CAIP-2 id such as "eip155:1"
      no address:
      line 6, assets[0].price.chainlink.feed: "0x12" is not an EVM address; use 0x and 40 hex digits, the checksum right if in mixed case
      of a pattern:
      line 6, assets[0].price: speaks for one asset, and this is a pattern; list the asset"
    `);
  });
});

describe('floors', () => {
  test('default', () => {
    const [first] = parsePolicy(wallet(`[{ asset: "${ETH}", amount: "1.5" }]`)).wallets;
    expect(first?.floors).toEqual([{ asset: ETH, amount: 15n * 10n ** 17n }]);
  });

  test('error: of something that the wallet does not hold', () => {
    const one = `{ asset: "${ETH}", amount: 1 }`;
    const cases = {
      twice: wallet(`[${one}, ${one}]`),
      unlisted: wallet('[{ asset: "eip155:1/slip44:61", amount: 1 }]'),
      'another id of the same money': wallet(`[{ asset: "${WETH}", amount: 1 }]`),
      'too fine': wallet(`[{ asset: "${ETH}", amount: "0.${'0'.repeat(18)}1" }]`),
      nothing: wallet(`[{ asset: "${ETH}", amount: 0 }]`),
      'on another chain': source({
        chains: 'chains: [{ id: "eip155:*", name: EVM }]',
        assets: 'assets: [{ id: "eip155:10/slip44:60", symbol: ETH, decimals: 18 }]',
        wallets: `wallets: [{ name: w, keyDomain: v, addresses: ["eip155:1:0x${'11'.repeat(20)}"], floors: [{ asset: "eip155:10/slip44:60", amount: 1 }] }]`,
      }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "twice:
      line 7, wallets[0].floors[1].asset: "eip155:1/slip44:60" is given twice for this wallet
      unlisted:
      line 7, wallets[0].floors[0].asset: "eip155:1/slip44:61" is not listed in assets under exactly this id; add it
      another id of the same money:
      line 7, wallets[0].floors[0].asset: shares the budget of another asset; use "eip155:1/slip44:60"
      too fine:
      line 7, wallets[0].floors[0].amount: is finer than ETH can be, or too large
      nothing:
      line 7, wallets[0].floors[0].amount: "0" is not an amount of tokens; use a decimal above 0 such as "100"
      on another chain:
      line 7, wallets[0].floors[0].asset: lies on "eip155:10", where the wallet has no address"
    `);
  });
});

describe('shares', () => {
  test('default: basis points', () => {
    const text = limit('scope: wallet-asset, metric: share, window: 24h, limit: 12.5%');
    expect(parsePolicy(text).limits[0]).toMatchObject({ metric: 'share', allowed: 1_250n });
  });

  test('error: H41 what is no share', () => {
    const on = (scope: string, size: string, window = '1h') =>
      limit(`scope: ${scope}, metric: share, window: ${window}, limit: ${size}`);
    const cases = {
      'of nothing': on('wallet-asset', '0%'),
      'of more than all': on('wallet-asset', '100.01%'),
      'all of it': on('wallet-asset', '100%'),
      'no percent': on('wallet-asset', '25'),
      'too fine': on('wallet-asset', '0.001%'),
      'of a wallet': on('wallet', '25%'),
      'in a quarter of an hour': on('wallet-asset', '25%', '15m'),
      'a percent of money': limit('scope: wallet, metric: notional, window: 1h, limit: 25%'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "of nothing:
      line 8, limits[0].limit: "0%" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      of more than all:
      line 8, limits[0].limit: "100.01%" is no share of a balance; use 0.01% to 100%, or the word unlimited
      all of it:
      ok
      no percent:
      line 8, limits[0].limit: "25" is no share of a balance; use 0.01% to 100%, or the word unlimited
      too fine:
      line 8, limits[0].limit: "0.001%" is not a limit; use a decimal above 0 such as "2500000", a share such as "25%", or the word unlimited
      of a wallet:
      line 8, limits[0].metric: share is a share of what one wallet holds of one asset; use scope wallet-asset
      in a quarter of an hour:
      line 8, limits[0].window: is too short for a share, since balances are read once a minute; use 1h or more
      a percent of money:
      line 8, limits[0].limit: "25%" is a share of the balance; use metric share, or a decimal above 0"
    `);
  });
});

import { describe, expect, test } from 'vitest';
import { source, told } from './source.ts';

const ETH = 'eip155:1/slip44:60';
const WETH = `eip155:1/erc20:0x${'22'.repeat(20)}`;
const A = `eip155:1:0x${'11'.repeat(20)}`;
const B = `eip155:1:0x${'AA'.repeat(20)}`;

describe('checkSections', () => {
  test('error: the same thing twice', () => {
    const limit = 'scope: wallet, metric: count, window: 1h, limit: 1, action: pause';
    const cases = {
      chains: source({
        chains: 'chains: [{ id: "eip155:1", name: A }, { id: "eip155:1", name: B }]',
      }),
      assets: source({
        assets: `assets: [{ id: "${WETH}", symbol: A, decimals: 1 }, { id: "${WETH}", symbol: B, decimals: 1 }]`,
      }),
      wallets: source({
        wallets: `wallets: [{ name: w, keyDomain: v, addresses: ["${A}"] }, { name: w, keyDomain: v, addresses: ["${B}"] }]`,
      }),
      'an address in one wallet, in another case': source({
        wallets: `wallets: [{ name: w, keyDomain: v, addresses: ["${B}", "${B.toLowerCase()}"] }]`,
      }),
      'an address in two wallets': source({
        wallets: `wallets: [{ name: w, keyDomain: v, addresses: ["${A}"] }, { name: x, keyDomain: v, addresses: ["${B}", "${A}"] }]`,
      }),
      limits: source({
        limits: `limits: [{ id: a, ${limit} }, { id: b, ${limit} }, { id: a, ${limit} }]`,
      }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "chains:
      line 5, chains[1].id: "eip155:1" is given twice; first in chains[0].id
      assets:
      line 6, assets[1].id: "eip155:1/erc20:0x2222222222222222222222222222222222222222" is given twice; first in assets[0].id
      wallets:
      line 7, wallets[1].name: "w" is given twice; first in wallets[0].name
      an address in one wallet, in another case:
      line 7, wallets[0].addresses[1]: "eip155:1:0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is given twice; first in wallets[0].addresses[0]
      an address in two wallets:
      line 7, wallets[1].addresses[1]: "eip155:1:0x1111111111111111111111111111111111111111" is given twice; first in wallets[0].addresses[0]
      limits:
      line 8, limits[2].id: "a" is given twice; first in limits[0].id"
    `);
  });

  test('error: H40: a wallet or an asset on a chain that is not listed', () => {
    const chains = 'chains: [{ id: "eip155:1", name: Ethereum }, { id: "eip155:4*", name: L2 }]';
    const cases = {
      asset: source({
        chains,
        assets:
          'assets: [{ id: "eip155:2/slip44:60", symbol: A, decimals: 1 }, { id: "eip155:*/slip44:60", symbol: B, decimals: 1 }, { id: "*", symbol: C, decimals: 1 }]',
      }),
      wallet: source({
        chains,
        assets: `assets: [{ id: "${ETH}", symbol: ETH, decimals: 18 }]`,
        wallets: `wallets: [{ name: w, keyDomain: v, addresses: ["${A}", "${A.replace(':1:', ':42161:')}", "${A.replace(':1:', ':10:')}"] }]`,
      }),
      'no chain of the right shape: one mistake is told once': source({
        chains: 'chains: [{ id: 1, name: A }]',
      }),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "asset:
      line 6, assets[0].id: lies on "eip155:2", which no entry of chains covers; add it there
      wallet:
      line 7, wallets[0].addresses[2]: lies on "eip155:10", which no entry of chains covers; add it there
      no chain of the right shape: one mistake is told once:
      line 5, chains[0].id: "1" is not a CAIP-2 chain such as "eip155:1", or a pattern such as "eip155:*""
    `);
  });

  test('error: H26: a budget that there is not', () => {
    const assets = (sameAs: string, more = '') =>
      source({
        assets: `assets: [{ id: "${ETH}", symbol: ETH, decimals: 18 ${more} }, { id: "${WETH}", symbol: WETH, decimals: 6, sameAs: "${sameAs}" }]`,
      });
    const cases = {
      'other decimals': assets(ETH),
      itself: assets(WETH),
      unlisted: assets('eip155:1/slip44:61'),
      'a pattern': assets('eip155:*/slip44:60'),
      'a chain of them': source({
        assets: `assets: [{ id: "${ETH}", symbol: ETH, decimals: 18, sameAs: "eip155:10/slip44:60" }, { id: "${WETH}", symbol: WETH, decimals: 18, sameAs: "${ETH}" }, { id: "eip155:10/slip44:60", symbol: ETH, decimals: 18 }]`,
      }),
      'of an asset that is wrong itself: one mistake is told once': assets(ETH, ', cost: 1'),
    };
    expect(told(cases)).toMatchInlineSnapshot(`
      "other decimals:
      ok
      itself:
      line 6, assets[1].sameAs: names the asset itself; leave it out
      unlisted:
      line 6, assets[1].sameAs: "eip155:1/slip44:61" is not listed in assets under exactly this id; add it
      a pattern:
      line 6, assets[1].sameAs: "eip155:*/slip44:60" is not a CAIP-19 asset such as "eip155:1/slip44:60" or "eip155:1/erc20:0x…" (40 hex digits, checksum right if in mixed case)
      a chain of them:
      line 6, assets[1].sameAs: "eip155:1/slip44:60" is itself the same as another; use "eip155:10/slip44:60"
      of an asset that is wrong itself: one mistake is told once:
      line 6, assets[0].cost: is no field here (fields: id, symbol, decimals, floorPriceUsd, price, sameAs)"
    `);
  });
});

import { describe, expect, test } from 'vitest';
import type * as Block from '../../lib/domain/block.ts';
import type { AccountId, AssetId } from '../../lib/domain/caip.ts';
import * as Sighting from '../../lib/domain/sighting.ts';
import {
  CUSTOMER,
  ETH,
  HOT_1,
  HOT_2,
  policy,
  STRANGER,
  T0_MS,
  UNLISTED,
  USDC,
} from '../support/builders.ts';

const header = { number: 7, hash: '0xb7', parentHash: '0xb6', timestampMs: T0_MS };
const tokenOf = (asset: AssetId): AccountId =>
  `eip155:1:${asset.slice(asset.lastIndexOf(':') + 1)}`;

function transaction(overrides: Partial<Block.Transaction> = {}): Block.Transaction {
  return {
    hash: '0xt',
    index: 0,
    from: HOT_1,
    nonce: 3,
    to: CUSTOMER,
    native: ETH,
    value: 0n,
    type: '0x2',
    isReverted: false,
    fee: 21n,
    delegations: [],
    events: [],
    internal: [],
    calls: [],
    ...overrides,
  };
}

function moved(
  overrides: Partial<Extract<Block.Event, { kind: 'transfer' }>> = {},
): Extract<Block.Event, { kind: 'transfer' }> {
  return {
    kind: 'transfer',
    log: 0,
    standard: 'erc20',
    asset: USDC,
    from: HOT_1,
    to: CUSTOMER,
    amount: 5n,
    tokenIds: [],
    ...overrides,
  };
}

function sight(one: Partial<Block.Transaction>, grants: readonly string[] = []) {
  const block = { header, transactions: [transaction(one)], unexplained: [] };
  return Sighting.sight({ policy: policy(), grants: new Set(grants) }, block);
}

const placed = ({ sightings }: Sighting.Sightings) =>
  sightings.map(({ kind, outflow: { place, transfer } }) => [
    kind,
    place,
    transfer.account,
    transfer.amount,
    transfer.fee?.amount,
  ]);

describe('sight', () => {
  test('default', () => {
    expect(sight({ value: 5n }).sightings).toEqual([
      {
        outflow: {
          kind: 'outflow',
          transaction: '0xt',
          place: 'top',
          transfer: {
            account: HOT_1,
            asset: ETH,
            destination: CUSTOMER,
            amount: 5n,
            fee: { asset: ETH, amount: 21n },
          },
        },
        kind: 'native',
        authority: 'signature',
        nonce: 3,
        isOwn: false,
        isEmpty: false,
        tokenIds: [],
        block: { number: 7, hash: '0xb7' },
      },
    ]);
  });

  test('behavior: H24 the fee is on the first leg that moved something', () => {
    const events = [moved({ amount: 0n }), moved({ log: 1 }), moved({ log: 2 })];
    expect(placed(sight({ to: tokenOf(USDC), events }))).toEqual([
      ['erc20', 'log:0', HOT_1, 0n, undefined],
      ['erc20', 'log:1', HOT_1, 5n, 21n],
      ['erc20', 'log:2', HOT_1, 5n, undefined],
    ]);
  });

  test('behavior: H24 a reverted transaction moved nothing and cost its fee', () => {
    expect(placed(sight({ value: 5n, isReverted: true }))).toEqual([
      ['fee', 'top', HOT_1, 0n, 21n],
    ]);
  });

  test('behavior: the fee is the signer’s, also where another wallet’s money moved', () => {
    const events = [moved({ from: HOT_2 })];
    expect(placed(sight({ events }))).toEqual([
      ['fee', 'top', HOT_1, 0n, 21n],
      ['erc20', 'log:0', HOT_2, 5n, undefined],
    ]);
  });

  test('behavior: money to the same wallet is its own, and bears the fee only where nothing else moved', () => {
    const known = policy({
      wallets: [{ name: 'both', keyDomain: 'k', addresses: [HOT_1, HOT_2] }],
    });
    const see = (events: readonly Block.Event[]) =>
      Sighting.sight(
        { policy: known, grants: new Set() },
        { header, transactions: [transaction({ events })], unexplained: [] },
      ).sightings.map(({ isOwn, outflow }) => [isOwn, outflow.transfer.fee?.amount]);
    const own = moved({ to: HOT_2 });
    expect(see([own])).toEqual([[true, 21n]]);
    expect(see([own, moved({ log: 1 })])).toEqual([
      [true, undefined],
      [false, 21n],
    ]);
  });

  test('behavior: H62 an unlisted token counts if the wallet called it or gave an allowance of it', () => {
    const events = [moved({ asset: UNLISTED })];
    const to = tokenOf(UNLISTED);
    const selector = '0xa9059cbb';
    expect(placed(sight({ to, selector, events }))).toEqual([['erc20', 'log:0', HOT_1, 5n, 21n]]);
    expect(placed(sight({ from: STRANGER, events }))).toEqual([]);
    const grants = [Sighting.grantOf(HOT_1, UNLISTED)];
    expect(sight({ from: STRANGER, events }, grants).sightings).toMatchObject([
      { authority: 'grant' },
    ]);
    const calls = [{ from: HOT_1, to }];
    expect(sight({ from: STRANGER, events, calls }).sightings).toMatchObject([
      { authority: 'call' },
    ]);
    // A contract that the wallet pays calls the token: only the payment counts.
    const paid = sight({ value: 9n, events });
    expect(placed(paid)).toEqual([['native', 'top', HOT_1, 9n, 21n]]);
    expect(paid.risks).toMatchObject([{ kind: 'strange', asset: UNLISTED }]);
  });

  test('behavior: a contract that a wallet pays claims nothing in its name', () => {
    const to = tokenOf(UNLISTED);
    const approval: Block.Event = {
      kind: 'approval',
      log: 1,
      asset: UNLISTED,
      contract: to,
      owner: HOT_1,
      spender: STRANGER,
      amount: 'everything',
    };
    const events = [moved({ asset: UNLISTED }), approval];
    // The customer has a withdrawal paid to his own contract, which logs what it likes.
    const paid = sight({ to, value: 9n, events });
    expect(placed(paid)).toEqual([['native', 'top', HOT_1, 9n, 21n]]);
    expect(paid.grants.size).toBe(0);
    expect(new Set(paid.risks.map(({ kind }) => kind))).toEqual(new Set(['strange']));
    // The same where the wallet is a contract, and its code pays.
    const internal = [{ path: '0', from: HOT_1, to, amount: 9n }];
    const calls = [{ from: HOT_1, to }];
    const bySafe = sight({ from: STRANGER, events, internal, calls });
    expect(bySafe.sightings.map(({ kind }) => kind)).toEqual(['internal']);
    expect(bySafe.grants.size).toBe(0);
  });

  test('behavior: a pattern for many contracts lists none of them', () => {
    const many = policy({ assets: [{ pattern: 'eip155:1/erc20:*', symbol: 'any', decimals: 18 }] });
    const block = {
      header,
      transactions: [transaction({ from: STRANGER, events: [moved()] })],
      unexplained: [],
    };
    const seen = Sighting.sight({ policy: many, grants: new Set() }, block);
    expect(seen.sightings).toEqual([]);
    expect(seen.risks).toHaveLength(1);
  });

  test('behavior: H65 a grant is given only by a call of the wallet to that contract', () => {
    const approval: Block.Event = {
      kind: 'approval',
      log: 0,
      asset: UNLISTED,
      contract: tokenOf(UNLISTED),
      owner: HOT_1,
      spender: STRANGER,
      amount: 'everything',
    };
    const selector = '0x095ea7b3';
    expect(sight({ to: tokenOf(UNLISTED), selector, events: [approval] }).grants).toEqual(
      new Set([Sighting.grantOf(HOT_1, UNLISTED)]),
    );
    expect(sight({ to: CUSTOMER, events: [approval] }).grants.size).toBe(0);
    const { risks } = sight({ to: tokenOf(UNLISTED), events: [{ ...approval, amount: 0n }] });
    expect(risks).toEqual([]);
  });

  test('behavior: H72 nothing of nothing is empty', () => {
    const { sightings } = sight({ from: STRANGER, events: [moved({ amount: 0n })] });
    expect(sightings).toMatchObject([{ isEmpty: true, outflow: { place: 'log:0' } }]);
  });

  test('behavior: wallets that the policy does not name are nobody’s concern', () => {
    const seen = sight({ from: STRANGER, value: 5n, events: [moved({ from: STRANGER })] });
    expect(seen).toEqual({ sightings: [], risks: [], grants: new Set() });
  });

  test('behavior: H70 a loss that nothing explains', () => {
    const loss = { account: HOT_1, native: ETH, amount: 9n };
    const block = { header, transactions: [], unexplained: [loss] };
    const { sightings } = Sighting.sight({ policy: policy(), grants: new Set() }, block);
    expect(sightings).toMatchObject([
      {
        kind: 'unexplained',
        outflow: { transaction: '0xb7', place: 'trace:', transfer: { amount: 9n } },
      },
    ]);
    expect(sightings[0]?.nonce).toBeUndefined();
  });
});

describe('foresee', () => {
  const pending: Block.Pending = {
    hash: '0xp',
    from: HOT_1,
    nonce: 3,
    to: tokenOf(USDC),
    native: ETH,
    value: 0n,
    type: '0x2',
    token: { asset: USDC, to: CUSTOMER, amount: 5n },
  };

  test('default: a token', () => {
    expect(Sighting.foresee(policy(), pending)).toEqual([
      { account: HOT_1, asset: USDC, destination: CUSTOMER, amount: 5n },
    ]);
  });

  test('behavior: native coins, beside a token or alone, and a call without either', () => {
    expect(Sighting.foresee(policy(), { ...pending, value: 2n })).toHaveLength(2);
    const { token, ...plain } = pending;
    expect(token).toBeDefined();
    expect(Sighting.foresee(policy(), plain)).toMatchObject([{ asset: ETH, amount: 0n }]);
  });

  test('behavior: a stranger', () => {
    expect(Sighting.foresee(policy(), { ...pending, from: STRANGER })).toEqual([]);
  });
});

describe('grantOf', () => {
  test('default', () => {
    expect(Sighting.grantOf(HOT_1, USDC)).toBe(`${HOT_1}|${USDC}`);
  });
});

import { describe, expect, test } from 'vitest';
import type * as Block from '../../lib/domain/block.ts';
import type { AccountId, AssetId } from '../../lib/domain/caip.ts';
import * as Sighting from '../../lib/domain/sighting.ts';
import * as Build from '../support/builders.ts';
import {
  CUSTOMER,
  ETH,
  HOT_1,
  HOT_2,
  policy,
  STRANGER,
  T0_MS,
  tokenOf,
  UNLISTED,
  USDC,
} from '../support/builders.ts';

const header = { number: 7, hash: '0xb7', parentHash: '0xb6', timestampMs: T0_MS };

function transaction(overrides: Partial<Block.Transaction> = {}): Block.Transaction {
  return Build.transaction({ to: CUSTOMER, ...overrides });
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

  test('behavior: H62 an ERC-1155 that an operator moves counts: the log that let him says ERC-721', () => {
    const contract = tokenOf(UNLISTED);
    const asset: AssetId = `eip155:1/erc1155:${contract.slice(-42)}`;
    const approval: Block.Event = {
      kind: 'approval',
      log: 0,
      asset: `eip155:1/erc721:${contract.slice(-42)}`,
      contract,
      owner: HOT_1,
      spender: STRANGER,
      amount: 'everything',
    };
    const { grants } = sight({ to: contract, selector: '0xa22cb465', events: [approval] });
    const events = [moved({ asset, standard: 'erc1155' })];
    expect(sight({ from: STRANGER, events }, [...grants]).sightings).toMatchObject([
      { kind: 'erc1155', authority: 'grant' },
    ]);
  });

  test('behavior: H65 what a token logs of a known allowance at each transfer is no news', () => {
    const left = (overrides: Partial<Extract<Block.Event, { kind: 'approval' }>> = {}) =>
      ({
        kind: 'approval',
        log: 0,
        asset: USDC,
        contract: tokenOf(USDC),
        owner: HOT_1,
        spender: CUSTOMER,
        amount: 4n,
        ...overrides,
      }) as const;
    const grants = [Sighting.allowanceOf(left())];
    const risksOf = (events: readonly Block.Event[], known = grants) =>
      sight({ events }, known).risks.map(({ kind }) => kind);
    const moves = moved({ log: 1 });
    expect(risksOf([left(), moves])).toEqual([]);
    // A spender that nobody heard of; one who was not the spender; without money; of everything.
    expect(risksOf([left(), moves], [])).toEqual(['permit']);
    expect(risksOf([left({ spender: STRANGER }), moves])).toEqual(['permit']);
    expect(risksOf([left()])).toEqual(['permit']);
    expect(risksOf([left(), { ...moves, amount: 0n }])).toEqual(['permit']);
    expect(risksOf([left({ amount: 'everything' }), moves])).toEqual(['permit']);
    // Once people have heard of a permit, what is left of it is no news either.
    const heard = sight({ events: [left()] }).grants;
    expect(risksOf([left({ amount: 3n }), moves], [...heard])).toEqual([]);
    // What the wallet says itself is news each time.
    const own = sight(
      { to: tokenOf(USDC), selector: '0x095ea7b3', events: [left(), moves] },
      grants,
    );
    expect(own.risks).toMatchObject([{ kind: 'approval' }]);
  });

  test('behavior: H65 a delegation without effect is told and blames nobody; another one is one', () => {
    const delegation = { account: HOT_1, delegate: STRANGER, nonce: 3n };
    const risksOf = (delegations: readonly Block.Delegation[]) =>
      sight({ from: STRANGER, delegations }).risks.map(({ kind }) => kind);
    expect(risksOf([delegation])).toEqual(['delegation']);
    expect(risksOf([{ ...delegation, isVoid: true }])).toEqual(['strange']);
  });

  test('behavior: H82 a change of control that no log tells of, of wallets alone', () => {
    const block = {
      header,
      transactions: [],
      unexplained: [],
      changed: [
        { account: HOT_1, change: 'implementation-changed', about: STRANGER },
        { account: HOT_1, change: 'threshold-changed' },
        { account: STRANGER, change: 'owners-changed' },
      ],
    } as const;
    const { risks } = Sighting.sight({ policy: policy(), grants: new Set() }, block);
    expect(risks.map(({ kind, about, text }) => [kind, about, text])).toEqual([
      [
        'control',
        STRANGER,
        `wallet hot-1 runs other code than before (${STRANGER}), as its state at block 7 shows; no log says so.`,
      ],
      [
        'control',
        undefined,
        'wallet hot-1 changed how many owners must sign, as its state at block 7 shows; no log says so.',
      ],
    ]);
    expect(new Set(risks.map(({ riskId }) => riskId)).size).toBe(2);
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
      new Set([Sighting.grantOf(HOT_1, UNLISTED), Sighting.allowanceOf(approval)]),
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

  test('behavior: H62 a call is the wallet’s word only from the wallet and to that contract', () => {
    const to = tokenOf(UNLISTED);
    const events = [moved({ asset: UNLISTED })];
    const selector = '0xa9059cbb';
    const counted = (one: Partial<Block.Transaction>) => {
      const { sightings } = sight({ events, ...one });
      return sightings.filter(({ kind }) => kind === 'erc20').length;
    };
    expect(counted({ from: STRANGER, to, selector })).toBe(0);
    expect(counted({ from: HOT_2, to, selector })).toBe(0);
    expect(counted({ to: CUSTOMER, selector })).toBe(0);
    expect(counted({ from: STRANGER, calls: [{ from: HOT_2, to }] })).toBe(0);
    expect(counted({ from: STRANGER, calls: [{ from: HOT_1, to: CUSTOMER }] })).toBe(0);
    // Its code called the token and paid others, and another wallet paid the token.
    const calls = [{ from: HOT_1, to }];
    const others = [
      { path: '0', from: HOT_1, to: CUSTOMER, amount: 9n },
      { path: '1', from: HOT_2, to, amount: 9n },
    ];
    expect(counted({ from: STRANGER, calls, internal: others })).toBe(1);
  });

  test('behavior: H62 a claim of an unlisted token about nothing is no risk', () => {
    const lie = { from: STRANGER, events: [moved({ asset: UNLISTED, amount: 0n })] };
    expect(sight(lie)).toMatchObject({ sightings: [], risks: [] });
  });

  test('behavior: by whose word: who signed, whose code called, what was allowed, what a log says', () => {
    const words = (one: Partial<Block.Transaction>, grants: readonly string[] = []) =>
      sight(one, grants)
        .sightings.filter(({ kind }) => kind !== 'fee')
        .map(({ kind, authority, nonce }) => [kind, authority, nonce]);
    const events = [moved()];
    const grants = [Sighting.grantOf(HOT_1, USDC)];
    const called = { from: STRANGER, calls: [{ from: HOT_1, to: CUSTOMER }] };
    expect(words({ events }, grants)).toEqual([['erc20', 'signature', 3]]);
    expect(words({ ...called, events }, grants)).toEqual([['erc20', 'call', undefined]]);
    expect(words({ from: STRANGER, events }, grants)).toEqual([['erc20', 'grant', undefined]]);
    expect(words({ from: STRANGER, events })).toEqual([['erc20', 'log', undefined]]);
    const others = { from: STRANGER, calls: [{ from: HOT_2, to: CUSTOMER }], events };
    expect(words(others)).toEqual([['erc20', 'log', undefined]]);
    const internal = [{ path: '0.1', from: HOT_1, to: CUSTOMER, amount: 1n }];
    expect(words({ internal })).toEqual([['internal', 'signature', 3]]);
    expect(words({ from: STRANGER, internal })).toEqual([['internal', 'call', undefined]]);
  });

  test('behavior: what contracts pay out of wallets, at its place, and of no other account', () => {
    const internal = [
      { path: '0', from: STRANGER, to: CUSTOMER, amount: 1n },
      { path: '0.1', from: HOT_1, to: CUSTOMER, amount: 2n },
    ];
    expect(placed(sight({ from: STRANGER, internal }))).toEqual([
      ['internal', 'trace:0.1', HOT_1, 2n, undefined],
    ]);
  });

  test('behavior: money of a wallet to its own address is its own, also in a wallet of one address', () => {
    expect(sight({ to: HOT_1, value: 5n }).sightings).toMatchObject([{ isOwn: true }]);
    expect(sight({ to: HOT_2, value: 5n }).sightings).toMatchObject([{ isOwn: false }]);
  });

  test('behavior: a receiver that is created, and none, which is nobody', () => {
    const { to: _, ...none } = transaction({ value: 5n });
    const receiver = (one: Block.Transaction) => {
      const block = { header, transactions: [one], unexplained: [] };
      const seen = Sighting.sight({ policy: policy(), grants: new Set() }, block);
      return seen.sightings.map(({ outflow }) => outflow.transfer.destination);
    };
    const nobody = `eip155:1:0x${'0'.repeat(40)}`;
    expect(receiver({ ...none, created: STRANGER })).toEqual([STRANGER]);
    expect(receiver({ ...none, value: 0n, created: STRANGER })).toEqual([STRANGER]);
    expect(receiver(none)).toEqual([nobody]);
    expect(receiver({ ...none, value: 0n })).toEqual([nobody]);
    expect(receiver(transaction({ created: STRANGER }))).toEqual([CUSTOMER]);
  });

  test('behavior: H72 what cost something, or moved something, is not empty', () => {
    expect(sight({}).sightings).toMatchObject([{ kind: 'fee', isEmpty: false, tokenIds: [] }]);
    expect(sight({ fee: 0n }).sightings).toMatchObject([{ kind: 'fee', isEmpty: true }]);
    expect(sight({ fee: 0n, value: 1n }).sightings).toMatchObject([{ isEmpty: false }]);
  });

  test('behavior: H65 an allowance of nothing, and one of an account that is no wallet, is not remembered', () => {
    const approval = {
      kind: 'approval',
      log: 0,
      asset: USDC,
      contract: tokenOf(USDC),
      owner: HOT_1,
      spender: STRANGER,
      amount: 4n,
    } as const;
    const to = tokenOf(USDC);
    const selector = '0x095ea7b3';
    const grants = (event: Block.Event) => sight({ to, selector, events: [event] }).grants.size;
    expect(grants(approval)).toBe(2);
    expect(grants({ ...approval, amount: 0n })).toBe(0);
    expect(grants({ ...approval, owner: CUSTOMER })).toBe(0);
  });

  test('behavior: H70 a loss of an account that is no wallet is nobody’s', () => {
    const seen = (account: AccountId) => {
      const loss = { account, native: ETH, amount: 9n };
      const block = { header, transactions: [], unexplained: [loss] };
      return Sighting.sight({ policy: policy(), grants: new Set() }, block).sightings;
    };
    expect(seen(STRANGER)).toEqual([]);
    expect(seen(HOT_1)).toMatchObject([
      { tokenIds: [], outflow: { transfer: { destination: `eip155:1:0x${'0'.repeat(40)}` } } },
    ]);
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

  test('behavior: coins to whom they are for, and to nobody where it creates a contract', () => {
    const { token: _, to, ...creating } = { ...pending, value: 2n };
    const receiver = (one: Block.Pending) =>
      Sighting.foresee(policy(), one).map(({ destination }) => destination);
    expect(receiver({ ...creating, to: to! })).toEqual([to]);
    expect(receiver(creating)).toEqual([`eip155:1:0x${'0'.repeat(40)}`]);
  });

  test('behavior: a stranger', () => {
    expect(Sighting.foresee(policy(), { ...pending, from: STRANGER })).toEqual([]);
  });
});

describe('grantOf', () => {
  test('default', () => {
    expect(Sighting.grantOf(HOT_1, USDC)).toBe(`${HOT_1}|${tokenOf(USDC)}`);
  });
});

describe('allowanceOf', () => {
  test('default', () => {
    expect(Sighting.allowanceOf({ owner: HOT_1, asset: USDC, spender: STRANGER })).toBe(
      `${HOT_1}|${tokenOf(USDC)}|${STRANGER}`,
    );
  });
});

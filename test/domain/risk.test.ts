import { describe, expect, test } from 'vitest';
import type * as Block from '../../lib/domain/block.ts';
import * as Risk from '../../lib/domain/risk.ts';
import {
  CUSTOMER,
  HOT_1,
  HOT_2,
  policy,
  STRANGER,
  T0_MS,
  tokenOf,
  transaction,
  UNLISTED,
  USDC,
} from '../support/builders.ts';

type Approval = Extract<Block.Event, { kind: 'approval' }>;
const approval = (more: Partial<Approval> = {}): Approval => ({
  kind: 'approval',
  log: 2,
  asset: USDC,
  contract: tokenOf(USDC),
  owner: HOT_1,
  spender: STRANGER,
  amount: 5_000_000n,
  ...more,
});
const moved = (more: Partial<Extract<Block.Event, { kind: 'transfer' }>> = {}) =>
  ({
    kind: 'transfer',
    log: 3,
    standard: 'erc20',
    asset: USDC,
    from: HOT_1,
    to: STRANGER,
    amount: 1n,
    tokenIds: [],
    ...more,
  }) as const;

/** The risks of one transaction; `word`: the wallet called the contract itself, `known`: an allowance of before. */
const risks = (
  one: Partial<Block.Transaction>,
  given: { readonly word?: boolean; readonly known?: boolean } = {},
) =>
  Risk.risksOf(policy(), transaction({ from: STRANGER, ...one }), {
    hasCalled: () => given.word === true,
    isAllowed: () => given.known === true,
  });

describe('risksOf', () => {
  test('default: nothing of money that moves, and of accounts that are no wallets', () => {
    const events: Block.Event[] = [
      moved(),
      approval({ owner: STRANGER }),
      { kind: 'control', log: 4, account: STRANGER, change: 'owner-added' },
      { kind: 'malformed', log: 5, account: STRANGER, contract: CUSTOMER },
    ];
    const delegations = [{ account: STRANGER, delegate: CUSTOMER, nonce: 1n }];
    expect(risks({ events, delegations })).toEqual([]);
  });

  test('behavior: H65 an approval by the word of the wallet', () => {
    expect(risks({ events: [approval()] }, { word: true, known: true })).toEqual([
      {
        riskId: 'approval|0xt|2',
        kind: 'approval',
        account: HOT_1,
        transaction: '0xt',
        asset: USDC,
        about: STRANGER,
        text: `wallet hot-1 lets ${STRANGER} move 5 USDC, in transaction 0xt.`,
      },
    ]);
  });

  test('behavior: H65 a permit of a listed token, and what an unlisted one claims', () => {
    expect(risks({ events: [approval()] })).toMatchObject([
      {
        riskId: 'permit|0xt|2',
        kind: 'permit',
        text: `wallet hot-1 lets ${STRANGER} move 5 USDC, by a signature that somebody else brought, in transaction 0xt.`,
      },
    ]);
    const foreign = approval({ asset: UNLISTED, contract: tokenOf(UNLISTED) });
    expect(risks({ events: [foreign] })).toMatchObject([
      {
        riskId: `strange|${HOT_1}|${UNLISTED}`,
        kind: 'strange',
        about: STRANGER,
        text: `${UNLISTED}, which the policy does not list, claims that wallet hot-1 lets ${STRANGER} move it, in transaction 0xt, which the wallet had no hand in.`,
      },
    ]);
  });

  test('behavior: how much: of a token that is not listed in its units, and everything', () => {
    const texts = (more: Partial<Approval>) =>
      risks({ events: [approval(more)] }, { word: true }).map(({ text }) => text);
    expect(texts({ asset: UNLISTED })).toEqual([
      `wallet hot-1 lets ${STRANGER} move 5000000 of ${UNLISTED}, in transaction 0xt.`,
    ]);
    expect(texts({ amount: 'everything' })).toEqual([
      `wallet hot-1 lets ${STRANGER} move everything that it has of ${USDC}, in transaction 0xt.`,
    ]);
    expect(texts({ amount: 0n })).toEqual([]);
  });

  test('behavior: H65 only what is left of a known allowance, beside money of that token and wallet, is no news', () => {
    const kinds = (events: readonly Block.Event[], given = { known: true }) =>
      risks({ events }, given).map(({ kind }) => kind);
    expect(kinds([approval(), moved()])).toEqual([]);
    expect(kinds([approval(), moved()], { known: false })).toEqual(['permit']);
    for (const other of [
      moved({ from: HOT_2 }),
      moved({ asset: UNLISTED }),
      moved({ amount: 0n }),
    ]) {
      expect(kinds([approval(), other])).toEqual(['permit']);
    }
    expect(kinds([approval({ amount: 'everything' }), moved()])).toEqual(['permit']);
  });

  test('behavior: H65 a delegation, its end, and one that has no effect', () => {
    const delegated = (more: Partial<Block.Delegation>) =>
      risks({ delegations: [{ account: HOT_1, delegate: STRANGER, nonce: 7n, ...more }] });
    expect(delegated({})).toEqual([
      {
        riskId: `delegation|${HOT_1}|7|${STRANGER}`,
        kind: 'delegation',
        account: HOT_1,
        transaction: '0xt',
        about: STRANGER,
        text: `wallet hot-1 lets the code at ${STRANGER} act for its account (EIP-7702), in transaction 0xt.`,
      },
    ]);
    expect(delegated({ delegate: `eip155:1:0x${'0'.repeat(40)}` })).toMatchObject([
      { kind: 'delegation', text: 'wallet hot-1 ended its delegation, in transaction 0xt.' },
    ]);
    for (const digits of [`${'0'.repeat(39)}1`, `1${'0'.repeat(39)}`]) {
      const [one] = delegated({ delegate: `eip155:1:0x${digits}` });
      expect(one?.text).toContain('lets the code at');
    }
    expect(delegated({ isVoid: true })).toEqual([
      {
        riskId: `strange|${HOT_1}|${STRANGER}`,
        kind: 'strange',
        account: HOT_1,
        transaction: '0xt',
        about: STRANGER,
        text: `somebody brings a signature of wallet hot-1 that would let the code at ${STRANGER} act for its account, in transaction 0xt; it is meant for another chain or its nonce is used up, and it has no effect.`,
      },
    ]);
  });

  test('behavior: H82 a change of control, with whom it is about where the log says so', () => {
    const event = { kind: 'control', log: 4, account: HOT_1, change: 'module-enabled' } as const;
    expect(risks({ events: [{ ...event, about: STRANGER }] })).toEqual([
      {
        riskId: 'control|0xt|4',
        kind: 'control',
        account: HOT_1,
        transaction: '0xt',
        about: STRANGER,
        text: `wallet hot-1 let a module act for it (${STRANGER}), in transaction 0xt.`,
      },
    ]);
    const [bare] = risks({ events: [{ ...event, change: 'guard-changed' }] });
    expect(bare?.text).toBe('wallet hot-1 changed its guard, in transaction 0xt.');
    expect(bare).not.toHaveProperty('about');
  });

  test('behavior: a log that no standard has', () => {
    const event = { kind: 'malformed', log: 5, account: HOT_1, contract: CUSTOMER } as const;
    expect(risks({ events: [event] })).toEqual([
      {
        riskId: `strange|${HOT_1}|${CUSTOMER}`,
        kind: 'strange',
        account: HOT_1,
        transaction: '0xt',
        about: CUSTOMER,
        text: `${CUSTOMER} says something of wallet hot-1 that no token standard has, in transaction 0xt.`,
      },
    ]);
  });
});

describe('isListed', () => {
  test('default: by its own contract, not by a pattern for many, nor where nothing speaks of it', () => {
    const any = { pattern: 'eip155:1/erc20:*', symbol: 'any', decimals: 18 };
    const part = { ...any, pattern: 'eip155:*/slip44:60' };
    const rules = policy({ assets: [...policy().assets, any, part] });
    expect(Risk.isListed(rules, USDC)).toBe(true);
    expect(Risk.isListed(rules, UNLISTED)).toBe(false);
    expect(Risk.isListed(policy(), UNLISTED)).toBe(false);
    expect(Risk.isListed(rules, 'eip155:10/slip44:60')).toBe(true);
  });
});

describe('strange', () => {
  test('default: one fact for each wallet and token, whatever it claims', () => {
    const transaction = { hash: '0xt' } as Block.Transaction;
    const claim = moved({ asset: UNLISTED });
    expect(Risk.strange(policy(), transaction, claim)).toEqual({
      riskId: `strange|${HOT_1}|${UNLISTED}`,
      kind: 'strange',
      account: HOT_1,
      transaction: '0xt',
      asset: UNLISTED,
      text: `${UNLISTED}, which the policy does not list, claims to have left wallet hot-1 in transaction 0xt, which the wallet had no hand in; nothing is counted.`,
    });
    const foreign = moved({ asset: UNLISTED, from: STRANGER });
    expect(Risk.strange(policy(), transaction, foreign).text).toContain(`left ${STRANGER} in`);
  });
});

describe('changesOf', () => {
  test('default: one fact for each wallet, change and block', () => {
    const changed = (more: Partial<Block.Changed>, hash = '0xb7') => {
      const header = { number: 7, hash, parentHash: '0xb6', timestampMs: T0_MS };
      const all = [{ account: HOT_1, change: 'owners-changed' as const, ...more }];
      const block = { header, transactions: [], unexplained: [], changed: all };
      return Risk.changesOf(policy(), block);
    };
    expect(changed({})).toEqual([
      {
        riskId: `control|0xb7|${HOT_1}|owners-changed|`,
        kind: 'control',
        account: HOT_1,
        transaction: '0xb7',
        text: 'wallet hot-1 has other owners than before, as its state at block 7 shows; no log says so.',
      },
    ]);
    expect(changed({ about: STRANGER })).toMatchObject([
      { riskId: `control|0xb7|${HOT_1}|owners-changed|${STRANGER}`, about: STRANGER },
    ]);
    expect(changed({ account: STRANGER })).toEqual([]);
  });

  test('args: a block in which nothing changed', () => {
    const header = { number: 7, hash: '0xb7', parentHash: '0xb6', timestampMs: T0_MS };
    expect(Risk.changesOf(policy(), { header, transactions: [], unexplained: [] })).toEqual([]);
  });
});

/** Builders for tests: deterministic, typed, each with a default that a test overrides where it matters. */

import { createHash } from 'node:crypto';
import type * as Block from '../../lib/domain/block.ts';
import type { AccountId, AssetId, ChainId } from '../../lib/domain/caip.ts';
import type * as Decision from '../../lib/domain/decision.ts';
import type * as Draft from '../../lib/domain/draft.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import * as Meter from '../../lib/domain/meter.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type * as Proposal from '../../lib/domain/proposal.ts';
import type * as Scope from '../../lib/domain/scope.ts';
import * as Withdrawal from '../../lib/domain/withdrawal.ts';

/** The minute in which CoinEx lost its first coins. Not on a boundary of any slot but the shortest. */
export const T0_MS = Date.UTC(2023, 8, 12, 13, 21);
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export const CHAIN: ChainId = 'eip155:1';
export const OTHER_CHAIN: ChainId = 'eip155:56';
/** 18 decimals, 1 500 USD. */
export const ETH: AssetId = 'eip155:1/slip44:60';
/** 6 decimals, 1 USD. */
export const USDC: AssetId = 'eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48';
/** 8 decimals, the same money as ETH, on another chain. */
export const WRAPPED_ETH: AssetId = 'eip155:56/erc20:0x2170ed0880ac9a755fd29b2688956bd959f933f8';
/** Known, without a price. */
export const PRICELESS: AssetId = 'eip155:1/erc20:0x00000000000000000000000000000000000000aa';
/** Not in the policy. */
export const UNLISTED: AssetId = 'eip155:1/erc20:0x00000000000000000000000000000000000000ff';

/** Wallet `hot-1`, key domain `vault-a`. */
export const HOT_1: AccountId = `eip155:1:0x${'1'.repeat(40)}`;
/** Wallet `hot-1` on the other chain. */
export const HOT_1_OTHER_CHAIN: AccountId = `eip155:56:0x${'1'.repeat(40)}`;
/** Wallet `hot-2`, key domain `vault-a`. */
export const HOT_2: AccountId = `eip155:1:0x${'2'.repeat(40)}`;
/** Wallet `hot-3`, key domain `vault-b`. */
export const HOT_3: AccountId = `eip155:1:0x${'3'.repeat(40)}`;
/** In no policy. */
export const STRANGER: AccountId = `eip155:1:0x${'9'.repeat(40)}`;
export const CUSTOMER: AccountId = `eip155:1:0x${'c'.repeat(40)}`;

/** Base units of whole ETH. */
export function eth(whole: number): bigint {
  return BigInt(whole) * 10n ** 18n;
}

/** micro-USD of whole USD; also base units of whole USDC. */
export function usd(whole: number): bigint {
  return BigInt(whole) * 10n ** 6n;
}

/** Two of several who must sign, without steps. */
export const QUORUM: Policy.Resume = {
  kind: 'quorum',
  quorum: 2,
  pauserCounts: false,
  steps: [],
  budget: 0n,
};

const UNKNOWN_RULE: Policy.UnknownRule = { withdrawal: 'block', outflow: 'pause', scope: 'wallet' };

/** A policy of three wallets under two key domains, without limits. */
export function policy(overrides: Partial<Policy.Policy> = {}): Policy.Policy {
  return {
    name: 'test',
    mode: 'enforce',
    chains: [
      { pattern: CHAIN, name: 'Ethereum' },
      { pattern: OTHER_CHAIN, name: 'BNB Chain' },
    ],
    assets: [
      { pattern: ETH, symbol: 'ETH', decimals: 18, floorPricePicoUsd: 1_500n * 10n ** 12n },
      { pattern: USDC, symbol: 'USDC', decimals: 6, floorPricePicoUsd: 10n ** 12n },
      { pattern: PRICELESS, symbol: 'NEW', decimals: 18 },
      {
        pattern: WRAPPED_ETH,
        symbol: 'WETH',
        decimals: 8,
        floorPricePicoUsd: 1_500n * 10n ** 12n,
        sameAs: ETH,
      },
    ],
    wallets: [
      { name: 'hot-1', keyDomain: 'vault-a', addresses: [HOT_1, HOT_1_OTHER_CHAIN] },
      { name: 'hot-2', keyDomain: 'vault-a', addresses: [HOT_2] },
      { name: 'hot-3', keyDomain: 'vault-b', addresses: [HOT_3] },
    ],
    limits: [],
    unknown: {
      wallet: UNKNOWN_RULE,
      asset: UNKNOWN_RULE,
      chain: UNKNOWN_RULE,
      price: UNKNOWN_RULE,
    },
    unmatched: { scope: 'key-domain', risks: 'pause' },
    conflict: { scope: 'wallet' },
    operators: [],
    resume: { kind: 'trial', steps: [], budget: 0n },
    changes: { delayMs: 86_400_000 },
    contacts: [],
    outstandingMax: 100,
    overdueMs: 21_600_000,
    matching: { deductedFeeMax: 0n, graceMs: 0, unseenMs: 86_400_000 },
    own: [],
    timing: {
      clockToleranceMs: 2_000,
      admissionMs: 30_000,
      commitDelayMs: 6_000,
      leaseMs: 180_000,
    },
    ...overrides,
  };
}

/** A limit: 1 000 USD an hour from one wallet, pausing it. */
export function limit(overrides: Partial<Policy.Standing> = {}): Policy.Standing {
  return {
    limitId: 'wallet-hour',
    scope: 'wallet',
    where: {},
    metric: 'notional',
    windowMs: HOUR_MS,
    allowed: usd(1_000),
    action: { kind: 'pause', scope: 'wallet' },
    mode: 'enforce',
    ...overrides,
  };
}

/** 1 USDC from `hot-1` to the customer. */
export function transfer(overrides: Partial<Withdrawal.Transfer> = {}): Withdrawal.Transfer {
  return {
    account: HOT_1,
    asset: USDC,
    destination: CUSTOMER,
    actor: 'customer-1',
    amount: usd(1),
    ...overrides,
  };
}

/** An approved withdrawal. */
export function withdrawal(
  withdrawalId: string,
  overrides: Partial<Withdrawal.Transfer> = {},
): Withdrawal.Withdrawal {
  return { kind: 'withdrawal', withdrawalId, transfer: transfer(overrides) };
}

/** An outflow at the top of a transaction; `withdrawalId` is what it claims to be. */
export function outflow(
  id: { readonly transaction: string; readonly withdrawalId?: string; readonly place?: string },
  overrides: Partial<Withdrawal.Transfer> = {},
): Withdrawal.Outflow {
  const { transaction, withdrawalId, place = 'top' } = id;
  return {
    kind: 'outflow',
    transaction,
    place,
    withdrawalId,
    transfer: transfer({ actor: undefined, ...overrides }),
  };
}

/** An event as it comes to a decision. */
export function incoming(
  event: Withdrawal.Withdrawal | Withdrawal.Outflow,
  lagMs = 0,
): Extract<Decision.Incoming, { kind: 'transfer' }> {
  return {
    kind: 'transfer',
    lagMs,
    event,
    bodyHash: hash(Withdrawal.canonicalBody(event.transfer)),
  };
}

/** SHA-256, as the real digest. */
export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** 32 bits of it. */
export function shortHash(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0);
}

/** A context; incidents are numbered `INC1`, `INC2`, … */
export function context(overrides: Partial<Draft.Context> = {}): Draft.Context {
  let incidents = 0;
  return {
    policy: policy(),
    policyVersion: 1,
    policyHash: 'e'.repeat(64),
    decisionId: 'decision-1',
    nowMs: T0_MS,
    newIncidentId: () => {
      incidents += 1;
      return `INC${incidents}`;
    },
    newStackId: () => 'ab'.repeat(32),
    shortHash,
    ...overrides,
  };
}

/** What a read gave; nothing where nothing is named. */
export function loaded(
  stored: {
    readonly rows?: readonly Ledger.Row[];
    readonly items?: Readonly<Record<Scope.Key, Ledger.Item>>;
  } = {},
): Ledger.Loaded {
  return {
    rows: new Map((stored.rows ?? []).map((row) => [row.rowId, row])),
    items: new Map(Object.entries(stored.items ?? {})),
  };
}

/** An item without outflow, closed. */
export function item(overrides: Partial<Ledger.Item> = {}): Ledger.Item {
  return { version: 7, meter: Meter.EMPTY, breaker: { state: 'closed', epoch: 0 }, ...overrides };
}

/** What one event adds to a meter. */
export function charge(overrides: Partial<Meter.Charge> = {}): Meter.Charge {
  return { notional: 0n, amount: 0n, count: 0, assets: [], ...overrides };
}

/** What a transfer of 1 USDC from `hot-1` touches. */
export function subject(overrides: Partial<Scope.Subject> = {}): Scope.Subject {
  return {
    chain: CHAIN,
    wallet: 'hot-1',
    keyDomain: 'vault-a',
    asset: USDC,
    destination: CUSTOMER,
    memo: undefined,
    actor: 'customer-1',
    ...overrides,
  };
}

/** A transaction of `hot-1` that moved nothing. */
export function transaction(overrides: Partial<Block.Transaction> = {}): Block.Transaction {
  return {
    hash: '0xt',
    index: 0,
    from: HOT_1,
    nonce: 3,
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

/** The contract of a token. */
export function tokenOf(asset: AssetId): AccountId {
  return `${CHAIN}:${asset.slice(asset.lastIndexOf(':') + 1)}`;
}

/** A proposal of alice to open `wallet:hot-1` for planned work, which nobody has signed. */
export function proposal(overrides: Partial<Proposal.Proposal> = {}): Proposal.Proposal {
  return {
    proposalId: 'P1',
    action: { kind: 'maintenance', scope: 'wallet:hot-1' },
    policyHash: 'e'.repeat(64),
    notBeforeMs: T0_MS,
    expiresAtMs: T0_MS + 1_000,
    reason: 'planned',
    proposedBy: 'alice',
    proposedAtMs: T0_MS,
    round: 1,
    approvals: [],
    vetoes: [],
    state: 'open',
    ...overrides,
  };
}

/** One operator's signature under it. */
export function approval(operator: string, round = 1): Proposal.Approval {
  return { operator, address: '0x1', signature: '0x2', atMs: T0_MS, round };
}

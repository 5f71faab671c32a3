/** The rules: what is known, what may leave, and what happens when more does. */

import * as Balance from './balance.ts';
import type * as Breaker from './breaker.ts';
import { type AccountId, type AssetId, type ChainId, chainOf } from './caip.ts';
import * as Facts from './facts.ts';
import type * as Meter from './meter.ts';
import * as Money from './money.ts';
import * as Pattern from './pattern.ts';
import * as Price from './price.ts';
import { assetOf, ownerOf, rescaled } from './retired.ts';
import * as Scope from './scope.ts';
import type { Transfer } from './withdrawal.ts';

/** `enforce` acts; `shadow` meters and reports what it would have done. */
export type Mode = 'enforce' | 'shadow';

/** A chain, or by pattern many. */
export type ChainRule = {
  readonly pattern: string;
  readonly name: string;
  /** How it is watched. Absent: nothing looks at the chain itself. */
  readonly watch?: Watch | undefined;
  /** Others tell what leaves there: a custodian, or an observer of the exchange's own. */
  readonly observed?: true | undefined;
};

/** How a chain is watched. */
export type Watch = {
  /** Blocks above an outflow until it is counted; 0 counts at first sight, and a reorg gives it back. */
  readonly confirmations: number;
  /** Without a new block for this long nothing is seen any more, and nothing is enabled, ms. */
  readonly blindAfterMs: number;
};

/** An asset, or by pattern many. */
export type AssetRule = {
  readonly pattern: string;
  readonly symbol: string;
  readonly decimals: number;
  /** Price below which it is never valued, pico-USD for one whole token. Absent: no price is known. */
  readonly floorPricePicoUsd?: bigint | undefined;
  /** Where its price is read besides. Absent: the floor is its price. */
  readonly sources?: readonly Price.Source[] | undefined;
  /** The asset whose budget it shares: the same money under another id (wrapped, bridged). */
  readonly sameAs?: AssetId | undefined;
};

/** A hot wallet. */
export type Wallet = {
  readonly name: string;
  /** Wallets whose keys fall together. */
  readonly keyDomain: string;
  readonly addresses: readonly AccountId[];
  /** Longest life of its admissions, ms. Absent: that of {@link Timing}. */
  readonly admissionMs?: number | undefined;
  /** Balances, in base units, below which people are told. */
  readonly floors?: readonly { readonly asset: AssetId; readonly amount: bigint }[] | undefined;
  /** It holds nothing: drills trip it, and a drill may reset it (`drill.ts`). */
  readonly canary?: true | undefined;
};

/** What a breached limit does. `hold` concerns reservations; for money that has left it alerts. */
export type Action =
  | { readonly kind: 'pause'; readonly scope: Scope.Kind }
  | { readonly kind: 'hold' }
  | { readonly kind: 'alert' };

/** Fields of a subject by which a limit can be narrowed, each a pattern. */
export type Where = {
  readonly wallet?: string | undefined;
  readonly keyDomain?: string | undefined;
  readonly chain?: string | undefined;
  readonly asset?: string | undefined;
  readonly destination?: string | undefined;
  readonly actor?: string | undefined;
};

/** scope × metric × window → action. A sum equal to `allowed` passes, one unit more breaches. */
export type Limit = {
  readonly limitId: string;
  readonly scope: Scope.Kind;
  readonly where: Where;
  /**
   * `single` is the notional of one withdrawal; `share` the amount over the window, as a share of
   * what the wallet held at its start; the others are sums over the window.
   */
  readonly metric: Meter.Metric | 'single' | 'share';
  /** A window of `Meter.LADDER`; 0 for `single`. */
  readonly windowMs: number;
  /** micro-USD, base units, a count or basis points, by metric. */
  readonly allowed: bigint;
  /** Share of `allowed` above which a warning goes out. */
  readonly warnBps?: number | undefined;
  readonly action: Action;
  /** Whether a reservation that is refused for this limit also trips what `pause` names. */
  readonly tripOnRefusal?: boolean | undefined;
  readonly mode: Mode;
};

/** A limit as it stands for one scope at one time: a share has become an amount in base units. */
export type Standing = Limit & {
  readonly metric: Exclude<Limit['metric'], 'share'>;
  /** Of what it is a share; without `basis` no balance is known, and nothing is allowed. */
  readonly share?: { readonly bps: bigint; readonly basis?: bigint | undefined };
};

/** What may be unknown about money leaving. */
export type Unknown = 'wallet' | 'asset' | 'chain' | 'price';

/** What is done with money of which something is unknown. */
export type UnknownRule = {
  /** Before it leaves. */
  readonly withdrawal: 'block' | 'hold' | 'allow';
  /** After it left. */
  readonly outflow: 'pause' | 'alert';
  /** The scope that `pause` opens. */
  readonly scope: Scope.Kind;
};

/** What an operator may do. `panic`: pause and tighten, for partners and monitors; it never loosens. */
export type Role = 'pause' | 'resume' | 'panic';

/** A person or a partner who operates the breaker. */
export type Operator = {
  readonly name: string;
  /** Externally owned account, lower-case `0x…`: what they sign is verified offline. */
  readonly address: string;
  readonly roles: readonly Role[];
  /** How they are reached, for people. */
  readonly contact?: string | undefined;
  /** Pattern of the caller's ARN, or of the local user, by which the command path knows them. */
  readonly iam?: string | undefined;
};

/** How withdrawals come back after a breaker was open. */
export type Staged = {
  /** Steps, shares rising, each naming all that the one before it named. None: at once. */
  readonly steps: readonly Breaker.Step[];
  /** What 100 % means where a scope has no notional limit of its own, micro-USD. 0 without steps. */
  readonly budget: bigint;
};

/** Who may close a breaker. `trial`: one operator alone, for first steps only. */
export type Resume =
  | ({ readonly kind: 'trial' } & Staged)
  | ({
      readonly kind: 'quorum';
      /** Distinct operators with role `resume` who must sign; 2 or more. */
      readonly quorum: number;
      /** Whether whoever opened the breaker by hand counts towards its resume. */
      readonly pauserCounts: boolean;
    } & Staged);

/** How the policy itself changes. */
export type Changes = {
  /** Time from the quorum's consent until what loosens comes into force, ms. */
  readonly delayMs: number;
};

/** Somebody to call when money is gone: who can freeze it, or follow it. Nothing is decided by it. */
export type Contact = {
  readonly name: string;
  readonly kind: 'issuer' | 'exchange' | 'law-enforcement' | 'security' | 'other';
  /** Patterns of the assets that they can do something about. Absent: any. */
  readonly assets?: readonly string[] | undefined;
  readonly reach: string;
};

/**
 * What a policy once said of an address or an asset, kept for 33 days after it was last
 * said: its money goes on counting where it has counted, so that no edit gives budget back.
 */
export type Retired = { readonly lastNamedMs: number } & (
  | {
      readonly kind: 'address';
      readonly address: AccountId;
      readonly wallet: string;
      readonly keyDomain: string;
    }
  | {
      readonly kind: 'asset';
      /** An asset, or a pattern of them. */
      readonly pattern: string;
      /** Fraction digits that its amounts were read with. */
      readonly decimals: number;
      /** Floor price that it had, pico-USD for one whole token. */
      readonly floorPricePicoUsd?: bigint | undefined;
      /** The asset whose budget it used, with that one's fraction digits. Absent: its own. */
      readonly sameAs?: { readonly asset: AssetId; readonly decimals: number } | undefined;
    }
);

/** How outflows are matched with what was approved. */
export type MatchingRule = {
  /** What of an approved amount may be missing because the network's fee was taken out of it, micro-USD. */
  readonly deductedFeeMax: bigint;
  /** How long a report may come after its outflow before that trips, ms. */
  readonly graceMs: number;
  /** Age after which people hear of an approved withdrawal whose outflow was not seen, ms. */
  readonly unseenMs: number;
};

/** Times that the rules depend on, ms. */
export type Timing = {
  /** How far a worker's clock may be off. */
  readonly clockToleranceMs: number;
  /**
   * Longest life of an admission whose wallet has none of its own: money leaves up to this long
   * after its charge.
   */
  readonly admissionMs: number;
  /** Longest time from reading the clock to a commit. */
  readonly commitDelayMs: number;
  /** How long a proof of health keeps the flag in force. */
  readonly leaseMs: number;
};

/** A loaded policy. */
export type Policy = {
  readonly name: string;
  readonly mode: Mode;
  readonly chains: readonly ChainRule[];
  readonly assets: readonly AssetRule[];
  readonly wallets: readonly Wallet[];
  readonly limits: readonly Limit[];
  readonly unknown: Readonly<Record<Unknown, UnknownRule>>;
  /** The scope that an outflow nobody approved opens. */
  readonly unmatched: {
    readonly scope: Scope.Kind;
    /** What is done about what often comes before a theft: an allowance, a delegation, another owner. */
    readonly risks: 'pause' | 'alert';
  };
  /** The scope that one id with two bodies, or a record that cannot be decided on, opens. */
  readonly conflict: { readonly scope: Scope.Kind };
  /** How outflows that name no withdrawal are matched. */
  readonly matching: MatchingRule;
  /** Addresses of the exchange beside its wallets, such as cold storage: what goes there stays its own. */
  readonly own: readonly AccountId[];
  readonly operators: readonly Operator[];
  readonly resume: Resume;
  readonly changes: Changes;
  readonly contacts: readonly Contact[];
  /** Open reservations that one named actor may have. */
  readonly outstandingMax: number;
  /** Age after which people hear of a reservation whose outcome is open, ms. */
  readonly overdueMs: number;
  readonly timing: Timing;
  /** What earlier versions said and this one does not, or not yet long enough ago. Absent: nothing. */
  readonly retired?: readonly Retired[] | undefined;
  /** What is known of the world at a time. Absent on a policy as it was loaded: nothing is. */
  readonly known?: Facts.Facts & { readonly atMs: number };
};

/** A policy with its compiled form: the text that everybody who decides is given. */
export type Compiled = { readonly policy: Policy; readonly compiled: string };

/** One asset's part of what leaves, valued. */
export type Leg = {
  /** The asset whose budget it uses. */
  readonly asset: AssetId;
  /** Base units of that asset. */
  readonly amount: bigint;
  readonly notional: bigint;
  readonly pricePicoUsd: bigint;
};

/** A transfer with everything that the policy knows about it. */
export type Resolved = {
  readonly subject: Scope.Subject;
  /** What leaves: the amount first, then the network fee if the wallet pays one in another asset. */
  readonly legs: readonly Leg[];
  readonly unknown: readonly Unknown[];
};

/** Key domain of wallets that the policy does not name. */
export const UNKNOWN_KEY_DOMAIN = '%unknown';

/** What the life of an admission depends on. */
export type Lives = Pick<Policy, 'wallets' | 'timing'>;

/**
 * Longest life of a wallet's admissions, ms: its own, else that of the policy's timing, which also
 * holds for a wallet that the policy does not know.
 *
 * @param wallet name of a wallet, or one of its accounts.
 */
export function admissionMs(policy: Lives, wallet: string): number {
  return walletOf(policy, wallet)?.admissionMs ?? policy.timing.admissionMs;
}

/** How much a window is widened, ms: clocks off both ways, admissions still alive, commits under way. */
export function wideningMs(timing: Timing, longestAdmissionMs: number): number {
  return 2 * timing.clockToleranceMs + longestAdmissionMs + timing.commitDelayMs;
}

/**
 * How much the windows of a scope are widened, ms: by the longest admission that can charge it. One
 * wallet charges a scope of `wallet` or `wallet-asset`; any wallet, known or not, every other.
 */
export function widenMs(policy: Lives, scope: Scope.Scope): number {
  const { wallets, timing } = policy;
  if (scope.kind === 'wallet' || scope.kind === 'wallet-asset') {
    const [wallet = ''] = scope.id.split('|');
    return wideningMs(timing, admissionMs(policy, wallet));
  }
  const own = wallets.map((wallet) => wallet.admissionMs ?? 0);
  return wideningMs(timing, Math.max(timing.admissionMs, ...own));
}

/** The wallet that owns an address, by address or by name. */
export function walletOf(
  policy: Pick<Policy, 'wallets'>,
  accountOrName: string,
): Wallet | undefined {
  return policy.wallets.find(
    (wallet) =>
      wallet.name === accountOrName ||
      wallet.addresses.some((address) => address === accountOrName),
  );
}

/**
 * Names wallet and key domain, maps the asset to its budget and values every leg. What is not named any
 * more is unknown, and still counts where it did.
 * Fail direction: what is not known is named in `unknown`, and the policy's rule for it decides; an
 * asset without a price has notional 0 and always carries `price`.
 */
export function resolve(policy: Policy, transfer: Transfer): Resolved {
  const wallet = walletOf(policy, transfer.account);
  const chain = chainOf(transfer.account);
  const unknown = new Set<Unknown>();
  if (!wallet) unknown.add('wallet');
  if (!Pattern.mostSpecific(policy.chains, chain)) unknown.add('chain');
  const { fee } = transfer;
  const feeInSameAsset = fee?.asset === transfer.asset ? fee.amount : 0n;
  const legs = [
    valued(policy, { asset: transfer.asset, amount: transfer.amount + feeInSameAsset }, unknown),
  ];
  if (fee && fee.asset !== transfer.asset) legs.push(valued(policy, fee, unknown));
  const owner = wallet ? undefined : ownerOf(policy, transfer.account);
  const subject: Scope.Subject = {
    chain,
    wallet: wallet?.name ?? owner?.wallet ?? transfer.account,
    keyDomain: wallet?.keyDomain ?? owner?.keyDomain ?? UNKNOWN_KEY_DOMAIN,
    asset: legs[0]?.asset ?? transfer.asset,
    destination: transfer.destination,
    memo: transfer.memo,
    actor: transfer.actor,
  };
  return { subject, legs, unknown: [...unknown] };
}

/** How a chain is watched; nothing where nobody looks at it. */
export function watchOf(policy: Pick<Policy, 'chains'>, chain: ChainId): Watch | undefined {
  return Pattern.mostSpecific(policy.chains, chain)?.watch;
}

/** Whether outflows of a chain are told at all: by its watcher, or by others. */
export function isObserved(policy: Pick<Policy, 'chains'>, chain: ChainId): boolean {
  const rule = Pattern.mostSpecific(policy.chains, chain);
  return rule?.watch !== undefined || rule?.observed === true;
}

/** The limits that speak about a scope of this subject, in the policy's order. No rule hides another. */
export function limitsOn(
  policy: Policy,
  kind: Scope.Kind,
  subject: Scope.Subject,
): readonly Standing[] {
  return policy.limits
    .filter((limit) => limit.scope === kind && applies(limit.where, subject))
    .map((limit) => standing(policy, limit, Scope.of(kind, subject)));
}

/** The policy with what is known at a time: prices, and what shares are shares of. */
export function at(policy: Policy, facts: Facts.Facts | undefined, atMs: number): Policy {
  return { ...policy, known: { ...(facts ?? Facts.NONE), atMs } };
}

/**
 * A limit as it stands for a scope. Fail direction: closed, a share of a balance that nobody knows
 * is nothing.
 */
export function standing(policy: Policy, limit: Limit, scope: Scope.Scope): Standing {
  const { metric, allowed: bps, windowMs } = limit;
  if (metric !== 'share') return { ...limit, metric };
  const { balances = Facts.NONE.balances, atMs = 0 } = policy.known ?? {};
  const window = { windowMs, widenMs: widenMs(policy, scope), nowMs: atMs };
  const basis = Balance.atStart(balances.get(Scope.key(scope)), window);
  const [, asset] = scope.id.split('|');
  return {
    ...limit,
    where: { ...limit.where, asset },
    metric: 'amount',
    allowed: Money.shareOf(basis ?? 0n, Number(bps)),
    share: basis === undefined ? { bps } : { bps, basis },
  };
}

/** The price of one whole token, pico-USD, as far as the policy and its feeds know one. */
export function priceOf(policy: Policy, rule: AssetRule): bigint | undefined {
  const { quotes = Facts.NONE.quotes, atMs = 0 } = policy.known ?? {};
  return Price.used(rule, quotes, atMs);
}

/** The asset rule for an id: exact before pattern. */
export function assetRule(policy: Policy, asset: AssetId): AssetRule | undefined {
  return Pattern.mostSpecific(policy.assets, asset);
}

function valued(
  policy: Policy,
  { asset, amount }: { readonly asset: AssetId; readonly amount: bigint },
  unknown: Set<Unknown>,
): Leg {
  const rule = assetRule(policy, asset);
  if (!rule) return unlisted(policy, { asset, amount }, unknown);
  const budget = rule.sameAs === undefined ? rule : assetRule(policy, rule.sameAs);
  if (!budget) unknown.add('asset');
  const shared = {
    asset: rule.sameAs ?? asset,
    amount: budget ? Money.rescale(amount, { from: rule.decimals, to: budget.decimals }) : amount,
  };
  const pricePicoUsd = priceOf(policy, rule);
  if (pricePicoUsd === undefined) {
    unknown.add('price');
    return { ...shared, notional: 0n, pricePicoUsd: 0n };
  }
  const notional = Money.notionalMicroUsd({ amount, decimals: rule.decimals, pricePicoUsd });
  return { ...shared, notional, pricePicoUsd };
}

/** An asset that nothing names: unknown, and without a price; one that was named counts where and as it did at least. */
function unlisted(
  policy: Policy,
  { asset, amount }: { readonly asset: AssetId; readonly amount: bigint },
  unknown: Set<Unknown>,
): Leg {
  unknown.add('asset').add('price');
  const was = assetOf(policy, asset);
  if (!was) return { asset, amount, notional: 0n, pricePicoUsd: 0n };
  const { decimals, floorPricePicoUsd: pricePicoUsd = 0n } = was;
  return {
    asset: was.sameAs?.asset ?? asset,
    amount: rescaled(was, amount),
    notional: Money.notionalMicroUsd({ amount, decimals, pricePicoUsd }),
    pricePicoUsd,
  };
}

/** A field that the money does not name matches: leaving it out escapes no limit. */
function applies(where: Where, subject: Scope.Subject): boolean {
  return (Object.keys(where) as (keyof Where)[]).every((field) => {
    const pattern = where[field];
    const value = subject[field];
    return pattern === undefined || value === undefined || Pattern.matches(pattern, value);
  });
}

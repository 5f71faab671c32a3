/** What people are told: one sentence per cause, with the numbers that decided. */

import type * as Breaker from './breaker.ts';
import type { AssetId } from './caip.ts';
import type * as Evaluate from './evaluate.ts';
import type * as Ledger from './ledger.ts';
import * as Money from './money.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import * as Step from './step.ts';
import type * as Withdrawal from './withdrawal.ts';

/** A day in ms: the period in which the same unknown thing is told once. */
export const DAY_MS = 86_400_000;

/** `4,947 ETH`-like text for an amount; base units where the asset is unknown. */
export function amount(policy: Policy.Policy, transfer: Withdrawal.Transfer): string {
  return tokens(policy, transfer.asset, transfer.amount);
}

/** As {@link amount}, for base units of an asset. */
export function tokens(policy: Policy.Policy, asset: AssetId, units: bigint): string {
  const rule = Policy.assetRule(policy, asset);
  if (!rule) return `${units} base units of ${asset}`;
  const [whole = '', fraction] = Money.formatUnits(units, rule.decimals).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return `${fraction === undefined ? grouped : `${grouped}.${fraction}`} ${rule.symbol}`;
}

/** Why an outflow trips that nobody approved. */
export function unmatched(
  policy: Policy.Policy,
  transfer: Withdrawal.Transfer,
  why: string,
): string {
  const { account, destination } = transfer;
  const wallet = Policy.walletOf(policy, account)?.name ?? account;
  return `outflow of ${amount(policy, transfer)} from ${wallet} to ${destination} that nobody approved: ${why}`;
}

/** Why a limit trips, with its numbers. */
export function limit(
  policy: Policy.Policy,
  breach: Evaluate.Breach,
): Pick<Breaker.Cause, 'text'> & Required<Pick<Breaker.Cause, 'limit'>> {
  const { limit: rule, used } = breach;
  const { limitId, allowed } = rule;
  if (rule.step) {
    const text = step(policy, { ...rule, step: rule.step }, used);
    return { limit: { limitId, used, allowed }, text };
  }
  return {
    limit: { limitId, used, allowed },
    text: `limit ${limitId} on ${Scope.key(breach.scope)}: ${quantity(policy, rule, used)}${over(rule)} of ${quantity(policy, rule, allowed)} allowed${ofWhat(policy, rule)}`,
  };
}

/** What a step of a resume allows, and what has left since it began. */
export function step(
  policy: Policy.Policy,
  rule: Step.Bound & { readonly step: Step.Of },
  used: bigint,
): string {
  const { scope, step: position, steps, shareBps, sinceMs, whole, isUnnamed } = rule.step;
  const head = `step ${position + 1} of ${steps} of resuming ${scope}`;
  if (isUnnamed) return `${head}: it left where this step lets nothing flow yet`;
  const of = rule.limitId === Step.BUDGET_ID ? 'the budget' : `limit ${rule.limitId}`;
  const share = `${percent(BigInt(shareBps))} of ${of} of ${quantity(policy, rule, whole)}`;
  const left = `${quantity(policy, rule, used)} since ${new Date(sinceMs).toISOString()}`;
  return `${head}: ${left} of ${quantity(policy, rule, rule.allowed)} allowed (${share})`;
}

/** The alert for a warn level, for a limit that only alerts, or for a backlog that breached late. */
export function alert(
  policy: Policy.Policy,
  breach: Evaluate.Breach,
  fact: { readonly atMs: number; readonly rowId: string; readonly late: boolean },
): Ledger.Alert {
  const scope = Scope.key(breach.scope);
  const period = Math.floor(fact.atMs / (breach.limit.windowMs || DAY_MS));
  const { text } = limit(policy, breach);
  const why = fact.late && breach.level === 'breach' ? ' (late backlog: alerted, not tripped)' : '';
  const { step: of } = breach.limit;
  const ofStep = of ? `|step|${of.epoch}|${of.step}` : '';
  return {
    alertId: `${breach.level}|${breach.limit.limitId}|${scope}|${period}${ofStep}`,
    kind: breach.level,
    atMs: fact.atMs,
    scope,
    rowId: fact.rowId,
    text: `${text}${why}`,
  };
}

/** What shadow mode would have done. Told once per scope, cause and hour. */
export function wouldTrip(scope: Scope.Key, cause: Breaker.Cause): Ledger.Alert {
  const what = cause.limit?.limitId ?? cause.kind;
  const period = Math.floor(cause.atMs / 3_600_000);
  const { atMs, rowId } = cause;
  const text = `would have tripped ${scope}: ${cause.text}`;
  return {
    alertId: `would-trip|${what}|${scope}|${period}`,
    kind: 'would-trip',
    atMs,
    scope,
    rowId,
    text,
  };
}

/** What is unknown about money leaving. */
export function unknown(what: Policy.Unknown, subject: Scope.Subject): string {
  const value = {
    wallet: subject.wallet,
    asset: subject.asset,
    chain: subject.chain,
    price: subject.asset,
  };
  return what === 'price'
    ? `no price is known for ${value.price}`
    : `the policy does not know ${what} ${value[what]}`;
}

/** One id with two bodies. */
export function conflict(
  event: Withdrawal.Withdrawal | Withdrawal.Outflow,
  before: Ledger.Row | undefined,
): string {
  const id =
    event.kind === 'withdrawal'
      ? `withdrawal ${event.withdrawalId}`
      : `outflow ${event.transaction} ${event.place}`;
  const first = before?.money?.transfer;
  const differs = first
    ? (['account', 'asset', 'destination', 'memo', 'amount'] as const)
        .filter((field) => first[field] !== event.transfer[field])
        .map((field) => `${field} ${first[field] ?? 'none'} → ${event.transfer[field] ?? 'none'}`)
    : [];
  return `${id} came again with other content: ${differs.join(', ') || 'unknown fields'}`;
}

/** Of what a share is a share, for people; nothing for other limits. */
export function ofWhat(policy: Policy.Policy, rule: Policy.Standing): string {
  const { share } = rule;
  if (!share) return '';
  const { bps, basis } = share;
  if (basis === undefined) {
    return `: ${percent(bps)} of a balance that is not known (none was read ${duration(rule.windowMs)} ago)`;
  }
  return `: ${percent(bps)} of the ${quantity(policy, rule, basis)} held ${duration(rule.windowMs)} ago`;
}

/** A metric's value with its unit: USD, tokens, a share, or a plain count. */
export function quantity(policy: Policy.Policy, rule: Policy.Limit, value: bigint): string {
  if (value >= Money.MAX) return 'more than can be counted';
  if (rule.metric === 'notional' || rule.metric === 'single') return Money.formatUsd(value);
  if (rule.metric === 'share') return percent(value);
  if (rule.metric !== 'amount') return value.toString();
  const asset = policy.assets.find((known) => known.pattern === rule.where.asset);
  return asset
    ? `${Money.formatUnits(value, asset.decimals)} ${asset.symbol}`
    : `${value} base units`;
}

/** What is left under a limit, as {@link quantity} but never rounded up. */
export function headroom(policy: Policy.Policy, rule: Policy.Limit, value: bigint): string {
  const isUsd = rule.metric === 'notional' || rule.metric === 'single';
  return isUsd && value < Money.MAX ? Money.formatUsdDown(value) : quantity(policy, rule, value);
}

function percent(bps: bigint): string {
  return `${Money.formatUnits(bps, 2)}%`;
}

function over(rule: Policy.Limit): string {
  return rule.metric === 'single' ? ' in one withdrawal' : ` in ${duration(rule.windowMs)}`;
}

/** A window as the policy writes it: `1m`, `6h`, `30d`. */
export function duration(windowMs: number): string {
  if (windowMs % DAY_MS === 0 && windowMs > DAY_MS) return `${windowMs / DAY_MS}d`;
  if (windowMs % 3_600_000 === 0) return `${windowMs / 3_600_000}h`;
  return windowMs % 60_000 === 0 ? `${windowMs / 60_000}m` : `${windowMs / 1_000}s`;
}

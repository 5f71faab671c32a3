/**
 * What the product must come to, said in the plainest way and without any of its code: scopes,
 * prices and sums over plain lists. A mistake over there cannot repeat itself here.
 */

import type * as Policy from '../../lib/domain/policy.ts';
import * as Build from '../support/builders.ts';
import type { Unit } from './plan.ts';

/** Who holds which address. */
const WALLETS: Readonly<Record<string, readonly [wallet: string, domain: string]>> = {
  [Build.HOT_1]: ['hot-1', 'vault-a'],
  [Build.HOT_2]: ['hot-2', 'vault-a'],
  [Build.HOT_3]: ['hot-3', 'vault-b'],
};

/** Slot of the ladder that serves a window, as the docs state it. */
const SLOTS_MS: Readonly<Record<number, number>> = { 60000: 6_000, 300000: 30_000, 900000: 90_000 };

/** Clocks off both ways, the longest admission and the longest commit, as the policies of the schedules say. */
export const WIDEN_MS = 2 * 2_000 + 30_000 + 6_000;

/** Kinds of scope with their key for some money. */
export type Keys = Readonly<Record<string, string>>;

/** What it is worth, micro-USD: 1 USD or 1500 USD a coin; amounts are drawn so that nothing is rounded. */
export function worth(asset: string, amount: bigint): bigint {
  return asset === Build.ETH ? (amount * 1_500n) / 10n ** 12n : amount;
}

/** The scopes that some money of a unit lies in. */
export function keysOf({ transfer }: Unit, asset: string = transfer.asset): Keys {
  const [wallet = '', domain = ''] = WALLETS[transfer.account] ?? [];
  const { destination, memo, actor = '%none' } = transfer;
  return {
    actor: `actor:${actor}`,
    destination: `destination:${destination}${memo === undefined ? '' : `|${memo}`}`,
    'wallet-asset': `wallet-asset:${wallet}|${asset}`,
    wallet: `wallet:${wallet}`,
    asset: `asset:${asset}`,
    chain: 'chain:eip155:1',
    'key-domain': `key-domain:${domain}`,
    global: 'global',
  };
}

/** Everything whose pause stops a unit. */
export function stoppedBy(unit: Unit): readonly string[] {
  return [...Object.values(keysOf(unit)), `destination:${unit.transfer.destination}`];
}

/** Wider kinds whose pause stops all that a pause of this kind would. */
const WIDER: Readonly<Record<string, readonly string[]>> = {
  actor: ['global'],
  destination: ['global'],
  'wallet-asset': ['wallet', 'asset', 'key-domain', 'global'],
  wallet: ['key-domain', 'global'],
  asset: ['global'],
  chain: ['global'],
  'key-domain': ['global'],
  global: [],
};

/** The scopes of which one must be paused so that one of this kind counts as paused. */
export function coveredBy(kind: string, keys: Keys, unit: Unit): readonly string[] {
  const wider = (WIDER[kind] ?? []).map((each) => keys[each] ?? '');
  const whole = kind === 'destination' ? [`destination:${unit.transfer.destination}`] : [];
  return [keys[kind] ?? '', ...whole, ...wider];
}

/** A step of a resume as the policy writes it, and what counts where no limit on money speaks. */
export type Staged = Pick<Policy.Staged, 'steps' | 'budget'>;

/** What a step lets leave of one limit of its scope, since it began. */
export type StepBound = {
  readonly metric: string;
  readonly allowed: bigint;
  readonly name: string;
};

/** The bounds of a step: its share, rounded down, of each limit on a sum; else of the budget. */
export function stepBounds(
  limits: readonly Policy.Limit[],
  { shareBps, budget }: { readonly shareBps: number; readonly budget: bigint },
): readonly StepBound[] {
  const share = (whole: bigint) => (whole * BigInt(shareBps)) / 10_000n;
  const acting = limits.filter(
    ({ metric, mode, action }) =>
      metric !== 'single' && mode === 'enforce' && action.kind !== 'alert',
  );
  const bounds = acting.map(({ limitId, metric, allowed }) => ({
    metric,
    allowed: share(allowed),
    name: limitId,
  }));
  if (acting.some(({ metric }) => metric === 'notional')) return bounds;
  return [...bounds, { metric: 'notional', allowed: share(budget), name: 'the budget' }];
}

/** What a theft stops beside the scope that the policy names: its wallet, and its destination both ways. */
export function quarantinedBy(unit: Unit): readonly string[] {
  const { wallet = '', destination = '' } = keysOf(unit);
  return [...new Set([wallet, destination, `destination:${unit.transfer.destination}`])];
}

/** Something that was charged to one scope. */
export type Charged = {
  readonly rowId: string;
  readonly atMs: number;
  readonly notional: bigint;
  readonly amount: bigint;
  readonly count: number;
};

/** Sum over everything that was charged in `[fromMs, toMs]`. */
export function sumOf(
  charged: readonly Charged[],
  span: { readonly metric: string; readonly fromMs: number; readonly toMs: number },
): bigint {
  let sum = 0n;
  for (const one of charged) {
    if (one.atMs < span.fromMs || one.atMs > span.toMs) continue;
    if (span.metric === 'notional') sum += one.notional;
    else if (span.metric === 'amount') sum += one.amount;
    else sum += BigInt(one.count);
  }
  return sum;
}

/** The slot length of a window. */
export function slotMsOf(windowMs: number): number {
  return SLOTS_MS[windowMs] ?? 0;
}

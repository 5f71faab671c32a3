/**
 * The naive reference: sums over the raw list of events. It shares no code and no constants with
 * the domain, so that a mistake there cannot repeat itself here.
 */

import type { Row } from '../../lib/domain/ledger.ts';

/** The ladder as the docs state it: slot and longest window, ms. */
export const STEPS = [
  { slotMs: 6_000, windowMs: 60_000 },
  { slotMs: 30_000, windowMs: 300_000 },
  { slotMs: 90_000, windowMs: 900_000 },
  { slotMs: 360_000, windowMs: 3_600_000 },
  { slotMs: 2_160_000, windowMs: 21_600_000 },
  { slotMs: 8_640_000, windowMs: 86_400_000 },
  { slotMs: 57_600_000, windowMs: 604_800_000 },
  { slotMs: 259_200_000, windowMs: 2_592_000_000 },
] as const;

/** One thing that left. */
export type Left = {
  readonly atMs: number;
  readonly notional: bigint;
  readonly amount: bigint;
  readonly count: number;
  readonly assets: readonly number[];
};

/** Sum of a metric over everything that left in `[fromMs, toMs]`, both ends included. */
export function sum(
  all: readonly Left[],
  span: {
    readonly metric: 'notional' | 'amount' | 'count' | 'assets';
    readonly fromMs: number;
    readonly toMs: number;
  },
): bigint {
  const within = all.filter((one) => one.atMs >= span.fromMs && one.atMs <= span.toMs);
  if (span.metric === 'assets') return BigInt(new Set(within.flatMap((one) => one.assets)).size);
  let total = 0n;
  for (const one of within) total += BigInt(one[span.metric]);
  return total;
}

/** Totals of one slot. */
export type Total = {
  readonly notional: bigint;
  readonly amount: bigint;
  readonly count: number;
  readonly assets: readonly number[];
};

/** Meters as the ledger's rows say they must be: scope key → `step:index` → totals. */
export type Rebuilt = Map<string, Map<string, Total>>;

/** States of rows whose charge was given back. */
const GIVEN_BACK: ReadonlySet<string> = new Set(['failed', 'cancelled', 'replaced']);

/**
 * Adds up what rows were charged, slot by slot. Of what was given back only the names of its assets
 * stay: a meter cannot know whether another charge has named them too.
 */
export function rebuild(rows: Iterable<Row>, shortHash: (text: string) => number): Rebuilt {
  const meters: Rebuilt = new Map();
  const all = [...rows];
  const late = new Set(all.filter(isLate).map((row) => row.rowId));
  for (const row of all) {
    const { money } = row;
    if (!money) continue;
    const isGivenBack = GIVEN_BACK.has(row.state);
    const feeOnly = isFeeOnly(row, late);
    for (const [position, leg] of money.charged.entries()) {
      const { subject } = money;
      const oneAsset = { amount: isGivenBack ? 0n : leg.amount, assets: [] };
      const many = { amount: 0n, assets: [shortHash(leg.asset)] };
      const memo = subject.memo === undefined ? '' : `|${plain(subject.memo)}`;
      const scopes: [string, { amount: bigint; assets: number[] }][] = [
        ['global', many],
        [`key-domain:${plain(subject.keyDomain)}`, many],
        [`chain:${subject.chain}`, many],
        [`asset:${leg.asset}`, oneAsset],
        [`wallet:${plain(subject.wallet)}`, many],
        [`wallet-asset:${plain(subject.wallet)}|${leg.asset}`, oneAsset],
        [`destination:${subject.destination}${memo}`, many],
        [`actor:${subject.actor === undefined ? '%none' : plain(subject.actor)}`, many],
      ];
      const count = position === 0 && !feeOnly && !isGivenBack ? 1 : 0;
      const notional = isGivenBack ? 0n : leg.notional;
      for (const [key, part] of scopes) {
        addTo(meters, key, { atMs: money.chargedAtMs, notional, count, ...part });
      }
    }
  }
  return meters;
}

/** Whether a withdrawal was reported after its outflow was seen, which carries the charge of both. */
export function isLate({ rowId, money }: Row): boolean {
  return rowId.startsWith('withdrawal:') && money?.charged.length === 0;
}

/**
 * Whether what an outflow was charged is no withdrawal: a fee or what went beyond the approved
 * amount, whose withdrawal was counted on its own row (it is not among the `late` ones); or a fee
 * alone, of money that stayed the exchange's own.
 */
export function isFeeOnly({ rowId, state, link }: Row, late: ReadonlySet<string>): boolean {
  if (state === 'kept') return true;
  const isOutflow = rowId.startsWith('outflow:');
  return isOutflow && state === 'matched' && !(link !== undefined && late.has(link));
}

function addTo(meters: Rebuilt, key: string, left: Left): void {
  const slots = meters.get(key) ?? new Map<string, Total>();
  meters.set(key, slots);
  for (const [step, { slotMs }] of STEPS.entries()) {
    const name = `${step}:${Math.floor(left.atMs / slotMs)}`;
    const before = slots.get(name) ?? { notional: 0n, amount: 0n, count: 0, assets: [] };
    slots.set(name, {
      notional: before.notional + left.notional,
      amount: before.amount + left.amount,
      count: before.count + left.count,
      assets: left.assets.every((asset) => before.assets.includes(asset))
        ? before.assets
        : [...new Set([...before.assets, ...left.assets])].sort((a, b) => a - b),
    });
  }
}

/** The tests of the oracle use ids of letters, digits, `-`, `:` and `%` only. */
function plain(id: string): string {
  return id.replaceAll('%', '%25');
}

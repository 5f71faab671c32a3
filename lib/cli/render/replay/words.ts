/** Small texts that a replay uses all over. */

import * as Explain from '../../../domain/explain.ts';
import * as Money from '../../../domain/money.ts';
import * as Policy from '../../../domain/policy.ts';
import type { TimelineItem } from '../../../local/replay/timeline.ts';
import { clean, shorten } from '../text.ts';

/** Columns of an address that tell it apart. */
const ADDRESS_COLUMNS = 12;
/** Up to here whole minutes say more than hours and minutes, since timelines are told in minutes. */
const MINUTES_MAX = 180;

/** `13:20:59Z`. */
export function clockTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)}Z`;
}

/** `13:20`. */
export function hourTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 16);
}

/** `12 September 2023`. */
export function day(atMs: number): string {
  const options = { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat('en-GB', options).format(atMs);
}

/** `117 min`, `6 d 2 h`. */
export function minutesText(minutes: number): string {
  if (minutes < MINUTES_MAX) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `9 ms`, `1,240 ms`; less than one is no zero. */
export function milliseconds(ms: number): string {
  return ms < 1 ? 'under 1 ms' : `${Math.round(ms).toLocaleString('en-US')} ms`;
}

/** `4,947 ETH ($7,900,000)`; what only counts dollars is shown as dollars, and `~` where digits were cut. */
export function sizeOf(policy: Policy.Policy, item: TimelineItem): string {
  const { wallet: account, asset, destination, amount } = item.detail;
  const transfer = { account, asset, destination, amount: BigInt(amount) };
  const valued = Policy.resolve(policy, transfer).legs[0]?.notional ?? 0n;
  const usd = Money.formatUsd(item.outflow?.notionalMicroUsd ?? valued);
  if (/\/(mixed|usd):/.test(asset)) return `${usd} in ${moneyOf(item.outflow?.symbol ?? 'mixed')}`;
  return `${brief(clean(Explain.amount(policy, transfer)))} (${usd})`;
}

/** A number for the eye: no fraction from 1,000 up, two digits from 1 up, five below. */
export function brief(amount: string): string {
  return amount.replace(/^([\d,]+)\.(\d+)/, (all, whole: string, fraction: string) => {
    const digits = whole.includes(',') ? 0 : whole === '0' ? 5 : 2;
    const kept = fraction.slice(0, digits);
    if (kept === fraction) return all;
    return `~${whole}${kept === '' ? '' : `.${kept}`}`;
  });
}

/** What a total consists of: `mixed (BNB + BEP-20)` is `BNB + BEP-20`. */
function moneyOf(symbol: string): string {
  if (symbol === 'mixed') return 'several tokens';
  return clean(/^mixed \((.*)\)$/.exec(symbol)?.[1] ?? symbol);
}

/** `0x8bf8cd…c3de`: both ends of the address, without its chain. */
export function addressOf(account: string): string {
  return shorten(clean(account.split(':').at(-1) ?? account), ADDRESS_COLUMNS);
}

/** The wallet's name, or its address. */
export function walletOf(policy: Policy.Policy, account: string): string {
  return clean(Policy.walletOf(policy, account)?.name ?? addressOf(account));
}

/** A quantity for the eye: thousands apart, fractions cut. */
export function number(quantity: string): string {
  const grouped = quantity.replace(/^\d+/, (digits) =>
    digits.replace(/\B(?=(\d{3})+(?!\d))/g, ','),
  );
  return brief(grouped);
}

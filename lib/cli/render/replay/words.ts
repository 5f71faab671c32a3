/** Small texts that a replay uses all over. */

import * as Explain from '../../../domain/explain.ts';
import * as Money from '../../../domain/money.ts';
import * as Policy from '../../../domain/policy.ts';
import type { TimelineItem } from '../../../local/replay/timeline.ts';
import { clean, shorten } from '../text.ts';

/** Columns of an address that tell it apart. */
const ADDRESS_COLUMNS = 14;
const MINUTE_MS = 60_000;
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

/** `4,947 ETH ($7,900,000)`; what only counts dollars is shown as dollars. */
export function sizeOf(policy: Policy.Policy, item: TimelineItem): string {
  const { wallet: account, asset, destination, amount } = item.detail;
  const transfer = { account, asset, destination, amount: BigInt(amount) };
  const leg = Policy.resolve(policy, transfer).legs[0];
  const usd = Money.formatUsd(leg?.notional ?? 0n);
  if (/\/(mixed|usd):/.test(asset)) return `${usd} in ${clean(item.outflow?.symbol ?? 'several')}`;
  return `${clean(Explain.amount(policy, transfer))} (${usd})`;
}

/** `0x8bf8cd…c3de`: both ends of the address, without its chain. */
export function addressOf(account: string): string {
  return shorten(clean(account.split(':').at(-1) ?? account), ADDRESS_COLUMNS);
}

/** The wallet's name, or its address. */
export function walletOf(policy: Policy.Policy, account: string): string {
  return clean(Policy.walletOf(policy, account)?.name ?? addressOf(account));
}

/** Milliseconds in whole minutes, for comparing with a timeline. */
export function toMinutes(ms: number): number {
  return Math.floor(ms / MINUTE_MS);
}

/** Whether a limit's window is long enough for the admissions that are charged into it. */

import * as Balance from '../../domain/balance.ts';
import * as Meter from '../../domain/meter.ts';
import * as Pattern from '../../domain/pattern.ts';
import { overlaps } from '../../domain/pattern-overlap.ts';
import { UNKNOWN_KEY_DOMAIN, wideningMs } from '../../domain/policy.ts';
import { timingOf } from './build.ts';
import { quoted } from './problem.ts';
import { WINDOW_CHOICE } from './scalar.ts';
import type { Limit, Wallet } from './schema.ts';
import type { Sections } from './shape.ts';

/** The life of some admissions, and the field of the policy that says so. */
type Life = { readonly field: string; readonly admissionMs: number };

/** What is wrong with the window of a limit, if anything is. Windows are widened as `widenMs` of the domain says. */
export function checkWindow(sections: Sections, limit: Limit): string | undefined {
  const { id, window: windowMs, metric } = limit;
  if (metric === 'single') {
    return windowMs === undefined
      ? undefined
      : 'single judges one withdrawal and has no window; remove it';
  }
  if (windowMs === undefined) return `is missing; ${WINDOW_CHOICE}`;
  if (metric === 'share' && windowMs < Balance.WINDOW_LEAST_MS) {
    return 'is too short for a share, since balances are read once a minute; use 1h or more';
  }
  const step = Meter.stepFor(windowMs);
  if (!step || !sections.timing) return undefined;
  const timing = timingOf(sections.timing);
  const { field, admissionMs } = longestLife(sections, limit, timing.admissionMs);
  const widenedMs = wideningMs(timing, admissionMs);
  const mostMs = Meter.wideningMaxMs(step);
  if (widenedMs <= mostMs) return undefined;
  return `is too short for limit ${quoted(id)}: 2 × clockTolerance + admission + commitDelay widen it by ${widenedMs / 1_000} s, and by ${mostMs / 1_000} s at most; use a longer window, or shorten ${field} (${admissionMs / 1_000} s)`;
}

/**
 * The longest life of the admissions that are charged where a limit looks. The default counts for
 * wallets without a life of their own, and for accounts that the policy does not list.
 */
function longestLife(sections: Sections, limit: Limit, defaultMs: number): Life {
  const byDefault: Life = { field: 'timing.admission', admissionMs: defaultMs };
  const lives = sections.wallets.entries
    .filter(({ value }) => speaksOf(limit, value))
    .map(({ value: { name, admission } }): Life => {
      if (admission === undefined) return byDefault;
      return { field: `admission of wallet ${quoted(name)}`, admissionMs: admission };
    });
  if (lives.length === 0 || speaksOfUnlisted(sections, limit)) lives.push(byDefault);
  return lives.reduce((longest, life) => (life.admissionMs > longest.admissionMs ? life : longest));
}

/** A limit whose scope is not one wallet's sees the admissions of all. */
function isOfWallets({ scope }: Limit): boolean {
  return scope === 'wallet' || scope === 'wallet-asset';
}

function speaksOf(limit: Limit, { name, keyDomain }: Wallet): boolean {
  const { where = {} } = limit;
  const fits = (pattern: string | undefined, text: string) =>
    pattern === undefined || Pattern.matches(pattern, text);
  return !isOfWallets(limit) || (fits(where.wallet, name) && fits(where.keyDomain, keyDomain));
}

/** Whether a limit also judges accounts that the policy does not list: their name is their address. */
function speaksOfUnlisted({ chains }: Sections, limit: Limit): boolean {
  const { wallet = '*', keyDomain = '*' } = limit.where ?? {};
  const isAccount = chains.entries.some(({ value }) => overlaps(wallet, `${value.id}:*`));
  return !isOfWallets(limit) || (isAccount && Pattern.matches(keyDomain, UNKNOWN_KEY_DOMAIN));
}

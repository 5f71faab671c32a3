/** The size of a limit in the unit of its metric. */

import * as Meter from '../../domain/meter.ts';
import * as Money from '../../domain/money.ts';
import type { Asset, Limit } from './schema.ts';

/** What `limit:` says. `value`: micro-USD, base units, a count or basis points, by metric. */
export type Allowed =
  | { readonly kind: 'allowed'; readonly value: bigint }
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'refused'; readonly why: string };

/** Fraction digits of a percentage in basis points, and all of a balance. */
const PERCENT_DECIMALS = 2;
const WHOLE_BPS = 10_000n;

/** Fraction digits of a limit in USD. */
const USD_DECIMALS = 6;

/** Reads a limit whose text is a decimal above 0, or `unlimited`. Never rounds: too many digits are refused. */
export function readAllowed(limit: Limit, assets: readonly Asset[]): Allowed {
  if (limit.limit === 'unlimited') return { kind: 'unlimited' };
  if (limit.metric === 'share') return share(limit.limit);
  if (limit.limit.endsWith('%')) {
    const why = `"${limit.limit}" is a share of the balance; use metric share, or a decimal above 0`;
    return { kind: 'refused', why };
  }
  switch (limit.metric) {
    case 'notional':
    case 'single':
      return units(limit.limit, { decimals: USD_DECIMALS, unit: 'USD' });
    case 'amount': {
      const asset = assets.find(({ id }) => id === limit.where?.asset);
      return units(limit.limit, {
        decimals: asset?.decimals ?? Money.DECIMALS_MAX,
        unit: asset?.symbol ?? 'tokens',
      });
    }
    case 'count':
      return whole(limit.limit, { what: 'withdrawals', most: Meter.COUNT_MAX - 1 });
    case 'assets':
      return whole(limit.limit, { what: 'assets', most: Meter.ASSETS_MAX });
    default:
      return limit.metric satisfies never;
  }
}

function share(text: string): Allowed {
  const bps = text.endsWith('%') ? Money.parseUnits(text.slice(0, -1), PERCENT_DECIMALS) : 0n;
  if (bps > 0n && bps <= WHOLE_BPS) return { kind: 'allowed', value: bps };
  const why = `"${text}" is no share of a balance; use 0.01% to 100%, or the word unlimited`;
  return { kind: 'refused', why };
}

function units(text: string, unit: { readonly decimals: number; readonly unit: string }): Allowed {
  try {
    return { kind: 'allowed', value: Money.parseUnits(text, unit.decimals) };
  } catch (error) {
    if (error instanceof Money.TooPreciseError) {
      const why = `"${text}" is finer than ${unit.unit} can be; use at most ${unit.decimals} fraction digits`;
      return { kind: 'refused', why };
    }
    if (error instanceof Money.InvalidDecimalError) {
      return {
        kind: 'refused',
        why: `"${text}" is more than can be counted; use the word unlimited`,
      };
    }
    throw error;
  }
}

function whole(text: string, unit: { readonly what: string; readonly most: number }): Allowed {
  const value = /^\d+$/.test(text) ? BigInt(text) : 0n;
  if (value > 0n && value <= BigInt(unit.most)) return { kind: 'allowed', value };
  const why = `"${text}" is no number of ${unit.what}; use a whole number of 1 to ${unit.most}, or the word unlimited`;
  return { kind: 'refused', why };
}

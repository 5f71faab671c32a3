/** The balances below which people are told: of assets that are listed, and that the wallet can hold. */

import { chainOf } from '../../domain/caip.ts';
import * as Money from '../../domain/money.ts';
import { type Finding, quoted } from './problem.ts';
import type { Wallet } from './schema.ts';
import type { Entry, Sections } from './shape.ts';

/** Everything that is wrong with the floors of a wallet whose fields have the right shape. */
export function checkFloors({ assets }: Sections, entry: Entry<Wallet>): readonly Finding[] {
  const { addresses, floors = [] } = entry.value;
  return floors.flatMap(({ asset, amount }, position): readonly Finding[] => {
    const at = (field: string, message: string) => [
      { path: [...entry.path, 'floors', position, field], message },
    ];
    const rule = assets.entries.find(({ value }) => value.id === asset)?.value;
    if (floors.findIndex((other) => other.asset === asset) < position) {
      return at('asset', `${quoted(asset)} is given twice for this wallet`);
    }
    if (!rule) {
      if (!assets.complete) return [];
      return at('asset', `${quoted(asset)} is not listed in assets under exactly this id; add it`);
    }
    if (rule.sameAs !== undefined) {
      return at('asset', `shares the budget of another asset; use ${quoted(rule.sameAs)}`);
    }
    const chain = asset.split('/')[0];
    if (!addresses.some((address) => chainOf(address) === chain)) {
      return at('asset', `lies on ${quoted(chain ?? '')}, where the wallet has no address`);
    }
    return isReadable(amount, rule.decimals)
      ? []
      : at('amount', `is finer than ${rule.symbol} can be, or too large`);
  });
}

function isReadable(amount: string, decimals: number): boolean {
  try {
    return Money.parseUnits(amount, decimals) > 0n;
  } catch (error) {
    if (error instanceof Money.TooPreciseError) return false;
    if (error instanceof Money.InvalidDecimalError) return false;
    throw error;
  }
}

/** What is known of the world beside the ledger, in memory. */

import type * as Facts from '../../domain/facts.ts';
import type { BalanceStore, PriceStore } from '../../ports.ts';
import type { State } from './state.ts';

/** The last good prices of a state. */
export function createPriceStore(state: State): PriceStore {
  return {
    load: async () => state.prices,
    put: async ({ version, value }) => {
      if (state.prices.version !== version) return 'conflict';
      state.prices = { version: version + 1, value };
      return 'put';
    },
  };
}

/** The balances of a state. */
export function createBalanceStore(state: State): BalanceStore {
  return {
    load: async (scope) => state.balances.get(scope) ?? { version: 0, value: undefined },
    put: async (scope, { version, value }) => {
      if ((state.balances.get(scope)?.version ?? 0) !== version) return 'conflict';
      state.balances.set(scope, { version: version + 1, value });
      return 'put';
    },
  };
}

/** What a decision has asked for of them. */
export function factsOf(state: State, keys: Facts.Keys): Facts.Facts {
  return {
    quotes: keys.prices ? state.prices.value.quotes : new Map(),
    balances: new Map(
      keys.balances.flatMap((scope) => {
        const stored = state.balances.get(scope);
        return stored ? [[scope, stored.value] as const] : [];
      }),
    ),
  };
}

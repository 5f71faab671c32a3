/** What the watchers of chains remember, in memory. */

import type { WatchStore } from '../../ports.ts';
import type { State } from './state.ts';

/** States by chain, each put in the place of its version only. */
export function createWatchStore(state: State): WatchStore {
  return {
    load: async (chain) => state.watches.get(chain),
    save: async (next) => {
      const { chain } = next.cursor;
      if ((state.watches.get(chain)?.version ?? 0) !== next.version) return 'conflict';
      state.watches.set(chain, { ...next, version: next.version + 1 });
      return 'saved';
    },
  };
}

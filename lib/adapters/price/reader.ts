/** All kinds of feeds behind one reader. */

import type { PriceReader } from '../../ports.ts';

/** A reader that asks each of these, at the same time; each answers for its own kind of feeds. */
export function joinPriceReaders(readers: readonly PriceReader[]): PriceReader {
  return {
    read: async (feeds) => (await Promise.all(readers.map(({ read }) => read(feeds)))).flat(),
  };
}

/** Where a chain left what its watcher has read. */

import type { ChainId } from '../domain/caip.ts';
import * as Cursor from '../domain/cursor.ts';
import type { ChainReader } from '../ports.ts';

/** Questions for a fork, at most; a search by halving needs fewer. */
const QUESTIONS_MAX = 40;

/**
 * Asks the chain until the newest block that is still in it is found.
 *
 * @throws {EndlessSearchError} and what the reader throws.
 */
export async function findFork(
  cursor: Cursor.Cursor,
  reader: ChainReader,
): Promise<Extract<Cursor.Search, { kind: 'found' }>> {
  const hashes = new Map<number, string | 'absent'>();
  for (let question = 0; question < QUESTIONS_MAX; question += 1) {
    const search = Cursor.search(cursor, hashes);
    if (search.kind === 'found') return search;
    hashes.set(search.number, (await reader.header(search.number))?.hash ?? 'absent');
  }
  throw new EndlessSearchError({ chain: cursor.chain });
}

/** A search for a fork that does not end: a mistake of ours. */
export class EndlessSearchError extends Error {
  override readonly name = 'WatchChain.EndlessSearchError';
  constructor(details: { readonly chain: ChainId }) {
    super(`the fork of ${details.chain} was not found in ${QUESTIONS_MAX} questions`);
  }
}

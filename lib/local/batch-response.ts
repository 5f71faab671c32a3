/** How Lambda reads a handler's answer to a batch. */

/** Which items of the batch failed: some, by their identifiers, or all of it. */
export type Failures = ReadonlySet<string> | 'all';

/**
 * The failures in the answer, by Lambda's rules: no answer and an empty or absent list mean success;
 * an item without a known identifier means that the whole batch failed.
 * Fail direction: an answer that is not understood is a failure, and the batch comes again.
 */
export function failuresOf(answer: unknown, identifiers: readonly string[]): Failures {
  if (answer === undefined || answer === null) return new Set();
  if (typeof answer !== 'object') return 'all';
  if (!('batchItemFailures' in answer) || answer.batchItemFailures === null) return new Set();
  if (!Array.isArray(answer.batchItemFailures)) return 'all';
  const failed: unknown[] = answer.batchItemFailures.map((item) => item?.itemIdentifier);
  const known = new Set(identifiers);
  const isKnown = (identifier: unknown): identifier is string =>
    typeof identifier === 'string' && known.has(identifier);
  return failed.every(isKnown) ? new Set(failed) : 'all';
}

/** Percentiles by nearest rank, from samples that are sorted first. */

/** A sample that at least this share of the samples does not exceed. @throws {RangeError} without samples, or a share outside 0 to 1. */
export function percentile(samples: readonly number[], share: number): number {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share ${share} is not within 0 and 1`);
  const sorted = [...samples].sort((a, b) => a - b);
  const sample = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (sample === undefined) throw new RangeError('a percentile needs samples');
  return sample;
}

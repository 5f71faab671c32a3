/** Bars that show how much of a limit is used. */

/** What a limit's window holds, and what it allows: both in the limit's own unit. */
export type Share = { readonly used: bigint; readonly limit: bigint };

/** Largest share that is written out. */
const PERCENT_MAX = 9_999n;

/** Whether more than the limit is used. A sum equal to the limit is not over it. */
export function isOver(share: Share): boolean {
  return share.used > share.limit;
}

/** `████████░░░░`: full only when the limit is reached, empty only when nothing is used. */
export function bar(share: Share, columns: number): string {
  const { used, limit } = share;
  if (used >= limit) return '█'.repeat(columns);
  const filled = Number((used * BigInt(columns)) / limit);
  const shown = used > 0n ? Math.max(1, filled) : 0;
  return '█'.repeat(shown) + '░'.repeat(columns - shown);
}

/** `67%`. Rounded down up to the limit, so that 100% means reached; rounded up above it. */
export function percent(share: Share): string {
  const { used, limit } = share;
  if (limit <= 0n) return '-';
  const hundredfold = used * 100n;
  const whole = isOver(share) ? (hundredfold + limit - 1n) / limit : hundredfold / limit;
  if (whole > PERCENT_MAX) return `>${PERCENT_MAX}%`;
  return whole === 0n && used > 0n ? '<1%' : `${whole}%`;
}

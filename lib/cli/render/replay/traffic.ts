/** Ordinary traffic against the limits, an hour a line. */

import * as Money from '../../../domain/money.ts';
import type { Limit } from '../../../domain/policy.ts';
import type { Limits } from '../../answers.ts';
import { bar, isOver, percent, type Share } from '../bar.ts';
import type { Paint } from '../paint.ts';
import { clean, padEnd, padStart, shorten } from '../text.ts';
import { hourTime } from './words.ts';

/** A span of traffic. `notional`: micro-USD. */
export type Span = {
  readonly endMs: number;
  readonly paid: number;
  readonly notional: bigint;
};

/** A limit with the fullest of its scopes. */
export type Fullest = { readonly limitId: string; readonly share: Share };

const TIME_COLUMNS = 7;
const PAID_COLUMNS = 5;
const SUM_COLUMNS = 12;
const BAR_COLUMNS = 10;
const PERCENT_COLUMNS = 6;
/** A bar, its percentage and two blanks before it. */
const LIMIT_COLUMNS = 2 + BAR_COLUMNS + PERCENT_COLUMNS;
const LIMITS_MAX = 4;
/** Scopes too many to list have no line of their own. */
const UNLISTED: readonly string[] = ['destination', 'actor'];

/** The limits that fit beside each other: sums over a window, those that pause before those that tell. */
export function limitsShown(limits: readonly Limit[], columns: number): readonly string[] {
  const rest = columns - 1 - TIME_COLUMNS - PAID_COLUMNS - SUM_COLUMNS;
  const room = Math.min(LIMITS_MAX, Math.max(0, Math.floor(rest / LIMIT_COLUMNS)));
  const sums = limits.filter(
    (limit) => limit.metric !== 'single' && !UNLISTED.includes(limit.scope),
  );
  const pausing = sums.filter((limit) => limit.action.kind === 'pause');
  const others = sums.filter((limit) => limit.action.kind !== 'pause');
  return [...pausing, ...others].slice(0, room).map((limit) => limit.limitId);
}

/** For each limit the scope in which it is fullest. */
export function fullestOf(limits: Limits, limitIds: readonly string[]): readonly Fullest[] {
  return limitIds.map((limitId) => {
    const shares = limits.lines.filter((line) => line.limitId === limitId);
    const share = shares.reduce<Share>(
      (best, line) => (line.used * best.limit > best.used * line.limit ? line : best),
      { used: 0n, limit: shares[0]?.limit ?? 1n },
    );
    return { limitId, share: { used: share.used, limit: share.limit } };
  });
}

/** The names above the columns. */
export function trafficHeading(limitIds: readonly string[]): string {
  const names = limitIds.map(
    (id) => `  ${padEnd(shorten(clean(id), LIMIT_COLUMNS - 2), LIMIT_COLUMNS - 2)}`,
  );
  const left = `  ${padEnd('UTC', TIME_COLUMNS - 2)}${padStart('paid', PAID_COLUMNS)}${padStart('in USD', SUM_COLUMNS)}`;
  return `${left}${names.join('')}`.trimEnd();
}

/** One line: what was paid in the span, and how full the limits are at its end. */
export function trafficRow(span: Span, fullest: readonly Fullest[], paint: Paint): string {
  const left = `  ${padEnd(hourTime(span.endMs), TIME_COLUMNS - 2)}${padStart(String(span.paid), PAID_COLUMNS)}`;
  const sum = padStart(Money.formatUsd(span.notional), SUM_COLUMNS);
  return `${left}${sum}${fullest.map(({ share }) => `  ${gauge(share, paint)}`).join('')}`.trimEnd();
}

/** How full the limits are, without traffic beside it. */
export function gaugesRow(label: string, fullest: readonly Fullest[], paint: Paint): string {
  const left = padEnd(label, TIME_COLUMNS + PAID_COLUMNS + SUM_COLUMNS);
  return `${left}${fullest.map(({ share }) => `  ${gauge(share, paint)}`).join('')}`.trimEnd();
}

function gauge(share: Share, paint: Paint): string {
  const text = `${bar(share, BAR_COLUMNS)}${padStart(percent(share), PERCENT_COLUMNS)}`;
  if (isOver(share)) return paint.red(text);
  return share.used * 5n >= share.limit * 4n ? paint.yellow(text) : text;
}

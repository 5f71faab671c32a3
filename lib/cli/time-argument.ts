/** Times as people type them: an instant with its zone, or a span from now. */

import * as z from 'zod/mini';
import { EXIT, StoppedError } from './exit-code.ts';
import { clean } from './render/text.ts';

const SPAN = /^([1-9]\d{0,5})(s|m|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const INSTANT = z.iso.datetime({ offset: true });

/** A span such as `90s`, `2h` or `7d`, ms; nothing where the text is none. */
export function spanMs(text: string): number | undefined {
  const [, count, unit = ''] = SPAN.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

/** An instant with its zone, ms; nothing where the text is none. */
export function instantMs(text: string): number | undefined {
  return INSTANT.safeParse(text).success ? Date.parse(text) : undefined;
}

/**
 * Reads an instant, or a span from now, as ISO 8601.
 *
 * @throws {StoppedError} `usage`, which names the option.
 */
export function readTime(option: string, text: string, nowMs: number): string {
  const span = spanMs(text);
  const atMs = span === undefined ? instantMs(text) : nowMs + span;
  if (atMs !== undefined) return new Date(atMs).toISOString();
  throw new StoppedError({
    exitCode: EXIT.usage,
    message: `${option}: ${clean(text)} is not a time.`,
    hint: 'Write an instant with its zone, such as 2026-01-31T18:00:00Z, or a span from now: 30m, 2h, 1d.',
  });
}

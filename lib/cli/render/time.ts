/** Times for people: UTC, and how long ago. */

const UNITS = [
  { name: 'd', unitMs: 86_400_000 },
  { name: 'h', unitMs: 3_600_000 },
  { name: 'min', unitMs: 60_000 },
  { name: 's', unitMs: 1_000 },
] as const;

/** `2023-09-12 13:21:04 UTC`. */
export function utc(atMs: number): string {
  const iso = new Date(atMs).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** A span in its two largest units, rounded down: `1 h 57 min`, `42 s`. */
export function span(spanMs: number): string {
  const position = UNITS.findIndex((unit) => spanMs >= unit.unitMs);
  const first = UNITS[position];
  if (!first) return '0 s';
  const whole = Math.floor(spanMs / first.unitMs);
  const second = UNITS[position + 1];
  const rest = second ? Math.floor((spanMs % first.unitMs) / second.unitMs) : 0;
  return `${whole} ${first.name}${second && rest > 0 ? ` ${rest} ${second.name}` : ''}`;
}

/** `3 min 5 s ago`, `in 20 s`, `just now`. */
export function relative(atMs: number, nowMs: number): string {
  const agoMs = nowMs - atMs;
  if (Math.abs(agoMs) < 1_000) return 'just now';
  return agoMs > 0 ? `${span(agoMs)} ago` : `in ${span(-agoMs)}`;
}

/** `2023-09-12 13:21:04 UTC (3 min 5 s ago)`. */
export function moment(atMs: number, nowMs: number): string {
  return `${utc(atMs)} (${relative(atMs, nowMs)})`;
}

/**
 * What a wallet held of an asset, as it was seen: the least in each slot. A share of the balance is
 * judged by the least that was seen around the start of its window, so that nothing that comes in
 * later, and nothing that comes and goes, makes room.
 */

import * as Meter from './meter.ts';

/** Shortest window that a share can have: balances are read once a minute, and a slot needs several. */
export const WINDOW_LEAST_MS = 3_600_000;

/** The steps of the ladder that balances are kept for, finest first. */
export const STEPS: readonly Meter.Step[] = Meter.LADDER.filter(
  ({ windowMs }) => windowMs >= WINDOW_LEAST_MS,
);

/** The least balance that was seen in one slot, base units. */
export type Low = { readonly index: number; readonly least: bigint };

/** The balance of a wallet in an asset: the newest, and per step of {@link STEPS} its slots, newest first. */
export type Balance = {
  readonly newestMs: number;
  readonly newest: bigint;
  readonly steps: readonly (readonly Low[])[];
};

/** A balance at a time, base units. */
export type Seen = { readonly amount: bigint; readonly atMs: number };

/**
 * Notes what was seen; the same object where that is no news. A slot begins with what was seen last
 * before it, if that is lower: what came in between the two was not there at its start. Something
 * older than the newest can only lower what is known.
 */
export function note(before: Balance | undefined, seen: Seen): Balance {
  const { amount, atMs } = seen;
  if (before && atMs < before.newestMs) return lower(before, seen);
  let isNews = !before || before.newest !== amount;
  const steps = STEPS.map((step, position): readonly Low[] => {
    const index = Math.floor(atMs / step.slotMs);
    const slots = before?.steps[position] ?? [];
    const [newest, ...older] = slots;
    if (newest?.index === index) {
      return amount < newest.least ? [{ index, least: amount }, ...older] : slots;
    }
    isNews = true;
    const isNext = before && Math.floor(before.newestMs / step.slotMs) === index - 1;
    const least = isNext && before.newest < amount ? before.newest : amount;
    const oldest = Math.floor((atMs - step.windowMs - Meter.wideningMaxMs(step)) / step.slotMs);
    return [{ index, least }, ...slots.filter((slot) => slot.index >= oldest)];
  });
  return before && !isNews ? before : { newestMs: atMs, newest: amount, steps };
}

/**
 * The least that was seen around the start of a window that ends at `nowMs`: in every slot between
 * the start of the widened window and that of the window itself.
 * Fail direction: closed, `undefined` where nothing was seen in one of them, or the window is not
 * one that balances are kept for.
 */
export function atStart(
  balance: Balance | undefined,
  window: { readonly windowMs: number; readonly widenMs: number; readonly nowMs: number },
): bigint | undefined {
  const { windowMs, widenMs, nowMs } = window;
  const position = STEPS.findIndex((step) => step.windowMs >= windowMs);
  const step = STEPS[position];
  const isKept = step && windowMs >= WINDOW_LEAST_MS && widenMs <= Meter.wideningMaxMs(step);
  if (!balance || !isKept) return undefined;
  const first = Math.floor((nowMs - windowMs - widenMs) / step.slotMs);
  const last = Math.floor((nowMs - windowMs) / step.slotMs);
  const slots = (balance.steps[position] ?? []).filter(
    ({ index }) => index >= first && index <= last,
  );
  if (slots.length < last - first + 1) return undefined;
  return slots.reduce(
    (least, slot) => (slot.least < least ? slot.least : least),
    slots[0]?.least ?? 0n,
  );
}

function lower(before: Balance, { amount, atMs }: Seen): Balance {
  let isNews = false;
  const steps = STEPS.map((step, position) => {
    const index = Math.floor(atMs / step.slotMs);
    return (before.steps[position] ?? []).map((slot) => {
      if (slot.index !== index || slot.least <= amount) return slot;
      isNews = true;
      return { index, least: amount };
    });
  });
  return isNews ? { ...before, steps } : before;
}

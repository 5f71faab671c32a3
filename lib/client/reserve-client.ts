/**
 * What a withdrawal service calls before it signs. It groups what waits into one call, because
 * decisions on one wallet are made one after the other, and one decision can carry a hundred.
 *
 * ```ts
 * const client = createReserveClient({ url: 'http://localhost:4700/reserve' });
 * const verdict = await client.reserve({ withdrawalId, wallet, asset, destination, amount });
 * if (verdict.verdict === 'allow') sign(verdict.admission);
 * ```
 */

import type { Clock } from '../ports.ts';
import { type CallOptions, callFor } from './reserve-call.ts';
import { createHttpSend, type HttpOptions, type Send } from './reserve-http.ts';
import { blocked, openSlot, type Slot } from './reserve-slot.ts';
import {
  inShadow,
  type ShadowVerdict,
  toWire,
  type Verdict,
  type WireWithdrawal,
  type Withdrawal,
} from './reserve-wire.ts';
import { isSwitch, NO_SWITCH } from './shadow.ts';
import { hostTimers, steadyClock, type Timers } from './time.ts';

// The types of this module's own functions, for those who import it.
export type { Reason, ShadowVerdict, Verdict, Withdrawal } from './reserve-wire.ts';

type Common = {
  /** The signer that the admissions are for; the service's default unless given. */
  readonly audience?: string | undefined;
  /** Withdrawals in one call, 1 to 100; 100 unless given. */
  readonly batchMax?: number | undefined;
  /** How long the first of a batch waits for others, 20 ms unless given. */
  readonly waitMs?: number | undefined;
  /** How long a caller waits in all, 6 s unless given; a later reply is a `block`. */
  readonly timeoutMs?: number | undefined;
  /** How long one attempt may take, half of `timeoutMs` unless given. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Sends of one batch, 3 unless given. */
  readonly attemptsMax?: number | undefined;
  /** Calls at one time, 2 unless given: one is decided while the next one travels. */
  readonly callsMax?: number | undefined;
  /** Withdrawals that wait, 10 000 unless given; more are blocked at once. */
  readonly waitingMax?: number | undefined;
  /** Any clock that does not go backwards. */
  readonly clock?: Clock | undefined;
  readonly timers?: Timers | undefined;
  readonly random?: (() => number) | undefined;
} & ({ readonly send: Send } | HttpOptions);

/** How to reserve. Either `send` or `url` says where. */
export type Options = Common & { readonly shadow?: false | undefined };

/** The same for a client that may be in shadow mode. */
export type ShadowOptions = Common & {
  /**
   * For the first days of a roll-out: every verdict is `allow`, also where the service cannot be
   * reached and so cannot say that its policy is in shadow mode. Take it out to arm.
   */
  readonly shadow?: boolean | undefined;
};

/** Reserves withdrawals. */
export type ReserveClient<Answer = Verdict> = {
  /**
   * Asks for one withdrawal. Never throws.
   * Fail direction: closed, whatever did not work is `block` with reason `timeout` or `unavailable`;
   * with `shadow` open.
   */
  readonly reserve: (withdrawal: Withdrawal) => Promise<Answer>;
  /** Sends what waits without waiting for more; resolves when all of it is answered. */
  readonly flush: () => Promise<void>;
  /** Takes no more and flushes. Afterwards no timer is left. */
  readonly close: () => Promise<void>;
};

const BATCH_MAX = 100;

type Settings = CallOptions & {
  readonly batchMax: number;
  readonly waitMs: number;
  readonly timeoutMs: number;
  readonly callsMax: number;
  readonly waitingMax: number;
};

/** What waits and what travels. `waiting` keeps the order of asking. */
type State = {
  readonly waiting: Map<string, Slot>;
  readonly unanswered: Set<Slot>;
  calls: number;
  isClosed: boolean;
  isFlushing: boolean;
  cancelWait: () => void;
};

/**
 * Makes a client with its own queue. Where it may be in shadow mode, an `allow` may come without an
 * admission, and its type says so.
 *
 * @throws {InvalidOptionError} a bound that is no whole number of its range, or a `shadow` that is
 *   neither true nor false.
 * @throws {Http.InsecureUrlError}
 */
export function createReserveClient(options: Options): ReserveClient;
export function createReserveClient(options: ShadowOptions): ReserveClient<Verdict | ShadowVerdict>;
export function createReserveClient(
  options: ShadowOptions,
): ReserveClient<Verdict | ShadowVerdict> {
  const settings = settingsOf(options);
  const state: State = {
    waiting: new Map(),
    unanswered: new Set(),
    calls: 0,
    isClosed: false,
    isFlushing: false,
    cancelWait: () => {},
  };
  const flush = async () => {
    state.isFlushing = true;
    pump(settings, state);
    await Promise.all([...state.unanswered].map((slot) => slot.answer));
  };
  return {
    reserve: async (withdrawal) => {
      const verdict = await reserve(settings, state, withdrawal);
      return options.shadow ? inShadow(verdict) : verdict;
    },
    flush,
    close: () => {
      state.isClosed = true;
      return flush();
    },
  };
}

async function reserve(settings: Settings, state: State, withdrawal: Withdrawal): Promise<Verdict> {
  const refuse = (text: string, provisional: boolean): Verdict => {
    const withdrawalId = String(withdrawal?.withdrawalId);
    return blocked({ withdrawalId, reason: 'unavailable', text, provisional });
  };
  let wire: WireWithdrawal;
  try {
    wire = toWire(withdrawal);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : 'cannot be read', false);
  }
  if (state.isClosed) return refuse('the client is closed', true);
  const key = JSON.stringify(wire);
  const sharable = state.waiting.get(key);
  if (sharable) return sharable.answer;
  if (state.waiting.size >= settings.waitingMax) return refuse('too many withdrawals wait', true);
  return await wait(settings, state, { key, slot: openSlot(wire, settings) });
}

/** Queues a slot until it is answered. One that runs out of time leaves the queue by itself. */
async function wait(
  settings: Settings,
  state: State,
  entry: { readonly key: string; readonly slot: Slot },
): Promise<Verdict> {
  const { key, slot } = entry;
  state.waiting.set(key, slot);
  state.unanswered.add(slot);
  pump(settings, state);
  const verdict = await slot.answer;
  state.unanswered.delete(slot);
  if (state.waiting.get(key) === slot) state.waiting.delete(key);
  return verdict;
}

/** Makes the calls that are due and may be made now, and waits for the next one. */
function pump(settings: Settings, state: State): void {
  state.cancelWait();
  state.cancelWait = () => {};
  while (state.calls < settings.callsMax) {
    const [oldest] = state.waiting.values();
    if (!oldest) {
      state.isFlushing = false;
      return;
    }
    const dueInMs = oldest.askedAtMs + settings.waitMs - settings.clock.nowMs();
    const isFull = state.waiting.size >= settings.batchMax;
    if (dueInMs > 0 && !isFull && !state.isFlushing) {
      state.cancelWait = settings.timers.after(dueInMs, () => pump(settings, state));
      return;
    }
    void call(settings, state, takeBatch(settings, state));
  }
}

/** The oldest ones; of two bodies under one id, the second waits for the next batch. */
function takeBatch(settings: Settings, state: State): readonly Slot[] {
  const batch = new Map<string, Slot>();
  for (const [key, slot] of state.waiting) {
    if (batch.size >= settings.batchMax) break;
    const { withdrawalId } = slot.withdrawal;
    if (batch.has(withdrawalId)) continue;
    batch.set(withdrawalId, slot);
    state.waiting.delete(key);
  }
  return [...batch.values()];
}

async function call(settings: Settings, state: State, batch: readonly Slot[]): Promise<void> {
  state.calls += 1;
  await callFor(settings, batch);
  state.calls -= 1;
  pump(settings, state);
}

function settingsOf(options: ShadowOptions): Settings {
  if (!isSwitch(options.shadow)) throw new InvalidOptionError({ option: 'shadow', why: NO_SWITCH });
  const timeoutMs = bounded('timeoutMs', options.timeoutMs ?? 6_000, 60_000);
  const half = Math.ceil(timeoutMs / 2);
  return {
    send: 'send' in options ? options.send : createHttpSend(options),
    audience: options.audience,
    clock: options.clock ?? steadyClock,
    timers: options.timers ?? hostTimers,
    random: options.random ?? Math.random,
    batchMax: bounded('batchMax', options.batchMax ?? BATCH_MAX, BATCH_MAX),
    // 0 is allowed: a call is then made for each at once.
    waitMs: bounded('waitMs', (options.waitMs ?? 20) + 1, 1_001) - 1,
    timeoutMs,
    attemptTimeoutMs: bounded('attemptTimeoutMs', options.attemptTimeoutMs ?? half, 60_000),
    attemptsMax: bounded('attemptsMax', options.attemptsMax ?? 3, 10),
    callsMax: bounded('callsMax', options.callsMax ?? 2, 64),
    waitingMax: bounded('waitingMax', options.waitingMax ?? 10_000, 1_000_000),
  };
}

/** @throws {InvalidOptionError} unless a whole number from 1 to `max`. */
function bounded(option: string, value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw new InvalidOptionError({ option, why: `must be a whole number, at most ${max}` });
}

/** A client cannot be made as it was asked for. */
export class InvalidOptionError extends Error {
  override readonly name = 'ReserveClient.InvalidOptionError';
  constructor(details: { readonly option: string; readonly why: string }) {
    super(`${details.option} ${details.why}`);
  }
}

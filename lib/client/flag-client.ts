/**
 * The flag `withdrawals-enabled` for a service that asks often: strongly before each signature, or
 * from memory, where a poll keeps the answer fresh and a lease ends it.
 *
 * ```ts
 * const flag = createFlagClient({ read: createFlagReader(tables).read, contexts: [{ wallet }] });
 * const { enabled, text } = await flag.check({ wallet, asset, destination });
 * if (!flag.cached({ wallet }).enabled) refuse();
 * ```
 */

import type { Question } from '../actions/read-flag.ts';
import { type Flag, unreachable } from '../domain/flag.ts';
import type { Clock } from '../ports.ts';
import { createHttpRead, fromUnknown, inForce, keyOf, type Read } from './flag-answer.ts';
import { inShadow } from './flag-shadow.ts';
import { type Change, createWatched, type Health, type Watched } from './flag-watched.ts';
import type { Fetch } from './http.ts';
import { isSwitch, NO_SWITCH } from './shadow.ts';
import { backgroundTimers, steadyClock, type Timers, wallClock, within } from './time.ts';

// The types of this module's own functions, for those who import it.
export type { Question } from '../actions/read-flag.ts';
export type { Flag } from '../domain/flag.ts';
export type { Change, Health } from './flag-watched.ts';

/** How to read. Either `read` or `url` says where. */
export type Options = {
  /**
   * For the first days of a roll-out: every answer is enabled, also where nothing can be read, with
   * what it would have been in `wouldBe`. Take it out to arm.
   */
  readonly shadow?: boolean | undefined;
  /** Time between two polls, 500 ms unless given. A trip shows to `cached` within it and one read. */
  readonly pollMs?: number | undefined;
  /** Questions that are polled from the start. */
  readonly contexts?: readonly Question[] | undefined;
  /** Questions that are polled at one time, 100 unless given: each costs one read per poll. */
  readonly contextsMax?: number | undefined;
  /** Age at which an answer is no longer given by `cached`, four polls unless given. */
  readonly maxAgeMs?: number | undefined;
  /** Longest wait for one read, 2 s unless given. */
  readonly timeoutMs?: number | undefined;
  /** Time of day, for leases. */
  readonly clock?: Clock | undefined;
  /** Time that does not go backwards, for ages. */
  readonly steadyClock?: Clock | undefined;
  readonly timers?: Timers | undefined;
} & ({ readonly read: Read } | { readonly url: string; readonly fetch?: Fetch | undefined });

/** Reads the flag. Nothing here throws; what cannot be told is not enabled, except in shadow mode. */
export type FlagClient = {
  /** Whether every answer is enabled: for what is built on it and has answers of its own. */
  readonly isShadow: boolean;
  /** A strong read. */
  readonly check: (question: Question) => Promise<Flag>;
  /** The last answer for a question that is watched, without any IO, while it is young and its lease runs. */
  readonly cached: (question: Question) => Flag;
  /** Polls a question from now on; what it returns ends that. */
  readonly watch: (question: Question) => () => void;
  /** Polls now; resolves when every watched question has its answer or its failure. */
  readonly refresh: () => Promise<void>;
  /** Hears when an answer changes, also when one runs out. What it returns ends that. */
  readonly onChange: (listener: (change: Change) => void) => () => void;
  /** Hears when the poll gets better or worse. */
  readonly onHealth: (listener: (health: Health) => void) => () => void;
  /** Ends polling; afterwards no timer is left and nothing is enabled, except in shadow mode. */
  readonly close: () => void;
};

const POLL_MS = 500;
const TIMEOUT_MS = 2_000;
const CONTEXTS_MAX = 100;
/** Polls that may fail one after the other before their last answer is given no longer. */
const AGE_POLLS = 4;

type Settings = {
  readonly read: Read;
  readonly pollMs: number;
  readonly contextsMax: number;
  readonly timeoutMs: number;
  readonly timers: Timers;
  readonly steady: Clock;
};

/**
 * Makes a client, which begins to poll if it is given contexts.
 *
 * @throws {InvalidOptionError} times that are not above 0, more contexts than may be polled, or a
 *   `shadow` that is neither true nor false.
 * @throws {Http.InsecureUrlError}
 */
export function createFlagClient(options: Options): FlagClient {
  const settings = settingsOf(options);
  const maxAgeMs = above0('maxAgeMs', options.maxAgeMs ?? AGE_POLLS * settings.pollMs);
  const clocks = { wall: options.clock ?? wallClock, steady: settings.steady };
  const watched = createWatched({ ...clocks, maxAgeMs });
  const polling = startPolling(settings, watched);
  let isClosed = false;
  const client: FlagClient = {
    isShadow: false,
    check: async (question) => {
      if (isClosed) return CLOSED;
      const startedAtMs = settings.steady.nowMs();
      const flag = inForce(await readOne(settings, question), clocks.wall.nowMs());
      watched.take(question, { flag, startedAtMs });
      return isClosed ? CLOSED : flag;
    },
    cached: (question) => (isClosed ? CLOSED : watched.cached(question)),
    watch: (question) => {
      if (isClosed) return () => {};
      if (watched.size() >= settings.contextsMax && !watched.has(question)) {
        throw new InvalidOptionError({
          option: 'contexts',
          why: `at most ${settings.contextsMax}`,
        });
      }
      const unwatch = watched.add(question);
      polling.start();
      return unwatch;
    },
    refresh: () => (isClosed ? Promise.resolve() : polling.refresh()),
    onChange: watched.onChange,
    onHealth: watched.onHealth,
    close: () => {
      isClosed = true;
      polling.stop();
    },
  };
  for (const question of options.contexts ?? []) client.watch(question);
  return options.shadow ? shadowOf(client) : client;
}

/** Health stays what it is: that the polls fail has to be seen before the service is armed. */
function shadowOf(client: FlagClient): FlagClient {
  return {
    ...client,
    isShadow: true,
    check: async (question) => inShadow(await client.check(question)),
    cached: (question) => inShadow(client.cached(question)),
    onChange: (listener) =>
      client.onChange(({ question, flag }) => listener({ question, flag: inShadow(flag) })),
  };
}

const CLOSED = unreachable('the client is closed');

/** Never throws: a reader that hangs, throws or answers nonsense has not said "enabled". */
async function readOne(settings: Settings, question: Question): Promise<Flag> {
  try {
    return fromUnknown(await within(settings, (signal) => settings.read(question, signal)));
  } catch (error) {
    return unreachable(error instanceof Error ? error.message : 'unknown error');
  }
}

/**
 * Ticks while something is watched; of each question one read at a time. A read that is slow delays
 * no tick, so that answers run out in time, and no read of another question.
 */
function startPolling(settings: Settings, watched: Watched) {
  const { timers, pollMs, steady } = settings;
  let cancel: (() => void) | undefined;
  const running = new Map<string, Promise<void>>();
  const read = async (question: Question) => {
    const startedAtMs = steady.nowMs();
    watched.take(question, { flag: await readOne(settings, question), startedAtMs });
    running.delete(keyOf(question));
    if (cancel) watched.announce();
  };
  const poll = async (): Promise<void> => {
    for (const question of watched.questions()) {
      const key = keyOf(question);
      if (!running.has(key)) running.set(key, read(question));
    }
    await Promise.all(running.values());
  };
  const tick = () => {
    if (watched.size() === 0) {
      cancel = undefined;
      return;
    }
    cancel = timers.after(pollMs, tick);
    watched.announce();
    void poll();
  };
  return {
    // A poll that runs already may have read before what the caller wants to see.
    refresh: async () => {
      await Promise.all(running.values());
      await poll();
    },
    start: () => {
      if (!cancel) tick();
    },
    stop: () => {
      cancel?.();
      cancel = undefined;
    },
  };
}

function settingsOf(options: Options): Settings {
  if (!isSwitch(options.shadow)) throw new InvalidOptionError({ option: 'shadow', why: NO_SWITCH });
  return {
    read:
      'read' in options
        ? options.read
        : createHttpRead({ url: options.url, fetch: options.fetch ?? fetch }),
    pollMs: above0('pollMs', options.pollMs ?? POLL_MS),
    contextsMax: above0('contextsMax', options.contextsMax ?? CONTEXTS_MAX),
    timeoutMs: above0('timeoutMs', options.timeoutMs ?? TIMEOUT_MS),
    timers: options.timers ?? backgroundTimers,
    steady: options.steadyClock ?? steadyClock,
  };
}

function above0(option: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidOptionError({ option, why: 'must be above 0' });
}

/** A client cannot be made, or asked, like this. */
export class InvalidOptionError extends Error {
  override readonly name = 'FlagClient.InvalidOptionError';
  constructor(details: { readonly option: string; readonly why: string }) {
    super(`${details.option}: ${details.why}`);
  }
}

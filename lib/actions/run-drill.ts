/** Runs a drill end to end: outflow in, trip, flag read back at the consumer, message to people, reset. */

import * as Canary from '../domain/canary.ts';
import type { Flag } from '../domain/flag.ts';
import type { Message } from '../domain/page.ts';
import type { Policy, Wallet } from '../domain/policy.ts';
import type { Clock } from '../ports.ts';

/** What a drill needs: the ways in and out that everybody else has. */
export type Deps = {
  /** The policy in force. */
  readonly policy: () => Promise<Policy>;
  /** Sends an outflow through the real ingress. */
  readonly send: (outflow: Canary.Outflow) => Promise<void>;
  /** The flag of the canary, as a consumer reads it. */
  readonly flag: (
    wallet: string,
  ) => Promise<Pick<Flag, 'enabled' | 'reason' | 'scope' | 'incidentId' | 'text'>>;
  /** When an incident was opened, and whether as a drill; `undefined` where there is none. */
  readonly incident: (
    incidentId: string,
  ) => Promise<{ readonly openedAtMs: number; readonly drill?: true | undefined } | undefined>;
  /** Whether the message of this incident went out to people; absent: it cannot be seen from here. */
  readonly isTold?: ((incidentId: string) => Promise<boolean>) | undefined;
  /** Asks for the reset; why it was refused, or nothing. */
  readonly reset: (incidentId: string) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly sleep: (ms: number) => Promise<void>;
};

/** How long each thing took from when the outflow was sent, ms. */
export type Times = {
  /** Until the ingest decided on it, by the ingest's clock. */
  readonly detectMs: number;
  /** Until its trip showed at the flag. */
  readonly tripMs: number;
  /** Until the flag was read back as not enabled for this incident, twice. */
  readonly verifiedMs: number;
  /** Until people were told; absent where that cannot be seen. */
  readonly toldMs?: number;
  /** Until the canary was enabled again. */
  readonly resetMs: number;
};

/** How a drill ended. */
export type Result =
  | {
      readonly kind: 'passed' | 'slow';
      readonly drillId: string;
      readonly incidentId: string;
      readonly times: Times;
      readonly objectiveMs: number;
    }
  /** There is nothing to drill: nobody is woken for it. */
  | { readonly kind: 'skipped'; readonly why: string }
  | {
      readonly kind: 'failed';
      readonly drillId: string;
      readonly at: 'before' | 'send' | 'trip' | 'verify' | 'tell' | 'reset';
      readonly why: string;
      /** The canary may still be paused. */
      readonly incidentId?: string;
    };

/** How it is run. */
export type Options = {
  readonly drillId: string;
  /** Longest until the pause is read back. */
  readonly objectiveMs: number;
  /** Longest wait of each step. @default 60 s */
  readonly stepMaxMs?: number;
};

const STEP_MAX_MS = 60_000;
/** Wait between two looks. */
const LOOK_MS = 100;
/** Looks of one step, at most: a clock that stands still must not hold a drill for ever. */
const LOOKS_MAX = 2_000;

/**
 * Runs one drill. Whatever happens after the trip, the reset is asked for: a canary that stays paused
 * would hide the next failure. Fail direction: closed, anything that does not show in time has failed.
 */
export async function runDrill(deps: Deps, options: Options): Promise<Result> {
  const { drillId } = options;
  const failed = (at: Extract<Result, { kind: 'failed' }>['at'], why: string): Result => ({
    kind: 'failed',
    drillId,
    at,
    why,
  });
  const policy = await deps.policy();
  const canary = Canary.canaryOf(policy);
  if (!canary) return { kind: 'skipped', why: 'the policy names no canary wallet' };
  if (policy.mode === 'shadow') {
    return { kind: 'skipped', why: 'the policy is in shadow mode: nothing would trip' };
  }
  const outflow = Canary.outflowOf(policy, canary, drillId);
  if (!outflow) return failed('before', 'the policy lists no asset on the chain of the canary');
  const before = await clear(deps, canary);
  if (before !== undefined) return failed('before', before);
  const sentAtMs = deps.clock.nowMs();
  try {
    await deps.send(outflow);
  } catch (error) {
    return failed('send', `the ingress did not take it: ${messageOf(error)}`);
  }
  return follow(deps, options, { wallet: canary.name, sentAtMs });
}

/** A canary that an earlier drill left paused is reset first; any other pause is a reason not to begin. */
async function clear(deps: Deps, canary: Wallet): Promise<string | undefined> {
  const flag = await deps.flag(canary.name);
  const isResuming = flag.scope === Canary.scopeOf(canary);
  // Its outflow would open the incident again that people are resuming.
  if (flag.enabled && isResuming) return `the canary resumes in steps: ${flag.text}`;
  if (flag.enabled) return undefined;
  if (flag.incidentId === undefined) return `the canary is not enabled: ${flag.text}`;
  const refused = await deps.reset(flag.incidentId);
  if (refused === undefined) return undefined;
  return `the canary is paused by incident ${flag.incidentId}, which a drill may not reset: ${refused}`;
}

async function follow(
  deps: Deps,
  options: Options,
  begun: { readonly wallet: string; readonly sentAtMs: number },
): Promise<Result> {
  const { drillId, objectiveMs, stepMaxMs = STEP_MAX_MS } = options;
  const { wallet, sentAtMs } = begun;
  const since = () => deps.clock.nowMs() - sentAtMs;
  const look = <T>(at: () => Promise<T | undefined>) => wait(deps, stepMaxMs, at);
  const incidentId = await look(async () => {
    const flag = await deps.flag(wallet);
    return flag.reason === 'breaker-open' ? flag.incidentId : undefined;
  });
  if (incidentId === undefined) {
    const why = `the flag of the canary was not paused within ${stepMaxMs} ms`;
    return { kind: 'failed', drillId, at: 'trip', why };
  }
  const tripMs = since();
  const seen = await verify(deps, { wallet, incidentId });
  const verifiedMs = since();
  const isTold = deps.isTold;
  const told = isTold && (await look(async () => (await isTold(incidentId)) || undefined));
  const toldMs = since();
  const refused = await deps.reset(incidentId);
  const failed = (at: 'verify' | 'tell' | 'reset', why: string): Result => {
    const failure = { kind: 'failed', drillId, at, why } as const;
    return refused === undefined ? failure : { ...failure, incidentId };
  };
  if ('why' in seen) return failed('verify', seen.why);
  if (isTold && !told) return failed('tell', `nobody was told within ${stepMaxMs} ms`);
  if (refused !== undefined) return failed('reset', refused);
  const open = await look(async () => (await deps.flag(wallet)).enabled || undefined);
  if (!open) return failed('reset', 'the canary was not enabled again after its reset');
  const detectMs = Math.max(0, seen.openedAtMs - sentAtMs);
  const times = { detectMs, tripMs, verifiedMs, ...(isTold && { toldMs }), resetMs: since() };
  const kind = verifiedMs > objectiveMs ? 'slow' : 'passed';
  return { kind, drillId, incidentId, times, objectiveMs };
}

/** A second look at the consumer must say the same, and the incident must be marked as a drill. */
async function verify(
  deps: Deps,
  { wallet, incidentId }: { readonly wallet: string; readonly incidentId: string },
): Promise<{ readonly openedAtMs: number } | { readonly why: string }> {
  const [flag, incident] = await Promise.all([deps.flag(wallet), deps.incident(incidentId)]);
  if (flag.enabled || flag.incidentId !== incidentId) {
    return { why: `the flag was paused and then said: ${flag.text}` };
  }
  if (!incident) return { why: `incident ${incidentId} is not stored` };
  if (!incident.drill) return { why: `incident ${incidentId} is no drill: look at it now` };
  return { openedAtMs: incident.openedAtMs };
}

async function wait<T>(
  { clock, sleep }: Pick<Deps, 'clock' | 'sleep'>,
  maxMs: number,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const endsAtMs = clock.nowMs() + maxMs;
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const found = await look();
    if (found !== undefined) return found;
    if (clock.nowMs() >= endsAtMs) return undefined;
    await sleep(LOOK_MS);
  }
  return undefined;
}

/** What people are told of a drill; nothing where it passed in time, or there was none. */
export function messageOfDrill(result: Result): Message | undefined {
  if (result.kind === 'passed' || result.kind === 'skipped') return undefined;
  const why = whyNot(result);
  const subject = `DRILL ${why}`.slice(0, 140);
  const still =
    result.kind === 'failed' && result.incidentId !== undefined
      ? `\nThe canary is still paused: breakwater incident ${result.incidentId}`
      : '';
  return {
    subject,
    severity: 'page',
    body: `DRILL ${why}\nA real theft might not be stopped either.${still}\nFirst command: breakwater drill; then: breakwater doctor`,
  };
}

function whyNot(result: Extract<Result, { kind: 'slow' | 'failed' | 'passed' }>): string {
  if (result.kind === 'failed') return `FAILED at ${result.at}: ${result.why}`;
  return `SLOW: paused after ${result.times.verifiedMs} ms, objective ${result.objectiveMs} ms`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}

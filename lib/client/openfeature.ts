/**
 * The flag for services that speak OpenFeature (https://openfeature.dev).
 *
 * ```ts
 * await OpenFeature.setProviderAndWait(createBreakwaterProvider({ flag }));
 * const enabled = await OpenFeature.getClient().getBooleanValue('withdrawals-enabled', false, { wallet });
 * ```
 *
 * OpenFeature answers with the caller's default when something goes wrong. Here that would let money
 * flow, so this provider answers `false` whatever default was given, on every path that it is part of.
 */

import {
  ErrorCode,
  type EvaluationContext,
  type EvaluationDetails,
  type FlagMetadata,
  type FlagValue,
  type Hook,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
  StandardResolutionReasons,
} from '@openfeature/server-sdk';
import type { Question } from '../actions/read-flag.ts';
import { type Flag, unreachable } from '../domain/flag.ts';
import type { FlagClient } from './flag-client.ts';
import { inShadow } from './flag-shadow.ts';
import type { Health } from './flag-watched.ts';

/** The one flag of this provider: boolean. */
export const FLAG_KEY = 'withdrawals-enabled';

/** What the provider answers from. */
export type Options = {
  readonly flag: FlagClient;
  /** `check` unless given: a strong read each time. `cached` answers for watched contexts only. */
  readonly answer?: 'check' | 'cached' | undefined;
};

const FIELDS = ['wallet', 'chain', 'asset', 'destination', 'memo', 'actor'] as const;
const EVENTS = {
  fresh: ProviderEvents.Ready,
  late: ProviderEvents.Stale,
  lost: ProviderEvents.Error,
} as const satisfies Record<Health, ProviderEvents>;

/**
 * Makes a provider. It has no `initialize`, so that no evaluation comes before it is ready, and ends
 * its own listening when it is replaced; the flag client stays the caller's to close.
 * Fail direction: closed, `false` for anything unknown, stale, unreachable or unparsable. Over a flag
 * client in shadow mode `true`, on the same paths.
 */
export function createBreakwaterProvider(options: Options): Provider {
  const { flag, answer = 'check' } = options;
  const events = new OpenFeatureEventEmitter();
  const ends = [
    flag.onChange(() =>
      events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged: [FLAG_KEY] }),
    ),
    flag.onHealth((health) => events.emit(EVENTS[health], { message: `answers are ${health}` })),
  ];
  return {
    metadata: { name: 'breakwater' },
    runsOn: 'server',
    events,
    hooks: [settleErrorsAs(flag.isShadow)],
    onClose: async () => {
      for (const end of ends) end();
    },
    resolveBooleanEvaluation: async (key, _default, context) => {
      if (key !== FLAG_KEY) return { value: flag.isShadow, ...notFound(key) };
      return toDetails(await ask(flag, answer, context), answer);
    },
    resolveStringEvaluation: async (key, value) => ({ value, ...notThis(key) }),
    resolveNumberEvaluation: async (key, value) => ({ value, ...notThis(key) }),
    resolveObjectEvaluation: async <T extends JsonValue>(key: string, value: T) => ({
      value,
      ...notThis(key),
    }),
  };
}

/**
 * Where the SDK puts the caller's default in place of an answer (a hook that throws, a provider that
 * is not ready, a flag key that is misspelt), it still shows the details to this hook before it returns them.
 */
function settleErrorsAs(value: boolean): Hook {
  return {
    finally: (_context, details: EvaluationDetails<FlagValue>) => {
      if (typeof details.value === 'boolean' && details.errorCode !== undefined)
        details.value = value;
    },
  };
}

async function ask(
  flag: FlagClient,
  answer: 'check' | 'cached',
  context: EvaluationContext,
): Promise<Flag> {
  const cannotTell = (why: string) => {
    const unknown = unreachable(why);
    return flag.isShadow ? inShadow(unknown) : unknown;
  };
  const question = toQuestion(context);
  if ('problem' in question) return cannotTell(question.problem);
  try {
    return answer === 'cached' ? flag.cached(question) : await flag.check(question);
  } catch (error) {
    return cannotTell(error instanceof Error ? error.message : 'unknown error');
  }
}

/** A field of another type is refused and not left out: without it the question would be a wider one. */
function toQuestion(context: EvaluationContext): Question | { readonly problem: string } {
  const question: Record<string, string> = {};
  for (const field of FIELDS) {
    const value = context[field];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string') return { problem: `${field} of the context must be a text` };
    question[field] = value;
  }
  const { wallet, ...rest } = question;
  return wallet === undefined ? { problem: 'the context names no wallet' } : { wallet, ...rest };
}

/** Never with an error code: the SDK would put the caller's default in place of the value. */
function toDetails(flag: Flag, answer: 'check' | 'cached'): ResolutionDetails<boolean> {
  return {
    value: flag.enabled,
    variant: flag.enabled ? 'enabled' : 'not-enabled',
    reason: reasonOf(flag, answer),
    flagMetadata: metadataOf(flag),
  };
}

function reasonOf(flag: Flag, answer: 'check' | 'cached'): string {
  if (flag.reason === 'unreachable') return StandardResolutionReasons.ERROR;
  if (flag.reason === 'lease-lapsed') return StandardResolutionReasons.STALE;
  return answer === 'cached'
    ? StandardResolutionReasons.CACHED
    : StandardResolutionReasons.TARGETING_MATCH;
}

function metadataOf(flag: Flag): FlagMetadata {
  const { reason, text, scope, incidentId, sinceMs, inForceUntilMs, wouldBe } = flag;
  const all = { reason, text, scope, incidentId, sinceMs, inForceUntilMs, wouldBe };
  const present = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as FlagMetadata;
}

function notFound(key: string) {
  const errorMessage = `"${key}" is no flag of this provider; the only one is "${FLAG_KEY}"`;
  const reason = StandardResolutionReasons.ERROR;
  return { errorCode: ErrorCode.FLAG_NOT_FOUND, errorMessage, reason };
}

function notThis(key: string) {
  if (key !== FLAG_KEY) return notFound(key);
  const errorMessage = `"${FLAG_KEY}" is boolean`;
  const reason = StandardResolutionReasons.ERROR;
  return { errorCode: ErrorCode.TYPE_MISMATCH, errorMessage, reason };
}

/**
 * What a change of the policy does, by rule: each field has an order, and what cannot be compared loosens.
 * Closed over the types: a field without a rule does not compile.
 */

import * as Change from './change.ts';
import { ASSETS, CHAINS, order, WALLETS } from './change-known.ts';
import { judgeScope, LIMITS } from './change-limit.ts';
import { CONTACTS, OPERATORS, resume } from './change-people.ts';
import * as Draft from './draft.ts';
import type * as Ledger from './ledger.ts';
import { formatUsd } from './money.ts';
import type * as Policy from './policy.ts';
import * as Retired from './retired.ts';
import * as Scope from './scope.ts';

const { loosens, tightens, revokes, neutral } = Change;

const WITHDRAWAL = ['block', 'hold', 'allow'];
const OUTFLOW = ['pause', 'alert'];
const PASSES = { looser: 'more passes', stricter: 'less passes' };

type Judge = (both: Change.Both) => readonly Change.Change[];

const UNKNOWN: Change.Rules<Policy.UnknownRule> = {
  withdrawal: Change.ranked(({ withdrawal }) => withdrawal, WITHDRAWAL, PASSES),
  outflow: Change.ranked(({ outflow }) => outflow, OUTFLOW, PASSES),
  scope: {
    show: ({ scope }) => scope,
    judge: ({ before, after }) => judgeScope(before.scope, after.scope),
  },
};

const UNMATCHED: Change.Rules<Policy.Policy['unmatched']> = {
  scope: {
    show: ({ scope }) => scope,
    judge: ({ before, after }) => judgeScope(before.scope, after.scope),
  },
  risks: Change.ranked(({ risks }) => risks, OUTFLOW, {
    looser: 'what comes before a theft only tells',
    stricter: 'what comes before a theft stops',
  }),
};

const CONFLICT: Change.Rules<Policy.Policy['conflict']> = {
  scope: {
    show: ({ scope }) => scope,
    judge: ({ before, after }) => judgeScope(before.scope, after.scope),
  },
};

const MATCHING: Change.Rules<Policy.MatchingRule> = {
  deductedFeeMax: Change.moreLoosens(({ deductedFeeMax }) => deductedFeeMax, {
    show: ({ deductedFeeMax }) => formatUsd(deductedFeeMax),
    up: 'outflows that differ more from what was approved match',
    down: 'outflows must be closer to what was approved',
  }),
  graceMs: Change.moreLoosens(({ graceMs }) => graceMs, {
    show: ({ graceMs }) => seconds(graceMs),
    up: 'a thief has more time',
    down: 'what nobody approved trips sooner',
  }),
  unseenMs: Change.moreLoosens(({ unseenMs }) => unseenMs, {
    show: ({ unseenMs }) => seconds(unseenMs),
    up: 'people hear of it later',
    down: 'people hear of it earlier',
  }),
};

const TIMING: Change.Rules<Policy.Timing> = {
  clockToleranceMs: widening(({ clockToleranceMs }) => clockToleranceMs),
  admissionMs: {
    show: ({ admissionMs }) => seconds(admissionMs),
    judge: () => loosens('longer: more leaves after a trip; shorter: windows reach back less'),
  },
  commitDelayMs: widening(({ commitDelayMs }) => commitDelayMs),
  leaseMs: Change.moreLoosens(({ leaseMs }) => leaseMs, {
    show: ({ leaseMs }) => seconds(leaseMs),
    up: 'withdrawals go on for longer without a proof of health',
    down: 'withdrawals stop sooner without a proof of health',
  }),
};

const CHANGES: Change.Rules<Policy.Changes> = {
  delayMs: {
    show: ({ delayMs }) => seconds(delayMs),
    judge: ({ before, after }) =>
      after.delayMs > before.delayMs
        ? revokes('what people agreed on takes longer, also undoing this')
        : loosens('what loosens comes into force sooner'),
  },
};

type Sizes = Pick<Policy.Policy, 'outstandingMax' | 'overdueMs'>;

const RESERVATIONS: Change.Rules<Sizes> = {
  outstandingMax: Change.moreLoosens(({ outstandingMax }) => outstandingMax, {
    show: ({ outstandingMax }) => `${outstandingMax}`,
    up: 'one customer may hold more open',
    down: 'one customer may hold less open',
  }),
  overdueMs: Change.moreLoosens(({ overdueMs }) => overdueMs, {
    show: ({ overdueMs }) => seconds(overdueMs),
    up: 'people hear of it later',
    down: 'people hear of it earlier',
  }),
};

const HEAD: Change.Rules<Pick<Policy.Policy, 'name' | 'mode'>> = {
  name: { show: ({ name }) => name, judge: () => neutral('for people; it decides nothing') },
  mode: Change.ranked(({ mode }) => mode, ['enforce', 'shadow'], {
    looser: 'nothing is stopped any more',
    stricter: 'what it says is done',
  }),
};

const none: Judge = () => [];

/** How each field of a policy is judged. */
const FIELDS: { readonly [Field in keyof Required<Policy.Policy>]: Judge } = {
  name: (both) => Change.fields('policy', HEAD, { ...both, both }),
  // With the name.
  mode: none,
  operators: (both) => Change.entries(OPERATORS, both),
  resume,
  changes: part('changes', CHANGES, ({ changes }) => changes),
  contacts: (both) => Change.entries(CONTACTS, both),
  unknown: (both) =>
    (['wallet', 'asset', 'chain', 'price'] as const).flatMap((what) =>
      part(`unknown ${what}`, UNKNOWN, ({ unknown }) => unknown[what])(both),
    ),
  unmatched: part('unmatched', UNMATCHED, ({ unmatched }) => unmatched),
  conflict: part('conflict', CONFLICT, ({ conflict }) => conflict),
  matching: part('matching', MATCHING, ({ matching }) => matching),
  own: (both) => Change.entries(OWN, both),
  outstandingMax: (both) => Change.fields('reservations', RESERVATIONS, { ...both, both }),
  // With the open reservations.
  overdueMs: none,
  timing: part('timing', TIMING, ({ timing }) => timing),
  chains: (both) => [...Change.entries(CHAINS, both), ...order('chains', CHAINS.of, both)],
  assets: (both) => [...Change.entries(ASSETS, both), ...order('assets', ASSETS.of, both)],
  wallets: (both) => Change.entries(WALLETS, both),
  limits: (both) => Change.entries(LIMITS, both),
  // Nobody writes it: it follows from what was in force, see `retired.ts`.
  retired: none,
  // What is known of the world is no rule.
  known: none,
};

const OWN: Change.List<{ readonly account: string }> = {
  of: ({ own }) => own.map((account) => ({ account })),
  name: ({ account }) => `own ${account}`,
  rules: { account: 'key' },
  come: () => loosens('what goes there needs no approval, counts nothing and passes a pause'),
  go: () => tightens('what goes there is money that leaves'),
};

/** Every change from one policy to the next, in the order of a policy file. */
export function judge(before: Policy.Policy, after: Policy.Policy): readonly Change.Change[] {
  return Object.values(FIELDS).flatMap((judgeField) => judgeField({ before, after }));
}

/** What all of them do together. */
export function direction(changes: readonly Change.Change[]): Change.Direction {
  return Change.direction(changes);
}

/** A policy that comes into force. */
export type Next = {
  readonly hash: string;
  readonly source: string;
  readonly compiled: Policy.Compiled;
  readonly actor: string;
  readonly reason?: string | undefined;
};

/** What a policy would come into force upon: a decision under way, or what is known of one from outside. */
export type Standing = Pick<Draft.Draft, 'atMs'> & {
  readonly context: Pick<Draft.Context, 'policy'>;
};

/** Largest memory of what earlier versions said, as JSON: it is stored in one item with the policy. */
const RETIRED_BYTES_MAX = 60_000;
/** Changes that a refusal names. */
const NAMED_MAX = 5;

/**
 * Why a policy cannot come into force whoever agrees to it: an edit would move money away from what it has
 * counted in, or too much has to be remembered. Nothing stands against the first policy.
 */
export function obstacle({ context, atMs }: Standing, after: Policy.Policy): string | undefined {
  const both = { before: context.policy, after };
  const [move, ...more] = Retired.moves(both, atMs);
  if (move) {
    const others = more.length === 0 ? '' : `; and ${more.length} more`;
    return `${move.field}: ${move.why}${others}`;
  }
  const bytes = sizeOf(Retired.carried(both, atMs));
  return bytes <= RETIRED_BYTES_MAX
    ? undefined
    : 'more addresses and assets have gone within 33 days than can be remembered; take out fewer at a time';
}

/** Why one operator alone cannot put a policy in force, if so: it loosens, or takes rights from people. */
export function needsQuorum(
  before: Policy.Policy,
  changes: readonly Change.Change[],
): string | undefined {
  if (before.resume.kind === 'trial') return undefined;
  const decides = direction(changes);
  if (decides === 'neutral' || decides === 'tightens') return undefined;
  const all = changes.filter((change) => change.direction === decides);
  const named = all.slice(0, NAMED_MAX).map(text);
  const more = all.length > named.length ? `; and ${all.length - named.length} more` : '';
  const when = decides === 'loosens' ? `, and a delay of ${seconds(before.changes.delayMs)}` : '';
  return `this ${decides === 'loosens' ? 'loosens the policy' : 'takes rights from people'}: ${named.join('; ')}${more}. It needs the consent of ${before.resume.quorum} operators${when}: breakwater policy propose FILE --reason "…"`;
}

/** Puts the next version in force. Whoever calls it has asked {@link obstacle}. */
export function putInForce(draft: Draft.Draft, next: Next): Ledger.StoredPolicy {
  const { policy: before, policyHash } = draft.context;
  const global = Draft.item(draft, Scope.GLOBAL_KEY);
  const version = (global.policyVersion ?? 0) + 1;
  const { stackId = draft.context.newStackId() } = global;
  draft.items.set(Scope.GLOBAL_KEY, { ...global, policyVersion: version, stackId });
  const { hash, source, compiled, actor, reason } = next;
  const retired = Retired.carried({ before, after: compiled.policy }, draft.atMs);
  const changes = version === 1 ? [] : judge(before, compiled.policy);
  return {
    version,
    hash,
    source,
    compiled: compiled.compiled,
    appliedAtMs: draft.atMs,
    actor,
    quorum: compiled.policy.resume.kind === 'quorum' ? compiled.policy.resume.quorum : 0,
    ...(reason === undefined ? {} : { reason }),
    ...(policyHash ? { beforeHash: policyHash } : {}),
    ...(version === 1 ? {} : { judged: counted(changes) }),
    ...(retired.length > 0 ? { retired } : {}),
  };
}

function counted(changes: readonly Change.Change[]): Readonly<Record<Change.Direction, number>> {
  const of = (which: Change.Direction) =>
    changes.filter((change) => change.direction === which).length;
  return {
    tightens: of('tightens'),
    loosens: of('loosens'),
    revokes: of('revokes'),
    neutral: of('neutral'),
  };
}

/** A change in one line, with its reason. */
export function text({ what, field, before, after, why }: Change.Change): string {
  const shown = field === undefined ? '' : ` ${field} ${before} → ${after}`;
  return `${what}${shown} (${why})`;
}

function sizeOf(retired: readonly Policy.Retired[]): number {
  const written = JSON.stringify(retired, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return new TextEncoder().encode(written).length;
}

function part<Whole extends object>(
  what: string,
  rules: Change.Rules<Whole>,
  of: (policy: Policy.Policy) => Whole,
): Judge {
  return (both) =>
    Change.fields(what, rules, { before: of(both.before), after: of(both.after), both });
}

/** A longer time lets every window reach further back, and a share be one of an older balance. */
function widening(value: (timing: Policy.Timing) => number): Change.Rule<Policy.Timing> {
  return {
    show: (timing) => seconds(value(timing)),
    judge: ({ before, after }, both) => {
      if (value(after) < value(before)) return loosens('windows reach back less');
      return both.after.limits.some(({ metric }) => metric === 'share')
        ? loosens('a share is one of an older balance')
        : tightens('windows reach back further');
    },
  };
}

function seconds(spanMs: number): string {
  return `${spanMs / 1_000}s`;
}

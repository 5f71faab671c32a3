/** The policy that decisions are made by. What a version holds never changes, so it may be kept; which version is in force is read every time. */

import type { StoredPolicy } from '../domain/ledger.ts';
import type { Policy } from '../domain/policy.ts';
import * as Scope from '../domain/scope.ts';
import type { DecisionStore, PolicyCompiler, PolicyParser, PolicyStore } from '../ports.ts';

/** A parsed policy with its version. Version 0 is the one before any was applied: it knows nothing. */
export type InForce = { readonly version: number; readonly hash: string; readonly policy: Policy };

/** Gives the policy in force. */
export type PolicyInForce = {
  /** The newest version this process knows; reads it the first time. */
  readonly current: () => Promise<InForce>;
  /** The given version, which a decision's read found in force. */
  readonly adopt: (version: number) => Promise<InForce>;
  /** The version in force now, by one strong read: for answers that write nothing. */
  readonly refresh: () => Promise<InForce>;
  /** A version as it is stored, also one that cannot be read. Absent: nobody can ask. */
  readonly stored?: PolicyStore['load'] | undefined;
};

/** The policy before any was applied: everything is unknown to it, and blocked. */
const NONE: InForce = {
  version: 0,
  hash: '',
  policy: {
    name: 'none',
    mode: 'enforce',
    chains: [],
    assets: [],
    wallets: [],
    limits: [],
    unknown: {
      wallet: { withdrawal: 'block', outflow: 'pause', scope: 'wallet' },
      asset: { withdrawal: 'block', outflow: 'pause', scope: 'wallet' },
      chain: { withdrawal: 'block', outflow: 'pause', scope: 'wallet' },
      price: { withdrawal: 'block', outflow: 'pause', scope: 'wallet' },
    },
    unmatched: { scope: 'global', risks: 'pause' },
    conflict: { scope: 'wallet' },
    operators: [],
    resume: { kind: 'trial', steps: [], budget: 0n },
    changes: { delayMs: 86_400_000 },
    contacts: [],
    outstandingMax: 100,
    overdueMs: 21_600_000,
    matching: { deductedFeeMax: 0n, graceMs: 0, unseenMs: 86_400_000 },
    own: [],
    timing: {
      clockToleranceMs: 2_000,
      admissionMs: 30_000,
      commitDelayMs: 6_000,
      leaseMs: 180_000,
    },
  },
};

/**
 * The policy in force, or one that knows nothing under the same version where it is missing or cannot
 * be parsed. For pausing and for replacing a policy, or nobody could ever mend a broken one.
 */
export function orUnread(policy: PolicyInForce): PolicyInForce {
  return {
    current: () => policy.current().catch(() => NONE),
    adopt: (version) => policy.adopt(version).catch(() => ({ ...NONE, version })),
    refresh: () => policy.refresh().catch(() => NONE),
  };
}

/** Keeps parsed policies by version. A version that cannot be read or parsed throws: nothing is decided without it. */
export function createPolicyInForce(deps: {
  readonly decisions: Pick<DecisionStore, 'load'>;
  readonly policies: PolicyStore;
  readonly parse: PolicyParser;
}): PolicyInForce {
  let newest: InForce | undefined;
  const adopt = async (version: number): Promise<InForce> => {
    if (newest?.version === version) return newest;
    newest = version === 0 ? NONE : await read(deps, version);
    return newest;
  };
  const refresh = async (): Promise<InForce> => {
    const { items } = await deps.decisions.load({ rows: [], items: [Scope.GLOBAL_KEY] });
    return adopt(items.get(Scope.GLOBAL_KEY)?.policyVersion ?? 0);
  };
  const current = async (): Promise<InForce> => newest ?? refresh();
  return { current, adopt, refresh, stored: deps.policies.load };
}

/**
 * The policy in force for whoever replaces it: where its compiled form cannot be read, as its source says
 * it; where that cannot be read either, one that knows nothing, if it was a trial. So neither another
 * version of this program nor a store that does not answer opens a way around the quorum.
 * Fail direction: closed, what is not known to be a trial is replaced by nobody who cannot read it.
 *
 * @throws {UnreadablePolicyError} and what the store throws; nothing is replaced then.
 */
export function orRecompiled(deps: {
  readonly policy: PolicyInForce;
  readonly compilePolicy: PolicyCompiler;
}): PolicyInForce {
  const { policy } = deps;
  const adopt = (version: number) => policy.adopt(version).catch(() => recompiled(deps, version));
  return { ...orUnread(policy), adopt };
}

async function recompiled(
  deps: { readonly policy: PolicyInForce; readonly compilePolicy: PolicyCompiler },
  version: number,
): Promise<InForce> {
  const stored = await deps.policy.stored?.(version);
  if (!stored) throw new MissingPolicyError({ version });
  const { hash, source, quorum } = stored;
  try {
    const { policy } = deps.compilePolicy(source);
    return { version, hash, policy: remembering(policy, stored) };
  } catch (cause) {
    if (quorum === 0) return { ...NONE, version, hash };
    throw new UnreadablePolicyError({ version, quorum }, { cause });
  }
}

/** What earlier versions said is stored beside the text: the same source is always the same text. */
function remembering(policy: Policy, { retired }: StoredPolicy): Policy {
  return retired ? { ...policy, retired } : policy;
}

async function read(
  deps: { readonly policies: PolicyStore; readonly parse: PolicyParser },
  version: number,
): Promise<InForce> {
  const stored = await deps.policies.load(version);
  if (!stored) throw new MissingPolicyError({ version });
  if (stored.compiled === undefined) throw new UncompiledPolicyError({ version });
  return { version, hash: stored.hash, policy: remembering(deps.parse(stored.compiled), stored) };
}

/** The version in force can be read neither as it was compiled nor as it was written, and is no trial. */
export class UnreadablePolicyError extends Error {
  override readonly name = 'PolicyInForce.UnreadablePolicyError';
  constructor(
    details: { readonly version: number; readonly quorum: number | undefined },
    options: { readonly cause?: unknown } = {},
  ) {
    const { version, quorum = 'a quorum of' } = details;
    super(
      `policy version ${version} is in force and this version of Breakwater cannot read it; to replace it takes ${quorum} operators, so deploy the version that can read it first`,
      options,
    );
  }
}

/** The version in force is not stored. Nothing can be decided. */
export class MissingPolicyError extends Error {
  override readonly name = 'PolicyInForce.MissingPolicyError';
  constructor(details: { readonly version: number }) {
    super(
      `policy version ${details.version} is in force but not stored; nothing is decided without it`,
    );
  }
}

/** The version in force was stored by a version of Breakwater that compiled nothing. Nothing can be decided. */
export class UncompiledPolicyError extends Error {
  override readonly name = 'PolicyInForce.UncompiledPolicyError';
  constructor(details: { readonly version: number }) {
    super(
      `policy version ${details.version} is in force without its compiled form; nothing is decided without it. Put the policy in force again: breakwater policy apply`,
    );
  }
}

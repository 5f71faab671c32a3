/** Answers "may withdrawals flow?" from a strong read. */

import * as Caip from '../domain/caip.ts';
import * as Facts from '../domain/facts.ts';
import * as Flag from '../domain/flag.ts';
import * as Pattern from '../domain/pattern.ts';
import * as Policy from '../domain/policy.ts';
import * as Scope from '../domain/scope.ts';
import type { Clock, DecisionStore, HealthStore } from '../ports.ts';
import type { PolicyInForce } from './policy-in-force.ts';

/** What reading the flag needs. */
export type Deps = {
  readonly decisions: Pick<DecisionStore, 'load'>;
  readonly health: Pick<HealthStore, 'leases'>;
  readonly policy: PolicyInForce;
  readonly clock: Clock;
};

/**
 * What is asked about. `wallet` is the policy's name or a CAIP-10 account. An asset or destination
 * that is left out is not looked at; without an actor the scope of all money that names none is.
 */
export type Question = {
  readonly wallet: string;
  readonly chain?: string | undefined;
  readonly asset?: string | undefined;
  readonly destination?: string | undefined;
  /** Memo or tag that belongs to the destination. */
  readonly memo?: string | undefined;
  readonly actor?: string | undefined;
};

/**
 * Reads the flag for a wallet. Never throws and never waits for more than its reads.
 * Fail direction: closed, whatever is unknown, malformed or unreachable is not enabled.
 */
export async function readFlag(deps: Deps, question: Question): Promise<Flag.Flag> {
  try {
    return await readWithin(deps, question);
  } catch (error) {
    return Flag.unreachable(error instanceof Error ? error.message : 'unknown error');
  }
}

async function readWithin(deps: Deps, question: Question): Promise<Flag.Flag> {
  let { version, policy } = await deps.policy.current();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const asked = askable(policy, question);
    if ('error' in asked) {
      const fresh = await deps.policy.refresh();
      if (fresh.version === version) throw asked.error;
      ({ version, policy } = fresh);
      continue;
    }
    const keys = Flag.keys(asked.kinds, asked.subject);
    const [{ items, facts }, leases] = await Promise.all([
      deps.decisions.load({ rows: [], items: keys, facts: Facts.keys(policy, []) }),
      deps.health.leases(),
    ]);
    const inForce = items.get(Scope.GLOBAL_KEY)?.policyVersion ?? 0;
    if (inForce === version) {
      const nowMs = deps.clock.nowMs();
      const { unknown } = about(Policy.at(policy, facts, nowMs), question);
      return Flag.evaluate({ policy, ...asked, unknown, items, leases, nowMs });
    }
    ({ version, policy } = await deps.policy.adopt(inForce));
  }
  return Flag.unreachable('the policy changed three times while it was being read');
}

type Asked = Pick<Flag.Evidence, 'subject' | 'unknown' | 'kinds'>;

/** A question that makes no sense under one policy may under the next one: it can name a new wallet. */
function askable(
  policy: Policy.Policy,
  question: Question,
): Asked | { readonly error: InvalidQuestionError } {
  try {
    return about(policy, question);
  } catch (error) {
    if (error instanceof InvalidQuestionError) return { error };
    throw error;
  }
}

/** Narrows a question to the scopes that it is about. @throws {InvalidQuestionError} */
function about(policy: Policy.Policy, question: Question): Asked {
  const wallet = Policy.walletOf(policy, normalised(question.wallet));
  const chain =
    question.chain === undefined
      ? chainOf(question.wallet, wallet)
      : Caip.parseChain(question.chain);
  const { memo, actor } = question;
  const destination =
    question.destination === undefined ? undefined : Caip.parseAccount(question.destination);
  const asset = question.asset === undefined ? undefined : Caip.parseAsset(question.asset);
  const rule = asset && Policy.assetRule(policy, asset);
  mustBeOn(chain, [question.wallet, asset, destination]);
  const unknown: Policy.Unknown[] = [];
  const owned = wallet?.addresses.some((address) => Caip.chainOf(address) === chain);
  if (!wallet || !owned) unknown.push('wallet');
  if (!Pattern.mostSpecific(policy.chains, chain)) unknown.push('chain');
  if (asset && !rule) unknown.push('asset');
  if (rule && Policy.priceOf(policy, rule) === undefined) unknown.push('price');
  const none = `${chain}:none` as Caip.AccountId;
  return {
    unknown,
    kinds: Scope.KINDS.filter((kind) => isAsked(kind, question)),
    subject: {
      chain,
      wallet: wallet?.name ?? normalised(question.wallet),
      keyDomain: wallet?.keyDomain ?? Policy.UNKNOWN_KEY_DOMAIN,
      asset: rule?.sameAs ?? asset ?? (`${chain}/none:none` as Caip.AssetId),
      destination: destination ?? none,
      memo,
      actor,
    },
  };
}

function isAsked(kind: Scope.Kind, question: Question): boolean {
  if (kind === 'asset' || kind === 'wallet-asset') return question.asset !== undefined;
  return kind !== 'destination' || question.destination !== undefined;
}

/** One question is about one chain: a breaker or a lease of another one would not be looked at. */
function mustBeOn(chain: Caip.ChainId, ids: readonly (string | undefined)[]): void {
  for (const id of ids) {
    if (id?.includes(':') && Caip.chainOf(id as Caip.AccountId) !== chain) {
      throw new InvalidQuestionError({ why: `${id} is not on ${chain}` });
    }
  }
}

function normalised(wallet: string): string {
  return wallet.includes(':') ? Caip.parseAccount(wallet) : wallet;
}

function chainOf(named: string, wallet: Policy.Wallet | undefined): Caip.ChainId {
  if (named.includes(':')) return Caip.chainOf(Caip.parseAccount(named));
  const chains = new Set(wallet?.addresses.map(Caip.chainOf));
  const [only] = chains;
  if (only === undefined) throw new InvalidQuestionError({ why: `wallet ${named} is unknown` });
  if (chains.size > 1) {
    throw new InvalidQuestionError({
      why: `wallet ${named} is on ${chains.size} chains: name one`,
    });
  }
  return only;
}

/** A question cannot be answered as it was asked. */
export class InvalidQuestionError extends Error {
  override readonly name = 'ReadFlag.InvalidQuestionError';
  constructor(details: { readonly why: string }) {
    super(details.why);
  }
}

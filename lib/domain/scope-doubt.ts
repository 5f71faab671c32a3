/** Which scopes the policy knows, and whether a breaker on a scope stops anything of them. */

import { chainOf } from './caip.ts';
import * as Pattern from './pattern.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';

/** Known names that a message repeats. */
const NAMES_MAX = 8;

/** Why a scope may be mistyped; `undefined` where the policy knows it, or where its ids are free. */
export function scopeDoubt(policy: Policy.Policy, scopeKey: Scope.Key): string | undefined {
  const { kind, id } = Scope.parseKey(scopeKey);
  const [first = '', second = ''] = id.split('|');
  switch (kind) {
    case 'wallet':
      return walletDoubt(policy, id);
    case 'wallet-asset':
      return walletDoubt(policy, first) ?? assetDoubt(policy, second);
    case 'asset':
      return assetDoubt(policy, id);
    case 'chain':
      return chainDoubt(policy, id);
    case 'key-domain': {
      const domains = policy.wallets.map((wallet) => encoded('key-domain', wallet.keyDomain));
      return domains.includes(id) ? undefined : unknownName('key domain', id, domains);
    }
    case 'global':
    case 'actor':
    case 'destination':
      return undefined;
    default:
      return kind satisfies never;
  }
}

function walletDoubt(policy: Policy.Policy, id: string): string | undefined {
  const names = policy.wallets.map((wallet) => encoded('wallet', wallet.name));
  if (names.includes(id)) return undefined;
  const owner = Policy.walletOf(policy, id);
  return owner
    ? `the policy knows ${id} as the wallet ${owner.name}; pause wallet:${encoded('wallet', owner.name)} to stop it.`
    : unknownName('wallet', id, names);
}

function assetDoubt(policy: Policy.Policy, id: string): string | undefined {
  const rule = Pattern.mostSpecific(policy.assets, id);
  if (rule?.sameAs !== undefined) {
    return `the policy counts ${id} as ${rule.sameAs}; pause that asset to stop it.`;
  }
  return rule
    ? undefined
    : `the policy knows no asset ${id}; this stops it only under this very id.`;
}

function chainDoubt(policy: Policy.Policy, id: string): string | undefined {
  if (Pattern.mostSpecific(policy.chains, id)) return undefined;
  const chains = policy.wallets.flatMap((wallet) => wallet.addresses.map(chainOf));
  return unknownName('chain', id, chains);
}

function unknownName(what: string, id: string, known: readonly string[]): string {
  const distinct = [...new Set(known)];
  const names = distinct.slice(0, NAMES_MAX).join(', ') || 'none';
  const more = distinct.length > NAMES_MAX ? `, and ${distinct.length - NAMES_MAX} more` : '';
  return `the policy knows no ${what} ${id}, so this may stop nothing. It knows: ${names}${more}.`;
}

/**
 * Every scope that the policy names by itself: everything, its wallets, their key domains, their
 * chains and those of its chain rules, and its assets where a rule is for one asset alone.
 */
export function scopesNamed(policy: Policy.Policy): readonly Scope.Key[] {
  const exact = (rules: readonly { readonly pattern: string }[]) =>
    rules.flatMap(({ pattern }) => (pattern.includes('*') ? [] : [pattern]));
  const chains = policy.wallets.flatMap((wallet) => wallet.addresses.map(chainOf));
  return [
    ...new Set([
      Scope.GLOBAL_KEY,
      ...policy.wallets.flatMap(({ name, keyDomain }) => [
        `wallet:${encoded('wallet', name)}`,
        `key-domain:${encoded('key-domain', keyDomain)}`,
      ]),
      ...[...chains, ...exact(policy.chains)].map((chain) => `chain:${chain}`),
      ...exact(policy.assets).map((asset) => `asset:${asset}`),
    ]),
  ];
}

/** A name as it stands in a scope's key. */
function encoded(kind: 'wallet' | 'key-domain', name: string): string {
  const subject = {
    chain: 'a:b',
    wallet: name,
    keyDomain: name,
    asset: 'a:b/c:d',
    destination: 'a:b:c',
  } as const;
  return Scope.of(kind, subject).id;
}

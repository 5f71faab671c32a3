/** The canary: a wallet for drills, which nothing else may depend on. */

import type { Finding } from './problem.ts';
import { quoted } from './problem.ts';
import type * as Schema from './schema.ts';
import type { Entry } from './shape.ts';

/**
 * At most one canary, with one address, alone in its key domain: what a drill trips must stop nobody,
 * and a leaked key of others must not be taken for a drill.
 */
export function checkCanary(wallets: readonly Entry<Schema.Wallet>[]): readonly Finding[] {
  const [first, ...others] = wallets.filter(({ value }) => value.canary === 'true');
  if (!first) return [];
  const found = (entry: Entry<Schema.Wallet>, field: string, message: string): Finding => ({
    path: [...entry.path, field],
    message,
  });
  const { name, keyDomain, addresses } = first.value;
  const sharing = wallets.find(({ value }) => value.keyDomain === keyDomain && value.name !== name);
  return [
    ...others.map((entry) => found(entry, 'canary', `is ${quoted(name)} already; mark one wallet`)),
    ...(sharing
      ? [
          found(
            first,
            'keyDomain',
            `is shared with ${quoted(sharing.value.name)}; a canary needs one of its own`,
          ),
        ]
      : []),
    ...(addresses.length > 1 ? [found(first, 'addresses', 'a canary has one address')] : []),
  ];
}

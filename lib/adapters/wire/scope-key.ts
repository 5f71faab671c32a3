/** Scopes as people and other systems write them, in the one spelling that events are counted under. */

import { parseChain } from '../../domain/caip.ts';
import * as Scope from '../../domain/scope.ts';
import * as Identifier from './identifier.ts';

/** An account on an EVM chain: a wallet that the policy does not name. */
const EVM_ACCOUNT = /^eip155:[^:]+:0x/i;
/** What `Scope.of` leaves as it is; every other character is percent-encoded there. */
const ENCODED = /[^\w.!~*'()%:/-]+/g;

/**
 * Reads a scope key. Addresses come back in lower case and other characters percent-encoded: a
 * breaker on `destination:eip155:1:0xAB…` would stop nothing, and whoever paused it would not know.
 *
 * @throws {Scope.InvalidScopeError} {@link Identifier.ChecksumError} `Caip.InvalidIdError`
 */
export function parseScopeKey(text: string): Scope.Key {
  const { kind } = Scope.parseKey(text);
  // As written: the case of an address is its checksum.
  const id = text.slice(kind.length + 1);
  return Scope.key({ kind, id: spelled({ kind, id }) });
}

function spelled({ kind, id }: Scope.Scope): string {
  const [first = '', ...rest] = id.split('|');
  switch (kind) {
    case 'destination':
      return [Identifier.parseAccount(first), ...rest.map(encoded)].join('|');
    case 'asset':
      return Identifier.parseAsset(id);
    case 'chain':
      return parseChain(id);
    case 'wallet':
      return wallet(id);
    case 'wallet-asset':
      return `${wallet(first)}|${Identifier.parseAsset(rest.join('|'))}`;
    case 'actor':
    case 'key-domain':
      return encoded(id);
    case 'global':
      return id;
    default:
      return kind satisfies never;
  }
}

function wallet(id: string): string {
  return EVM_ACCOUNT.test(id) ? Identifier.parseAccount(id) : encoded(id);
}

function encoded(part: string): string {
  return part.replaceAll(ENCODED, (run) => encodeURIComponent(run.toWellFormed()));
}

/** Scopes as people type them: checked, and in the spelling that the meters use. */

import * as Caip from '../domain/caip.ts';
import * as Scope from '../domain/scope.ts';
import { EXIT, StoppedError } from './exit-code.ts';

/**
 * Reads a scope. Addresses come back in the lower case that events are counted under: a breaker on
 * `destination:eip155:1:0xAB…` would stop nothing.
 *
 * @throws {StoppedError} `usage`: no scope, or an identifier that can never occur.
 */
export function readScope(text: string): Scope.Key {
  try {
    // Without a colon the plural of a kind would pass for its first letters.
    if (!text.includes(':') && text !== Scope.GLOBAL_KEY)
      throw new Scope.InvalidScopeError({ text });
    const scope = Scope.parseKey(text);
    return Scope.key({ kind: scope.kind, id: canonicalId(scope) });
  } catch (error) {
    if (!(error instanceof Scope.InvalidScopeError || error instanceof Caip.InvalidIdError))
      throw error;
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: `${error.message}.`,
      hint: 'Scopes in use are listed by `breakwater limits`, for example wallet:eth-hot-1.',
      cause: error,
    });
  }
}

function canonicalId(scope: Scope.Scope): string {
  const [first = '', ...rest] = scope.id.split('|');
  switch (scope.kind) {
    case 'destination':
      return [Caip.parseAccount(first), ...rest].join('|');
    case 'asset':
      return Caip.parseAsset(scope.id);
    case 'chain':
      return Caip.parseChain(scope.id);
    case 'wallet':
      return isAccount(first) ? Caip.parseAccount(first) : scope.id;
    case 'wallet-asset': {
      const wallet = isAccount(first) ? Caip.parseAccount(first) : first;
      return `${wallet}|${Caip.parseAsset(rest.join('|'))}`;
    }
    case 'actor':
    case 'key-domain':
    case 'global':
      return scope.id;
    default:
      return scope.kind satisfies never;
  }
}

/** Wallets that the policy does not name are known by their account. */
function isAccount(id: string): boolean {
  return /^eip155:[^:]+:0x/i.test(id);
}

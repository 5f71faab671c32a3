/** Scopes as people type them: checked, and in the spelling that the meters use. */

import { ChecksumError } from '../adapters/wire/identifier.ts';
import { parseScopeKey } from '../adapters/wire/scope-key.ts';
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
    return parseScopeKey(text);
  } catch (error) {
    if (!isMistyped(error)) throw error;
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: `${error.message}.`,
      hint: hintFor(text),
      cause: error,
    });
  }
}

/** The kind is what people leave out. */
function hintFor(text: string): string {
  const isName = /^[a-z0-9][\w.-]*$/.test(text);
  return isName
    ? `If that is a wallet, write wallet:${text}. Scopes in use are listed by \`breakwater limits\`.`
    : 'Scopes in use are listed by `breakwater limits`, for example wallet:eth-hot-1.';
}

function isMistyped(error: unknown): error is Error {
  return [Scope.InvalidScopeError, Caip.InvalidIdError, ChecksumError].some(
    (kind) => error instanceof kind,
  );
}

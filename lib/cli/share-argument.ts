/** Shares as people type them. */

import { parseUnits } from '../domain/money.ts';
import { EXIT, StoppedError } from './exit-code.ts';
import { clean } from './render/text.ts';

const SHARE = /^(\d{1,3}(?:\.\d{1,2})?)%$/;

/** Reads `25%` or `0.5%` as basis points. @throws {StoppedError} `usage`, which names the option. */
export function readShare(option: string, text: string): number {
  const [, digits] = SHARE.exec(text) ?? [];
  if (digits !== undefined) return Number(parseUnits(digits, 2));
  throw new StoppedError({
    exitCode: EXIT.usage,
    message: `${option}: ${clean(text)} is no share.`,
    hint: 'Write it with its sign and at most two decimals, such as 25% or 0.5%.',
  });
}

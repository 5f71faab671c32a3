/** Typed data of a panic command, as `--typed-data` printed it: everything that the command says is in it. */

import * as TypedData from '../../domain/typed-data.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { TYPED_DATA } from '../proposal-answers.ts';
import { readInput } from '../read-input.ts';
import { clean } from '../render/text.ts';
import type { Session } from '../session.ts';
import { readShare } from '../share-argument.ts';

const LIMITS_AT = 'limits at ';

/**
 * Reads the command back from what was signed.
 *
 * @throws {StoppedError} `usage`: it is none, or says more than this version knows.
 */
export async function readTyped(session: Session, file: string): Promise<TypedData.Panic> {
  const reading = TYPED_DATA.safeParse(json(await readInput(session.io, file)));
  if (!reading.success || reading.data.primaryType !== 'Panic') throw notOurs(file);
  const { domain, message } = reading.data;
  const text = (name: string) => `${message[name] ?? ''}`;
  const does = text('does');
  const panic = {
    commandId: text('command'),
    scope: text('scope'),
    shareBps: does.startsWith(LIMITS_AT)
      ? readShare('does', does.slice(LIMITS_AT.length))
      : undefined,
    reason: text('reason'),
    expiresAtMs: Date.parse(text('expires')),
  };
  if (!Number.isFinite(panic.expiresAtMs)) throw notOurs(file);
  const again = TypedData.ofPanic(panic, { stackId: domain.salt.slice(2) });
  if (JSON.stringify(again.message) !== JSON.stringify(message)) throw notOurs(file);
  return panic;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notOurs(file: string): StoppedError {
  return new StoppedError({
    exitCode: EXIT.usage,
    message: `${clean(file)} is not the typed data of a panic command.`,
    hint: 'Give the JSON that `breakwater panic … --typed-data` printed, unchanged.',
  });
}

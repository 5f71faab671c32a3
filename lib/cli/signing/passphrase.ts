/** The passphrase of a keystore: typed unseen, or from a file or a descriptor. It is never an argument. */

import { EXIT, StoppedError } from '../exit-code.ts';
import { readInput } from '../read-input.ts';
import { clean } from '../render/text.ts';
import type { Session } from '../session.ts';

/** Names a file that holds the passphrase, where nobody can be asked. */
export const PASSPHRASE_FILE = 'BREAKWATER_PASSPHRASE_FILE';

/** Where a passphrase comes from: what to ask, or the one that a file holds. */
export type Passphrase =
  | { readonly kind: 'typed'; readonly ask: () => Promise<string> }
  | { readonly kind: 'given'; readonly text: string };

/**
 * Finds the passphrase: the option, else the environment's file, else the person. One line end at the
 * end of a file is not part of it.
 *
 * @param given.file `-` is standard input; `/dev/fd/3` a descriptor.
 * @throws {StoppedError} `usage`: there is no file, and nobody to ask.
 */
export async function findPassphrase(
  { io }: Pick<Session, 'io'>,
  given: { readonly file?: string | undefined; readonly keystore: string },
): Promise<Passphrase> {
  const file = given.file ?? (io.env[PASSPHRASE_FILE] || undefined);
  if (file !== undefined) {
    return { kind: 'given', text: (await readInput(io, file)).replace(/\r?\n$/, '') };
  }
  if (!io.isInteractive) {
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: 'Nobody can be asked for the passphrase here, since this is no terminal.',
      hint: `Name a file or a descriptor that holds it: --passphrase-file /dev/fd/3, or ${PASSPHRASE_FILE}.`,
    });
  }
  return { kind: 'typed', ask: () => io.secret(`Passphrase of ${clean(given.keystore)}: `) };
}

/** Asks a person whether what was shown is meant. */

import { EXIT, StoppedError } from './exit-code.ts';
import type { Session } from './session.ts';

/**
 * Goes on after a yes, or with `--yes` on the command line.
 *
 * @param asked.undone what has not happened yet, said where it stops here.
 * @throws {StoppedError} `usage` where nobody can be asked; `refused` where somebody said no.
 */
export async function confirm(
  { io }: Pick<Session, 'io'>,
  asked: {
    readonly question: string;
    readonly undone: string;
    readonly yes?: boolean | undefined;
  },
): Promise<void> {
  const { question, undone, yes } = asked;
  if (yes) return;
  if (!io.isInteractive) {
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: `Nobody can be asked here, since this is no terminal. ${undone}`,
      hint: 'Add --yes if what is shown above is meant.',
    });
  }
  const answer = await io.question(`${question} [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new StoppedError({ exitCode: EXIT.refused, message: undone });
}

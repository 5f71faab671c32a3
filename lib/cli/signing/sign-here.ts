/** Shows, asks, signs; or prints what to sign where the key is elsewhere. */

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { stringify } from '../../adapters/wire/json.ts';
import type { TypedData } from '../../domain/typed-data.ts';
import { confirm } from '../confirm.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { columnsOf } from '../io.ts';
import { type Paint, paintFor } from '../render/paint.ts';
import type { View } from '../render/proposal.ts';
import { clean } from '../render/text.ts';
import type { Session } from '../session.ts';
import type { SignedRequest } from './signature-argument.ts';
import type { Way } from './signer.ts';

/** What is signed and how it is told. */
export type Signing = {
  readonly typedData: TypedData;
  /** What it means, for the person; it goes to standard error. */
  readonly page: (view: View) => readonly string[];
  readonly way: Way;
  /** How to go on with a signature that is made elsewhere. */
  readonly nextOutside: string;
  readonly ask: 'always' | 'where-somebody-is';
  readonly yes?: boolean | undefined;
};

/**
 * Signs after a yes. Nothing where the key is elsewhere: then the typed data is on standard output.
 *
 * @throws {StoppedError} `usage` or `refused`; nothing was signed then.
 */
export async function signHere(session: Session, signing: Signing): Promise<string | undefined> {
  const { typedData, page, way, nextOutside, ask, yes } = signing;
  const view = errorView(session);
  tell(session, page(view));
  if (way.kind === 'outside') {
    session.io.stdout.write(`${stringify(typedData, 2)}\n`);
    tell(session, outside(nextOutside, view.paint));
    return undefined;
  }
  if (ask === 'always' || session.io.isInteractive) {
    await confirm(session, { question: 'Sign this?', undone: 'Nothing was signed.', yes });
  }
  const signer = await way.open();
  const signature = await signer.sign(typedData);
  tell(session, [`Signed with the key of ${signer.address}.`]);
  return signature;
}

/**
 * Writes a signed request into a new file: it can be sent later, from another machine, by anybody.
 *
 * @throws {StoppedError} `usage`: it is there already, or cannot be written.
 */
export async function writeSigned(
  session: Session,
  file: string,
  request: SignedRequest,
): Promise<void> {
  try {
    await writeFile(resolve(session.io.cwd, file), `${stringify(request, 2)}\n`, { flag: 'wx' });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'it is there already' : (code ?? 'unknown error');
    const message = `${clean(file)} was not written: ${why}.`;
    throw new StoppedError({ exitCode: EXIT.usage, message, cause });
  }
}

/** Messages are as wide as standard error is. */
function errorView({ io }: Session): View {
  return {
    paint: paintFor(io.stderr, io.env),
    columns: columnsOf(io.stderr),
    nowMs: io.nowMs(),
  };
}

function tell({ io }: Session, lines: readonly string[]): void {
  io.stderr.write(`${lines.join('\n')}\n\n`);
}

function outside(next: string, paint: Paint): readonly string[] {
  return [
    paint.bold('With the JSON above in to-sign.json'),
    '  cast wallet sign --data --from-file to-sign.json --ledger',
    `  ${next}`,
  ];
}

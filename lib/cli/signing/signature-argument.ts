/** A signature that was made elsewhere: as text, or in a file. */

import { InvalidCommandError, parseRequest, type Request } from '../../adapters/wire/command.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { readInput } from '../read-input.ts';
import { clean } from '../render/text.ts';
import type { Session } from '../session.ts';

/** Requests that are signed: such a file can be sent as it is. */
export type SignedRequest = Extract<
  Request,
  { command: 'resume.approve' | 'proposal.approve' | 'proposal.veto' | 'panic' }
>;
/** Either the bare signature, or the whole request that `--out` wrote. */
export type Given =
  | { readonly kind: 'signature'; readonly signature: string }
  | { readonly kind: 'request'; readonly request: SignedRequest };

const SIGNATURE = /^(0x)?([0-9a-fA-F]{128})([0-9a-fA-F]{2})$/;
const SIGNED: ReadonlySet<Request['command']> = new Set([
  'resume.approve',
  'proposal.approve',
  'proposal.veto',
  'panic',
]);

/**
 * Reads what a person gave: `0x…`, or a file (`-` for standard input) with that text or with what
 * `--out` wrote.
 *
 * @throws {StoppedError} `usage`.
 */
export async function readSigned(session: Session, text: string): Promise<Given> {
  const direct = signatureOf(text);
  if (direct) return { kind: 'signature', signature: direct };
  if (/^0x/i.test(text)) throw noSignature('--signature');
  const content = (await readInput(session.io, text)).trim();
  const inFile = signatureOf(content);
  if (inFile) return { kind: 'signature', signature: inFile };
  return { kind: 'request', request: requestOf(content, text) };
}

/** Wallets leave out the 0x, or count v from 0: both say the same. */
function signatureOf(text: string): string | undefined {
  const [, , rs, v] = SIGNATURE.exec(text.trim()) ?? [];
  if (rs === undefined || v === undefined) return undefined;
  const fromZero: Readonly<Record<string, string>> = { '00': '1b', '01': '1c' };
  return `0x${rs}${fromZero[v] ?? v}`.toLowerCase();
}

function requestOf(content: string, file: string): SignedRequest {
  try {
    const request = parseRequest(content);
    if (isSigned(request)) return request;
    throw noSignature(clean(file));
  } catch (error) {
    if (!(error instanceof InvalidCommandError)) throw error;
    throw noSignature(clean(file), error);
  }
}

function isSigned(request: Request): request is SignedRequest {
  return SIGNED.has(request.command);
}

function noSignature(where: string, cause?: Error): StoppedError {
  return new StoppedError({
    exitCode: EXIT.usage,
    message: `${where}: is no signature${cause ? ` (${cause.message})` : ''}.`,
    hint: 'A signature is 65 bytes as 0x and 130 hex digits, or the file that --out wrote.',
    cause,
  });
}

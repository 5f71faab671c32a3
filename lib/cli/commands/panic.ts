/** `breakwater panic`: stop or tighten alone, by a signature instead of an account. */

import type { Command } from 'commander';
import * as TypedData from '../../domain/typed-data.ts';
import { POLICY } from '../answers.ts';
import { ask } from '../ask.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { SOUNDED } from '../proposal-answers.ts';
import { share } from '../render/action.ts';
import { panicPage } from '../render/signing.ts';
import { clean, fact } from '../render/text.ts';
import { readScope } from '../scope-argument.ts';
import type { Run, Session } from '../session.ts';
import { readShare } from '../share-argument.ts';
import { readTyped } from '../signing/panic-file.ts';
import { signHere, writeSigned } from '../signing/sign-here.ts';
import { readSigned, type SignedRequest } from '../signing/signature-argument.ts';
import { addKeyOptions, type KeyOptions, wayOf } from '../signing/signer.ts';
import { readTime } from '../time-argument.ts';

type Options = KeyOptions & {
  readonly reason: string;
  readonly expires: string;
  readonly stackId?: string;
  readonly out?: string;
  readonly yes?: boolean;
};

/** Names the stack where it cannot be asked. */
const STACK_ID = 'BREAKWATER_STACK_ID';

/** Adds the command with its subcommands. */
export function addPanic(program: Command, run: Run): void {
  const group = program
    .command('panic')
    .summary('stop or tighten alone, with a signing key')
    .description(
      'For whoever the policy names as an operator, with a key instead of an account: partners, monitors, staff. It can stop and tighten, never loosen; every use alarms, and only the resume quorum lifts it.',
    )
    .helpCommand(false);
  addOptions(group.command('pause').argument('<scope>', 'global, or <kind>:<id>'))
    .summary('stop a scope')
    .description('Stops a scope at once, as `breakwater pause` does, signed instead of logged in.')
    .action((scope: string, options: Options, command: Command) =>
      run(command, (session) => sound(session, readScope(scope), options)),
    );
  addOptions(group.command('tighten').argument('<scope>', 'global, or <kind>:<id>'))
    .summary('make every limit of a scope smaller')
    .description(
      'Lets every limit of a scope allow only a share of itself. The lowest share counts: nothing that is tighter already gets looser.',
    )
    .requiredOption(
      '--to <share>',
      'what each limit still allows of itself, such as 25%; 0% is nothing',
    )
    .action((scope: string, options: Options & { readonly to: string }, command: Command) =>
      run(command, (session) =>
        sound(session, readScope(scope), {
          ...options,
          shareBps: readShare('--to', options.to),
        }),
      ),
    );
  group
    .command('submit')
    .argument('<file>', 'what --out wrote, or the typed data that was signed elsewhere')
    .option('--signature <signature>', 'with typed data: the signature, or a file that holds it')
    .summary('send one that was signed before')
    .action((file: string, options: { readonly signature?: string }, command: Command) =>
      run(command, (session) => submit(session, file, options.signature)),
    );
}

function addOptions(command: Command): Command {
  return addKeyOptions(command)
    .requiredOption('--reason <text>', 'why; it is signed, and everybody reads it')
    .option('--expires <time>', 'until when it may act: at most an hour ahead', '10m')
    .option('--stack-id <hex>', `the id of the stack; else ${STACK_ID}, else the service is asked`)
    .option('--out <file>', 'write the signed message into a new file instead of sending it')
    .option('--yes', 'do not ask');
}

async function sound(
  session: Session,
  scope: string,
  options: Options & { readonly shareBps?: number },
): Promise<undefined> {
  const way = wayOf(session, options);
  const { reason, expires: until, out, yes, shareBps } = options;
  const expires = readTime('--expires', until, session.io.nowMs());
  const commandId = session.io.commandId();
  const panic = { commandId, scope, shareBps, reason, expiresAtMs: Date.parse(expires) };
  const stackId = await stackIdOf(session, options.stackId);
  const typedData = TypedData.ofPanic(panic, { stackId });
  const signature = await signHere(session, {
    typedData,
    page: (view) => panicPage(panic, typedData, view),
    way,
    nextOutside: 'breakwater panic submit to-sign.json --signature 0x…',
    ask: 'where-somebody-is',
    yes,
  });
  if (signature === undefined) return;
  const request = requestOf(panic, signature);
  if (out === undefined) return send(session, request);
  await writeSigned(session, out, request);
  if (session.json) return session.printJson({ written: out }) as undefined;
  session.print([
    `${session.paint.green('WRITTEN')} ${clean(out)}; nothing was sent.`,
    `Anybody can send it: breakwater panic submit ${clean(out)}`,
  ]);
}

function requestOf(panic: TypedData.Panic, signature: string): SignedRequest {
  const { commandId, scope, shareBps, reason, expiresAtMs } = panic;
  const expires = new Date(expiresAtMs).toISOString();
  const tighter = shareBps === undefined ? {} : { shareBps };
  return { command: 'panic', commandId, scope, ...tighter, reason, expires, signature };
}

async function stackIdOf(session: Session, given: string | undefined): Promise<string> {
  const named = given ?? (session.io.env[STACK_ID] || undefined);
  const stackId = named ?? (await askStackId(session));
  if (stackId !== undefined && /^(0x)?[0-9a-fA-F]{64}$/.test(stackId)) {
    return stackId.replace(/^0x/i, '').toLowerCase();
  }
  throw new StoppedError({
    exitCode: EXIT.usage,
    message:
      stackId === undefined
        ? 'The service does not say which stack it is.'
        : `--stack-id: ${clean(stackId)} is not 64 hex digits.`,
    hint: `Give it with --stack-id or ${STACK_ID}: breakwater policy show --json prints it (stackId).`,
  });
}

async function askStackId(session: Session): Promise<string | undefined> {
  const { value } = await ask(await session.connect(), { command: 'policy.show' }, POLICY);
  return value.stackId;
}

async function submit(
  session: Session,
  file: string,
  signature: string | undefined,
): Promise<undefined> {
  if (signature !== undefined) {
    const panic = await readTyped(session, file);
    const read = await readSigned(session, signature);
    if (read.kind === 'signature') return send(session, requestOf(panic, read.signature));
    throw notPanic(signature);
  }
  const read = await readSigned(session, file);
  if (read.kind === 'request' && read.request.command === 'panic')
    return send(session, read.request);
  throw notPanic(file);
}

function notPanic(file: string): StoppedError {
  return new StoppedError({
    exitCode: EXIT.usage,
    message: `${clean(file)} is no signed panic command.`,
    hint: 'Give the file that --out wrote; or the typed data, and its signature with --signature.',
  });
}

async function send(session: Session, request: SignedRequest): Promise<undefined> {
  const transport = await session.connect();
  const { value, raw } = await ask(transport, request, SOUNDED);
  if (session.json) return session.printJson(raw) as undefined;
  if (value.kind === 'duplicate') {
    return session.print([
      'This command was carried out before; nothing more was done.',
    ]) as undefined;
  }
  const { paint, columns } = session;
  const id = clean(value.incidentId);
  const verb = value.kind === 'paused' ? 'PAUSED' : 'TIGHTENED';
  const to =
    'shareBps' in request && request.shareBps !== undefined ? ` to ${share(request.shareBps)}` : '';
  session.print([
    `${paint.red(value.already ? `ALREADY ${verb}` : verb)} ${paint.bold(clean(value.scope))}${to} on ${clean(transport.target)}`,
    ...fact('Look', `breakwater incident ${id}`, { columns }),
    ...fact('Lift', `the resume quorum: breakwater resume propose ${id} --reason "…"`, { columns }),
  ]);
}

/** `breakwater resume|proposal sign|submit`, `breakwater proposal veto`: operators give their word. */

import type { Command } from 'commander';
import { nodeDigest } from '../../adapters/node-digest.ts';
import { ask } from '../ask.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { SHOWN, type Shown, SIGNED } from '../proposal-answers.ts';
import { readInput } from '../read-input.ts';
import { signedPage } from '../render/proposal.ts';
import { approvalPage, vetoPage } from '../render/signing.ts';
import { clean } from '../render/text.ts';
import type { Run, Session } from '../session.ts';
import { approvalOf, toWire, vetoOf } from '../signing/asked.ts';
import { signHere, writeSigned } from '../signing/sign-here.ts';
import { readSigned, type SignedRequest } from '../signing/signature-argument.ts';
import { addKeyOptions, type KeyOptions, wayOf } from '../signing/signer.ts';
import type { Transport } from '../transport.ts';

/** Whether the group is `resume` or `proposal`: the service takes both for every kind. */
export type Approve = 'resume.approve' | 'proposal.approve';

type SignOptions = KeyOptions & {
  readonly policy?: string;
  readonly out?: string;
  readonly yes?: boolean;
};
type SubmitOptions = { readonly signature?: string };
type VetoOptions = SignOptions & { readonly reason: string; readonly signature?: string };

/** Adds `sign` and `submit` to a group. */
export function addSigning(group: Command, run: Run, approve: Approve): void {
  addSharedOptions(
    addKeyOptions(group.command('sign'))
      .argument('<proposal>', 'the id of the proposal')
      .summary('sign a proposal, or print what to sign')
      .description(
        'Shows what a proposal does, asks, signs it and sends the signature. The signature that completes the quorum carries the proposal out. What is signed is computed here from what the proposal says; where the service asks for anything else, nothing is signed.',
      )
      .option(
        '--policy <file>',
        'for a change of policy: sign only if it puts this very text in force',
      ),
  ).action((id: string, options: SignOptions, command: Command) =>
    run(command, (session) => sign(session, id, { options, approve })),
  );
  group
    .command('submit')
    .argument('<proposal>', 'the id of the proposal')
    .argument('[file]', 'what --out wrote, or a file with the bare signature; - is standard input')
    .option('--signature <signature>', 'what a hardware wallet or cast gave: 0x and 130 hex digits')
    .summary('send a signature that was made elsewhere')
    .description(
      'Sends a signature that was made elsewhere, by a hardware wallet, by `cast wallet sign --data`, or by `sign --out`. Who sends it does not matter: the signature says who approves.',
    )
    .action(
      (id: string, file: string | undefined, ...[options, command]: [SubmitOptions, Command]) =>
        run(command, (session) =>
          submit(session, id, { given: onlyOne(file, options.signature), approve }),
        ),
    );
}

/** Adds `veto`. */
export function addVeto(group: Command, run: Run): void {
  addSharedOptions(
    addKeyOptions(group.command('veto'))
      .argument('<proposal>', 'the id of the proposal')
      .summary('object to a proposal')
      .description(
        'Objects to a proposal: what was signed before counts no more, and who objects has no further say in it. A quorum of others can sign it again. What only takes keys away cannot be objected to.',
      )
      .requiredOption('--reason <text>', 'why; it is signed, and everybody reads it')
      .option('--signature <signature>', 'the signature, where it was made elsewhere'),
  ).action((id: string, options: VetoOptions, command: Command) =>
    run(command, (session) => veto(session, id, options)),
  );
}

function addSharedOptions(command: Command): Command {
  return command
    .option('--out <file>', 'write the signed message into a new file instead of sending it')
    .option('--yes', 'do not ask; needed where there is no terminal');
}

async function sign(
  session: Session,
  id: string,
  given: { readonly options: SignOptions; readonly approve: Approve },
): Promise<undefined> {
  const { options, approve } = given;
  const way = wayOf(session, options);
  const transport = await session.connect();
  const shown = await lookAt(transport, id);
  await checkPolicy(session, shown, options.policy);
  const typedData = approvalOf(shown);
  const { proposalId } = shown.proposal;
  const signature = await signHere(session, {
    typedData,
    page: (view) => approvalPage(shown, typedData, view),
    way,
    nextOutside: `breakwater ${approve.split('.')[0]} submit ${proposalId} --signature 0x…`,
    ask: 'always',
    yes: options.yes,
  });
  if (signature === undefined) return;
  const request = { command: approve, proposalId, signature, signed: toWire(typedData) };
  await sendOrWrite(session, transport, { request, out: options.out });
}

async function veto(session: Session, id: string, options: VetoOptions): Promise<undefined> {
  const { reason, signature: made, yes, out } = options;
  if (made !== undefined) {
    return submit(session, id, { given: made, approve: 'proposal.approve', reason });
  }
  const way = wayOf(session, options);
  const transport = await session.connect();
  const shown = await lookAt(transport, id);
  const typedData = vetoOf(shown, reason);
  const { proposalId } = shown.proposal;
  const signature = await signHere(session, {
    typedData,
    page: (view) => vetoPage(shown, typedData, view),
    way,
    nextOutside: `breakwater proposal veto ${proposalId} --reason "the same" --signature 0x…`,
    ask: 'always',
    yes,
  });
  if (signature === undefined) return;
  const command = 'proposal.veto' as const;
  const request = { command, proposalId, signature, signed: toWire(typedData), reason };
  await sendOrWrite(session, transport, { request, out });
}

async function submit(
  session: Session,
  id: string,
  parameters: { readonly given: string; readonly approve: Approve; readonly reason?: string },
): Promise<undefined> {
  const { given, approve, reason } = parameters;
  const proposalId = id.toUpperCase();
  const read = await readSigned(session, given);
  const transport = await session.connect();
  if (read.kind === 'request') {
    const { request } = read;
    if (request.command !== 'panic' && request.proposalId === proposalId) {
      return send(session, transport, request);
    }
    const about =
      request.command === 'panic' ? 'a panic command' : `proposal ${request.proposalId}`;
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: `${clean(given)} is about ${clean(about)}, not about ${clean(proposalId)}. Nothing was sent.`,
    });
  }
  const { signature } = read;
  const request: SignedRequest =
    reason === undefined
      ? { command: approve, proposalId, signature }
      : { command: 'proposal.veto', proposalId, signature, reason };
  return send(session, transport, request);
}

/** @throws {StoppedError} `refused`: it can be signed no more. */
async function lookAt(transport: Transport, id: string): Promise<Shown> {
  const request = { command: 'proposal.show' as const, proposalId: id.toUpperCase() };
  const { value } = await ask(transport, request, SHOWN);
  if (value.over === undefined) return value;
  throw new StoppedError({
    exitCode: EXIT.refused,
    message: `This proposal can be signed no more: ${clean(value.over)}.`,
    hint: 'Look at it: breakwater proposal status PROPOSAL. If it is still wanted, make a new one.',
  });
}

/** The list of changes is the service's word; the hash of a text that somebody has read is not. */
async function checkPolicy(
  session: Session,
  { proposal }: Shown,
  file: string | undefined,
): Promise<void> {
  if (file === undefined) return;
  const { action } = proposal;
  const hash = nodeDigest.hash(await readInput(session.io, file));
  if (action.kind === 'policy' && action.hash === hash) return;
  throw new StoppedError({
    exitCode: EXIT.refused,
    message:
      action.kind === 'policy'
        ? `The proposal puts another text in force than ${clean(file)}: hash ${clean(action.hash)}, and that file has ${hash}. Nothing was signed.`
        : `--policy: this proposal changes no policy. Nothing was signed.`,
  });
}

function onlyOne(file: string | undefined, signature: string | undefined): string {
  const given = file ?? signature;
  if (given !== undefined && (file === undefined || signature === undefined)) return given;
  throw new StoppedError({
    exitCode: EXIT.usage,
    message: 'Give the signature once: --signature 0x…, or a file that holds it.',
  });
}

async function sendOrWrite(
  session: Session,
  transport: Transport,
  { request, out }: { readonly request: SignedRequest; readonly out: string | undefined },
): Promise<undefined> {
  if (out === undefined) return send(session, transport, request);
  await writeSigned(session, out, request);
  if (session.json) return session.printJson({ written: out }) as undefined;
  const id = 'proposalId' in request ? request.proposalId : '';
  session.print([
    `${session.paint.green('WRITTEN')} ${clean(out)}; nothing was sent.`,
    `Anybody can send it: breakwater proposal submit ${clean(id)} ${clean(out)}`,
  ]);
}

async function send(
  session: Session,
  transport: Transport,
  request: SignedRequest,
): Promise<undefined> {
  const { value, raw } = await ask(transport, request, SIGNED);
  if (session.json) return session.printJson(raw) as undefined;
  const view = { ...session, nowMs: session.io.nowMs(), target: transport.target };
  session.print(signedPage(value, view));
}

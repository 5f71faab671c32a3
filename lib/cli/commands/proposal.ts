/** `breakwater proposal`: what operators sign together, of every kind. */

import type { Command } from 'commander';
import { ask } from '../ask.ts';
import { LISTED, SHOWN } from '../proposal-answers.ts';
import { proposalList, proposalPage } from '../render/proposal.ts';
import type { Run, Session } from '../session.ts';
import { addSigning, addVeto } from './proposal-sign.ts';

/** Adds the command with its subcommands. */
export function addProposal(program: Command, run: Run): void {
  const proposal = program
    .command('proposal')
    .summary('what operators sign together: look, sign, object')
    .description(
      'A resume, a policy that loosens, an allowance and maintenance are proposals: each is signed by several operators, and the last signature that it takes carries it out. See docs/resuming.md.',
    )
    .helpCommand(false);
  addProposalStatus(proposal, run);
  addSigning(proposal, run, 'proposal.approve');
  addVeto(proposal, run);
}

/** Adds `status` to a group; people look for it under `resume`, too. */
export function addProposalStatus(group: Command, run: Run): void {
  group
    .command('status')
    .argument('[proposal]', 'the id of one proposal; without it all are listed')
    .summary('proposals: who has signed, who may, until when')
    .description(
      'Lists the newest proposals, or shows one: what it does, who has signed it, who may, until when, and how to sign it.',
    )
    .action((id: string | undefined, _: unknown, command: Command) =>
      run(command, (session) => (id === undefined ? list(session) : show(session, id))),
    );
}

async function list(session: Session): Promise<undefined> {
  const transport = await session.connect();
  const { value, raw } = await ask(transport, { command: 'proposal.list' }, LISTED);
  if (session.json) session.printJson(raw);
  else session.print(proposalList(value, viewOf(session)));
}

async function show(session: Session, id: string): Promise<undefined> {
  const transport = await session.connect();
  const request = { command: 'proposal.show' as const, proposalId: id.toUpperCase() };
  const { value, raw } = await ask(transport, request, SHOWN);
  if (session.json) session.printJson(raw);
  else session.print(proposalPage(value, viewOf(session)));
}

function viewOf(session: Session) {
  return { ...session, nowMs: session.io.nowMs() };
}

/** Commands and questions about what operators sign. */

import { approveProposal, vetoProposal } from '../actions/approve-proposal.ts';
import { propose } from '../actions/propose.ts';
import { listProposals, showProposal } from '../actions/show-proposals.ts';
import { soundPanic } from '../actions/sound-panic.ts';
import type * as Wire from '../adapters/wire/command.ts';
import type * as Ceremony from '../domain/ceremony.ts';
import type * as Panic from '../domain/panic.ts';
import type * as Propose from '../domain/propose.ts';
import type { Served } from './operate-withdrawals.ts';
import type { OperatorWorld } from './world.ts';

/** A request to make a proposal. */
export type ProposeRequest = Extract<Wire.Request, { command: `${string}.propose` }>;
/** A request that carries its own proof: who sends it does not matter. */
export type SignedRequest = Extract<
  Wire.Request,
  { command: 'resume.approve' | 'proposal.approve' | 'proposal.veto' | 'panic' }
>;
/** A question about proposals. */
export type ProposalQuestion = Extract<
  Wire.Request,
  { command: 'proposal.show' | 'proposal.list' }
>;

/** What became of a change. */
export type Changed = Propose.Result | Ceremony.Result | Panic.Result;

/** Carries out what is signed, or makes a proposal. `actor` is who the transport proved it to be. */
export async function changeProposals(
  world: OperatorWorld,
  request: ProposeRequest | SignedRequest,
  actor: string,
): Promise<Changed> {
  const result = await change(world, request, actor);
  const told = 'proposal' in result ? { ...result, proposal: result.proposal.proposalId } : result;
  world.log.info('command', { actor, command: request.command, result: told });
  return result;
}

/** Answers what only looks. */
export async function answerProposals(
  world: OperatorWorld,
  question: ProposalQuestion,
): Promise<Served> {
  const deps = { ...world.ceremony, clock: world.clock };
  if (question.command === 'proposal.list') {
    return { statusCode: 200, body: await listProposals(deps) };
  }
  const { proposalId } = question;
  const shown = await showProposal(deps, proposalId);
  return shown
    ? { statusCode: 200, body: shown }
    : { statusCode: 404, body: { error: `there is no proposal ${proposalId}` } };
}

function change(
  world: OperatorWorld,
  request: ProposeRequest | SignedRequest,
  actor: string,
): Promise<Changed> {
  switch (request.command) {
    case 'resume.propose':
    case 'policy.propose':
    case 'allowance.propose':
    case 'maintenance.propose': {
      const deps = { ...world.ceremony, compilePolicy: world.compilePolicy };
      return propose(deps, { request: requestOf(world, request), actor });
    }
    case 'resume.approve':
    case 'proposal.approve':
      return approveProposal(world.ceremony, request);
    case 'proposal.veto':
      return vetoProposal(world.ceremony, request);
    case 'panic': {
      const { commandId, scope, shareBps, reason, signature } = request;
      const expiresAtMs = Date.parse(request.expires);
      const panic = { commandId, scope, shareBps, reason, expiresAtMs };
      return soundPanic(world.ceremony, { panic, signature });
    }
    default:
      return request satisfies never;
  }
}

function requestOf(world: OperatorWorld, request: ProposeRequest): Propose.Request {
  const { commandId, reason, notBefore, expires } = request;
  return {
    commandId,
    wish: wishOf(world, request),
    reason,
    ...(notBefore === undefined ? {} : { notBeforeMs: Date.parse(notBefore) }),
    ...(expires === undefined ? {} : { expiresAtMs: Date.parse(expires) }),
  };
}

function wishOf(world: OperatorWorld, request: ProposeRequest): Propose.Wish {
  switch (request.command) {
    case 'resume.propose': {
      const { incidentId, mode, rebase, also } = request;
      return { kind: 'resume', incidentId, mode, rebase, also };
    }
    case 'policy.propose': {
      const { source } = request;
      return { kind: 'policy', source, hash: world.digest.hash(source) };
    }
    case 'allowance.propose': {
      const { limitId, scope, extraBps, until } = request;
      return { kind: 'allowance', limitId, scope, extraBps, untilMs: Date.parse(until) };
    }
    case 'maintenance.propose':
      return { kind: 'maintenance', scope: request.scope };
    default:
      return request satisfies never;
  }
}

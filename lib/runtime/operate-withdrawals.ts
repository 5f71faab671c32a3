/** Commands and questions about single withdrawals. */

import { closeWithdrawal } from '../actions/close-withdrawal.ts';
import { describeWithdrawal } from '../actions/describe-withdrawal.ts';
import { releaseWithdrawal } from '../actions/release-held.ts';
import { reportHeld } from '../actions/report-held.ts';
import type * as Wire from '../adapters/wire/command.ts';
import type { World } from './world.ts';

/** A command or question about withdrawals. */
export type WithdrawalRequest = Extract<Wire.Request, { command: `withdrawal.${string}` }>;

/** What is answered; the body is written as JSON. */
export type Served = { readonly statusCode: number; readonly body: unknown };

/** Open reservations in one list. */
const LISTED_MAX = 1_000;

/** Serves one request. `actor` is who the transport proved it to be. */
export async function serveWithdrawals(
  world: World,
  request: WithdrawalRequest,
  actor: string,
): Promise<Served> {
  const { store, clock } = world;
  switch (request.command) {
    case 'withdrawal.close':
      return close(world, request, actor);
    case 'withdrawal.release':
      return release(world, request, actor);
    case 'withdrawal.show': {
      const notice = await describeWithdrawal(world.reserve, request.withdrawalId);
      const error = `no withdrawal ${request.withdrawalId} was reported, admitted or held`;
      return notice ? { statusCode: 200, body: notice } : { statusCode: 404, body: { error } };
    }
    case 'withdrawal.held':
      return { statusCode: 200, body: await reportHeld({ ...world.decision, held: store.held }) };
    case 'withdrawal.open': {
      const atMs = clock.nowMs();
      const open = await store.openReservations.before(atMs + 1, LISTED_MAX);
      return { statusCode: 200, body: { atMs, open } };
    }
    default:
      return request satisfies never;
  }
}

/** A person's word that a withdrawal will not leave: what it was charged is given back. Said twice it acts once. */
async function close(
  world: World,
  request: Extract<WithdrawalRequest, { command: 'withdrawal.close' }>,
  actor: string,
): Promise<Served> {
  const { command, withdrawalId, outcome, reason } = request;
  const deps = { ...world.decision, alerts: world.store.alerts };
  const evidence = { kind: 'operator', reference: actor, reason } as const;
  const result = await closeWithdrawal(deps, { kind: outcome, withdrawalId, evidence });
  const givenBack = 'givenBack' in result ? { givenBack: result.givenBack.toString() } : {};
  world.log.info('command', { actor, command, reason, result: { ...result, ...givenBack } });
  return { statusCode: result.kind === 'refused' ? 409 : 200, body: result };
}

/** A person lets a held withdrawal go. Who it was is kept in its row; why, in the log. */
async function release(
  world: World,
  request: Extract<WithdrawalRequest, { command: 'withdrawal.release' }>,
  actor: string,
): Promise<Served> {
  const { command, withdrawalId, reason } = request;
  const deps = { ...world.reserve, held: world.store.held };
  const result = await releaseWithdrawal(deps, { withdrawalId, actor, reason });
  world.log.info('command', { actor, command, reason, result });
  return { statusCode: result.kind === 'refused' ? 409 : 200, body: result };
}

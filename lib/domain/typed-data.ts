/**
 * What operators see and sign: EIP-712 typed data (https://eips.ethereum.org/EIPS/eip-712), which
 * hardware wallets show field by field. The domain binds the product and, as its salt, the random id of
 * one stack; the message binds one proposal, in one round, under one policy. Times and shares are texts
 * that people can read; `actionHash` binds everything that they leave out.
 */

import { duration } from './explain.ts';
import * as Money from './money.ts';
import * as Proposal from './proposal.ts';
import type * as Resume from './resume.ts';

type Field = { readonly name: string; readonly type: string };

/** Typed data as `eth_signTypedData_v4` takes it. Every value is a text or a whole number. */
export type TypedData = {
  readonly domain: {
    readonly name: string;
    readonly version: string;
    readonly salt: `0x${string}`;
  };
  readonly types: Readonly<Record<string, readonly Field[]>>;
  readonly primaryType: string;
  readonly message: Readonly<Record<string, string | number>>;
};

/** A command of one operator alone, signed: it can only stop or tighten. */
export type Panic = {
  readonly commandId: string;
  readonly scope: string;
  /** What every limit of the scope allows from now on, of itself; absent: the scope is paused. */
  readonly shareBps?: number | undefined;
  readonly reason: string;
  readonly expiresAtMs: number;
};

type Known = { readonly stackId: string; readonly hash: (text: string) => string };

/** What an operator signs to approve a proposal in its present round. */
export function ofProposal(proposal: Proposal.Proposal, known: Known): TypedData {
  const { action, proposalId, round, policyHash, reason, notBeforeMs, expiresAtMs } = proposal;
  const [primaryType, what] = whatOf(action);
  return typed(known.stackId, primaryType, {
    proposal: proposalId,
    ...what,
    reason,
    notBefore: time(notBeforeMs),
    expires: time(expiresAtMs),
    round,
    policyHash: `0x${policyHash}`,
    actionHash: `0x${known.hash(Proposal.canonicalAction(action))}`,
  });
}

/** What an operator signs to object to a proposal in its present round. */
export function ofVeto(
  proposal: Proposal.Proposal,
  veto: { readonly reason: string },
  known: Known,
): TypedData {
  const { proposalId, round, policyHash, action } = proposal;
  return typed(known.stackId, 'Veto', {
    proposal: proposalId,
    reason: veto.reason,
    round,
    policyHash: `0x${policyHash}`,
    actionHash: `0x${known.hash(Proposal.canonicalAction(action))}`,
  });
}

/** What an operator signs to stop or to tighten. */
export function ofPanic(panic: Panic, known: Pick<Known, 'stackId'>): TypedData {
  const { commandId, scope, shareBps, reason, expiresAtMs } = panic;
  return typed(known.stackId, 'Panic', {
    command: commandId,
    scope,
    does: shareBps === undefined ? 'pause' : `limits at ${percent(shareBps)}`,
    reason,
    expires: time(expiresAtMs),
  });
}

function whatOf(action: Proposal.Action): [string, Record<string, string | number>] {
  switch (action.kind) {
    case 'resume':
      return ['Resume', resumeFields(action.order)];
    case 'policy': {
      const { hash, changes, revokes, delayMs } = action;
      const inForce = revokes ? 'at once' : `${duration(delayMs)} after the last signature`;
      return ['PolicyChange', { newPolicy: `0x${hash}`, inForce, changes: changes.join('; ') }];
    }
    case 'allowance': {
      const { limitId, scope, extraBps, untilMs } = action;
      return [
        'Allowance',
        { limit: limitId, scope, extra: percent(extraBps), until: time(untilMs) },
      ];
    }
    case 'maintenance':
      return ['Maintenance', { scope: action.scope }];
    default:
      return action satisfies never;
  }
}

function resumeFields(order: Resume.Order): Record<string, string | number> {
  const { incidentId, scope, epoch, steps, budget, rebase, also } = order;
  const mode =
    steps.length === 0
      ? 'at once, full limits in force'
      : `in steps: ${steps.map(stepText).join(', then ')}; where no limit is in USD, of ${Money.formatUsd(budget)}`;
  const base = rebase.map((one) => `${one.limitId} on ${one.scope}`);
  const others = also.map((one) => `${one.incidentId} (${one.scope}, epoch ${one.epoch})`);
  return {
    incident: incidentId,
    scope,
    epoch,
    mode,
    newBase: base.length === 0 ? 'none' : base.join(', '),
    also: others.length === 0 ? 'none' : others.join(', '),
  };
}

function stepText({ shareBps, forMs, chains, assets }: Resume.Order['steps'][number]): string {
  const only = [...(chains ?? []), ...(assets ?? [])];
  const narrowed = only.length === 0 ? '' : ` for ${only.join(' and ')} only`;
  return `${percent(shareBps)} for ${duration(forMs)}${narrowed}`;
}

function percent(bps: number): string {
  return `${Money.formatUnits(BigInt(bps), 2)}%`;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** Types of the fields that are not texts. */
const FIELD_TYPES: Readonly<Record<string, string>> = {
  epoch: 'uint256',
  round: 'uint256',
  policyHash: 'bytes32',
  actionHash: 'bytes32',
  newPolicy: 'bytes32',
};

const DOMAIN_TYPE: readonly Field[] = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'salt', type: 'bytes32' },
];

function typed(
  stackId: string,
  primaryType: string,
  message: Readonly<Record<string, string | number>>,
): TypedData {
  const fields = Object.keys(message).map((name) => ({
    name,
    type: FIELD_TYPES[name] ?? 'string',
  }));
  return {
    domain: { name: 'Breakwater', version: '1', salt: `0x${stackId}` },
    types: { EIP712Domain: DOMAIN_TYPE, [primaryType]: fields },
    primaryType,
    message,
  };
}

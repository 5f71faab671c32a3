import type { Shown } from '../../lib/actions/show-proposals.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import type { Action, Proposal } from '../../lib/domain/proposal.ts';
import * as TypedData from '../../lib/domain/typed-data.ts';
import { NOW_MS } from './answers.ts';

/** The first two keys of anvil, known to everybody: TEST KEYS, they must never hold anything. */
export const TEST_KEYS = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
] as const;
/** Their addresses. */
export const TEST_ADDRESSES = [
  '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  '0x70997970c51812dc3a010c7d01b50e0d17dc79c8',
] as const;

export const STACK_ID = '3f'.repeat(32);
export const POLICY_HASH = '0c5f41a6d7a09a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293';

export const RESUME: Action = {
  kind: 'resume',
  order: {
    incidentId: '1HA4VYR80K2M3',
    scope: 'key-domain:hot-vault',
    epoch: 1,
    steps: [
      { shareBps: 1_000, forMs: 3_600_000, chains: ['eip155:1'] },
      { shareBps: 2_500, forMs: 3_600_000 },
      { shareBps: 5_000, forMs: 3_600_000 },
      { shareBps: 10_000, forMs: 3_600_000 },
    ],
    budget: 1_000_000_000_000n,
    rebase: [{ limitId: 'wallet-hour', scope: 'wallet:eth-hot-1' }],
    also: [
      {
        incidentId: '1HA4VYR80K2M4',
        scope: 'destination:eip155:1:0x2222222222222222222222222222222222222222',
        epoch: 1,
      },
    ],
  },
};

export const LOOSENING: Action = {
  kind: 'policy',
  hash: 'ab'.repeat(32),
  revokes: false,
  changes: ['limit wallet-hour: max $2,500,000 → $3,000,000', 'asset eip155:1/slip44:60: added'],
  delayMs: 86_400_000,
};

export const ALLOWANCE: Action = {
  kind: 'allowance',
  limitId: 'wallet-hour',
  scope: 'wallet:eth-hot-1',
  extraBps: 5_000,
  untilMs: NOW_MS + 6 * 3_600_000,
};

export const MAINTENANCE: Action = { kind: 'maintenance', scope: 'wallet:eth-hot-1' };

/** A proposal made five minutes ago. */
export function proposalOf(action: Action, parts: Partial<Proposal> = {}): Proposal {
  return {
    proposalId: '1HA4XG3R5M7QA',
    action,
    policyHash: POLICY_HASH,
    notBeforeMs: NOW_MS - 300_000,
    expiresAtMs: NOW_MS - 300_000 + 86_400_000,
    reason: 'the leaked key is rotated, and what is left was moved',
    proposedBy: 'arn:aws:sts::123456789012:assumed-role/oncall/ada',
    proposedAtMs: NOW_MS - 300_000,
    round: 1,
    approvals: [],
    vetoes: [],
    state: 'open',
    ...parts,
  };
}

/** One signature of somebody. */
export function signatureOf(operator: string, round = 1) {
  const signature = `0x${'11'.repeat(64)}1b`;
  return { operator, address: TEST_ADDRESSES[0], signature, atMs: NOW_MS - 60_000, round };
}

/** As the service shows it. */
export function shownOf(proposal: Proposal, parts: Partial<Shown> = {}): Shown {
  const signed = proposal.approvals
    .filter(({ round }) => round === proposal.round)
    .map(({ operator }) => operator);
  return {
    proposal,
    signed,
    quorum: 2,
    may: ['ada', 'bob', 'carol'].filter((name) => !signed.includes(name)),
    typedData: TypedData.ofProposal(proposal, { stackId: STACK_ID, hash: nodeDigest.hash }),
    ...parts,
  };
}

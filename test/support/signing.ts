/** A world with operators whose keys are made for the test alone, and short ways to propose and to sign. */

import { privateKeyToAccount } from 'viem/accounts';
import { approveProposal } from '../../lib/actions/approve-proposal.ts';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { propose } from '../../lib/actions/propose.ts';
import { asViem } from '../../lib/adapters/typed-signature.ts';
import type * as Ceremony from '../../lib/domain/ceremony.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type * as Proposal from '../../lib/domain/proposal.ts';
import type * as Propose from '../../lib/domain/propose.ts';
import * as TypedData from '../../lib/domain/typed-data.ts';
import { readyWorld, type TestWorld } from './action-world.ts';
import * as Build from './builders.ts';

/** People of the tests: three operators, one with a panic key, and somebody else. */
export type Person = 'alice' | 'bob' | 'carol' | 'partner' | 'mallory';

/** Keys of these tests, made from their names; nothing else uses them. */
const ACCOUNTS = Object.fromEntries(
  (['alice', 'bob', 'carol', 'partner', 'mallory'] as const).map((name) => [
    name,
    privateKeyToAccount(`0x${Build.hash(`breakwater test key of ${name}`)}`),
  ]),
) as Record<Person, ReturnType<typeof privateKeyToAccount>>;

/** The id of every test's stack. */
export const STACK_ID = 'ab'.repeat(32);
const KNOWN = { stackId: STACK_ID, hash: Build.hash };

/** An operator of the policy with a person's key. */
export function operator(name: Person, overrides: Partial<Policy.Operator> = {}): Policy.Operator {
  const address = ACCOUNTS[name].address.toLowerCase();
  return { name, address, roles: ['pause', 'resume'], iam: `*/${name}`, ...overrides };
}

/** A policy with three operators, of whom two have to sign, and a partner with a panic key. */
export function quorumPolicy(overrides: Partial<Policy.Policy> = {}): Policy.Policy {
  return Build.policy({
    operators: [
      operator('alice'),
      operator('bob'),
      operator('carol'),
      operator('partner', { roles: ['panic'] }),
    ],
    resume: { kind: 'quorum', quorum: 2, pauserCounts: false, steps: [], budget: 0n },
    ...overrides,
  });
}

/** The wallet that these worlds pause. */
export const SCOPE = 'wallet:hot-1';

/** A world under a policy with a quorum. */
export function quorumWorld(policy: Policy.Policy = quorumPolicy()): Promise<TestWorld> {
  return readyWorld(policy);
}

let commands = 0;

/** An id that no command had before. */
export function commandId(): string {
  commands += 1;
  return `command-${commands.toString().padStart(4, '0')}`;
}

/** Pauses as a caller whom the transport knows by this name. */
export async function pauseAs(
  { world }: TestWorld,
  who: string,
  scope: string = SCOPE,
): Promise<string> {
  const { incidents } = world.store;
  const deps = { ...world.decision, incidents, compilePolicy: world.compilePolicy };
  const command = { kind: 'pause', commandId: commandId(), scope, reason: 'test' } as const;
  const result = await operateBreaker(deps, {
    command,
    actor: `arn:aws:sts::1:assumed-role/${who}`,
  });
  if (result.kind !== 'paused') throw new Error(`pausing gave ${result.kind}`);
  return result.incidentId;
}

/** A wish to resume an incident at once. */
export function resumeOf(
  incidentId: string,
  overrides: Partial<Extract<Propose.Wish, { kind: 'resume' }>> = {},
): Propose.Wish {
  return { kind: 'resume', incidentId, mode: 'at-once', rebase: [], also: [], ...overrides };
}

/** Asks for a proposal. */
export function proposeIn(
  { world }: TestWorld,
  wish: Propose.Wish,
  overrides: Partial<Propose.Request> = {},
): Promise<Propose.Result> {
  const deps = { ...world.ceremony, compilePolicy: world.compilePolicy };
  const request = { commandId: commandId(), wish, reason: 'it is safe', ...overrides };
  return propose(deps, { request, actor: 'anybody' });
}

/** A proposal that was made. */
export async function proposed(
  made: TestWorld,
  wish: Propose.Wish,
  overrides: Partial<Propose.Request> = {},
): Promise<Proposal.Proposal> {
  const result = await proposeIn(made, wish, overrides);
  if (result.kind !== 'proposed') throw new Error(JSON.stringify(result));
  return result.proposal;
}

/** What a proposal asks to sign, as it is now. */
export async function askedIn(
  { world }: TestWorld,
  proposalId: string,
): Promise<TypedData.TypedData> {
  return TypedData.ofProposal(await proposalIn({ world }, proposalId), KNOWN);
}

/** A proposal as it is now. */
export async function proposalIn(
  { world }: Pick<TestWorld, 'world'>,
  proposalId: string,
): Promise<Proposal.Proposal> {
  const rowId = `proposal:${proposalId}`;
  const { rows } = await world.store.decisions.load({ rows: [rowId], items: [] });
  const found = rows.get(rowId)?.proposal;
  if (!found) throw new Error(`${rowId} is not stored`);
  return found;
}

/** Signs typed data with a person's key. */
export function signAs(who: Person, typedData: TypedData.TypedData): Promise<string> {
  return ACCOUNTS[who].signTypedData(asViem(typedData) as never);
}

/** A person approves a proposal as it is now. */
export async function approveAs(
  made: TestWorld,
  who: Person,
  proposalId: string,
): Promise<Ceremony.Result> {
  const signature = await signAs(who, await askedIn(made, proposalId));
  return approveProposal(made.world.ceremony, { proposalId, signature });
}

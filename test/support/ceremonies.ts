/**
 * Random ceremonies over the real actions, beside a naive record of who validly signed what. The record
 * shares no code with the product: it knows only what each step was made to be.
 */

import * as fc from 'fast-check';
import { approveProposal, vetoProposal } from '../../lib/actions/approve-proposal.ts';
import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { propose } from '../../lib/actions/propose.ts';
import type * as Ceremony from '../../lib/domain/ceremony.ts';
import type * as Policy from '../../lib/domain/policy.ts';
import type * as Proposal from '../../lib/domain/proposal.ts';
import * as TypedData from '../../lib/domain/typed-data.ts';
import { putInForce, readyWorld, type TestWorld } from './action-world.ts';
import * as Build from './builders.ts';
import { fastSign, fastSignatures } from './fast-signatures.ts';

const SCOPE = 'wallet:hot-1';
const STACK_ID = 'ab'.repeat(32);
const LIFE_MS = Build.DAY_MS;

/** Names of everybody who may turn up, operators or not. */
const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'mallory'] as const;
type Name = (typeof PEOPLE)[number];

/** One step of a ceremony. Numbers choose among what there is. */
export type Step =
  | { readonly kind: 'pause'; readonly by: Name }
  | { readonly kind: 'propose' }
  | { readonly kind: 'sign'; readonly by: Name; readonly which: number }
  | { readonly kind: 'forge'; readonly by: Name; readonly how: Forgery; readonly which: number }
  | { readonly kind: 'replay'; readonly which: number; readonly onto: number }
  | { readonly kind: 'veto'; readonly by: Name; readonly which: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'rotate'; readonly without: Name };

type Forgery = 'stack' | 'epoch' | 'incident' | 'policy' | 'round' | 'garbage';

const name = fc.constantFrom(...PEOPLE);
/** Mostly the newest. */
const which = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 7 }));

/** Steps in any order; signing is the most frequent. */
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pause' as const), by: name }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('propose' as const) }) },
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('sign' as const), by: name, which }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('forge' as const),
        by: name,
        how: fc.constantFrom<Forgery>('stack', 'epoch', 'incident', 'policy', 'round', 'garbage'),
        which,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('replay' as const), which, onto: which }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('veto' as const), by: name, which }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        ms: fc.constantFrom(1, Build.HOUR_MS, LIFE_MS - 1, LIFE_MS),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('rotate' as const), without: name }) },
  ),
  { minLength: 4, maxLength: 40 },
);

/** How ceremonies begin, or nothing would be there to sign; then anything may happen. */
export const ceremony: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.constantFrom<Name>('mallory', 'alice'), steps)
  .map(([by, rest]) => [{ kind: 'pause', by }, { kind: 'propose' }, ...rest]);

/** How many there were of what, over many ceremonies. */
export type Tally = {
  ceremonies: number;
  steps: number;
  signatures: number;
  resumed: number;
  refused: number;
};

/** What the record knows of one proposal. */
type Known = {
  readonly proposalId: string;
  readonly madeAtMs: number;
  readonly policyHash: string;
  readonly opening: number;
  readonly signed: Set<Name>;
  readonly vetoed: Set<Name>;
  round: number;
  isDone: boolean;
};

type Run = {
  readonly made: TestWorld;
  readonly known: Known[];
  readonly signatures: {
    readonly proposal: Known;
    readonly round: number;
    readonly by: Name;
    readonly signature: string;
  }[];
  readonly tally: Tally;
  operators: Name[];
  policyHash: string;
  /** Openings of the breaker so far; even where it is closed now. */
  opening: number;
  isOpen: boolean;
  /** Everybody who paused since it opened. */
  pausers: Set<Name>;
  commands: number;
  rotations: number;
};

function addressOf(who: Name): string {
  return `0x${Build.hash(`test key of ${who}`).slice(0, 40)}`;
}

/** Each rotation has a name of its own, so that no policy comes into force twice. */
function policyOf(operators: readonly Name[], rotation = 0): Policy.Policy {
  return Build.policy({
    name: `rotation-${rotation}`,
    operators: operators.map((one) => ({
      name: one,
      address: addressOf(one),
      roles: one === 'dave' ? ['panic'] : ['pause', 'resume'],
      iam: `local:${one}`,
    })),
    resume: { kind: 'quorum', quorum: 2, pauserCounts: false, steps: [], budget: 0n },
  });
}

/** Runs one ceremony. Throws where the product and the record disagree. */
export async function runCeremony(steps: readonly Step[], tally: Tally): Promise<void> {
  const operators: Name[] = ['alice', 'bob', 'carol', 'dave'];
  const made = await readyWorld(policyOf(operators));
  const run: Run = {
    made,
    known: [],
    signatures: [],
    tally,
    operators,
    policyHash: (await made.world.decision.policy.refresh()).hash,
    opening: 0,
    isOpen: false,
    pausers: new Set(),
    commands: 0,
    rotations: 0,
  };
  tally.ceremonies += 1;
  for (const step of steps) {
    tally.steps += 1;
    await play(run, step);
    await agree(run, step);
  }
}

async function agree(run: Run, step: Step): Promise<void> {
  const { items } = await run.made.world.store.decisions.load({ rows: [], items: [SCOPE] });
  const isOpen = (items.get(SCOPE)?.breaker.state ?? 'closed') !== 'closed';
  if (isOpen !== run.isOpen) {
    throw new Error(`after ${JSON.stringify(step)} the breaker is ${isOpen ? 'open' : 'closed'}`);
  }
}

async function play(run: Run, step: Step): Promise<void> {
  switch (step.kind) {
    case 'pause':
      return pause(run, step.by);
    case 'propose':
      return makeProposal(run);
    case 'sign':
      return sign(run, step);
    case 'forge':
      return forge(run, step);
    case 'replay':
      return replay(run, step);
    case 'veto':
      return veto(run, step);
    case 'wait':
      run.made.clock.nowMs += step.ms;
      return;
    case 'rotate':
      return rotate(run, step.without);
    default:
      return step satisfies never;
  }
}

function deps(run: Run) {
  return { ...run.made.world.ceremony, signatures: fastSignatures };
}

function commandId(run: Run): string {
  run.commands += 1;
  return `command-${run.commands}`;
}

async function pause(run: Run, by: Name): Promise<void> {
  const { world } = run.made;
  const actions = {
    ...world.decision,
    incidents: world.store.incidents,
    compilePolicy: world.compilePolicy,
  };
  const command = {
    kind: 'pause',
    commandId: commandId(run),
    scope: SCOPE,
    reason: 'test',
  } as const;
  await operateBreaker(actions, { command, actor: `local:${by}` });
  if (!run.isOpen) {
    run.isOpen = true;
    run.opening += 1;
    run.pausers = new Set();
  }
  run.pausers.add(by);
}

async function makeProposal(run: Run): Promise<void> {
  const { world, clock } = run.made;
  const [incident] = await world.store.incidents.listOpen(1);
  const incidentId = incident?.incidentId ?? 'NOSUCHINCIDENT';
  const wish = { kind: 'resume', incidentId, mode: 'at-once', rebase: [], also: [] } as const;
  const request = { commandId: commandId(run), wish, reason: 'test' };
  const asked = { ...deps(run), compilePolicy: world.compilePolicy };
  const result = await propose(asked, { request, actor: 'anybody' });
  if ((result.kind === 'proposed') !== run.isOpen) throw new Error(`proposing gave ${result.kind}`);
  if (result.kind !== 'proposed') return;
  run.known.push({
    proposalId: result.proposal.proposalId,
    madeAtMs: clock.nowMs,
    policyHash: run.policyHash,
    opening: run.opening,
    signed: new Set(),
    vetoed: new Set(),
    round: 1,
    isDone: false,
  });
}

/** Whether a signature of this person, made for this proposal now, has to count. */
function counts(run: Run, known: Known, by: Name): boolean {
  return (
    !known.isDone &&
    run.made.clock.nowMs < known.madeAtMs + LIFE_MS &&
    known.policyHash === run.policyHash &&
    run.isOpen &&
    known.opening === run.opening &&
    run.operators.includes(by) &&
    by !== 'dave' &&
    !run.pausers.has(by) &&
    !known.signed.has(by) &&
    !known.vetoed.has(by)
  );
}

async function sign(run: Run, step: { readonly by: Name; readonly which: number }): Promise<void> {
  const known = pick(run.known, step.which);
  if (!known) return;
  const typedData = await askedOf(run, known);
  const signature = fastSign(addressOf(step.by), typedData);
  run.signatures.push({ proposal: known, round: known.round, by: step.by, signature });
  const isValid = counts(run, known, step.by);
  const result = await send(run, known, { signature, signed: typedData });
  took(run, known, { by: step.by, isValid, result });
}

/** What a valid signature does to the record; an invalid one has to be refused. */
function took(
  run: Run,
  known: Known,
  about: { readonly by: Name; readonly isValid: boolean; readonly result: Ceremony.Result },
): void {
  const { by, isValid, result } = about;
  run.tally.signatures += 1;
  if (!isValid) {
    run.tally.refused += 1;
    if (result.kind !== 'refused') throw new Error(`${by} was taken: ${result.kind}`);
    return;
  }
  known.signed.add(by);
  const expected = known.signed.size >= 2 ? 'carried-out' : 'approved';
  if (result.kind !== expected)
    throw new Error(`${by}: ${JSON.stringify(result)}, not ${expected}`);
  if (expected === 'approved') return;
  known.isDone = true;
  run.isOpen = false;
  run.tally.resumed += 1;
}

async function forge(
  run: Run,
  step: { readonly by: Name; readonly how: Forgery; readonly which: number },
): Promise<void> {
  const known = pick(run.known, step.which);
  if (!known) return;
  const typedData = await askedOf(run, known);
  const signature =
    step.how === 'garbage' ? '0xdead' : fastSign(addressOf(step.by), forged(typedData, step.how));
  const result = await send(run, known, { signature });
  took(run, known, { by: step.by, isValid: false, result });
}

function forged(typedData: TypedData.TypedData, how: Exclude<Forgery, 'garbage'>) {
  const message = { ...typedData.message };
  if (how === 'stack') {
    return { ...typedData, domain: { ...typedData.domain, salt: `0x${'cd'.repeat(32)}` as const } };
  }
  if (how === 'epoch') message.epoch = Number(message.epoch) + 1;
  if (how === 'incident') message.incident = 'ANOTHERONE';
  if (how === 'policy') message.policyHash = `0x${'ef'.repeat(32)}`;
  if (how === 'round') message.round = Number(message.round) + 1;
  return { ...typedData, message };
}

/** A signature that was sent before, for this proposal or for another one. */
async function replay(
  run: Run,
  step: { readonly which: number; readonly onto: number },
): Promise<void> {
  const old = pick(run.signatures, step.which);
  const known = pick(run.known, step.onto);
  if (!old || !known) return;
  const isSame = old.proposal === known && old.round === known.round;
  const isValid = isSame && counts(run, known, old.by);
  const result = await send(run, known, { signature: old.signature });
  took(run, known, { by: old.by, isValid, result });
}

async function veto(run: Run, step: { readonly by: Name; readonly which: number }): Promise<void> {
  const known = pick(run.known, step.which);
  if (!known) return;
  const { by } = step;
  const { proposal } = await looked(run, known);
  const asked = TypedData.ofVeto(
    proposal,
    { reason: 'test' },
    { stackId: STACK_ID, hash: Build.hash },
  );
  const signature = fastSign(addressOf(by), asked);
  const isOver = known.isDone || run.made.clock.nowMs >= known.madeAtMs + LIFE_MS;
  const may = run.operators.includes(by) && by !== 'dave' && !known.vetoed.has(by);
  const { proposalId } = known;
  const result = await vetoProposal(deps(run), { proposalId, signature, reason: 'test' });
  if ((result.kind === 'vetoed') !== (may && !isOver))
    throw new Error(`veto of ${by}: ${result.kind}`);
  if (result.kind !== 'vetoed') return;
  known.vetoed.add(by);
  known.signed.clear();
  known.round += 1;
}

async function rotate(run: Run, without: Name): Promise<void> {
  const left = run.operators.filter((one) => one !== without);
  run.operators = left.length > 2 ? left : ['alice', 'bob', 'carol', 'dave'];
  run.rotations += 1;
  await putInForce(run.made.world, policyOf(run.operators, run.rotations));
  run.policyHash = (await run.made.world.decision.policy.refresh()).hash;
}

async function looked(run: Run, known: Known): Promise<{ readonly proposal: Proposal.Proposal }> {
  const rowId = `proposal:${known.proposalId}`;
  const { rows } = await run.made.world.store.decisions.load({ rows: [rowId], items: [] });
  const proposal = rows.get(rowId)?.proposal;
  if (!proposal) throw new Error(`${rowId} is not stored`);
  return { proposal };
}

async function askedOf(run: Run, known: Known): Promise<TypedData.TypedData> {
  const { proposal } = await looked(run, known);
  return TypedData.ofProposal(proposal, { stackId: STACK_ID, hash: Build.hash });
}

function send(
  run: Run,
  known: Known,
  signed: { readonly signature: string; readonly signed?: TypedData.TypedData },
): Promise<Ceremony.Result> {
  return approveProposal(deps(run), { proposalId: known.proposalId, ...signed });
}

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from.length === 0 ? undefined : from[from.length - 1 - (which % from.length)];
}

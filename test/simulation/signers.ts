/** The operators of one schedule who sign together: what a resume needs where one alone may not. */

import { approveProposal, vetoProposal } from '../../lib/actions/approve-proposal.ts';
import { lookAtProposal } from '../../lib/actions/look-at-proposal.ts';
import { propose } from '../../lib/actions/propose.ts';
import { soundPanic } from '../../lib/actions/sound-panic.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import * as TypedData from '../../lib/domain/typed-data.ts';
import type { Signatures } from '../../lib/ports.ts';
import type { Order } from './books.ts';
import type { Exchange } from './exchange.ts';
import type { Operation, Signing } from './plan.ts';
import { compilePolicy, OPERATORS, readPolicy, sourceOf } from './policies.ts';
import type { World } from './world.ts';

type Resume = Operation & { readonly kind: 'resume' };

const TRIES_MAX = 6;
const EVERY_MS = 5_000;
const VETO_REASON = 'not yet';

/** A signature that shows who made it and over what; over anything else it shows a stranger. */
const SIGNATURES: Signatures = {
  recover: async (typedData, signature) => {
    const [address = '', hash] = signature.split(' ');
    const isSame = hash === nodeDigest.hash(JSON.stringify(typedData));
    return { kind: 'signer', address: isSame ? address : '0xstranger' };
  },
};

/** Proposes to resume incidents, and lets operators sign, once it is known what there is to sign. */
export function signTogether(
  exchange: Exchange,
  operation: Resume,
  incidentIds: readonly string[],
): void {
  const { world } = exchange;
  const order = orderOf(world, operation, incidentIds);
  const { isAtOnce, rebase } = order;
  const [incidentId = '', ...also] = incidentIds;
  const mode = isAtOnce ? 'at-once' : 'steps';
  const wish = { kind: 'resume', incidentId, mode, rebase, also } as const;
  exchange.commands += 1;
  const request = { commandId: `propose-${exchange.commands}`, wish, reason: 'looked at' };
  proposeAndSign(world, { request, signings: operation.signings, order });
}

/** Proposes a policy, and lets operators sign it. */
export function changeTogether(
  exchange: Exchange,
  { policy, signings }: Operation & { readonly kind: 'policy' },
): void {
  const source = sourceOf(policy);
  const wish = { kind: 'policy', source, hash: nodeDigest.hash(source) } as const;
  exchange.commands += 1;
  const request = { commandId: `propose-${exchange.commands}`, wish, reason: 'better so' };
  const order = { incidentIds: [], isAtOnce: false, rebase: [] };
  proposeAndSign(exchange.world, { request, signings, order });
}

/** One operator signs alone that something stops, or that its limits are tighter. */
export function sound(exchange: Exchange, operation: Operation & { readonly kind: 'panic' }): void {
  const { world } = exchange;
  const { scope, shareBps, operator } = operation;
  const { address = '' } = OPERATORS[operator] ?? {};
  exchange.commands += 1;
  const commandId = `panic-${exchange.commands}`;
  const expiresAtMs = world.scheduler.nowMs() + 60_000;
  const panic = { commandId, scope, reason: 'now', expiresAtMs, ...(shareBps && { shareBps }) };
  until(world, async ({ deps, store }) => {
    const { items } = await store.decisions.load({ rows: [], items: ['global'] });
    const { stackId = '' } = items.get('global') ?? {};
    const typed = TypedData.ofPanic(panic, { stackId });
    const signature = `${address} ${nodeDigest.hash(JSON.stringify(typed))}`;
    await soundPanic({ ...deps, signatures: SIGNATURES }, { panic, signature });
  });
}

type Request = Parameters<typeof propose>[1]['request'];

function proposeAndSign(
  world: World,
  about: {
    readonly request: Request;
    readonly signings: readonly Signing[];
    readonly order: Order;
  },
): void {
  const { scheduler, witness } = world;
  const { request, signings, order } = about;
  until(world, async ({ deps, store }) => {
    const proposing = { ...deps, incidents: store.incidents, compilePolicy };
    const result = await propose(proposing, { request, actor: 'ann' });
    if (result.kind === 'refused') return;
    const id = result.kind === 'duplicate' ? result.proposalId : result.proposal.proposalId;
    if (witness.books.orders.has(`proposal:${id}`)) return;
    witness.books.orders.set(`proposal:${id}`, order);
    for (const signing of signings) {
      scheduler.at(scheduler.nowMs() + signing.inMs, () => sign(world, id, signing));
    }
  });
}

/** A limit that speaks about the scope may count anew. */
function orderOf(
  { witness, random }: World,
  { isAtOnce, isRebased }: Resume,
  incidentIds: readonly string[],
): Order {
  const { books, policies } = witness;
  const { scope = '' } = books.held.get(incidentIds[0] ?? '') ?? {};
  const limits = (policies.get(books.policyVersion)?.limits ?? []).filter(
    (limit) => limit.metric !== 'single' && scope.split(':')[0] === limit.scope,
  );
  const isAny = isRebased && limits.length > 0;
  const rebase = isAny ? [{ limitId: random.pick(limits).limitId, scope }] : [];
  return { incidentIds, isAtOnce, rebase };
}

/** One operator signs what the proposal says now, or objects to it, until that is answered. */
function sign(world: World, proposalId: string, { operator: at, isVeto }: Signing): void {
  const { name: operator = '', address = '' } = OPERATORS[at] ?? {};
  let signature: string | undefined;
  until(world, async ({ deps, store }) => {
    const { incidents, proposals } = store;
    const signing = {
      ...deps,
      incidents,
      proposals,
      parsePolicy: readPolicy,
      signatures: SIGNATURES,
    };
    if (signature === undefined) {
      const looked = await lookAtProposal(signing, proposalId);
      if (!looked) return;
      const { proposal, stackId } = looked;
      const known = { stackId, hash: nodeDigest.hash };
      const typed = isVeto
        ? TypedData.ofVeto(proposal, { reason: VETO_REASON }, known)
        : TypedData.ofProposal(proposal, known);
      signature = `${address} ${nodeDigest.hash(JSON.stringify(typed))}`;
      const all = world.witness.signed.get(proposalId) ?? [];
      if (!isVeto)
        world.witness.signed.set(proposalId, [
          ...all,
          { operator, round: proposal.round, atMs: world.scheduler.nowMs() },
        ]);
    }
    const signed = { proposalId, signature };
    if (isVeto) await vetoProposal(signing, { ...signed, reason: VETO_REASON });
    else await approveProposal(signing, signed);
  });
}

/** Tries until it is answered. Every third try is made on a host that can tell the time. */
function until(
  world: World,
  act: (invocation: ReturnType<World['invoke']>) => Promise<void>,
): void {
  const { scheduler, random, hosts } = world;
  const [good = random.pick(hosts)] = hosts;
  let isAnswered = false;
  const attempt = (number: number) => {
    if (isAnswered || number > TRIES_MAX) return;
    act(world.invoke(number % 3 === 1 ? good : random.pick(hosts))).then(
      () => {
        isAnswered = true;
      },
      () => undefined,
    );
    scheduler.at(scheduler.nowMs() + EVERY_MS, () => attempt(number + 1));
  };
  attempt(1);
}

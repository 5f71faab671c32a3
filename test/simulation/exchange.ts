/** The exchange of one schedule: its withdrawal service, its signer, its operators, and the chain. */

import { operateBreaker } from '../../lib/actions/operate-breaker.ts';
import { readFlag } from '../../lib/actions/read-flag.ts';
import type { Entry } from '../../lib/actions/record-batch.ts';
import { type Answer, reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import type { AccountId } from '../../lib/domain/caip.ts';
import type * as Command from '../../lib/domain/command.ts';
import type { Outcome } from '../../lib/domain/outcome.ts';
import * as Withdrawal from '../../lib/domain/withdrawal.ts';
import { ETH } from '../support/builders.ts';
import { commitOf, rowIdsOf, wasPausedThroughout } from './books.ts';
import type { Chain } from './chain.ts';
import { keysOf, stoppedBy } from './naive.ts';
import type { Asked, Fortune, Operation, Unit } from './plan.ts';
import { compilePolicy, sourceOf } from './policies.ts';
import type { Queue } from './queue.ts';
import { changeTogether, signTogether, sound } from './signers.ts';
import { blame, judgeProof } from './witness.ts';
import type { Body, Invocation, Waited, World } from './world.ts';

/** What really happened: the truth that the ledger must come to. */
export type Truth = {
  /** When money left for good, true time, by unit. */
  readonly departed: Map<number, number>;
  /** Units of which it was said that they will never be signed for. */
  readonly renounced: Set<number>;
  /** Units that somebody was told may be signed for. */
  readonly allowed: Set<number>;
  /** Transactions that the chain holds in the end, and those that it has lost. */
  readonly onChain: Set<number>;
  readonly gone: Set<number>;
  readonly reported: Set<number>;
};

/** An exchange in its world. */
export type Exchange = {
  readonly world: World;
  readonly queue: Queue<Body>;
  readonly chain: Chain;
  readonly truth: Truth;
  sequence: number;
  commands: number;
};

type Resume = Operation & { readonly kind: 'resume' };

/** Whoever makes a token emit what a wallet never did. */
const STRANGER: AccountId = `eip155:1:0x${'5'.repeat(40)}`;

/** Asks of one client about one withdrawal, at most. */
const TRIES_MAX = 6;
const PATIENCE_MS = 8_000;
const AUDIENCE = 'signer';

/** Begins one operation. */
export function begin(exchange: Exchange, operation: Operation): void {
  switch (operation.kind) {
    case 'reserve':
      ask(exchange, operation.asked, 1);
      break;
    case 'report':
      report(exchange, operation);
      break;
    case 'theft':
      appear(exchange, operation.unit, { ...operation, inMs: 500 });
      break;
    case 'poison':
      appear(exchange, emptied(operation.unit), { chain: 'stays', inMs: 500, by: STRANGER });
      break;
    case 'pause': {
      const { scope } = operation;
      command(exchange, (commandId) => ({ kind: 'pause', commandId, scope, reason: 'now' }));
      break;
    }
    case 'resume':
      resume(exchange, operation);
      break;
    case 'policy':
      changePolicy(exchange, operation);
      break;
    case 'panic':
      sound(exchange, operation);
      break;
    case 'killer':
      exchange.queue.send({ entry: ({ nowMs }) => heartbeatAt(nowMs), kills: true });
      break;
    case 'redrive':
      redrive(exchange);
      break;
    case 'deploy':
      exchange.world.hosts[operation.host]?.deploy(operation.release);
      break;
    case 'jump':
      exchange.world.hosts[operation.host]?.setClock(operation.skewMs);
      break;
    case 'flag':
      lookAtFlag(exchange.world, operation.unit);
      break;
    default:
      operation satisfies never;
  }
}

/** What an address poisoner makes a wallet emit: a transfer of nothing. */
function emptied(unit: Unit): Unit {
  return { ...unit, feeWei: 0n, transfer: { ...unit.transfer, amount: 0n } };
}

/** Asks, waits as long as a client waits, and does with each answer what the client would do. */
function ask(exchange: Exchange, asked: readonly Asked[], attempt: number): void {
  const { world } = exchange;
  const { scheduler, random, hosts } = world;
  const invocation = world.invoke(random.pick(hosts));
  const asks = asked.map(({ unit: { withdrawalId, transfer } }) => ({
    withdrawal: { kind: 'withdrawal' as const, withdrawalId, transfer },
    bodyHash: hashOf(transfer),
  }));
  let isOver = false;
  const settle = (answers: readonly (Answer | undefined)[]) => {
    if (isOver) return;
    isOver = true;
    for (const [position, one] of asked.entries()) {
      const answer = answers[position];
      if (answer?.kind === 'allow') use(exchange, one, { answer, invocation });
      else if (attempt < TRIES_MAX && !exchange.truth.renounced.has(one.unit.number)) {
        const inMs = answer ? 2_000 + random.int(15_000) : random.int(500);
        scheduler.at(scheduler.nowMs() + inMs, () => ask(exchange, [one], attempt + 1));
      } else if (one.fate !== 'boast') renounce(exchange, one.unit);
    }
  };
  void reserveWithdrawals(invocation.reserve, { asks, audience: AUDIENCE }).then(settle);
  scheduler.at(scheduler.nowMs() + PATIENCE_MS, () => settle([]));
}

/** After the end nobody asks again so late that what leaves could not be seen and confirmed any more. */
const AGAIN_LATEST_MS = 10_000;

/** Does with an admission what the fate of its withdrawal says. */
function use(
  exchange: Exchange,
  asked: Asked,
  got: { readonly answer: Answer & { readonly kind: 'allow' }; readonly invocation: Invocation },
): void {
  const { world, truth } = exchange;
  const { scheduler } = world;
  const { unit, fate } = asked;
  judgeAnswer(world, unit, got.invocation);
  truth.allowed.add(unit.number);
  const untilMs = JSON.parse(got.answer.admission).exp * 1_000;
  if (fate === 'idle') scheduler.at(untilMs + 10_000, () => renounce(exchange, unit));
  else {
    if (fate === 'boast') scheduler.at(scheduler.nowMs() + 1_000, () => boast(exchange, unit));
    const inMs = asked.signDelayMs + (fate === 'boast' ? 1_500 : 0);
    scheduler.at(scheduler.nowMs() + inMs, () => sign(exchange, asked, untilMs));
  }
  if (asked.againMs === undefined) return;
  const { againMs: _, ...once } = asked;
  const againAtMs = scheduler.nowMs() + asked.againMs;
  if (againAtMs > world.plan.endMs + AGAIN_LATEST_MS) return;
  scheduler.at(againAtMs, () => ask(exchange, [once], TRIES_MAX));
}

/** P6: an allow that needed no commit was read at an instant at which nothing that stops it was paused. */
function judgeAnswer(world: World, unit: Unit, invocation: Invocation): void {
  const { witness } = world;
  const span = invocation.lastRead();
  const stop = stoppedBy(unit).find((scope) => wasPausedThroughout(witness.books, scope, span));
  const row = witness.books.rows.get(rowIdsOf(unit)[0]);
  const key = Object.values(keysOf(unit)).find((scope) => {
    const step = witness.books.steps.get(scope);
    const isBefore = step && row?.state === 'reserved' && step.fromMs < span.fromMs;
    return isBefore && commitOf(witness.books, unit, row) <= step.commit;
  });
  if (key !== undefined) {
    blame(witness, 'P5', `${unit.withdrawalId} passes beside the step of ${key}`);
  }
  if (stop === undefined) return;
  blame(witness, 'P6', `${unit.withdrawalId} was answered with allow while ${stop} was paused`);
}

/** A signer refuses an admission that is over by its own clock, and signs once for each withdrawal. */
function sign(exchange: Exchange, asked: Asked, untilMs: number): void {
  const { world, truth, queue } = exchange;
  const { scheduler, plan } = world;
  const { unit, fate } = asked;
  const { number } = unit;
  const isOver = scheduler.nowMs() + plan.signerSkewMs >= untilMs;
  if (isOver || truth.departed.has(number) || truth.renounced.has(number)) return;
  if (fate === 'cancel') {
    truth.renounced.add(number);
    const evidence = { kind: 'nonce-spent', reference: '0xother' } as const;
    tell(queue, unit, { kind: 'failed', withdrawalId: unit.withdrawalId, evidence });
    return;
  }
  truth.departed.set(number, scheduler.nowMs());
  appear(exchange, unit, { chain: asked.chain, inMs: asked.seenDelayMs });
  if (asked.isDenied && asked.chain === 'stays') deny(exchange, unit);
  if (!asked.isSettled) return;
  scheduler.at(scheduler.nowMs() + 2_000, () =>
    tell(queue, unit, { kind: 'settled', withdrawalId: unit.withdrawalId }),
  );
}

/** A signer that has forgotten: what was seen on chain stays charged, whatever is said. */
function deny({ world, queue }: Exchange, unit: Unit): void {
  const { scheduler, witness } = world;
  scheduler.at(scheduler.nowMs() + 70_000, () => {
    const isSeen = witness.books.rows.get(rowIdsOf(unit)[0])?.state === 'matched';
    if (isSeen) tell(queue, unit, neverSigned(unit));
  });
}

/** Says that it was never signed for, which from then on is true. */
function renounce(exchange: Exchange, unit: Unit): void {
  const { truth, world, queue } = exchange;
  if (truth.departed.has(unit.number) || truth.renounced.has(unit.number)) return;
  truth.renounced.add(unit.number);
  const { scheduler } = world;
  // What is refused because an admission lives is said again, as a person would.
  for (const inMs of [0, 45_000, 90_000]) {
    scheduler.at(scheduler.nowMs() + inMs, () => tell(queue, unit, neverSigned(unit)));
  }
}

/** Says so while the admission lives, and signs afterwards: nothing may be given back for it. */
function boast({ queue, truth }: Exchange, unit: Unit): void {
  if (!truth.departed.has(unit.number)) tell(queue, unit, neverSigned(unit));
}

function neverSigned({ withdrawalId }: Unit): Outcome {
  const evidence = { kind: 'never-signed', reference: 'signer-log' } as const;
  return { kind: 'failed', withdrawalId, evidence };
}

function tell(queue: Queue<Body>, unit: Unit, outcome: Outcome): void {
  queue.send({ entry: () => ({ kind: 'outcome', outcome }), unit: unit.number });
}

/** Sends first and tells of it afterwards. */
function report(exchange: Exchange, operation: Operation & { readonly kind: 'report' }): void {
  const { world, truth, queue } = exchange;
  const { unit, reportDelayMs, seenDelayMs, isNamed, chain, hasConflict } = operation;
  const { scheduler } = world;
  truth.reported.add(unit.number);
  const { withdrawalId, transfer } = unit;
  scheduler.at(scheduler.nowMs() + reportDelayMs, () => {
    queue.send(bodyOf(unit, { kind: 'withdrawal', withdrawalId, transfer }));
  });
  appear(exchange, unit, {
    chain,
    inMs: seenDelayMs,
    ...(isNamed ? { claims: withdrawalId } : {}),
  });
  if (!hasConflict) return;
  const other = { ...transfer, amount: transfer.amount * 2n };
  scheduler.at(scheduler.nowMs() + 60_000, () => {
    if (!world.witness.books.rows.has(rowIdsOf(unit)[0])) return;
    queue.send(bodyOf(unit, { kind: 'withdrawal', withdrawalId, transfer: other }));
  });
}

/** A transaction gets onto the chain, and perhaps off it again; its watcher counts what it tells. */
function appear(
  exchange: Exchange,
  unit: Unit,
  about: {
    readonly chain: Fortune;
    readonly inMs: number;
    readonly claims?: string;
    /** Who signed it, where it was not the wallet. */
    readonly by?: AccountId;
  },
): void {
  const { world, truth } = exchange;
  const { scheduler, random } = world;
  const { chain, inMs } = about;
  const later = (afterMs: number, task: () => void) =>
    scheduler.at(scheduler.nowMs() + afterMs, task);
  later(inMs, () => show(exchange, unit, about));
  truth.onChain.add(unit.number);
  if (chain === 'stays') return;
  const removedMs = inMs + 1 + random.int(15_000);
  later(removedMs, () => remove(exchange, unit));
  if (chain === 'comes-back') {
    later(removedMs + 1 + random.int(10_000), () => show(exchange, unit, about));
    return;
  }
  truth.onChain.delete(unit.number);
  truth.gone.add(unit.number);
}

function show(
  exchange: Exchange,
  unit: Unit,
  { claims, by }: { readonly claims?: string; readonly by?: AccountId },
): void {
  if (exchange.world.plan.isWatched) {
    exchange.chain.submit(unit, by ?? unit.transfer.account);
    return;
  }
  const { transaction, feeWei } = unit;
  const fee = feeWei > 0n ? { fee: { asset: ETH, amount: feeWei } } : {};
  const transfer = { ...unit.transfer, actor: undefined, ...fee };
  const named = claims === undefined ? {} : { withdrawalId: claims };
  const what = { kind: 'outflow', transaction, place: 'top', transfer, ...named } as const;
  exchange.sequence += 1;
  exchange.queue.send(bodyOf(unit, { ...what, sequence: exchange.sequence }));
}

function remove(exchange: Exchange, unit: Unit): void {
  if (exchange.world.plan.isWatched) {
    exchange.chain.drop(unit);
    return;
  }
  exchange.sequence += 1;
  const removed = { rowId: rowIdsOf(unit)[1], sequence: exchange.sequence };
  exchange.queue.send({ entry: () => ({ kind: 'removed', removed }), unit: unit.number });
}

function bodyOf(unit: Unit, event: Withdrawal.Withdrawal | Withdrawal.Outflow): Body {
  const bodyHash = hashOf(event.transfer);
  return {
    entry: ({ lagMs }) => ({ kind: 'transfer', lagMs, event, bodyHash }),
    unit: unit.number,
  };
}

/** An operator gives a command until it is answered, each time with the same id. */
function command(exchange: Exchange, make: (commandId: string) => Command.Command): void {
  const { world } = exchange;
  const { scheduler, random, hosts } = world;
  exchange.commands += 1;
  const probe = make('');
  const given = make(`${probe.kind}-${exchange.commands}`);
  // The first try, and then every third one, is made on a host that can tell the time.
  const [host = random.pick(hosts)] = hosts;
  let answered = false;
  const give = (attempt: number) => {
    if (answered || attempt > TRIES_MAX) return;
    const { deps, store } = world.invoke(attempt % 3 === 1 ? host : random.pick(hosts));
    const operating = { ...deps, incidents: store.incidents, compilePolicy };
    operateBreaker(operating, { command: given, actor: 'ann' }).then(
      () => {
        answered = true;
      },
      () => undefined,
    );
    scheduler.at(scheduler.nowMs() + 5_000, () => give(attempt + 1));
  };
  give(1);
}

/** Resumes one of what is held, whichever, with what was stopped beside it or without; as the policy in force lets people. */
function resume(exchange: Exchange, operation: Resume): void {
  const { random, witness } = exchange.world;
  const { books } = witness;
  const all = [...books.held.keys(), ...books.tightened.keys()];
  if (all.length === 0) return;
  const incidentId = random.pick(all);
  const beside = [...books.held].filter(([, one]) => one.beside === incidentId);
  const also = operation.isWhole ? beside.slice(0, 20).map(([id]) => id) : [];
  const incidentIds = [incidentId, ...also];
  if (witness.policies.get(books.policyVersion)?.resume.kind === 'quorum') {
    signTogether(exchange, operation, incidentIds);
    return;
  }
  const reason = 'looked at';
  command(exchange, (commandId) => {
    const order = { incidentIds, rebase: [], isAtOnce: false };
    books.orders.set(`command:${commandId}`, order);
    return { kind: 'resume', commandId, incidentId, reason, also };
  });
}

/** Puts a policy in force. */
export function applyPolicy(exchange: Exchange, number: number): void {
  const source = sourceOf(number);
  const hash = nodeDigest.hash(source);
  command(exchange, (commandId) => ({ kind: 'apply-policy', commandId, source, hash }));
}

/** One operator alone, and where that is refused several together. */
function changePolicy(
  exchange: Exchange,
  operation: Operation & { readonly kind: 'policy' },
): void {
  const { witness } = exchange.world;
  applyPolicy(exchange, operation.policy);
  if (witness.policies.get(witness.books.policyVersion)?.resume.kind !== 'quorum') return;
  changeTogether(exchange, operation);
}

/** What lies aside is sent again, but for what kills. */
export function redrive({ queue }: Exchange): void {
  queue.redrive(isMoney);
}

/** Whether something is lost without it. */
export function isMoney({ kills }: Body): boolean {
  return kills !== true;
}

/** A heartbeat as the ingress takes it. */
export function heartbeatAt(sentAtMs: number, waited?: Waited): Entry {
  const { nowMs: receivedAtMs = sentAtMs, oldestMs: oldestWaitingMs = 0 } = waited ?? {};
  return { kind: 'heartbeat', heartbeat: { sentAtMs, receivedAtMs, oldestWaitingMs } };
}

/** P6 of readers: "enabled" is never said of what was paused all the while. */
export function lookAtFlag(world: World, unit: Unit): void {
  const { random, hosts, scheduler, witness } = world;
  const { deps, store, process, lastRead } = world.invoke(random.pick(hosts));
  const { account: wallet, asset, destination, memo, actor } = unit.transfer;
  const asking = { decisions: store.decisions, health: store.health, policy: deps.policy };
  const startedMs = scheduler.nowMs();
  const question = { wallet, asset, destination, memo, actor };
  void readFlag({ ...asking, clock: { nowMs: process.nowMs } }, question).then((flag) => {
    if (!flag.enabled) return;
    judgeProof(witness, 'the flag was enabled', startedMs);
    const span = { fromMs: Math.max(startedMs, lastRead().fromMs), toMs: scheduler.nowMs() };
    const stop = stoppedBy(unit).find((scope) => wasPausedThroughout(witness.books, scope, span));
    if (stop !== undefined) blame(witness, 'P6', `the flag was enabled while ${stop} was paused`);
  });
}

const hashes = new WeakMap<Withdrawal.Transfer, string>();

function hashOf(transfer: Withdrawal.Transfer): string {
  const hash = hashes.get(transfer) ?? nodeDigest.hash(Withdrawal.canonicalBody(transfer));
  hashes.set(transfer, hash);
  return hash;
}

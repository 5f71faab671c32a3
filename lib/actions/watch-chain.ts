/** One step along one chain: reads what is new, tells the ledger, and remembers how far it came. */

import type * as Block from '../domain/block.ts';
import type { ChainId } from '../domain/caip.ts';
import * as Cursor from '../domain/cursor.ts';
import type * as Decision from '../domain/decision.ts';
import * as Policy from '../domain/policy.ts';
import * as Watch from '../domain/watch.ts';
import type { AlertStore, ChainReader, HealthStore, WatchStore } from '../ports.ts';
import type { Deps as DecisionDeps } from './commit-decision.ts';
import { findFork } from './find-fork.ts';
import { type Recorded, recordEvents } from './record-events.ts';
import type { TellDoubts } from './tell-doubts.ts';

/** What watching needs. */
export type Deps = DecisionDeps & {
  readonly watches: WatchStore;
  readonly health: HealthStore;
  readonly alerts: AlertStore;
};

/** One chain to watch. */
export type Watched = {
  readonly chain: ChainId;
  readonly reader: ChainReader;
  readonly tellDoubts: TellDoubts;
  /** Whether transactions that wait to be mined are looked at. */
  readonly looksAhead?: boolean | undefined;
  /** Where a watcher that has read nothing begins; the head unless given. */
  readonly startAt?: number | undefined;
  /** Blocks of one step, at most. */
  readonly spanMax?: number | undefined;
};

/**
 * What a step did. `behind`: blocks up to the head that it has not read.
 * `idle`: nothing was new. `unwatched`: the policy does not want this chain to be watched.
 * `reorg`: blocks were taken off the chain. `again`: the chain or another watcher moved meanwhile.
 * `failed`: an event could not be decided on; the same step comes again.
 * `stopped`: a reorg went deeper than what is remembered, and a person must look.
 */
export type Step =
  | {
      readonly kind: 'read';
      readonly from: number;
      readonly to: number;
      readonly behind: number;
      readonly outcomes: readonly Decision.Outcome[];
    }
  | { readonly kind: 'idle'; readonly outcomes: readonly Decision.Outcome[] }
  | {
      readonly kind: 'reorg';
      readonly blocks: number;
      readonly outcomes: readonly Decision.Outcome[];
    }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'stopped'; readonly why: string }
  | { readonly kind: 'again' | 'unwatched' };

/** Blocks of one step unless told otherwise: some seconds of reading on a common node. */
const SPAN_MAX = 100;

type Looking = {
  readonly deps: Deps;
  readonly watched: Watched;
  readonly policy: Policy.Policy;
  readonly rule: Policy.Watch;
  readonly state: Watch.State;
};

/**
 * Takes one step. What it is about to count is remembered first and everything else after all of it
 * is in the ledger, so that a step which breaks off anywhere is taken again: ids absorb the repeat,
 * and what has left the chain meanwhile is taken back.
 * Fail direction: closed, whatever is not read, decided and remembered leaves the chain unseen, and
 * its lease runs out.
 *
 * @throws what the endpoints or the store throw; nothing is remembered then.
 */
export async function watchChain(deps: Deps, watched: Watched): Promise<Step> {
  const { policy } = await deps.policy.refresh();
  const { chain, reader, tellDoubts } = watched;
  const rule = Policy.watchOf(policy, chain);
  if (!rule) return { kind: 'unwatched' };
  const stored = await deps.watches.load(chain);
  const state = stored ?? Watch.start(chain, deps.clock.nowMs());
  const looking = { deps, watched, policy, rule, state };
  if (state.stopped !== undefined) return standStill(looking, state.stopped);
  const doubts: Block.Doubt[] = [];
  try {
    const { head, doubts: own } = await reader.head();
    doubts.push(...own);
    const plan = planFrom(looking, head);
    if (plan.kind === 'fork') return await goBack(looking);
    if (plan.kind === 'read') return await goOn(looking, plan, doubts);
    return { kind: 'idle', outcomes: await lookAhead(looking, doubts) };
  } catch (error) {
    if (isReaders(error)) doubts.push(nobodyAnswers(error));
    throw error;
  } finally {
    await tellDoubts(doubts);
  }
}

function planFrom({ state, watched }: Looking, head: Block.Header): Cursor.Plan {
  const { spanMax = SPAN_MAX } = watched;
  const startAt = state.beganAt ?? watched.startAt;
  const plan = Cursor.plan(state.cursor, head, { spanMax });
  const isFirst = state.cursor.recent.length === 0;
  if (plan.kind !== 'read' || !isFirst || startAt === undefined || startAt > head.number) {
    return plan;
  }
  const to = Math.min(head.number, startAt + spanMax - 1);
  return { kind: 'read', from: startAt, to, behind: head.number - startAt + 1 };
}

async function goOn(
  looking: Looking,
  range: Extract<Cursor.Plan, { kind: 'read' }>,
  doubts: Block.Doubt[],
): Promise<Step> {
  const { deps, watched, state, rule } = looking;
  const { blocks: fresh, doubts: own } = await watched.reader.blocks(range);
  doubts.push(...own);
  const headers = fresh.map(({ header }) => header);
  const { confirmations } = rule;
  const advance = Cursor.advance(state.cursor, headers, {
    nowMs: deps.clock.nowMs(),
    confirmations,
  });
  if (advance.kind === 'fork') return goBack(looking);
  const last = headers.at(-1);
  if (!last) return { kind: 'again' };
  const confirmed = await readConfirmed(looking, { fresh, confirmed: advance.confirmed }, doubts);
  if (!confirmed) return { kind: 'again' };
  const { cursor } = advance;
  const step = Watch.read(knownOf(looking), { cursor, fresh, confirmed });
  const told = await tell(looking, step);
  if (told.kind !== 'told') return told;
  const behind = range.behind - (last.number - range.from + 1);
  const ahead = behind > 0 ? [] : await lookAhead(looking, doubts);
  const outcomes = [...told.outcomes, ...ahead];
  return { kind: 'read', from: range.from, to: last.number, behind, outcomes };
}

/** Blocks that have become deep enough, read again; nothing where they are no longer the same. */
async function readConfirmed(
  { watched, rule }: Looking,
  blocks: {
    readonly fresh: readonly Block.Block[];
    readonly confirmed: readonly Cursor.Seen[];
  },
  doubts: Block.Doubt[],
): Promise<readonly Block.Block[] | undefined> {
  const { fresh, confirmed } = blocks;
  const [first] = confirmed;
  const last = confirmed.at(-1);
  const isFresh = confirmed.every(({ hash }, at) => hash === fresh[at]?.header.hash);
  if (rule.confirmations === 0 && isFresh && confirmed.length === fresh.length) return fresh;
  if (!first || !last) return [];
  const range = { from: first.number, to: last.number };
  const { blocks: again, doubts: own } = await watched.reader.blocks(range);
  doubts.push(...own);
  const isSame = confirmed.every(({ hash }, at) => hash === again[at]?.header.hash);
  return isSame ? again.slice(0, confirmed.length) : undefined;
}

async function goBack(looking: Looking): Promise<Step> {
  const { state, watched } = looking;
  const found = await findFork(state.cursor, watched.reader);
  const step = Watch.undo(state, found);
  const told = await tell(looking, step);
  if (told.kind !== 'told') return told;
  const { stopped } = step.next;
  if (stopped !== undefined) return { kind: 'stopped', why: stopped };
  return { kind: 'reorg', blocks: found.removed.length, outcomes: told.outcomes };
}

type Told =
  | { readonly kind: 'told'; readonly outcomes: readonly Decision.Outcome[] }
  | Extract<Step, { kind: 'failed' }>
  | { readonly kind: 'again' };

/**
 * Remembers what is about to be counted, counts it, remembers the rest, and says that it has seen.
 * What takes something back is remembered first, too: a step that breaks off after it and is taken
 * again may see it back on the chain, and must not tell that with the same sequence.
 */
async function tell(looking: Looking, step: Watch.Step): Promise<Told> {
  const { deps, state } = looking;
  let { version } = state;
  const isOrdered = step.begun.length > 0 || step.incoming.some(({ kind }) => kind === 'removed');
  if (isOrdered) {
    const begun = Watch.begin(state, step);
    if ((await deps.watches.save(begun)) === 'conflict') return { kind: 'again' };
    version += 1;
  }
  const recorded = await recordEvents(deps, step.incoming);
  const failed = recorded.find((one) => one.kind === 'failed');
  if (failed) return { kind: 'failed', error: failed.error };
  const saved = await deps.watches.save({ ...step.next, version });
  if (saved === 'conflict') return { kind: 'again' };
  await noteSeen(looking, step.next);
  return { kind: 'told', outcomes: outcomesOf(recorded) };
}

/** Outflows that wait to be mined; a node that shows none fails nothing. */
async function lookAhead(
  looking: Looking,
  doubts: Block.Doubt[],
): Promise<readonly Decision.Outcome[]> {
  const { deps, watched } = looking;
  if (!watched.looksAhead) return [];
  try {
    const { pending, doubts: own } = await watched.reader.pending();
    doubts.push(...own);
    return outcomesOf(await recordEvents(deps, Watch.foresee(knownOf(looking), pending)));
  } catch (error) {
    doubts.push(nobodyAnswers(error));
    return [];
  }
}

function knownOf({ deps, policy, rule, state, watched }: Looking): Watch.Known {
  const hasFirstSight = rule.confirmations > 0 || watched.looksAhead === true;
  const { hash } = deps.digest;
  return { policy, state, hash, nowMs: deps.clock.nowMs(), hasFirstSight };
}

function outcomesOf(recorded: readonly Recorded[]): readonly Decision.Outcome[] {
  return recorded.flatMap((one) => (one.kind === 'decided' ? [one.outcome] : []));
}

async function noteSeen({ deps, watched }: Looking, state: Watch.State): Promise<void> {
  const sight = Watch.sightOf(state);
  if (sight) await deps.health.noteSight(watched.chain, sight);
  if (state.stopped !== undefined) await tellStopped(deps, watched.chain, state.stopped);
}

/** Says so again and again: the first time may have failed, and each is safe to repeat. */
async function standStill(looking: Looking, why: string): Promise<Step> {
  await noteSeen(looking, looking.state);
  return { kind: 'stopped', why };
}

async function tellStopped(deps: Deps, chain: ChainId, text: string): Promise<void> {
  const atMs = deps.clock.nowMs();
  const alertId = `watch|${chain}|stopped|${Math.floor(atMs / 3_600_000)}`;
  const about = { scope: `chain:${chain}`, rowId: `watch:${chain}` };
  await deps.alerts.raise({ alertId, kind: 'watch', atMs, ...about, text });
}

function isReaders(error: unknown): boolean {
  return error instanceof Error && error.name === 'ChainReader.UnavailableError';
}

function nobodyAnswers(error: unknown): Block.Doubt {
  const text = error instanceof Error ? error.message : 'unknown';
  return { kind: 'down', endpoint: 'all', text };
}

/**
 * What a chain's watcher remembers, and what each block that it reads means for the ledger. Pure: it
 * reads nothing and writes nothing.
 */

import type * as Block from './block.ts';
import { type ChainId, chainOf } from './caip.ts';
import * as Cursor from './cursor.ts';
import type * as Decision from './decision.ts';
import type { Sight } from './health.ts';
import type * as Policy from './policy.ts';
import type { Risk } from './risk.ts';
import * as Sighting from './sighting.ts';
import * as Withdrawal from './withdrawal.ts';

/** One chain's watcher between two steps. */
export type State = {
  /** Changes with every save; 0 before the first one. */
  readonly version: number;
  /** Counts the steps. What a step tells carries it, so that what is told later holds. */
  readonly sequence: number;
  readonly cursor: Cursor.Cursor;
  /** Height of the first block that it ever read: what came before is not this watcher's. */
  readonly beganAt?: number;
  /** Allowances that wallets gave, as `Sighting.grantOf` names them, oldest first. */
  readonly grants: readonly string[];
  /** Outflows that were told, by the block that they are in: what a reorg takes back. */
  readonly told: readonly { readonly block: string; readonly rowIds: readonly string[] }[];
  /**
   * Outflows of a step that began and has not ended: each may be in the ledger or not. `number` is
   * the height of its block.
   */
  readonly begun: readonly Begun[];
  /** Why it has stopped for good; a person starts it again. */
  readonly stopped?: string;
};

/** An outflow that is being told. */
export type Begun = { readonly rowId: string; readonly number: number };

/** What a step tells, and what the watcher remembers once all of it is in the ledger. */
export type Step = {
  readonly incoming: readonly Decision.Incoming[];
  /** Outflows among it: remembered before they are told, or nobody could take them back. */
  readonly begun: readonly Begun[];
  readonly next: State;
};

/** What a step is made with. */
export type Known = {
  readonly policy: Policy.Policy;
  readonly state: State;
  /** SHA-256 of a text in lower-case hex. */
  readonly hash: (text: string) => string;
  readonly nowMs: number;
  /** Whether outflows may have been told at first sight before they are counted. */
  readonly hasFirstSight: boolean;
};

/** Blocks that were read. */
export type Seen = {
  /** The cursor after them. */
  readonly cursor: Cursor.Cursor;
  /** Blocks that come into sight, oldest first. */
  readonly fresh: readonly Block.Block[];
  /** Blocks that have become deep enough to count, oldest first: the same ones without confirmations. */
  readonly confirmed: readonly Block.Block[];
};

/** Outflows that are remembered for a reorg. A removal of older ones is not taken back: they stay counted. */
const TOLD_MAX = 2_000;
/** Allowances that are remembered; of more the oldest are forgotten. They matter for unlisted tokens only. */
const GRANTS_MAX = 1_000;
/** Claims of foreign contracts that one step tells. They stop nothing, and anybody can make thousands. */
const STRANGE_MAX = 20;

/**
 * A watcher that has read nothing. Its sequence starts at the clock, so that one whose state was lost
 * is not taken for older than what it told before.
 */
export function start(chain: ChainId, nowMs: number): State {
  const cursor = Cursor.start(chain, nowMs);
  return { version: 0, sequence: nowMs, cursor, grants: [], told: [], begun: [] };
}

/** Starts again at the head, after a person has looked. What was told stays told. */
export function restart(state: State, nowMs: number): State {
  const { chain } = state.cursor;
  const { version, grants } = state;
  const sequence = Math.max(nowMs, state.sequence + 1);
  return { ...start(chain, nowMs), version, grants, sequence };
}

/** A step that has begun: what it is about to tell is remembered first. */
export function begin(state: State, step: Step): State {
  const begun = [...state.begun, ...step.begun];
  const byId = new Map(begun.map((one) => [one.rowId, one]));
  return { ...state, sequence: step.next.sequence, begun: [...byId.values()] };
}

/**
 * What blocks mean: outflows to count, outflows that are seen for the first time, risks; and outflows
 * of a step that did not end and that are no longer where they were.
 */
export function read(known: Known, seen: Seen): Step {
  const { state } = known;
  const { cursor, fresh, confirmed } = seen;
  const sequence = state.sequence + 1;
  const first = sightAll(known, fresh, new Set(state.grants));
  const isOne = fresh === confirmed;
  const deep = isOne ? first : sightAll(known, confirmed, first.grants);
  const lags = lagsOf(confirmed, { nowMs: known.nowMs, newestMs: cursor.timestampMs });
  const transfers = deep.sightings.map((one) => ({
    event: { ...outflowOf(one), sequence },
    lagMs: lags.get(one.block.hash) ?? 0,
    number: one.block.number,
    block: one.block.hash,
  }));
  const begun = transfers.map(({ event, number }) => ({
    rowId: Withdrawal.outflowRowId(event),
    number,
  }));
  const ids = new Set(begun.map(({ rowId }) => rowId));
  const newest = confirmed.at(-1)?.header.number ?? Number.NEGATIVE_INFINITY;
  const lost = state.begun.filter(({ rowId, number }) => !ids.has(rowId) && number <= newest);
  const waiting = state.begun.filter(({ rowId, number }) => !ids.has(rowId) && number > newest);
  const incoming: Decision.Incoming[] = [
    ...lost.map(({ rowId }) => removedOf(rowId, sequence)),
    ...risksOf(first.risks),
    ...(isOne ? [] : first.sightings.map((one) => sightedOf(known, outflowOf(one)))),
    ...transfers.map(({ event, lagMs }) => transferOf(known, event, lagMs)),
  ];
  const added = confirmed.map(({ header: { hash } }) => ({
    block: hash,
    rowIds: transfers
      .filter(({ block }) => block === hash)
      .map(({ event }) => Withdrawal.outflowRowId(event)),
  }));
  const grants = [...first.grants].slice(-GRANTS_MAX);
  const told = keptTold([...state.told, ...added], cursor);
  const beganAt = state.beganAt ?? fresh[0]?.header.number;
  const began = beganAt === undefined ? {} : { beganAt };
  const next = { ...state, ...began, sequence, cursor, grants, told, begun: waiting };
  return { incoming, begun, next };
}

/**
 * Transactions that wait to be mined: what they would move is told at first sight. A pool may show
 * one that is mined already, whose approval is used up: what was told of a block is left out.
 */
export function foresee(
  known: Known,
  pending: readonly Block.Pending[],
): readonly Decision.Incoming[] {
  const told = known.state.told.flatMap(({ rowIds }) => rowIds);
  const isMined = ({ hash }: Block.Pending) => told.some((rowId) => rowId.includes(hash));
  const waiting = pending.filter((one) => !isMined(one));
  return waiting.flatMap((one) =>
    Sighting.foresee(known.policy, one)
      .filter(({ amount }) => amount > 0n)
      .map((transfer) =>
        sightedOf(known, {
          kind: 'outflow',
          transaction: one.hash,
          // Where its log will stand nobody knows yet.
          place: transfer.asset === one.native ? 'top' : 'pending',
          nonce: one.nonce,
          transfer,
        }),
      ),
  );
}

/**
 * What a reorg took off the chain, and the watcher before it. One that goes deeper than what is
 * remembered stops the watcher; one that takes all that it has ever read lets it begin again there.
 */
export function undo(state: State, found: Extract<Cursor.Search, { kind: 'found' }>): Step {
  const sequence = state.sequence + 1;
  const gone = new Set(found.removed.map(({ hash }) => hash));
  const rowIds = new Set([
    ...state.told.filter(({ block }) => gone.has(block)).flatMap((one) => one.rowIds),
    ...state.begun.map(({ rowId }) => rowId),
  ]);
  const incoming = [...rowIds].map((rowId) => removedOf(rowId, sequence));
  const told = state.told.filter(({ block }) => !gone.has(block));
  const { cursor } = found;
  const isAll = state.cursor.recent[0]?.number === state.beganAt;
  const stopped = found.isWhole || isAll ? {} : { stopped: whyStopped(state.cursor) };
  return { incoming, begun: [], next: { ...state, sequence, cursor, told, begun: [], ...stopped } };
}

/** What proof of health the watcher is; nothing before its first block. */
export function sightOf({ cursor, stopped }: State): Sight | undefined {
  const { recent, seenAtMs, timestampMs } = cursor;
  if (recent.length === 0 && stopped === undefined) return undefined;
  return { seenAtMs, timestampMs, ...(stopped === undefined ? {} : { stopped }) };
}

/** The addresses that a policy's wallets have on a chain. */
export function accountsOn(policy: Policy.Policy, chain: ChainId) {
  const all = policy.wallets.flatMap(({ addresses }) => addresses);
  return [...new Set(all.filter((address) => chainOf(address) === chain))];
}

function sightAll(known: Known, blocks: readonly Block.Block[], before: Sighting.Grants) {
  const sightings: Sighting.Sighting[] = [];
  const risks: Risk[] = [];
  let grants = before;
  for (const block of blocks) {
    const seen = Sighting.sight({ policy: known.policy, grants }, block);
    sightings.push(...seen.sightings.filter(({ isEmpty }) => !isEmpty));
    risks.push(...seen.risks);
    grants = seen.grants;
  }
  return { sightings, risks, grants };
}

/**
 * How long each block's outflows waited beyond the depth that the policy asks for: the age of the
 * newest block, and how far the block lies behind the last one that became deep enough with it.
 */
function lagsOf(
  confirmed: readonly Block.Block[],
  at: { readonly nowMs: number; readonly newestMs: number },
): ReadonlyMap<string, number> {
  const lastMs = confirmed.at(-1)?.header.timestampMs ?? 0;
  const ageMs = at.nowMs - at.newestMs;
  return new Map(
    confirmed.map(({ header }) => [header.hash, Math.max(0, ageMs + lastMs - header.timestampMs)]),
  );
}

function outflowOf({ outflow, nonce }: Sighting.Sighting): Withdrawal.Outflow {
  return { ...outflow, ...(nonce === undefined ? {} : { nonce }) };
}

function transferOf(known: Known, event: Withdrawal.Outflow, lagMs: number): Decision.Incoming {
  const bodyHash = known.hash(Withdrawal.canonicalBody(event.transfer));
  const wasSighted = known.hasFirstSight ? ({ wasSighted: true } as const) : {};
  return { kind: 'transfer', event, bodyHash, lagMs, ...wasSighted };
}

function sightedOf(known: Known, event: Withdrawal.Outflow): Decision.Incoming {
  const bodyHash = known.hash(Withdrawal.canonicalBody(event.transfer));
  return { kind: 'sighted', event, bodyHash };
}

function removedOf(rowId: string, sequence: number): Decision.Incoming {
  return { kind: 'removed', removed: { rowId, sequence } };
}

function risksOf(risks: readonly Risk[]): readonly Decision.Incoming[] {
  const byId = new Map(risks.map((risk) => [risk.riskId, risk]));
  const all = [...byId.values()];
  const strange = all.filter(({ kind }) => kind === 'strange').slice(0, STRANGE_MAX);
  const own = all.filter(({ kind }) => kind !== 'strange');
  return [...own, ...strange].map((risk) => ({ kind: 'risk', risk }));
}

/** Those of blocks that a reorg can still take away, the newest first to stay. */
function keptTold(told: State['told'], cursor: Cursor.Cursor): State['told'] {
  const recent = new Set(cursor.recent.map(({ hash }) => hash));
  const kept: State['told'][number][] = [];
  let count = 0;
  for (const one of told.toReversed()) {
    if (!recent.has(one.block) || one.rowIds.length === 0) continue;
    count += one.rowIds.length;
    if (count > TOLD_MAX) break;
    kept.push(one);
  }
  return kept.reverse();
}

function whyStopped({ chain, recent }: Cursor.Cursor): string {
  const depth = recent.length;
  return `${chain} was reorganised deeper than the ${depth} blocks that its watcher remembers: what left in them is not known; a person must compare and start the watcher again`;
}

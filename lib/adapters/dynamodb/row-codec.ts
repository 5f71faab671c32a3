/**
 * A ledger row at rest: `v` version, `d` the decision that wrote it, `b` everything else as JSON with
 * short names. Of the subject only what the transfer does not say is stored. On reservations whose
 * outcome is open also `ro` and `ra`, the time of the charge: the keys of a sparse index.
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type * as Approval from '../../domain/approval.ts';
import type { AccountId, AssetId, ChainId } from '../../domain/caip.ts';
import { chainOf } from '../../domain/caip.ts';
import type * as Ledger from '../../domain/ledger.ts';
import type * as Scope from '../../domain/scope.ts';
import type { Sent, Transfer } from '../../domain/withdrawal.ts';
import * as Attributes from './attributes.ts';
import { OPEN_INDEX, rowKey } from './keys.ts';
import { StoredProposal } from './proposal-codec.ts';

const account = Attributes.identifier<AccountId>();
const asset = Attributes.identifier<AssetId>();

const StoredTransfer = z.object({
  f: account,
  a: asset,
  t: account,
  n: Attributes.Units,
  m: z.optional(z.string()),
  c: z.optional(z.string()),
  x: z.optional(z.tuple([asset, Attributes.Units])),
});

/** What differs from the transfer; `null` for what the transfer has and the subject has not. */
const StoredSubject = z.object({
  wallet: z.string(),
  keyDomain: z.string(),
  chain: z.optional(Attributes.identifier<ChainId>()),
  asset: z.optional(asset),
  destination: z.optional(account),
  memo: z.optional(z.nullable(z.string())),
  actor: z.optional(z.nullable(z.string())),
});

/** Asset (0: the transfer's), amount, notional, price. */
const StoredLeg = z.tuple([
  z.union([asset, z.literal(0)]),
  Attributes.Units,
  Attributes.Units,
  Attributes.Units,
]);

const StoredSent = z.object({
  transaction: z.exactOptional(z.string()),
  nonce: z.exactOptional(z.int()),
});

const StoredEnds: z.ZodMiniType<Approval.Ends> = z.object({
  approvals: z.array(
    z.object({
      rowIds: z.array(z.string()),
      amount: Attributes.Units,
      transaction: z.exactOptional(z.string()),
      nonce: z.exactOptional(z.int()),
    }),
  ),
  seen: z.array(
    z.object({
      rowId: z.string(),
      amount: Attributes.Units,
      transaction: z.string(),
      nonce: z.exactOptional(z.int()),
    }),
  ),
  movements: z.array(
    z.object({ movementId: z.string(), left: Attributes.Units, untilMs: z.int() }),
  ),
  met: z.exactOptional(z.array(z.object({ rowId: z.string(), nonce: z.int() }))),
});

const StoredRow = z.object({
  s: z.enum([
    'reported',
    'reserved',
    'held',
    'claimed',
    'matched',
    'unmatched',
    'moved',
    'kept',
    'removed',
    'replaced',
    'failed',
    'cancelled',
    'noted',
  ]),
  h: z.string(),
  t: z.int(),
  p: z.int(),
  m: z.optional(
    z.object({
      r: StoredTransfer,
      u: StoredSubject,
      l: z.array(StoredLeg),
      /** Time of the charge, where it is not the row's. */
      t: z.optional(z.int()),
    }),
  ),
  l: z.optional(z.string()),
  n: z.optional(z.string()),
  /** Until when its admission lives. */
  a: z.optional(z.int()),
  /** When it was said to have settled. */
  e: z.optional(z.int()),
  /** The limits, the scopes and the room that it waits for. */
  q: z.optional(z.array(z.tuple([z.string(), z.string(), Attributes.Units]))),
  /** When all of them have it. */
  g: z.optional(z.int()),
  /** Who let it go, and when. */
  r: z.optional(z.tuple([z.string(), z.int()])),
  /** Who may accept its admission. */
  u: z.optional(z.string()),
  /** The further withdrawals of a batch. */
  k: z.optional(z.array(z.string())),
  /** Where the batch waits that pays it. */
  i: z.optional(z.string()),
  /** The declared movement that it used. */
  o: z.optional(z.string()),
  /** The observer's count. */
  c: z.optional(z.int()),
  /** Until when its report may come. */
  z: z.optional(z.int()),
  /** Transaction and nonce that the service named. */
  x: z.optional(StoredSent),
  /** What waits between two ends. */
  w: z.optional(StoredEnds),
  /** Its outflow has to show. */
  y: z.optional(z.literal(1)),
  /** Its outflow was seen and stands no more. */
  f: z.optional(z.literal(1)),
  /** What operators sign. */
  j: z.optional(StoredProposal),
});

type Stored = z.infer<typeof StoredRow>;
type StoredMoney = NonNullable<Stored['m']>;

/** Writes a row. */
export function toRow(row: Ledger.Row): Record<string, AttributeValue> {
  const { money, link, links, note, admittedUntilMs, settledAtMs, places, released } = row;
  const { goesAtMs, audience } = row;
  const { payout, movementId, sequence, graceUntilMs, sent, ends, isAwaited, wasSeen } = row;
  return {
    pk: { S: rowKey(row.rowId).pk },
    v: { N: row.version.toString() },
    d: { S: row.decisionId },
    ...toIndex(row),
    b: Attributes.toJson({
      s: row.state,
      h: row.bodyHash,
      t: row.atMs,
      p: row.policyVersion,
      m: money && toMoney(money, row.atMs),
      l: link,
      n: note,
      a: admittedUntilMs,
      e: settledAtMs,
      q: places?.map(({ limitId, scope, need }) => [limitId, scope, need]),
      g: goesAtMs,
      r: released && [released.by, released.atMs],
      u: audience,
      k: links && [...links],
      i: payout,
      o: movementId,
      c: sequence,
      z: graceUntilMs,
      x: sent && toSent(sent),
      w: ends && toEnds(ends),
      y: isAwaited && 1,
      f: wasSeen && 1,
      j: row.proposal,
    } satisfies z.infer<typeof StoredRow>),
  };
}

/** Reads the row that was asked for by this id. @throws {Store.UnreadableError} */
export function fromRow(rowId: string, attributes: Attributes.Attributes): Ledger.Row {
  const stored = Attributes.jsonOf(attributes, 'b', StoredRow);
  const { s, h, t, p, m, l, n } = stored;
  return {
    rowId,
    version: Attributes.numberOf(attributes, 'v'),
    state: s,
    decisionId: decisionOf(attributes),
    bodyHash: h,
    atMs: t,
    policyVersion: p,
    ...(m && { money: fromMoney(m, t) }),
    ...(l === undefined ? {} : { link: l }),
    ...(n === undefined ? {} : { note: n }),
    ...(stored.j && { proposal: stored.j }),
    ...fromReservation(stored),
    ...fromSight(stored),
  };
}

/** What a row says of a withdrawal that is held, or was admitted. */
function fromReservation({ a, e, q, g, r, u }: Stored): Partial<Ledger.Row> {
  return {
    ...(a === undefined ? {} : { admittedUntilMs: a }),
    ...(e === undefined ? {} : { settledAtMs: e }),
    ...(q && { places: q.map(([limitId, scope, need]) => ({ limitId, scope, need })) }),
    ...(g === undefined ? {} : { goesAtMs: g }),
    ...(r && { released: { by: r[0], atMs: r[1] } }),
    ...(u === undefined ? {} : { audience: u }),
  };
}

/** What a row says of what was seen, or has to show. */
function fromSight({ k, i, o, c, z: graceUntilMs, x, w, y, f }: Stored): Partial<Ledger.Row> {
  return {
    ...(k && { links: k }),
    ...(i === undefined ? {} : { payout: i }),
    ...(o === undefined ? {} : { movementId: o }),
    ...(c === undefined ? {} : { sequence: c }),
    ...(graceUntilMs === undefined ? {} : { graceUntilMs }),
    ...(x && { sent: x }),
    ...(w && { ends: w }),
    ...(y && { isAwaited: true }),
    ...(f && { wasSeen: true }),
  };
}

/** The keys of the sparse index, for what waits for an outcome or for an outflow that has to show. */
function toIndex({ state, money, isAwaited }: Ledger.Row): Record<string, AttributeValue> {
  const isUnseen = state === 'reported' && isAwaited;
  const open = state === 'reserved' ? OPEN_INDEX.open : isUnseen ? OPEN_INDEX.unseen : undefined;
  if (open === undefined || !money) return {};
  return { [OPEN_INDEX.pk]: { S: open }, [OPEN_INDEX.sk]: { N: `${money.chargedAtMs}` } };
}

function toSent({ transaction, nonce }: Sent): z.infer<typeof StoredSent> {
  return {
    ...(transaction === undefined ? {} : { transaction }),
    ...(nonce === undefined ? {} : { nonce }),
  };
}

function toEnds({ approvals, seen, movements, met }: Approval.Ends) {
  return {
    approvals: approvals.map((each) => ({ ...each, rowIds: [...each.rowIds] })),
    seen: [...seen],
    movements: [...movements],
    ...(met && { met: [...met] }),
  };
}

/** The decision that wrote a stored row last. @throws {Store.UnreadableError} */
export function decisionOf(attributes: Attributes.Attributes): string {
  return Attributes.textOf(attributes, 'd');
}

function toMoney(money: Ledger.Money, atMs: number): StoredMoney {
  const { transfer, subject, charged, chargedAtMs } = money;
  return {
    r: toTransfer(transfer),
    u: toSubject(subject, transfer),
    l: charged.map((leg) => [
      leg.asset === transfer.asset ? 0 : leg.asset,
      leg.amount,
      leg.notional,
      leg.pricePicoUsd,
    ]),
    t: chargedAtMs === atMs ? undefined : chargedAtMs,
  };
}

function fromMoney(stored: StoredMoney, atMs: number): Ledger.Money {
  const transfer = fromTransfer(stored.r);
  return {
    transfer,
    subject: fromSubject(stored.u, transfer),
    charged: stored.l.map(([legAsset, amount, notional, pricePicoUsd]) => ({
      asset: legAsset === 0 ? transfer.asset : legAsset,
      amount,
      notional,
      pricePicoUsd,
    })),
    chargedAtMs: stored.t ?? atMs,
  };
}

function toTransfer(transfer: Transfer): StoredMoney['r'] {
  const { account: f, asset: a, destination: t, amount: n, memo: m, actor: c, fee } = transfer;
  return { f, a, t, n, m, c, x: fee && [fee.asset, fee.amount] };
}

function fromTransfer(stored: StoredMoney['r']): Transfer {
  const { f, a, t, n, m, c, x } = stored;
  return {
    account: f,
    asset: a,
    destination: t,
    amount: n,
    ...(m === undefined ? {} : { memo: m }),
    ...(c === undefined ? {} : { actor: c }),
    ...(x && { fee: { asset: x[0], amount: x[1] } }),
  };
}

function toSubject(subject: Scope.Subject, transfer: Transfer): StoredMoney['u'] {
  const { wallet, keyDomain, chain, asset: a, destination, memo, actor } = subject;
  return {
    wallet,
    keyDomain,
    chain: chain === chainOf(transfer.account) ? undefined : chain,
    asset: a === transfer.asset ? undefined : a,
    destination: destination === transfer.destination ? undefined : destination,
    memo: memo === transfer.memo ? undefined : (memo ?? null),
    actor: actor === transfer.actor ? undefined : (actor ?? null),
  };
}

function fromSubject(stored: StoredMoney['u'], transfer: Transfer): Scope.Subject {
  const { wallet, keyDomain, chain, asset: a, destination } = stored;
  const memo = stored.memo === undefined ? transfer.memo : (stored.memo ?? undefined);
  const actor = stored.actor === undefined ? transfer.actor : (stored.actor ?? undefined);
  return {
    chain: chain ?? chainOf(transfer.account),
    wallet,
    keyDomain,
    asset: a ?? transfer.asset,
    destination: destination ?? transfer.destination,
    ...(memo === undefined ? {} : { memo }),
    ...(actor === undefined ? {} : { actor }),
  };
}

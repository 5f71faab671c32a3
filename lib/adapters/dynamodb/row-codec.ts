/**
 * A ledger row at rest: `v` version, `d` the decision that wrote it, `b` everything else as JSON with
 * short names. Of the subject only what the transfer does not say is stored. On reservations whose
 * outcome is open also `ro` and `ra`, the time of the charge: the keys of a sparse index.
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { AccountId, AssetId, ChainId } from '../../domain/caip.ts';
import { chainOf } from '../../domain/caip.ts';
import type * as Ledger from '../../domain/ledger.ts';
import type * as Scope from '../../domain/scope.ts';
import type { Transfer } from '../../domain/withdrawal.ts';
import * as Attributes from './attributes.ts';
import { OPEN_INDEX, rowKey } from './keys.ts';

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

const StoredRow = z.object({
  s: z.enum([
    'reported',
    'reserved',
    'held',
    'claimed',
    'matched',
    'unmatched',
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
});

type StoredMoney = NonNullable<z.infer<typeof StoredRow>['m']>;

/** Writes a row. */
export function toRow(row: Ledger.Row): Record<string, AttributeValue> {
  const { money, link, note, admittedUntilMs, settledAtMs, places, released } = row;
  const { goesAtMs, audience } = row;
  return {
    pk: { S: rowKey(row.rowId).pk },
    v: { N: row.version.toString() },
    d: { S: row.decisionId },
    ...(row.state === 'reserved' && money
      ? { [OPEN_INDEX.pk]: { S: OPEN_INDEX.open }, [OPEN_INDEX.sk]: { N: `${money.chargedAtMs}` } }
      : {}),
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
    } satisfies z.infer<typeof StoredRow>),
  };
}

/** Reads the row that was asked for by this id. @throws {Store.UnreadableError} */
export function fromRow(rowId: string, attributes: Attributes.Attributes): Ledger.Row {
  const { s, h, t, p, m, l, n, a, e, q, g, r, u } = Attributes.jsonOf(attributes, 'b', StoredRow);
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
    ...(a === undefined ? {} : { admittedUntilMs: a }),
    ...(e === undefined ? {} : { settledAtMs: e }),
    ...(q && { places: q.map(([limitId, scope, need]) => ({ limitId, scope, need })) }),
    ...(g === undefined ? {} : { goesAtMs: g }),
    ...(r && { released: { by: r[0], atMs: r[1] } }),
    ...(u === undefined ? {} : { audience: u }),
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

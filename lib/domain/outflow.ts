/** What an outflow does, once it is known what it is. */

import * as Approval from './approval.ts';
import * as Batch from './batch.ts';
import * as Canary from './canary.ts';
import * as Draft from './draft.ts';
import * as Enforce from './enforce.ts';
import * as Grace from './grace.ts';
import type * as Ledger from './ledger.ts';
import * as Matching from './matching.ts';
import * as Money from './money.ts';
import * as Policy from './policy.ts';
import * as Scope from './scope.ts';
import * as Withdrawal from './withdrawal.ts';

/** An outflow as it comes to a decision. */
export type Sighted = Enforce.Charged;

type Counted = ReturnType<typeof Enforce.enforce>;
type Matched = Extract<Matching.Match, { kind: 'matched-outflow' }>;
type Unmatched = Extract<Matching.Match, { kind: 'unmatched-outflow' }>;

/** People hear of fees for transactions that nobody approved once in this time for each wallet. */
const FEES_TOLD_EVERY_MS = 3_600_000;

/** What matching needs to know of the policy for one transfer. */
export function rules(draft: Draft.Draft, transfer: Withdrawal.Transfer): Matching.Rules {
  const { policy } = draft.context;
  return {
    deductedMax: deductedMax(policy, transfer),
    atMs: draft.atMs,
    isOwn: (account) =>
      policy.own.some((each) => each === account) || Policy.walletOf(policy, account) !== undefined,
  };
}

/** What of an approved amount may be missing, base units; nothing where no price is known. */
export function deductedMax(policy: Policy.Policy, transfer: Withdrawal.Transfer): bigint {
  const { deductedFeeMax } = policy.matching;
  const rule = Policy.assetRule(policy, transfer.asset);
  const pricePicoUsd = rule && Policy.priceOf(policy, rule);
  if (deductedFeeMax === 0n || !rule || !pricePicoUsd) return 0n;
  return Money.unitsFor({ microUsd: deductedFeeMax, decimals: rule.decimals, pricePicoUsd });
}

/**
 * An outflow meets its withdrawals: all rows are linked; only the part of the fee that was not
 * charged with them counts, as money and not as a withdrawal. What it moved beyond them nobody
 * approved: it counts, and trips.
 */
export function consume(draft: Draft.Draft, sighted: Sighted, matched: Matched): Counted {
  const { withdrawals, excess } = matched;
  const { transfer } = sighted.event;
  const [first, ...more] = withdrawals;
  for (const row of withdrawals) meet(draft, row, sighted);
  // A batch waits between its own ends, not between those of its withdrawals.
  if (first) Approval.consume(draft, transfer, first.rowId);
  remember(draft, sighted.event);
  const owed = feeOwed(first?.money?.transfer.fee, transfer.fee);
  const rest = { ...transfer, amount: excess, fee: owed };
  const { resolved, legs } = chargeable(draft, rest);
  put(draft, sighted, {
    state: 'matched',
    resolved,
    charged: legs,
    ...(first ? { link: first.rowId } : {}),
    ...(more.length > 0 ? { links: more.map((row) => row.rowId) } : {}),
  });
  if (legs.length === 0) return { notional: 0n, ...Enforce.noEffect() };
  const { subject } = resolved;
  const before = Draft.charge(draft, { subject, legs, withdrawals: 0 });
  const unmatched = excess > 0n ? 'it moved that much more than was approved' : undefined;
  const event = { ...sighted.event, transfer: rest };
  const isFee = excess === 0n;
  return Enforce.enforce(draft, { ...sighted, event }, { resolved, before, unmatched, isFee });
}

/**
 * Money that stays the exchange's own: only its fee has left. One that operators declared is
 * approved, but leaves: it counts in full, and uses up what was declared.
 */
export function move(
  draft: Draft.Draft,
  sighted: Sighted,
  movement: Approval.Movement | undefined,
): Counted {
  const { transfer } = sighted.event;
  if (movement) {
    const left = movement.left - transfer.amount;
    Approval.declare(draft, transfer, { ...movement, left });
  }
  const counted = movement ? transfer : { ...transfer, amount: 0n };
  return countAs(draft, sighted, {
    state: movement ? 'moved' : 'kept',
    counted,
    ...(movement ? { movementId: movement.movementId } : {}),
  });
}

/** Nothing moved, and the wallet paid for it: the fee counts, and people are told. */
export function payFee(draft: Draft.Draft, sighted: Sighted): Counted {
  const { policy } = draft.context;
  const { transfer } = sighted.event;
  const counted = countAs(draft, sighted, { state: 'kept', counted: transfer });
  const { subject } = Policy.resolve(policy, transfer);
  const scope = Scope.key(Scope.of('wallet', subject));
  const { atMs } = draft;
  Draft.alert(draft, {
    alertId: `fee|${scope}|${Math.floor(atMs / FEES_TOLD_EVERY_MS)}`,
    kind: 'risk',
    atMs,
    scope,
    rowId: Withdrawal.rowId(sighted.event),
    text: `${subject.wallet} paid a fee for a transaction to ${transfer.destination} that moved nothing: a call that nobody declared, or one that failed`,
  });
  return counted;
}

/**
 * Counts an outflow that nobody approved, and trips at once, or when its grace is over. `isTold`: it
 * has tripped at first sight, and people may have resumed since.
 */
export function count(
  draft: Draft.Draft,
  sighted: Sighted,
  unmatched: Unmatched & { readonly isTold?: boolean },
): Counted {
  const { event } = sighted;
  const { transfer } = event;
  const { policy } = draft.context;
  const { why, claims } = unmatched;
  const rowId = Withdrawal.rowId(event);
  const wallet = Policy.walletOf(policy, transfer.account)?.name ?? '';
  // Nobody will ever report the outflow of a drill.
  const graceMs = Canary.isDrill(policy, { wallet, rowId }) ? 0 : policy.matching.graceMs;
  const graceUntilMs = graceMs > 0 ? draft.atMs + graceMs : undefined;
  const counted = countAs(draft, sighted, {
    state: 'unmatched',
    counted: transfer,
    ...(graceUntilMs !== undefined ? { graceUntilMs } : unmatched.isTold ? {} : { unmatched: why }),
  });
  if (graceUntilMs !== undefined) Grace.begin(draft, rowId, graceUntilMs);
  if (claims !== undefined) claim(draft, sighted, claims);
  else if (event.kind === 'outflow') {
    const { transaction, nonce } = event;
    const { amount } = transfer;
    const seen = { rowId, amount, transaction, ...(nonce === undefined ? {} : { nonce }) };
    Approval.note(draft, transfer, seen);
  }
  return counted;
}

/** A sight that is newer than what its row knows: what is older cannot take the outflow off the chain any more. */
export function again(draft: Draft.Draft, event: Withdrawal.Outflow): void {
  const row = Draft.row(draft, Withdrawal.rowId(event));
  const { sequence } = event;
  if (!row?.money || sequence === undefined || Matching.isOutdated(row, event)) return;
  Draft.putRow(draft, { ...row, sequence });
}

function meet(draft: Draft.Draft, row: Ledger.Row, { event }: Sighted): void {
  const { money, payout, ...rest } = row;
  const link = Withdrawal.rowId(event);
  if (row.state === 'reserved' && money) Draft.countOutstanding(draft, money.subject, -1);
  const isInBatch = payout === Approval.endsId(event.transfer);
  if (!isInBatch) Batch.leave(draft, row);
  const paid = { ...rest, ...(money && { money }), ...(isInBatch && { payout }) };
  Draft.putRow(draft, { ...paid, state: 'matched', link });
  if (money) Approval.consume(draft, money.transfer, row.rowId);
}

/** Another transaction with its nonce may come before its removal is told. */
function remember(draft: Draft.Draft, event: Sighted['event']): void {
  if (event.kind === 'withdrawal') return;
  const { nonce, sequence, transfer } = event;
  if (nonce === undefined || sequence === undefined) return;
  Approval.keep(draft, transfer, { rowId: Withdrawal.rowId(event), nonce });
}

/** The withdrawal that an outflow named before anybody approved it: its report will be linked. */
function claim(draft: Draft.Draft, sighted: Sighted, rowId: string): void {
  const resolved = Policy.resolve(draft.context.policy, sighted.event.transfer);
  const link = Withdrawal.rowId(sighted.event);
  put(draft, sighted, { rowId, state: 'claimed', resolved, charged: [], link });
}

function countAs(
  draft: Draft.Draft,
  sighted: Sighted,
  as: {
    readonly state: 'moved' | 'kept' | 'unmatched';
    readonly counted: Withdrawal.Transfer;
    readonly unmatched?: string;
    readonly graceUntilMs?: number;
    readonly movementId?: string;
  },
): Counted {
  const { state, counted, unmatched, ...more } = as;
  const { resolved, legs } = chargeable(draft, counted);
  put(draft, sighted, { state, resolved, charged: legs, ...more });
  // Of what leaves nothing behind nothing is judged: it may pass while a window is full.
  if (legs.length === 0 && unmatched === undefined) return { notional: 0n, ...Enforce.noEffect() };
  const { subject } = resolved;
  const withdrawals = state === 'kept' ? 0 : 1;
  const before = Draft.charge(draft, { subject, legs, withdrawals });
  const event = { ...sighted.event, transfer: counted };
  const isFee = state === 'kept';
  return Enforce.enforce(draft, { ...sighted, event }, { resolved, before, unmatched, isFee });
}

/** What of a transfer is charged: no leg for an amount of zero. */
function chargeable(
  draft: Draft.Draft,
  transfer: Withdrawal.Transfer,
): { readonly resolved: Policy.Resolved; readonly legs: readonly Policy.Leg[] } {
  const { policy } = draft.context;
  const { amount, fee } = transfer;
  const feeOnly = fee && { ...transfer, asset: fee.asset, amount: fee.amount, fee: undefined };
  const resolved = Policy.resolve(policy, amount === 0n && feeOnly ? feeOnly : transfer);
  return { resolved, legs: resolved.legs.filter((leg) => leg.amount > 0n) };
}

/** What of a fee was not charged with its withdrawal: all of it in another asset, else what is above. */
function feeOwed(
  charged: Withdrawal.Fee | undefined,
  seen: Withdrawal.Fee | undefined,
): Withdrawal.Fee | undefined {
  if (!seen) return undefined;
  const already = charged?.asset === seen.asset ? charged.amount : 0n;
  return seen.amount > already ? { asset: seen.asset, amount: seen.amount - already } : undefined;
}

function put(
  draft: Draft.Draft,
  sighted: Sighted,
  as: Pick<Ledger.Row, 'state' | 'link' | 'links' | 'graceUntilMs' | 'movementId'> & {
    readonly rowId?: string;
    readonly resolved: Policy.Resolved;
    readonly charged: readonly Policy.Leg[];
  },
): void {
  const { event, bodyHash } = sighted;
  const { rowId = Withdrawal.rowId(event), resolved, charged, ...rest } = as;
  const { atMs } = draft;
  const known = Draft.row(draft, rowId)?.sequence;
  const sequence = (event.kind === 'outflow' ? event.sequence : undefined) ?? known;
  const { transfer } = event;
  const money = { transfer, subject: resolved.subject, charged, chargedAtMs: atMs };
  const numbered = sequence === undefined ? {} : { sequence };
  Draft.putRow(draft, { rowId, bodyHash, atMs, money, ...rest, ...numbered });
}

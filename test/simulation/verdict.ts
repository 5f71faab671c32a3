/** Judges a schedule when everything has come to rest: the ledger against what really happened. */

import type * as Ledger from '../../lib/domain/ledger.ts';
import { shortHash } from '../support/builders.ts';
import { rebuild, STEPS } from '../support/oracle.ts';
import { legsOf, rowIdsOf } from './books.ts';
import type { Exchange } from './exchange.ts';
import { keysOf, sumOf, WIDEN_MS, worth } from './naive.ts';
import type { Operation, Unit } from './plan.ts';
import { blame } from './witness.ts';

/** Looks at everything that can be told at the end only. */
export async function judgeEnd(exchange: Exchange, told: readonly string[]): Promise<void> {
  const { world } = exchange;
  const { witness, plan, store } = world;
  const { books } = witness;
  const keys = { rows: [...books.rows.keys()], items: [...books.items] };
  const { rows, items } = await store.decisions.load(keys);
  judgeSlots(exchange, { rows, items });
  for (const operation of plan.operations) {
    for (const unit of unitsOf(operation)) judgeUnit(exchange, unit, operation);
  }
  judgeWindows(exchange);
  const pages = new Set(told);
  const isTold = (...words: readonly string[]) =>
    [...pages].some((page) => words.every((word) => page.includes(word)));
  for (const [scope, pauses] of books.pauses) {
    for (const { incidentId } of pauses) {
      // What was stopped beside another incident is told with that one.
      if (isTold(incidentId) || isTold(books.beside.get(incidentId) ?? incidentId)) continue;
      blame(witness, 'P9', `nobody was told of incident ${incidentId} on ${scope}`);
    }
  }
  for (const incidentId of books.everTightened) {
    if (!isTold(incidentId)) blame(witness, 'P9', `nobody was told of tightening ${incidentId}`);
  }
  for (const { incidentId, epoch } of books.openedAgain) {
    if (isTold('OPENED AGAIN', incidentId, `epoch ${epoch} `)) continue;
    blame(witness, 'P9', `nobody was told that ${incidentId} opened again`);
  }
}

/** The units of an operation. */
export function unitsOf(operation: Operation): readonly Unit[] {
  if (operation.kind === 'reserve') return operation.asked.map(({ unit }) => unit);
  return 'unit' in operation && operation.kind !== 'flag' ? [operation.unit] : [];
}

/** P2: each slot of each meter is the sum of what the rows were charged, as far as a window can reach. */
function judgeSlots(
  { world }: Exchange,
  { rows, items }: Pick<Ledger.Loaded, 'rows' | 'items'>,
): void {
  const sums = rebuild(rows.values(), shortHash);
  const wrong = (text: string) => blame(world.witness, 'P2', text);
  for (const [key, slots] of sums) {
    const item = items.get(key);
    for (const [name, sum] of slots) {
      const [step = 0, index = 0] = name.split(':').map(Number);
      const has = item?.meter.steps[step]?.find((slot) => slot.index === index);
      const { slotMs = 0, windowMs = 0 } = STEPS[step] ?? {};
      const isOver = (index + 1) * slotMs <= (item?.meter.newestMs ?? 0) - windowMs - WIDEN_MS;
      if (!has && isOver) continue;
      const same =
        (has?.notional ?? 0n) === sum.notional &&
        (has?.amount ?? 0n) === sum.amount &&
        (has?.count ?? 0) === sum.count;
      if (!same)
        wrong(
          `${key} ${name} has ${has?.notional}/${has?.count}, rows ${sum.notional}/${sum.count}`,
        );
    }
  }
  for (const [key, item] of items) {
    for (const [step, slots] of item.meter.steps.entries()) {
      for (const slot of slots) {
        const isExplained = sums.get(key)?.has(`${step}:${slot.index}`) === true;
        const isEmpty = slot.notional === 0n && slot.count === 0 && slot.amount === 0n;
        if (!isExplained && !isEmpty)
          wrong(`${key} ${step}:${slot.index} holds what no row was charged`);
      }
    }
  }
}

/** P2, P9: what left, or was approved, stands in the ledger once; what did not leave was given back on evidence only. */
function judgeUnit(exchange: Exchange, unit: Unit, operation: Operation): void {
  const { world, truth } = exchange;
  const { witness } = world;
  const { number } = unit;
  const [withdrawal, outflow] = rowIdsOf(unit).map((rowId) => witness.books.rows.get(rowId));
  const name = `${operation.kind} ${unit.withdrawalId}`;
  const isClosed = withdrawal?.state === 'failed' || withdrawal?.state === 'cancelled';
  if (isClosed && truth.departed.has(number)) {
    // What was said too early and heard too late is a lie of the signer: the ledger cannot know.
    if (operation.kind === 'reserve' && fateOf(operation, unit) === 'boast') return;
    blame(witness, 'P2', `${name} left, and was given back`);
  }
  const isKnown = truth.allowed.has(number) || truth.reported.has(number);
  if (isKnown && !withdrawal) blame(witness, 'P9', `${name} is not in the ledger`);
  // A watcher leaves out what moved nothing.
  const isWorthless = operation.kind === 'poison' && world.plan.isWatched;
  if (truth.onChain.has(number) && !outflow && !isWorthless)
    blame(witness, 'P9', `${name} was seen and is not there`);
  const total = [withdrawal, outflow]
    .flatMap((row) => legsOf(row))
    .reduce((sum, leg) => sum + leg.notional, 0n);
  const isCharged = withdrawal !== undefined && withdrawal.state !== 'held' && !isClosed;
  const possible = countsOf(exchange, unit, { operation, isCharged });
  if (possible.includes(total)) return;
  const states = `${withdrawal?.state} and ${outflow?.state}`;
  blame(witness, 'P2', `${name} counts ${total}, not ${possible.join(' or ')}; it is ${states}`);
}

/** What a unit may count as in the end. Of one whose transaction is gone the fee may stay with its withdrawal. */
function countsOf(
  { truth }: Exchange,
  { number, transfer, feeWei }: Unit,
  about: { readonly operation: Operation; readonly isCharged: boolean },
): readonly bigint[] {
  const amount = worth(transfer.asset, transfer.amount);
  const fee = worth('eip155:1/slip44:60', feeWei);
  if (about.operation.kind === 'poison') return [0n];
  if (truth.onChain.has(number)) return [amount + fee];
  if (about.operation.kind === 'theft') return [0n];
  if (truth.reported.has(number) || truth.departed.has(number)) return [amount, amount + fee];
  return [about.isCharged ? amount : 0n];
}

function fateOf(operation: Operation & { readonly kind: 'reserve' }, unit: Unit) {
  return operation.asked.find((asked) => asked.unit.number === unit.number)?.fate;
}

/** The documented bound: in no true window of a limit's length more leaves than it allows, if everybody asks first. */
function judgeWindows(exchange: Exchange): void {
  const { witness } = exchange.world;
  const limits = witness.books.versions.map(({ version }) => witness.policies.get(version)?.limits);
  const left = departures(exchange);
  for (const limit of limits[0] ?? []) {
    const { metric, windowMs, scope: kind, where } = limit;
    if (metric === 'single' || limit.action.kind === 'alert') continue;
    const same = limits.map((each) => each?.find(({ limitId }) => limitId === limit.limitId));
    if (same.some((each) => each?.mode !== 'enforce')) continue;
    const allowed = same.map((each) => each?.allowed ?? 0n);
    const most = allowed.reduce((max, each) => (each > max ? each : max), 0n);
    const concerned = left.filter(
      ({ unit }) => (where.asset ?? unit.transfer.asset) === unit.transfer.asset,
    );
    for (const [scope, some] of Map.groupBy(concerned, ({ unit }) => keysOf(unit)[kind] ?? '')) {
      // What people have said is dealt with counts no more.
      if (witness.books.bases.has(`${limit.limitId}|${scope}`)) continue;
      for (const { atMs: toMs } of some) {
        const sum = sumOf(some, { metric, fromMs: toMs - windowMs, toMs });
        if (sum <= most) continue;
        blame(witness, 'P5', `${sum} left ${scope} within ${windowMs} ms, of ${most}`);
      }
    }
  }
}

/** What left after it was asked for, at its true time. */
function departures({ world, truth }: Exchange) {
  const { plan, witness } = world;
  const asked = plan.operations.flatMap((one) => (one.kind === 'reserve' ? one.asked : []));
  return asked.flatMap(({ unit }) => {
    const atMs = truth.departed.get(unit.number);
    const isClosed = witness.books.rows.get(rowIdsOf(unit)[0])?.state === 'failed';
    if (atMs === undefined || truth.gone.has(unit.number) || isClosed) return [];
    const { asset, amount } = unit.transfer;
    const notional = worth(asset, amount);
    return [{ unit, rowId: unit.withdrawalId, atMs, notional, amount, count: 1 }];
  });
}

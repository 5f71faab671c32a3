/** What waits, in memory: held withdrawals in their queues, and reservations whose outcome is open. */

import { createHash } from 'node:crypto';
import type { Row } from '../../domain/ledger.ts';
import * as Queue from '../../domain/queue.ts';
import { withdrawalIdOf } from '../../domain/withdrawal.ts';
import type { GraceStore, HeldStore, OpenReservations } from '../../ports.ts';
import type { State } from './state.ts';

/** Held withdrawals. */
export function createHeldStore(state: State): HeldStore {
  return {
    list: async (limit) => [...state.held.values()].sort(byQueue).slice(0, limit),
    heads: async (perQueue, queuesMax, from = '0') => {
      const queues = Map.groupBy([...state.held.values()].sort(Queue.byAge), Queue.keyOf);
      const hashed = [...queues].map(([queue, held]) => ({ hash: hashOf(queue), held }));
      hashed.sort((left, right) => (left.hash < right.hash ? -1 : 1));
      const circle = [
        ...hashed.filter(({ hash }) => hash >= from),
        ...hashed.filter(({ hash }) => hash < from),
      ];
      return circle.slice(0, queuesMax).flatMap(({ held }) => held.slice(0, perQueue));
    },
    behind: async (held, limit) =>
      [...state.held.values()]
        .filter((one) => Queue.keyOf(one) === Queue.keyOf(held) && Queue.byAge(one, held) > 0)
        .sort(Queue.byAge)
        .slice(0, limit),
  };
}

/** Outflows whose grace is over, the first first. */
export function createGraceStore(state: State): GraceStore {
  return {
    over: async (nowMs, limit) => {
      const over = [...state.graces.values()].filter(({ untilMs }) => untilMs <= nowMs);
      const ids = over.sort((left, right) => left.untilMs - right.untilMs);
      return ids.slice(0, limit).map(({ rowId }) => rowId);
    },
  };
}

function hashOf(queue: Queue.Key): string {
  return createHash('sha256').update(queue).digest('hex');
}

/** Open reservations, and withdrawals whose outflow has to show. */
export function createOpenReservations(state: State): OpenReservations {
  const before = (is: (row: Row) => boolean, atMs: number, limit: number) => {
    const open = [...state.rows.values()].flatMap((row) => {
      const chargedAtMs = row.money?.chargedAtMs ?? atMs;
      const withdrawalId = withdrawalIdOf(row.rowId);
      return is(row) && chargedAtMs < atMs ? [{ withdrawalId, chargedAtMs }] : [];
    });
    return open.sort((left, right) => left.chargedAtMs - right.chargedAtMs).slice(0, limit);
  };
  return {
    before: async (atMs, limit) => before((row) => row.state === 'reserved', atMs, limit),
    unseen: async (atMs, limit) =>
      before((row) => row.state === 'reported' && row.isAwaited === true, atMs, limit),
  };
}

function byQueue(left: Queue.Held, right: Queue.Held): number {
  const [one, other] = [Queue.keyOf(left), Queue.keyOf(right)];
  return one === other ? Queue.byAge(left, right) : one < other ? -1 : 1;
}

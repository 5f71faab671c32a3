/** What waits, in memory: held withdrawals in their queues, and reservations whose outcome is open. */

import { createHash } from 'node:crypto';
import * as Queue from '../../domain/queue.ts';
import { withdrawalIdOf } from '../../domain/withdrawal.ts';
import type { HeldStore, OpenReservations } from '../../ports.ts';
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
  };
}

/** Open reservations. */
export function createOpenReservations(state: State): OpenReservations {
  return {
    before: async (atMs, limit) => {
      const open = [...state.rows.values()].flatMap(({ rowId, state: is, money }) =>
        is === 'reserved' && money && money.chargedAtMs < atMs
          ? [{ withdrawalId: withdrawalIdOf(rowId), chargedAtMs: money.chargedAtMs }]
          : [],
      );
      return open.sort((left, right) => left.chargedAtMs - right.chargedAtMs).slice(0, limit);
    },
  };
}

function hashOf(queue: Queue.Key): string {
  return createHash('sha256').update(queue).digest('hex');
}

function byQueue(left: Queue.Held, right: Queue.Held): number {
  const [one, other] = [Queue.keyOf(left), Queue.keyOf(right)];
  return one === other ? Queue.byAge(left, right) : one < other ? -1 : 1;
}

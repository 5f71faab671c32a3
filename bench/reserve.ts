/** Callers at once on one wallet that has room for half of what they ask: overshoot, waits, round trips, write units. */

import { percentile } from './percentile.ts';
import { measureCallers, type Run, type Way } from './reserve-callers.ts';
import { createLocks } from './reserve-locks.ts';
import { ASKED, proveHealth, ROOM, reservePolicySource } from './reserve-rig.ts';
import { onRig } from './rig.ts';
import type { Cell, Section } from './section.ts';

const CALLERS = [1, 8, 32, 64];
const LOCK_MS = 10;
const ROUND_TRIPS_ALONE_MAX = 2;
const ROUND_TRIPS_MAX = 12;
const WAIT_MAX_MS = 3_000;
/** Of the room, what may stay unused, percent. */
const UNUSED_MAX = 5;

/** One table: a way to ask, with or without locks. */
type Table = {
  readonly id: string;
  readonly title: string;
  readonly way: Way;
  readonly lockMs: number;
};

const TABLES: readonly Table[] = [
  { id: 'alone', title: 'each a process of its own', way: 'alone', lockMs: 0 },
  { id: 'together', title: 'through one batching client', way: 'together', lockMs: 0 },
  {
    id: 'alone.locks',
    title: `each a process of its own, locks of ${LOCK_MS} ms`,
    way: 'alone',
    lockMs: LOCK_MS,
  },
  {
    id: 'together.locks',
    title: `through one batching client, locks of ${LOCK_MS} ms`,
    way: 'together',
    lockMs: LOCK_MS,
  },
];

/** Four tables: with and without the batching client, with and without conflicts as DynamoDB makes them. */
export async function measureReserve(seed: string): Promise<readonly Section[]> {
  const sections: Section[] = [];
  for (const table of TABLES) sections.push(await measureTable(seed, table));
  return sections;
}

async function measureTable(seed: string, table: Table): Promise<Section> {
  const rows: (readonly Cell[])[] = [];
  for (const callers of CALLERS) {
    const run = await onRig({ policySource: reservePolicySource(), seed }, async (rig) => {
      await proveHealth(rig);
      const locks = table.lockMs > 0 ? createLocks(table.lockMs) : undefined;
      return measureCallers(rig, { callers, way: table.way, seed: `${seed} ${callers}`, locks });
    });
    rows.push(rowOf({ table, callers }, run));
  }
  return {
    title: `Reserve: ${ASKED} withdrawals asked of one wallet with room for ${ROOM}, ${table.title}`,
    columns: [
      '',
      'over the limit',
      'room unused',
      'p50',
      'p99',
      'longest wait',
      'round trips',
      'while room',
      'write units',
      'lost',
      'asked again',
    ],
    rows,
    notes: notesOf(table),
  };
}

function notesOf({ way, lockMs }: Table): readonly string[] {
  return [
    'per decision: round trips, write units (as answers report them), transactions lost to others; "while room": round trips per admission until the last one',
    'a wait is from the first ask to the verdict; "asked again": blocked as unavailable or late, which says nothing of the withdrawal',
    ...(way === 'alone'
      ? [
          'every caller with its own client and caches, but all on one core: times are those of a busy host',
        ]
      : ['straight to the function’s handler']),
    ...(lockMs > 0
      ? [
          'a transaction on an item that another one holds is cancelled with TransactionConflict and no item',
        ]
      : []),
  ];
}

function rowOf(
  about: { readonly table: Table; readonly callers: number },
  run: Run,
): readonly Cell[] {
  const { table, callers } = about;
  const id = `reserve.${table.id}.${callers}`;
  const ms = (name: string, value: number) => {
    return { id: `${id}.${name}`, value, unit: 'ms', digits: 0 };
  };
  const each = (name: string, value: number) => {
    return { id: `${id}.${name}`, value, unit: '', digits: 2 };
  };
  const max = callers === 1 ? ROUND_TRIPS_ALONE_MAX : ROUND_TRIPS_MAX;
  const waitMax = table.way === 'together' ? { max: WAIT_MAX_MS } : {};
  const over = Math.max(0, run.admitted - ROOM);
  const unused = Math.max(0, 1 - run.admitted / ROOM) * 100;
  return [
    `${callers} caller${callers === 1 ? '' : 's'}`,
    { id: `${id}.over`, value: over, unit: '', digits: 0, max: 0 },
    { id: `${id}.unused`, value: unused, unit: '%', digits: 1, max: UNUSED_MAX },
    ms('p50', percentile(run.waitsMs, 0.5)),
    ms('p99', percentile(run.waitsMs, 0.99)),
    { ...ms('wait', percentile(run.waitsMs, 1)), ...waitMax },
    { ...each('round-trips', run.requests / ASKED), max },
    { ...each('round-trips-while-room', run.requestsWhileRoom / Math.max(1, run.admitted)), max },
    each('units', run.writeUnits / ASKED),
    each('lost', run.lost / ASKED),
    { id: `${id}.asked-again`, value: run.askedAgain, unit: '', digits: 0 },
  ];
}

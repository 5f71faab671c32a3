/** The Control table's stream: in order within a shard, at least once, in batches that are cut anew each time; and the people at its end. */

import { projectState } from '../../lib/actions/project-state.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import type { Message } from '../../lib/domain/page.ts';
import type { ControlRecord } from '../../lib/ports.ts';
import type { World } from './world.ts';

/** What people were told, and what has not reached the projection yet. */
export type Stream = { readonly told: readonly Message[]; readonly open: () => number };

/** How long one batch may take before it is delivered again. */
const BATCH_MS = 30_000;
const BATCH_MAX = 5;

const SHARDS = 2;

/** The stream of a world with its projection. Nothing keeps the order between its shards. */
export function createStream(world: World): Stream {
  const told: Message[] = [];
  const shards = Array.from({ length: SHARDS }, () => createShard(world, told));
  world.onControl((record) => {
    const shard = nodeDigest.shortHash(`${world.plan.seed}|${partitionOf(record)}`) % SHARDS;
    shards[shard]?.put(record);
  });
  return { told, open: () => shards.reduce((sum, { open }) => sum + open(), 0) };
}

/** The partition key of its row: all incidents are in one, the causes of each in one of their own. */
function partitionOf(record: ControlRecord): string {
  if (record.type === 'cause-added') return `cause#${record.incidentId}`;
  return record.type.startsWith('incident') ? 'incident' : record.type;
}

type Shard = { readonly put: (record: ControlRecord) => void; readonly open: () => number };

function createShard(world: World, told: Message[]): Shard {
  const { scheduler, random, hosts, rates } = world;
  const waiting: ControlRecord[] = [];
  let turn = 0;
  const notifier = {
    send: async (message: Message) => {
      if (random.chance(rates().down)) throw new Error('nobody can be told now');
      told.push(message);
    },
  };
  const pump = () => {
    if (waiting.length === 0) return;
    turn += 1;
    const mine = turn;
    const batch = waiting.slice(0, 1 + random.int(BATCH_MAX));
    const { store, process } = world.invoke(random.pick(hosts));
    const { incidents, projections } = store;
    const deps = { incidents, projections, notifier, clock: { nowMs: process.nowMs } };
    const done = (count: number) => {
      if (mine !== turn) return;
      waiting.splice(0, count);
      scheduler.at(scheduler.nowMs() + (count < batch.length ? 1_000 : 10), pump);
      turn += 1;
    };
    void projectAll(deps, batch).then(done);
    scheduler.at(scheduler.nowMs() + BATCH_MS, () => done(0));
  };
  return {
    put: (record) => {
      waiting.push(record);
      if (waiting.length === 1) scheduler.at(scheduler.nowMs() + 200, pump);
    },
    open: () => waiting.length,
  };
}

/** How many were projected until one failed. */
async function projectAll(
  deps: Parameters<typeof projectState>[0],
  batch: readonly ControlRecord[],
): Promise<number> {
  for (const [position, record] of batch.entries()) {
    try {
      await projectState(deps, record);
    } catch {
      return position;
    }
  }
  return batch.length;
}

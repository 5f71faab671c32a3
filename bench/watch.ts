/** Outflows on a real chain: what is caught, and how long it takes from a block to the trip. */

import { findAnvil } from '../lib/local/chain-node.ts';
import { startWorld } from '../test/adapters/evm/chain-world.ts';
import { mix } from '../test/support/mixed-outflows.ts';
import { nodesAt, watchedChain, watchedPolicy } from '../test/support/watched-chain.ts';
import { percentile } from './percentile.ts';
import type { Section } from './section.ts';

const APPROVED = 10_000;
const UNAPPROVED = 100;

/** A mix of approved and unapproved outflows, over the in-memory store; nothing where anvil is not installed. */
export async function measureWatch(seed: string): Promise<readonly Section[]> {
  if (!findAnvil()) return [];
  const world = await startWorld();
  try {
    await world.anvil.rpc('evm_setAutomine', false);
    const watched = await watchedChain(watchedPolicy(world.policy), nodesAt(world.anvil.url));
    await watched.catchUp();
    const counts = { approved: APPROVED, unapproved: UNAPPROVED, seed: Number(seed) };
    return [sectionOf(await mix(world, watched, counts))];
  } finally {
    await world.anvil.stop();
  }
}

function sectionOf(mixed: Awaited<ReturnType<typeof mix>>): Section {
  const { missed, falseTrips, matched, tripMs } = mixed;
  const time = (share: number, id: string) =>
    ({ id: `watch.trip.${id}`, value: percentile(tripMs, share), unit: 'ms', digits: 1 }) as const;
  const count = (id: string, value: number, max: number) =>
    ({ id: `watch.${id}`, value, unit: '', digits: 0, max }) as const;
  return {
    title: `${APPROVED} approved and ${UNAPPROVED} unapproved outflows on a chain, 20 in each block`,
    columns: ['', 'figure'],
    rows: [
      ['unapproved and not caught', count('missed', missed, 0)],
      ['approved and tripped', count('false-trips', falseTrips, 0)],
      ['approved and not matched', count('unmatched', APPROVED - matched, 0)],
      ['block → trip, p50', time(0.5, 'p50')],
      ['block → trip, p99', time(0.99, 'p99')],
    ],
    notes: [
      'from the answer of the node that mined the block to the end of the step that told it',
      'one node on this machine, traces on, in-memory store: the time of reading and deciding',
    ],
  };
}

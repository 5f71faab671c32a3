/** Follows a chain with cursor and reader, and keeps what it saw, as a watcher would. */

import type * as Block from '../../../lib/domain/block.ts';
import * as Cursor from '../../../lib/domain/cursor.ts';
import type * as Policy from '../../../lib/domain/policy.ts';
import * as Sighting from '../../../lib/domain/sighting.ts';
import * as Withdrawal from '../../../lib/domain/withdrawal.ts';
import type { ChainReader } from '../../../lib/ports.ts';

/** Rounds until a cursor must have reached the head. */
const ROUNDS_MAX = 200;

export type Follower = {
  cursor: Cursor.Cursor;
  /** What stands, by ledger id. */
  readonly standing: Map<string, Sighting.Sighting>;
  /** Ids in the order in which they were seen, again where they came again. */
  readonly seen: string[];
  readonly removed: string[];
  readonly doubts: Block.Doubt[];
  readonly confirmed: number[];
  /** Reads until nothing is new; resolves with the kind of the last plan. */
  readonly catchUp: () => Promise<Cursor.Plan['kind']>;
};

export function createFollower(
  reader: ChainReader,
  parameters: {
    readonly policy: Policy.Policy;
    readonly spanMax?: number;
    readonly confirmations?: number;
    readonly cursor?: Cursor.Cursor;
  },
): Follower {
  const { policy, spanMax = 500, confirmations = 0 } = parameters;
  const follower: Follower = {
    cursor: parameters.cursor ?? Cursor.start('eip155:1', 0),
    standing: new Map(),
    seen: [],
    removed: [],
    doubts: [],
    confirmed: [],
    catchUp: async () => {
      for (let round = 0; round < ROUNDS_MAX; round++) {
        const { head, doubts } = await reader.head();
        follower.doubts.push(...doubts);
        const plan = Cursor.plan(follower.cursor, head, { spanMax });
        if (plan.kind === 'idle' || plan.kind === 'old') return plan.kind;
        if (plan.kind === 'fork') await goBack();
        else if (!(await goOn(plan))) await goBack();
      }
      throw new Error('it does not reach the head');
    },
  };

  const goOn = async (range: { readonly from: number; readonly to: number }) => {
    const { blocks, doubts } = await reader.blocks(range);
    follower.doubts.push(...doubts);
    const headers = blocks.map(({ header }) => header);
    const next = Cursor.advance(follower.cursor, headers, { nowMs: 0, confirmations });
    if (next.kind === 'fork') return false;
    follower.cursor = next.cursor;
    follower.confirmed.push(...next.confirmed.map(({ number }) => number));
    for (const block of blocks) {
      for (const sighting of Sighting.sight({ policy, grants: new Set() }, block).sightings) {
        const id = Withdrawal.outflowRowId(sighting.outflow);
        follower.seen.push(id);
        follower.standing.set(id, sighting);
      }
    }
    return true;
  };

  const goBack = async () => {
    const hashes = new Map<number, string | 'absent'>();
    for (;;) {
      const found = Cursor.search(follower.cursor, hashes);
      if (found.kind === 'ask') {
        hashes.set(found.number, (await reader.header(found.number))?.hash ?? 'absent');
        continue;
      }
      const gone = new Set(found.removed.map(({ hash }) => hash));
      for (const [id, { block }] of follower.standing) {
        if (!gone.has(block.hash)) continue;
        follower.standing.delete(id);
        follower.removed.push(id);
      }
      follower.cursor = found.cursor;
      return;
    }
  };
  return follower;
}

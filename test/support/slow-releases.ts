/** A world in which 2,000 withdrawals are held in 200 queues, over a store that takes its time. For fake timers. */

import { readFlag } from '../../lib/actions/read-flag.ts';
import { reserveWithdrawals } from '../../lib/actions/reserve-withdrawals.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import { readyWorld, type TestWorld } from './action-world.ts';
import * as Build from './builders.ts';
import { ask, holding } from './holding.ts';

const QUEUES = 200;
const PER_QUEUE = 10;
const HEADS_MS = 1_000;
const LOAD_MS = 20;
const HEARTBEAT_MS = 300;
const LEASE_MS = 15_000;

/** The world, what was tried, how many listings of the queues ran at once at most, and still run. */
export type Slow = TestWorld & {
  readonly tried: Set<string>;
  readonly listings: { running: number; most: number };
  /** Whether withdrawals are enabled now. */
  readonly isEnabled: () => Promise<boolean>;
};

/** Makes it, at the time of `Date`, with leases for 15 s. A heartbeat takes 0.3 s to come through. */
export async function slowWorld(): Promise<Slow> {
  const slow = { isOn: false };
  const tried = new Set<string>();
  const listings = { running: 0, most: 0 };
  const proof: { heartbeat: Ledger.Heartbeat | undefined } = { heartbeat: undefined };
  const limits = [holding({ limitId: 'to', scope: 'destination', allowed: Build.usd(100) })];
  const made = await readyWorld(
    Build.policy({ limits, outstandingMax: 1_000 }),
    ({ store: { health, decisions, held, ...store } }) => ({
      clock: { nowMs: () => Date.now() },
      sleep,
      events: {
        send: async () => {
          const sentAtMs = Date.now();
          setTimeout(() => {
            proof.heartbeat = { sentAtMs, receivedAtMs: Date.now(), oldestWaitingMs: 0 };
          }, HEARTBEAT_MS);
        },
      },
      store: {
        ...store,
        health: { ...health, heartbeat: async () => proof.heartbeat },
        decisions: {
          ...decisions,
          load: async (keys) => {
            if (slow.isOn) await sleep(LOAD_MS);
            for (const rowId of keys.rows) tried.add(rowId);
            return decisions.load(keys);
          },
        },
        held: {
          ...held,
          heads: async (...which) => {
            listings.running += 1;
            listings.most = Math.max(listings.most, listings.running);
            await sleep(HEADS_MS);
            listings.running -= 1;
            return held.heads(...which);
          },
        },
      },
    }),
  );
  await fill(made);
  const { world } = made;
  const untilMs = Date.now() + LEASE_MS;
  await world.store.health.renew(
    { [Build.CHAIN]: untilMs, [Build.OTHER_CHAIN]: untilMs },
    Date.now() + 1,
  );
  tried.clear();
  slow.isOn = true;
  const isEnabled = async () => {
    const { decisions, health } = world.store;
    const deps = { decisions, health, policy: world.decision.policy, clock: world.clock };
    const flag = await readFlag(deps, { wallet: 'hot-1', chain: Build.CHAIN });
    return flag.enabled;
  };
  return { ...made, tried, listings, isEnabled };
}

/** All that are held in it. */
export const HELD = QUEUES * PER_QUEUE;

async function fill({ world }: TestWorld): Promise<void> {
  for (let queue = 0; queue < QUEUES; queue += 1) {
    const destination = `eip155:1:0x${(queue + 4_096).toString(16).padStart(40, '0')}` as const;
    const to = { destination, actor: `customer-${queue}` };
    const waiting = Array.from({ length: PER_QUEUE }, (_, n) => ask(`w-${queue}-${n}`, 1, to));
    const asks = [ask(`first-${queue}`, 100, to), ...waiting];
    await reserveWithdrawals(world.reserve, { asks, audience: 'signer' });
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

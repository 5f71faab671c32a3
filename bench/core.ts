/** How many events a second one core decides on, without any input or output. */

import { nodeDigest } from '../lib/adapters/node-digest.ts';
import { parsePolicy } from '../lib/adapters/policy-file/parse.ts';
import { CLOSED } from '../lib/domain/breaker.ts';
import * as Decision from '../lib/domain/decision.ts';
import type * as Ledger from '../lib/domain/ledger.ts';
import type { Policy } from '../lib/domain/policy.ts';
import type { Key } from '../lib/domain/scope.ts';
import { createMemoryStage } from '../lib/local/replay/memory-stage.ts';
import * as Random from '../lib/local/replay/random.ts';
import { generateTraffic } from '../lib/local/replay/traffic.ts';
import { incoming, withdrawal } from './events.ts';
import { drawEth, ETH_USD } from './full-meters.ts';
import { type FullSet, metersOf } from './full-set.ts';
import { CHAIN, ETH, policySource, USDC, walletAccount } from './sample-policy.ts';
import type { Cell, Section } from './section.ts';

const CUSTOMERS = 64;
/** Events made beforehand; they come again in turn, and no row is kept, so each is new. */
const EVENTS = 2_000;
const EVENT_EVERY_MS = 6_000;
const MEASURE_MS = 3_000;
const WARM_UP_MS = 700;
const HOUR_MS = 3_600_000;
/** Events between two looks at the clock. */
const ROUND = 50;
/** Of the replays' ordinary traffic; what it brings is what counts here, not how often. */
const RATE_PER_DAY = 2_900;
const PICO_PER_USD = 10n ** 12n;

/** The pure core, and the whole in-memory stage around it. */
export async function measureCore(seed: string, full: FullSet): Promise<Section> {
  const policy = parsePolicy(policySource(1));
  const row = (name: string, id: string, perSecond: number): readonly Cell[] => [
    name,
    { id: `core.${id}`, value: perSecond, unit: 'events/s', digits: 0 },
  ];
  return {
    title: 'Speed on one core',
    columns: ['', 'speed'],
    rows: [
      row(
        'decision core, one event at a time',
        'single',
        decideFor(startCore({ seed, full, policy }), 1),
      ),
      row(
        'decision core, 25 in a batch',
        'batch',
        decideFor(startCore({ seed, full, policy }), 25),
      ),
      row('in-memory stage: parse, load, decide, commit', 'stage', await measureStage(seed)),
    ],
    notes: [
      `core: full meters, ${policy.limits.length} limits, keys and decision; the stage starts with empty meters`,
    ],
  };
}

/** What the core decides over. */
export type Core = {
  readonly policy: Policy;
  readonly items: Map<Key, Ledger.Item>;
  readonly events: readonly Decision.Incoming[];
  nowMs: number;
  decided: number;
};

function startCore(parameters: {
  readonly seed: string;
  readonly full: FullSet;
  readonly policy: Policy;
}): Core {
  const { seed, full, policy } = parameters;
  const items = new Map<Key, Ledger.Item>();
  for (let customer = 0; customer < CUSTOMERS; customer += 1) {
    const meters = metersOf({ customer }, full);
    for (const [key, meter] of meters) items.set(key, { version: 1, meter, breaker: CLOSED });
  }
  const random = Random.create(`${seed} core`);
  const events = Array.from({ length: EVENTS }, (_, index) =>
    incoming(
      withdrawal({ id: `core-${index}`, amount: drawEth(random), customer: index % CUSTOMERS }),
    ),
  );
  return { policy, items, events, nowMs: full.eth.newestMs, decided: 0 };
}

/** Decides on the next events of a core and keeps the items; rows are dropped. */
export function decideNext(core: Core, count: number): Decision.Decision {
  const start = core.decided % core.events.length;
  const batch = core.events.slice(start, start + count);
  core.decided += batch.length;
  core.nowMs += EVENT_EVERY_MS * batch.length;
  const keys = Decision.keys(core.policy, batch);
  const items = new Map<Key, Ledger.Item>();
  for (const key of keys.items) {
    const item = core.items.get(key);
    if (item) items.set(key, item);
  }
  const context = {
    policy: core.policy,
    policyVersion: 1,
    decisionId: `decision-${core.decided}`,
    nowMs: core.nowMs,
    policyHash: '',
    newStackId: () => '',
    newIncidentId: () => `incident-${core.decided}`,
    shortHash: nodeDigest.shortHash,
  };
  const decision = Decision.decide(context, { rows: new Map(), items }, batch);
  for (const { key, item } of decision.changes.items) core.items.set(key, item);
  return decision;
}

function decideFor(core: Core, batch: number): number {
  const run = (durationMs: number) => {
    const startedMs = performance.now();
    const before = core.decided;
    while (performance.now() - startedMs < durationMs) {
      for (let round = 0; round < ROUND / batch; round += 1) decideNext(core, batch);
    }
    return ((core.decided - before) * 1_000) / (performance.now() - startedMs);
  };
  run(WARM_UP_MS);
  return run(MEASURE_MS);
}

async function measureStage(seed: string): Promise<number> {
  const startMs = Date.UTC(2023, 8, 1);
  const stage = await createMemoryStage({ policySource: policySource(1), startMs });
  const eth = {
    asset: ETH,
    chain: CHAIN,
    decimals: 18,
    pricePicoUsd: BigInt(ETH_USD) * PICO_PER_USD,
  };
  const usdc = { asset: USDC, chain: CHAIN, decimals: 6, pricePicoUsd: PICO_PER_USD };
  const traffic = generateTraffic({
    seed,
    startMs,
    durationMs: 31 * 24 * HOUR_MS,
    wallets: [{ account: walletAccount(0), chain: CHAIN }],
    assets: [eth, usdc].map((asset) => ({ ...asset, weight: 1 })),
    ratePerDay: RATE_PER_DAY,
  });
  let events = 0;
  let measuredMs = 0;
  for (const event of traffic) {
    const startedMs = performance.now();
    await stage.advanceTo(event.atMs);
    await stage.send({ ...event, kind: 'normal' });
    measuredMs += performance.now() - startedMs;
    events += 1;
    if (measuredMs > MEASURE_MS) break;
  }
  return (events * 1_000) / measuredMs;
}

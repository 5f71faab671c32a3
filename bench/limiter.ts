/** rate-limiter-flexible's DynamoDB limiter beside Breakwater, on one engine: what an event costs, and what is counted when answers get lost. */

import { recordEvents } from '../lib/actions/record-events.ts';
import { nodeIds } from '../lib/adapters/node-ids.ts';
import { incoming, withdrawal } from './events.ts';
import { type FullSet, metersOf } from './full-set.ts';
import { openLimiter } from './limiter-account.ts';
import { oneScopeDecision } from './one-scope.ts';
import { percentile } from './percentile.ts';
import { onRig, putMeters } from './rig.ts';
import { policySource } from './sample-policy.ts';
import type { Cell, Section } from './section.ts';
import { type Watch, watchWire } from './wire-count.ts';

const WARM_UP = 30;
const EVENTS = 200;
const AMOUNT = 10n ** 18n;
const USD = 1_500;

/** What one event costs. Latencies in ms. */
type Cost = {
  readonly roundTrips: number;
  /** Reported, and one for each refused condition of the limiter, which AWS bills and no answer reports. */
  readonly units: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** Cost of an event: five windows of one scope, and all that Breakwater does. */
export async function measureLimiter(seed: string, full: FullSet): Promise<Section> {
  return onRig({ policySource: policySource(1), seed }, async (rig) => {
    const limiter = await openLimiter(rig.endpoint, 'limiter');
    const oneScope = oneScopeDecision(rig.store.decisions, nodeIds.decisionId);
    try {
      const theirs = await measure(watchWire(limiter.client), () => limiter.consume(USD));
      await oneScope.fill(full.assets2);
      const ours = await measure(rig.watch, (index) => oneScope.once(`scope-${index}`));
      await putMeters(rig.store, metersOf({}, full));
      const whole = await measure(rig.watch, async (index) => {
        const event = withdrawal({ id: `whole-${index}`, amount: AMOUNT });
        await recordEvents(rig.deps, [incoming(event)]);
      });
      return costSection({ theirs, ours, whole });
    } finally {
      limiter.stop();
    }
  });
}

async function measure(watch: Watch, run: (index: number) => Promise<void>): Promise<Cost> {
  for (let index = 0; index < WARM_UP; index += 1) await run(index);
  watch.reset();
  const samples: number[] = [];
  for (let index = WARM_UP; index < WARM_UP + EVENTS; index += 1) {
    const startedMs = performance.now();
    await run(index);
    samples.push(performance.now() - startedMs);
  }
  const { requests, writeUnits, refusals } = watch.read();
  return {
    roundTrips: requests / EVENTS,
    units: (writeUnits + refusals) / EVENTS,
    p50Ms: percentile(samples, 0.5),
    p99Ms: percentile(samples, 0.99),
  };
}

function costSection(costs: {
  readonly theirs: Cost;
  readonly ours: Cost;
  readonly whole: Cost;
}): Section {
  const { theirs, ours, whole } = costs;
  const row = (name: string, id: string, cost: Cost): readonly Cell[] => [
    name,
    { id: `limiter.${id}.round-trips`, value: cost.roundTrips, unit: '', digits: 1 },
    ratio(cost.roundTrips, theirs.roundTrips),
    { id: `limiter.${id}.units`, value: cost.units, unit: '', digits: 1 },
    ratio(cost.units, theirs.units),
    { id: `limiter.${id}.p50`, value: cost.p50Ms, unit: 'ms', digits: 1 },
    ratio(cost.p50Ms, theirs.p50Ms),
    { id: `limiter.${id}.p99`, value: cost.p99Ms, unit: 'ms', digits: 1 },
    ratio(cost.p99Ms, theirs.p99Ms),
  ];
  return {
    title: 'Beside rate-limiter-flexible 11 (RateLimiterDynamo), one event at a time, same engine',
    columns: ['', 'round trips', '', 'write units', '', 'p50', '', 'p99', ''],
    rows: [
      row('limiter: one scope, five windows, one metric', 'theirs', theirs),
      row('Breakwater: one scope, five windows, two metrics', 'one-scope', ours),
      row('Breakwater: eight scopes, 21 limits, breakers', 'whole', whole),
    ],
    notes: [
      "the limiter's five calls run at once; each is a refused condition and then an update, and AWS bills both (1 unit each)",
      'over a network both wait for two round trips in a row: there the times differ less than here',
      'the limiter keeps no record of an event; Breakwater writes its ledger row in the same transaction',
    ],
  };
}

function ratio(value: number, base: number): string {
  return `${(value / base).toFixed(2)}×`;
}

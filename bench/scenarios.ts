/** Batches of events whose cost is counted, each with the meters it finds. */

import type { Incoming } from '../lib/domain/decision.ts';
import type { Meter } from '../lib/domain/meter.ts';
import type { Key } from '../lib/domain/scope.ts';
import * as Random from '../lib/local/replay/random.ts';
import { incoming, outflowOf, withdrawal } from './events.ts';
import { drawEth, drawUsdc, drawWei } from './full-meters.ts';
import { type FullSet, metersOf } from './full-set.ts';
import { ETH, USDC } from './sample-policy.ts';

/** One kind of traffic. */
export type Scenario = {
  readonly id: string;
  readonly name: string;
  readonly meters: ReadonlyMap<Key, Meter>;
  /** Recorded first, and not counted. */
  readonly before?: readonly (readonly Incoming[])[];
  readonly batches: readonly (readonly Incoming[])[];
  /** Targets, per event. */
  readonly max?: { readonly roundTrips: number; readonly units: number };
};

/** Events in one batch, where there are several. */
export const BATCH = 25;
const BATCHES = 8;
const SINGLES = 40;
/** Network fee of a token transfer, wei. */
const FEE_WEI = 10n ** 15n;

/** All kinds, the ones with targets first. */
export function scenarios(parameters: {
  readonly seed: string;
  readonly full: FullSet;
}): readonly Scenario[] {
  const { seed, full } = parameters;
  const usual = metersOf({}, full);
  const eth = ordersOf(`${seed} eth`, drawEth);
  return [
    {
      id: 'eight-scopes',
      name: 'all eight scopes',
      meters: usual,
      batches: eth('single', SINGLES).map((order) => [incoming(withdrawal(order))]),
      max: { roundTrips: 2, units: 20 },
    },
    {
      id: 'batch',
      name: `${BATCH} of one wallet, one customer`,
      meters: usual,
      batches: batched(eth('batch', BATCH * BATCHES).map((order) => incoming(withdrawal(order)))),
      max: { roundTrips: 0.1, units: 3 },
    },
    {
      id: 'batch-customers',
      name: `${BATCH} of one wallet, ${BATCH} customers`,
      meters: usual,
      batches: batched(
        eth('customers', BATCH * BATCHES).map((order, index) =>
          incoming(withdrawal({ ...order, customer: index % BATCH })),
        ),
      ),
    },
    ...neighbours({ seed, full }),
  ];
}

function neighbours(parameters: {
  readonly seed: string;
  readonly full: FullSet;
}): readonly Scenario[] {
  const { seed, full } = parameters;
  const usual = metersOf({}, full);
  const ofUsdc = metersOf({ asset: USDC }, full, { ofAsset: full.usdc });
  const single = (id: string, name: string, meters: ReadonlyMap<Key, Meter>) => ({
    id,
    name: `eight scopes, ${name}`,
    meters,
    batches: ordersOf(`${seed} ${id}`, id === 'wei' ? drawWei : drawEth)(id, SINGLES).map(
      (order) => [incoming(withdrawal(order))],
    ),
  });
  const approved = ordersOf(`${seed} matched`, drawEth)('matched', SINGLES).map(withdrawal);
  return [
    single('wei', 'amounts to the last wei', metersOf({}, full, { ofAsset: full.wei })),
    single('assets-20', '20 assets', metersOf({}, full, { wide: full.assets20 })),
    single('assets-60', '60 assets', metersOf({}, full, { wide: full.assets60 })),
    single('assets-737', '737 assets', metersOf({}, full, { wide: full.assets737 })),
    {
      id: 'fee',
      name: 'USDC with its fee in ETH (ten scopes)',
      meters: new Map([...usual, ...ofUsdc]),
      batches: ordersOf(`${seed} fee`, drawUsdc)('fee', SINGLES).map((order) => [
        incoming(withdrawal({ ...order, asset: USDC, fee: { asset: ETH, amount: FEE_WEI } })),
      ]),
    },
    {
      id: 'matched',
      name: 'an outflow that meets its withdrawal',
      meters: usual,
      before: approved.map((event) => [incoming(event)]),
      batches: approved.map((event) => [incoming(outflowOf(event))]),
    },
  ];
}

function ordersOf(seed: string, amountOf: (random: Random.Random) => bigint) {
  const random = Random.create(seed);
  return (id: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      id: `${id}-${index}`,
      amount: amountOf(random),
    }));
}

function batched(events: readonly Incoming[]): readonly (readonly Incoming[])[] {
  const batches = Math.ceil(events.length / BATCH);
  return Array.from({ length: batches }, (_, at) => events.slice(at * BATCH, (at + 1) * BATCH));
}

/** Round trips and write units of an event while every slot of every meter is full. */

import { recordEvents } from '../lib/actions/record-events.ts';
import { toItem } from '../lib/adapters/dynamodb/item-codec.ts';
import { nodeDigest } from '../lib/adapters/node-digest.ts';
import { nodeIds } from '../lib/adapters/node-ids.ts';
import type { Incoming } from '../lib/domain/decision.ts';
import * as Ledger from '../lib/domain/ledger.ts';
import * as Meter from '../lib/domain/meter.ts';
import type { Key } from '../lib/domain/scope.ts';
import * as Random from '../lib/local/replay/random.ts';
import { systemClock } from '../lib/runtime/system.ts';
import { incoming, outflowOf, scopesOf, withdrawal } from './events.ts';
import { drawEth, drawUsdc, drawWei, fullMeter, ofAssets, ofEth } from './full-meters.ts';
import { itemBytes, transactionUnits } from './item-size.ts';
import { onRig, putMeters, type Rig } from './rig.ts';
import { ETH, policySource, USDC } from './sample-policy.ts';
import type { Cell, Section } from './section.ts';

const SINGLES = 40;
const BATCHES = 8;
const BATCH = 25;
/** Requests of one decision: read and write. */
const ROUND_TRIPS_MAX = 2;

/** Full meters by what they hold. */
type Full = {
  readonly eth: Meter.Meter;
  readonly usdc: Meter.Meter;
  readonly wei: Meter.Meter;
  readonly mixed: Meter.Meter;
  readonly assets20: Meter.Meter;
  readonly assets60: Meter.Meter;
};

/** Per event. */
type Cost = { readonly roundTrips: number; readonly units: number };

/** A month of meters, once for the sizes and the costs. */
export function fillMeters(seed: string): Full {
  const endMs = systemClock.nowMs();
  const full = (name: string, draw: Parameters<typeof fullMeter>[0]['draw']) =>
    fullMeter({ seed: `${seed} ${name}`, endMs, draw });
  const hashes = (count: number) =>
    Array.from({ length: count }, (_, index) => nodeDigest.shortHash(`asset ${index}`));
  const held = [ETH, USDC].map(nodeDigest.shortHash);
  return {
    eth: full('eth', ofEth(drawEth)),
    wei: full('wei', ofEth(drawWei)),
    usdc: full('usdc', (random) => {
      const amount = drawUsdc(random);
      return { notional: amount, amount, count: 1, assets: [] };
    }),
    mixed: full('mixed', ofAssets(held)),
    assets20: full('20 assets', ofAssets([...held, ...hashes(18)])),
    assets60: full('60 assets', ofAssets([...held, ...hashes(58)])),
  };
}

/** The bytes of full items, as DynamoDB counts them. */
export function measureSizes(full: Full): Section {
  const { wallet, 'wallet-asset': walletAsset, destination } = scopesOf({});
  const rows: readonly (readonly [string, string, Key, Meter.Meter])[] = [
    ['wallet, 2 assets', 'wallet', wallet, full.mixed],
    ['destination, 2 assets (longest key, expires)', 'destination', destination, full.mixed],
    ['wallet-asset, ETH to 8 digits', 'eth', walletAsset, full.eth],
    ['wallet-asset, USDC', 'usdc', scopesOf({ asset: USDC })['wallet-asset'], full.usdc],
    ['wallet-asset, ETH to the last wei', 'wei', walletAsset, full.wei],
    ['wallet, 20 assets', 'assets-20', wallet, full.assets20],
    ['wallet, 60 assets', 'assets-60', wallet, full.assets60],
  ];
  const closed = { state: 'closed', epoch: 0 } as const;
  return {
    title: 'Size of one item, every slot full',
    columns: ['', 'item', 'of it meter', 'slots', 'write units'],
    rows: rows.map(([name, id, key, meter]): readonly Cell[] => {
      const stored = toItem(key, { version: systemClock.nowMs(), meter, breaker: closed });
      const bytes = itemBytes(stored);
      const slots = meter.steps.reduce((sum, step) => sum + step.length, 0);
      return [
        name,
        { id: `size.${id}.item`, value: bytes, unit: 'bytes', digits: 0 },
        { id: `size.${id}.meter`, value: stored.m?.B?.length ?? 0, unit: 'bytes', digits: 0 },
        { id: `size.${id}.slots`, value: slots, unit: '', digits: 0 },
        { id: `size.${id}.units`, value: transactionUnits(bytes), unit: '', digits: 0 },
      ];
    }),
    notes: [
      'A month of withdrawals of $20 to $2,000, one in each 6 s. A transaction pays 2 units for each started KB.',
    ],
  };
}

/** Round trips and write units, counted on the wire. */
export async function measureUnits(seed: string, full: Full): Promise<Section> {
  return onRig({ policySource: policySource(3), seed }, async (rig) => {
    const random = Random.create(`${seed} units`);
    const bench = { rig, random, full };
    const oneScope = await measureOneScope(bench);
    const rows: Cell[][] = [costRow('one scope: a row and the wallet', 'one-scope', oneScope, 4)];
    for (const scenario of scenarios(random)) {
      await putMeters(rig.store, prefill(full, scenario));
      const cost = await measureEvents(rig, scenario);
      rows.push(costRow(scenario.name, scenario.id, cost, scenario));
    }
    return {
      title: 'Round trips and write units per event, meters full',
      columns: ['', 'round trips', 'write units'],
      rows,
      notes: [
        'HTTP requests counted below the SDK; units as the engine reports them (ReturnConsumedCapacity).',
        `Rows without a mark are neighbours without a target. Batches: ${BATCH} events in one call.`,
      ],
    };
  });
}

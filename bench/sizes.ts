/** Bytes of the item of a scope with every slot of its meter full. */

import { toItem } from '../lib/adapters/dynamodb/item-codec.ts';
import { toRow } from '../lib/adapters/dynamodb/row-codec.ts';
import { nodeIds } from '../lib/adapters/node-ids.ts';
import { CLOSED } from '../lib/domain/breaker.ts';
import type { Meter } from '../lib/domain/meter.ts';
import type { Key } from '../lib/domain/scope.ts';
import { scopesOf } from './events.ts';
import type { FullSet } from './full-set.ts';
import { itemBytes, transactionUnits } from './item-size.ts';
import { oneScopeRow } from './one-scope.ts';
import { USDC } from './sample-policy.ts';
import type { Cell, Section } from './section.ts';

type Sized = {
  readonly name: string;
  readonly id: string;
  readonly key: Key;
  readonly meter: Meter;
};

/** Sizes as DynamoDB counts them, and what a transaction pays. */
export function measureSizes(full: FullSet): Section {
  const eth = scopesOf({});
  const usdc = scopesOf({ asset: USDC });
  const sized: readonly Sized[] = [
    { name: 'wallet-asset, ETH to 8 digits', id: 'eth', key: eth['wallet-asset'], meter: full.eth },
    { name: 'wallet-asset, USDC', id: 'usdc', key: usdc['wallet-asset'], meter: full.usdc },
    {
      name: 'wallet-asset, ETH to the last wei',
      id: 'wei',
      key: eth['wallet-asset'],
      meter: full.wei,
    },
    { name: 'wallet, 2 assets', id: 'assets-2', key: eth.wallet, meter: full.assets2 },
    { name: 'destination, 2 assets', id: 'destination', key: eth.destination, meter: full.assets2 },
    { name: 'wallet, 20 assets', id: 'assets-20', key: eth.wallet, meter: full.assets20 },
    { name: 'wallet, 60 assets', id: 'assets-60', key: eth.wallet, meter: full.assets60 },
    { name: 'wallet, 737 assets', id: 'assets-737', key: eth.wallet, meter: full.assets737 },
  ];
  return {
    title: 'One item, every slot full, and one ledger row',
    columns: ['', 'item', 'its meter', 'slots', 'write units'],
    rows: [...sized.map(rowOf), ledgerRow()],
    notes: [
      'a month of withdrawals of $20 to $2,000, one in each 6 s; a transaction pays 2 units for each KB begun',
    ],
  };
}

function rowOf({ name, id, key, meter }: Sized): readonly Cell[] {
  const stored = toItem(key, { version: meter.newestMs, meter, breaker: CLOSED });
  const bytes = itemBytes(stored);
  const slots = meter.steps.reduce((sum, step) => sum + step.length, 0);
  return [
    name,
    { id: `size.${id}.item`, value: bytes, unit: 'bytes', digits: 0 },
    { id: `size.${id}.meter`, value: stored.m?.B?.length ?? 0, unit: 'bytes', digits: 0 },
    { id: `size.${id}.slots`, value: slots, unit: '', digits: 0 },
    { id: `size.${id}.units`, value: transactionUnits(bytes), unit: '', digits: 0 },
  ];
}

function ledgerRow(): readonly Cell[] {
  const decision = { decisionId: nodeIds.decisionId(), atMs: Date.UTC(2023, 8, 12) };
  const bytes = itemBytes(toRow(oneScopeRow('w-20230912-000123', decision)));
  return [
    'ledger row of a withdrawal',
    { id: 'size.row.item', value: bytes, unit: 'bytes', digits: 0 },
    '',
    '',
    { id: 'size.row.units', value: transactionUnits(bytes), unit: '', digits: 0 },
  ];
}

/**
 * Recomputes every meter from the ledger's rows, as a Scan finds them: nothing of the code that
 * charged takes part. Works on any engine, and on the folder of a runtime that has ended.
 */

import { paginateListTables, paginateScan } from '@aws-sdk/client-dynamodb';
import type { Attributes } from '../../lib/adapters/dynamodb/attributes.ts';
import { createDynamoClient } from '../../lib/adapters/dynamodb/client.ts';
import { fromItem } from '../../lib/adapters/dynamodb/item-codec.ts';
import { fromRow } from '../../lib/adapters/dynamodb/row-codec.ts';
import { createDynamoStore } from '../../lib/adapters/dynamodb/store.ts';
import { nodeDigest } from '../../lib/adapters/node-digest.ts';
import type * as Breaker from '../../lib/domain/breaker.ts';
import type * as Ledger from '../../lib/domain/ledger.ts';
import { startEngine } from '../../lib/local/engine.ts';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../lib/local/local-account.ts';
import { rebuild, STEPS, type Total } from './oracle.ts';

/** Everything that the ledger holds, and the incidents, newest first. */
export type Kept = {
  readonly rows: ReadonlyMap<string, Ledger.Row>;
  readonly items: ReadonlyMap<string, Ledger.Item>;
  readonly incidents: readonly Breaker.Incident[];
};

type Client = ReturnType<typeof createDynamoClient>;
type Slots = ReadonlyMap<string, Total>;

const LAST_STEP = STEPS.length - 1;
const INCIDENTS_MAX = 1_000;

/** Reads all of it from the engine's data of a runtime that is not running. */
export async function keptIn(folder: string): Promise<Kept> {
  const engine = await startEngine({ folder, environment: {} });
  const { endpoint } = engine;
  const client = createDynamoClient({
    endpoint,
    region: LOCAL_REGION,
    credentials: LOCAL_CREDENTIALS,
  });
  try {
    const names: string[] = [];
    for await (const page of paginateListTables({ client }, {})) {
      names.push(...(page.TableNames ?? []));
    }
    const named = (end: string) => names.find((name) => name.endsWith(end)) ?? `none is *${end}`;
    return await keptOn(client, { ledger: named('-ledger'), control: named('-control') });
  } finally {
    client.destroy();
    await engine.stop();
  }
}

/** Reads all of it from a running engine. */
export async function keptOn(
  client: Client,
  tables: { readonly ledger: string; readonly control: string },
): Promise<Kept> {
  const rows = new Map<string, Ledger.Row>();
  const items = new Map<string, Ledger.Item>();
  const scan = paginateScan({ client }, { TableName: tables.ledger, ConsistentRead: true });
  for await (const page of scan) {
    for (const attributes of page.Items ?? []) sortIn(attributes, rows, items);
  }
  const wallClock = { nowMs: () => Date.now() };
  const store = createDynamoStore({ client, tables, wallClock });
  return { rows, items, incidents: await store.incidents.list(INCIDENTS_MAX) };
}

function sortIn(
  attributes: Attributes,
  rows: Map<string, Ledger.Row>,
  items: Map<string, Ledger.Item>,
): void {
  const [kind = '', ...rest] = attributes.pk?.S?.split('#') ?? [];
  const id = rest.join('#');
  if (kind === 'row') rows.set(id, fromRow(id, attributes));
  if (kind === 'item') items.set(id, fromItem(attributes));
}

/**
 * Where meters and rows disagree, slot by slot; empty if they agree everywhere. After a reorganisation
 * a row says nothing any more of the slots that its first charge was given back out of, and these keep
 * the names of its assets: `reorganised` forgives the names, and no sum.
 */
export function disagreements(
  { rows, items }: Kept,
  { reorganised = false }: { readonly reorganised?: boolean } = {},
): readonly string[] {
  const rebuilt = rebuild(rows.values(), nodeDigest.shortHash);
  const moved = reorganised || hasMoved(rows);
  return [...new Set([...items.keys(), ...rebuilt.keys()])].flatMap((scope) => {
    const summed: Slots = rebuilt.get(scope) ?? new Map();
    const kept = slotsOf(items.get(scope));
    const metered = moved ? unmoved(kept, summed) : kept;
    const newestMs = items.get(scope)?.meter.newestMs ?? 0;
    return [...new Set([...metered.keys(), ...summed.keys()])]
      .filter((slot) => metered.has(slot) || !hasLeft(slot, newestMs))
      .filter((slot) => textOf(metered.get(slot)) !== textOf(summed.get(slot)))
      .map((slot) => {
        const [has, sum] = [textOf(metered.get(slot)), textOf(summed.get(slot))];
        return `${scope} ${slot}: the meter has ${has}, the rows sum up to ${sum}`;
      });
  });
}

/** What the meters of all scopes hold on their longest step, without the times. */
export function totals({ items }: Kept): Readonly<Record<string, string>> {
  const sums = [...items].map(([scope, item]) => {
    const slots = item.meter.steps[LAST_STEP] ?? [];
    const of = (metric: 'notional' | 'amount' | 'count') =>
      slots.reduce((sum, slot) => sum + BigInt(slot[metric]), 0n);
    return [scope, `${of('notional')} / ${of('amount')} / ${of('count')}`] as const;
  });
  return Object.fromEntries(sums.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The rows of events as they are whenever they were decided: without times, versions and ids of decisions. */
export function timeless({ rows }: Kept): Readonly<Record<string, unknown>> {
  const events = [...rows].filter(([rowId]) => !rowId.startsWith('command:'));
  return Object.fromEntries(
    events
      .map(([rowId, { state, bodyHash, link, note, money }]) => {
        const { chargedAtMs: _, ...moved } = money ?? {};
        return [rowId, { state, bodyHash, link, note, ...moved }] as const;
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function slotsOf(item: Ledger.Item | undefined): Slots {
  const slots = new Map<string, Total>();
  for (const [step, kept] of (item?.meter.steps ?? []).entries()) {
    for (const { index, ...total } of kept) slots.set(`${step}:${index}`, total);
  }
  return slots;
}

/** Whether the charge of some row was moved to a later time: its first slots keep the names of its assets. */
function hasMoved(rows: Kept['rows']): boolean {
  return [...rows.values()].some(({ money, atMs }) => money && money.chargedAtMs !== atMs);
}

/** Whether no window of the slot's step reaches back to it any more: only then may a meter forget it. */
function hasLeft(slot: string, newestMs: number): boolean {
  const [step = 0, index = 0] = slot.split(':').map(Number);
  const { slotMs = 0, windowMs = 0 } = STEPS[step] ?? {};
  return (index + 1) * slotMs <= newestMs - windowMs;
}

/** A slot of a meter as it must be: without the names of assets that only a moved charge explains. */
function withoutMoved(metered: Total, summed: Total | undefined): Total | undefined {
  const { notional, amount, count } = metered;
  if (!summed && notional === 0n && amount === 0n && count === 0) return undefined;
  return { ...metered, assets: metered.assets.filter((one) => summed?.assets.includes(one)) };
}

function unmoved(kept: Slots, summed: Slots): Slots {
  return new Map(
    [...kept].flatMap(([slot, total]) => {
      const rest = withoutMoved(total, summed.get(slot));
      return rest ? [[slot, rest] as const] : [];
    }),
  );
}

function textOf(total: Total | undefined): string {
  if (!total) return 'nothing';
  const { notional, amount, count, assets } = total;
  return `${notional} / ${amount} / ${count} / [${assets.join(' ')}]`;
}

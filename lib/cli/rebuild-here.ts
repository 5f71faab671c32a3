/** Recomputes meters on the tables themselves, with the caller's own rights. */

import { createDynamoClient } from '../adapters/dynamodb/client.ts';
import { scanLedger } from '../adapters/dynamodb/scan-ledger.ts';
import { createDynamoStore } from '../adapters/dynamodb/store.ts';
import { nodeDigest } from '../adapters/node-digest.ts';
import { nodeIds } from '../adapters/node-ids.ts';
import * as Ledger from '../domain/ledger.ts';
import * as Rebuild from '../domain/rebuild.ts';
import type * as Scope from '../domain/scope.ts';
import type { Tables } from './transport.ts';

/** What was found, and what of it was mended. */
export type Rebuilt = {
  readonly rows: number;
  readonly meters: number;
  readonly differences: readonly Rebuild.Difference[];
  /** Meters that were raised. */
  readonly raised: readonly string[];
};

/** Whether to write, and the clock. */
export type Options = { readonly write: boolean; readonly nowMs: () => number };

/**
 * Compares all meters with the sums of all rows. With `write`, meters that hold less are raised, one
 * transaction each, under the condition that nobody has changed them meanwhile; none is ever lowered.
 *
 * @throws what the store throws: the caller may not scan, or may not write breakers.
 */
export async function rebuildHere(tables: Tables, options: Options): Promise<Rebuilt> {
  const client = createDynamoClient(tables.client);
  try {
    const { rows, items } = await scanLedger(client, tables.ledger);
    const rebuilt = Rebuild.rebuild(rows, nodeDigest.shortHash);
    const differences = Rebuild.differences(items, rebuilt);
    const wallClock = { nowMs: () => Date.now() };
    const store = createDynamoStore({ client, tables, wallClock });
    const low = new Set(differences.filter(({ lower }) => lower).map(({ scope }) => scope));
    const raised: string[] = [];
    for (const scope of options.write ? low : []) {
      await raise(store.decisions, { scope, sums: rebuilt.get(scope) ?? new Map() }, options);
      raised.push(scope);
    }
    return { rows: rows.length, meters: items.size, differences, raised };
  } finally {
    client.destroy();
  }
}

const ATTEMPTS_MAX = 10;

async function raise(
  decisions: ReturnType<typeof createDynamoStore>['decisions'],
  {
    scope,
    sums,
  }: { readonly scope: Scope.Key; readonly sums: Parameters<typeof Rebuild.raised>[1] },
  { nowMs }: Options,
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const { items } = await decisions.load({ rows: [], items: [scope] });
    const known = items.get(scope);
    const item = Rebuild.raised(known ?? Ledger.newItem(nowMs()), sums);
    const version = known ? known.version + 1 : item.version;
    const expected = known?.version ?? ('absent' as const);
    const none = { rows: [], incidents: [], causes: [], alerts: [] };
    const changes = { ...none, items: [{ key: scope, item: { ...item, version }, expected }] };
    const written = { ...changes, decisionId: nodeIds.decisionId(), atMs: nowMs() };
    if ((await decisions.commit(written)) === 'committed') return;
  }
  throw new Error(`${scope}: others wrote it ${ATTEMPTS_MAX} times; pause global first`);
}

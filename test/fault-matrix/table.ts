/** The fault matrix as a page of the docs. */

import type { Cell } from './cell.ts';
import { play } from './cell.ts';
import { DEPENDENCIES, FAULTS } from './faults.ts';

/** Where the page lies. */
export const PAGE = new URL('../../docs/fault-matrix.md', import.meta.url);

const HEAD = `# Fault matrix

Written by \`npm run fault-matrix\`; \`test/fault-matrix/fault-matrix.test.ts\` plays it again and compares. Each row begins healthy, then one dependency fails: what \`reserve\` and the flag answer at once, what they answer 200 s later (a lease is worth 180 s), what becomes of an operator's pause then, and what the tick and people see.

\`slow\`: each answer takes 7 s. \`stale\`: the ledger shows what was there before, leases are not renewed, KMS signs with a key that nobody published, the RPC endpoint shows blocks an hour old, the clock stands. \`lying\`: the ledger says it is empty, leases are no times, KMS as before, blocks an hour ahead, a clock five minutes ahead, a stream that delivers twice. A clock has no network: \`down\` shows no time, \`slow\` is five minutes behind, \`throttled\` 21 s.

| dependency | fault | reserve | flag | reserve, 200 s later | flag, 200 s later | pause | tick and pages |
|---|---|---|---|---|---|---|---|
`;

/** Plays all cells, one after the other. */
export async function playAll(): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  for (const dependency of DEPENDENCIES) {
    for (const fault of FAULTS) cells.push(await play(dependency, fault));
  }
  return cells;
}

/** The page. */
export function render(cells: readonly Cell[]): string {
  const rows = cells.map((cell) => `| ${Object.values(cell).join(' | ')} |`);
  return `${HEAD}${rows.join('\n')}\n`;
}

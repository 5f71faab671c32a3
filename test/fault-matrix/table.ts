/** The fault matrix as a page of the docs. */

import type { Cell } from './cell.ts';
import { play } from './cell.ts';
import { DEPENDENCIES, FAULTS } from './faults.ts';
import { NOTICED, noticedText } from './noticed.ts';

/** Where the page lies. */
export const PAGE = new URL('../../docs/fault-matrix.md', import.meta.url);

const HEAD = `# Fault matrix

Written by \`npm run fault-matrix\`; \`test/fault-matrix/fault-matrix.test.ts\` plays it again and compares. Each row begins healthy, then one dependency fails: what \`reserve\` and the flag answer at once, what they answer 200 s later (a lease is worth 180 s), what becomes of an operator's pause then, and what the tick and people see.

\`slow\`: each answer takes 7 s, a stream's record comes 7 s late. \`stale\`: the ledger shows what was there before, leases are not renewed, KMS signs with a key that nobody published, the RPC endpoint shows blocks an hour old, records of the stream and messages of SNS come an hour late, those of SNS twice, the clock stands. \`lying\`: the ledger says it is empty, leases are no times, KMS signs something else than it was asked, blocks are stamped an hour ahead, the clock is five minutes ahead, the stream delivers twice, SNS takes a message and delivers nothing. A clock has no network: \`down\` shows no time, \`slow\` is five minutes behind, \`throttled\` 21 s.

Stream and SNS decide nothing, so what is answered does not change with them: they carry news, and the last column says who notices that there is none. It names alarms of the deployed stack (\`docs/runbooks/\`); \`test/infra/alarms.test.ts\` checks that each exists. Alarms reach people by SNS like every page: while SNS is down they stand in CloudWatch only.

| dependency | fault | reserve | flag | reserve, 200 s later | flag, 200 s later | pause | tick and pages | noticed by |
|---|---|---|---|---|---|---|---|---|
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
  const rows = cells.map((cell) => {
    const noticed = noticedText(NOTICED[cell.dependency][cell.fault]);
    return `| ${[...Object.values(cell), noticed].join(' | ')} |`;
  });
  return `${HEAD}${rows.join('\n')}\n`;
}

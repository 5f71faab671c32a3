/** `breakwater rebuild`: do the meters hold what the rows say has left? */

import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { clean } from '../render/text.ts';
import type { Run, Session } from '../session.ts';

/** Differences that are printed. */
const SHOWN_MAX = 50;

/** Adds the command. */
export function addRebuild(program: Command, run: Run): void {
  program
    .command('rebuild')
    .summary('recompute every meter from the ledger, and compare')
    .description(
      'Reads all rows of the ledger, adds up what they were charged, and compares it with every meter slot by slot. With --write, meters that hold less are raised; none is ever lowered. It works on the tables with your own rights: on a deployed stack only the decision path may write meters, on a table that was restored beside it you may.',
    )
    .option('--write', 'raise the meters that hold less than the rows say')
    .option('--ledger <table>', 'another Ledger table, such as one that was restored')
    .action((options: RebuildOptions, command: Command) =>
      run(command, (session) => rebuild(session, options)),
    );
}

type RebuildOptions = { readonly write?: true; readonly ledger?: string };

async function rebuild(session: Session, options: RebuildOptions): Promise<ExitCode | undefined> {
  const transport = await session.connect();
  const tables = await transport.tables();
  const { rebuildHere } = await import('../rebuild-here.ts');
  const { ledger = tables.ledger, write = false } = options;
  const nowMs = session.io.nowMs;
  const result = await rebuildHere({ ...tables, ledger }, { write, nowMs });
  const { rows, meters, differences, raised } = result;
  if (session.json) session.printJson(result);
  else {
    session.print([
      `${rows} rows, ${meters} meters: ${differences.length === 0 ? 'they agree slot by slot' : `${differences.length} slots differ`}`,
      ...differences.slice(0, SHOWN_MAX).map(({ text }) => `  ${clean(text)}`),
      ...raised.map((scope) => `raised ${clean(scope)}`),
    ]);
  }
  const isMended = differences.every(({ scope, lower }) => lower && raised.includes(scope));
  return isMended ? undefined : EXIT.notEnabled;
}

/** `breakwater resume`: let withdrawals flow again. */

import type { Command } from 'commander';
import { RESULT } from '../answers.ts';
import { ask } from '../ask.ts';
import { walletsAlong } from '../quarantined.ts';
import { clean, fact, plural, wrap } from '../render/text.ts';
import type { Run, Session } from '../session.ts';
import { addProposalStatus } from './proposal.ts';
import { addSigning } from './proposal-sign.ts';
import { addResumePropose } from './propose.ts';

type Options = { readonly reason: string; readonly wallets?: boolean };

/** Adds the command with its subcommands. */
export function addResume(program: Command, run: Run): void {
  const group = program
    .command('resume')
    .usage(
      '<incident> --reason <text>  (alone, in trial mode)\n       breakwater resume <command>  (together)',
    )
    .summary('let withdrawals flow again: propose, sign, or alone in trial mode')
    .description(
      'With a command: the ceremony, in which several operators sign (docs/resuming.md). With an incident: closes its breaker at once and alone, which works only under a policy in trial mode (resume: trial). Other incidents stay open. Withdrawals that left before still count against every limit.',
    )
    .helpCommand(false);
  addAlone(group, run);
  addResumePropose(group, run);
  addSigning(group, run, 'resume.approve');
  addProposalStatus(group, run);
}

/** A command without a name that people see: an option of the group would be taken from the others. */
function addAlone(group: Command, run: Run): void {
  group
    .command('alone', { isDefault: true, hidden: true })
    .usage('<incident> --reason <text>')
    .argument('<incident>', 'the id of the incident, as status and every alert show it')
    .requiredOption('--reason <text>', 'why it is safe again; kept with the incident')
    .option('--wallets', 'also the wallets that were stopped along with it')
    .action((incident: string, options: Options, command: Command) =>
      run(command, (session) => resume(session, { incident, ...options })),
    );
}

async function resume(
  session: Session,
  given: Options & { readonly incident: string },
): Promise<undefined> {
  const transport = await session.connect();
  const incidentId = given.incident.toUpperCase();
  const also = given.wallets ? await walletsAlong(transport, incidentId) : [];
  const request = {
    command: 'resume' as const,
    commandId: session.io.commandId(),
    incidentId,
    ...(also.length > 0 ? { also: [...also] } : {}),
    reason: given.reason,
  };
  const { value, raw } = await ask(transport, request, RESULT);
  if (session.json) return session.printJson(raw) as undefined;
  if (value.kind !== 'resumed') {
    return session.print([
      'This command was carried out before; nothing more was done.',
    ]) as undefined;
  }
  const { paint, columns } = session;
  session.print([
    `${paint.green('RESUMED')} ${paint.bold(clean(value.scope))} on ${clean(transport.target)}`,
    ...(value.trial
      ? [paint.yellow('Done in TRIAL MODE: by one operator alone, without a quorum.')]
      : []),
    ...alsoUnmatched(value, session),
    '',
    ...fact('Check', 'breakwater status', { columns }),
    ...fact('Watch', 'breakwater limits', { columns }),
    '',
    ...wrap('A limit whose window is still over trips again with the next withdrawal.', columns),
  ]);
}

/** What the operator may have resumed without knowing of it. */
function alsoUnmatched(
  resumed: { readonly incidentId: string; readonly alsoUnmatched?: number | undefined },
  { paint, columns }: Session,
): readonly string[] {
  if (!resumed.alsoUnmatched) return [];
  const incidentId = clean(resumed.incidentId);
  return wrap(
    `WARNING: this incident also holds ${plural(resumed.alsoUnmatched, 'unmatched outflow')} beyond its first cause. If you did not know, look and pause again: breakwater incident ${incidentId}`,
    columns,
  ).map(paint.red);
}

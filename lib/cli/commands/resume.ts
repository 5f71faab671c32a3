/** `breakwater resume`: let withdrawals flow again. */

import type { Command } from 'commander';
import { RESULT } from '../answers.ts';
import { ask } from '../ask.ts';
import { clean, fact, plural, wrap } from '../render/text.ts';
import type { Run, Session } from '../session.ts';

/** Adds the command. */
export function addResume(program: Command, run: Run): void {
  program
    .command('resume')
    .argument('<incident>', 'the id of the incident, as status and every alert show it')
    .summary('close the breaker of one incident')
    .description(
      'Closes the breaker that an incident opened; other incidents stay open. Withdrawals that left before still count against every limit. One operator alone can do this only under a policy in trial mode (resume: trial); otherwise it is refused.',
    )
    .requiredOption('--reason <text>', 'why it is safe again; kept with the incident')
    .action((incident: string, options: { readonly reason: string }, command: Command) =>
      run(command, (session) => resume(session, { incident, reason: options.reason })),
    );
}

async function resume(
  session: Session,
  given: { readonly incident: string; readonly reason: string },
): Promise<undefined> {
  const transport = await session.connect();
  const request = {
    command: 'resume' as const,
    commandId: session.io.commandId(),
    incidentId: given.incident.toUpperCase(),
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

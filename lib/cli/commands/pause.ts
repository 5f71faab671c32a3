/** `breakwater pause`: stop withdrawals of a scope, at once and alone. */

import type { Command } from 'commander';
import { RESULT, STATUS, type Status } from '../answers.ts';
import { ask } from '../ask.ts';
import { resumeCommand } from '../render/incident.ts';
import { clean, fact } from '../render/text.ts';
import { readScope } from '../scope-argument.ts';
import type { Run, Session } from '../session.ts';
import type { Transport } from '../transport.ts';

/** Adds the command. */
export function addPause(program: Command, run: Run): void {
  program
    .command('pause')
    .argument('<scope>', 'global, or <kind>:<id> such as wallet:eth-hot-1 or chain:eip155:1')
    .summary('stop a scope, at once and alone')
    .description(
      'Opens the breaker of a scope. It acts at once and needs nobody else; closing it again is `breakwater resume`. Kinds of scope: actor, destination, wallet-asset, wallet, asset, chain, key-domain; `global` stops everything.',
    )
    .requiredOption('--reason <text>', 'why; everybody who looks at the incident reads it')
    .action((scope: string, options: { readonly reason: string }, command: Command) =>
      run(command, (session) => pause(session, { scope, reason: options.reason })),
    );
}

async function pause(
  session: Session,
  given: { readonly scope: string; readonly reason: string },
): Promise<undefined> {
  const scope = readScope(given.scope);
  const transport = await session.connect();
  const commandId = session.io.commandId();
  const request = { command: 'pause' as const, commandId, scope, reason: given.reason };
  const { value, raw } = await ask(transport, request, RESULT);
  if (session.json) session.printJson(raw);
  else if (value.kind === 'paused') session.print(lines(session, transport, value));
  else session.print(['This command was carried out before; nothing more was done.']);
  if (value.kind === 'paused' && value.doubt !== undefined) {
    session.warn(`WARNING: ${clean(value.doubt)}`);
  }
  const resume = await readBack(session, transport);
  if (session.json || value.kind !== 'paused' || resume === undefined) return;
  const { columns } = session;
  session.print(fact('Resume', resumeCommand(clean(value.incidentId), resume), { columns }));
}

function lines(
  session: Session,
  transport: Transport,
  paused: { readonly scope: string; readonly incidentId: string; readonly already: boolean },
): readonly string[] {
  const { paint, columns } = session;
  const id = clean(paused.incidentId);
  const what = paused.already ? 'ALREADY PAUSED' : 'PAUSED';
  const note = paused.already ? ['The reason was added to its incident.'] : [];
  return [
    `${paint.red(what)} ${paint.bold(clean(paused.scope))} on ${clean(transport.target)}`,
    ...note,
    '',
    ...fact('Look', `breakwater incident ${id}`, { columns }),
  ];
}

/** A pause that stops nothing must not look like one: here, a policy that only watches. */
async function readBack(
  session: Session,
  transport: Transport,
): Promise<Status['policy']['resume'] | undefined> {
  try {
    const status = await ask(transport, { command: 'status' }, STATUS);
    if (status.value.policy.mode === 'shadow') {
      session.warn('WARNING: the policy is in SHADOW MODE: withdrawals still flow.');
    }
    return status.value.policy.resume;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    session.warn(`The breaker is open; what it stops could not be read back: ${clean(why)}`);
    return undefined;
  }
}

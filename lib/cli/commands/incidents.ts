/** `breakwater incidents` and `breakwater incident ID`. */

import type { Command } from 'commander';
import { INCIDENT_WITH_CAUSES, INCIDENTS, STATUS } from '../answers.ts';
import { ask } from '../ask.ts';
import { writePack } from '../pack.ts';
import { incidentList, incidentPage } from '../render/incident.ts';
import type { Run, Session } from '../session.ts';

/** Adds both commands. */
export function addIncidents(program: Command, run: Run): void {
  program
    .command('incidents')
    .summary('all incidents, newest first')
    .description('Lists the newest incidents, open and closed.')
    .option('--open', 'only those that are open')
    .action((options: { readonly open?: boolean }, command: Command) =>
      run(command, (session) => list(session, options)),
    );
  program
    .command('incident')
    .argument('<id>', 'the id of the incident')
    .summary('one incident: its causes, what to do')
    .description('Shows one incident with the timeline of its causes and the next commands.')
    .option('--pack <folder>', 'write all that is known of it into a new folder, for people')
    .action((id: string, options: { readonly pack?: string }, command: Command) =>
      run(command, (session) =>
        options.pack === undefined
          ? show(session, id)
          : writePack(session, id.toUpperCase(), options.pack),
      ),
    );
}

async function list(session: Session, options: { readonly open?: boolean }): Promise<undefined> {
  const transport = await session.connect();
  const { value, raw } = await ask(transport, { command: 'incidents' }, INCIDENTS);
  const isShown = (incident: { readonly state: string }) =>
    !options.open || incident.state === 'open';
  if (session.json) {
    session.printJson((raw as typeof value).filter(isShown));
    return;
  }
  const status = await ask(transport, { command: 'status' }, STATUS);
  session.print(incidentList(value.filter(isShown), { ...session, nowMs: status.value.atMs }));
}

async function show(session: Session, id: string): Promise<undefined> {
  const transport = await session.connect();
  const request = { command: 'incident' as const, incidentId: id.toUpperCase() };
  const { value, raw } = await ask(transport, request, INCIDENT_WITH_CAUSES);
  if (session.json) {
    session.printJson(raw);
    return;
  }
  const status = await ask(transport, { command: 'status' }, STATUS);
  const { atMs, policy } = status.value;
  session.print(incidentPage(value, { ...session, nowMs: atMs, resume: policy.resume }));
}

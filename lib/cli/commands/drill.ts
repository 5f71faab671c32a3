/** `breakwater drill`: a canary outflow through the real ingress, paused, read back and reset. */

import type { Command } from 'commander';
import * as z from 'zod/mini';
import { type Deps, messageOfDrill, type Result, runDrill } from '../../actions/run-drill.ts';
import { fromCompiled } from '../../adapters/compiled-policy.ts';
import type { Flag } from '../../domain/flag.ts';
import { FLAG, POLICY } from '../answers.ts';
import { ask } from '../ask.ts';
import { EXIT, type ExitCode, StoppedError } from '../exit-code.ts';
import { clean } from '../render/text.ts';
import type { Run, Session } from '../session.ts';
import type { Transport } from '../transport.ts';

const RESET = z.object({ kind: z.enum(['drill-reset', 'duplicate']) });
const DRILLED = z.object({ openedAtMs: z.number(), drill: z.optional(z.literal(true)) });
const INCIDENT = z.object({ incident: DRILLED });
const OBJECTIVE_MS = 30_000;

/** Adds the command. */
export function addDrill(program: Command, run: Run): void {
  program
    .command('drill')
    .summary('see that a theft would be stopped: trip the canary and reset it')
    .description(
      'Sends an outflow of the canary wallet that nobody approved through the real ingress, waits until the flag says that it is paused, and resets it. People are told of a drill and not woken. Ends with code 5 unless it passed in time. Nothing but the canary that the policy marks can be tripped or reset by it.',
    )
    .option('--objective <seconds>', 'longest until the pause is read back', '30')
    .action((options: { readonly objective: string }, command: Command) =>
      run(command, (session) => drill(session, options)),
    );
}

async function drill(
  session: Session,
  options: { readonly objective: string },
): Promise<ExitCode | undefined> {
  const objectiveMs = Number(options.objective) * 1_000 || OBJECTIVE_MS;
  const transport = await session.connect();
  const drillId = session.io.commandId();
  const result = await runDrill(depsOf(session, transport), { drillId, objectiveMs });
  if (session.json) session.printJson(result);
  else session.print(page(session, result));
  return result.kind === 'passed' ? undefined : EXIT.notEnabled;
}

/** The ways in and out that the CLI has: the bus, and the operators' URL. */
function depsOf({ io }: Session, transport: Transport): Deps {
  return {
    policy: async () => {
      const { value } = await ask(transport, { command: 'policy.show' }, POLICY);
      if (value.compiled === undefined) {
        const message = 'There is no policy in force that could mark a canary.';
        throw new StoppedError({ exitCode: EXIT.usage, message });
      }
      return fromCompiled(value.compiled);
    },
    send: (detail) => transport.send([{ 'detail-type': 'outflow.observed', detail }]),
    flag: async (wallet) => {
      const { value } = await ask(transport, { command: 'flag', wallet }, FLAG);
      const { enabled, reason, text, incidentId } = value;
      const known = { enabled, reason: reason as Flag['reason'], text };
      return incidentId === undefined ? known : { ...known, incidentId };
    },
    incident: async (incidentId) => {
      const asked = await ask(transport, { command: 'incident', incidentId }, INCIDENT);
      return asked.value.incident;
    },
    reset: async (incidentId) => {
      const commandId = io.commandId();
      try {
        await ask(transport, { command: 'drill.reset', commandId, incidentId }, RESET);
        return undefined;
      } catch (error) {
        if (error instanceof StoppedError && error.exitCode === EXIT.refused) return error.message;
        throw error;
      }
    },
    clock: { nowMs: io.nowMs },
    sleep: io.sleep,
  };
}

function page({ paint }: Session, result: Result): readonly string[] {
  if (result.kind === 'skipped') return [`${paint.yellow('NO DRILL')} ${clean(result.why)}`];
  const message = messageOfDrill(result);
  if (result.kind === 'failed') return [paint.red(clean(message?.subject ?? '')), result.drillId];
  const { detectMs, tripMs, verifiedMs, resetMs } = result.times;
  const head = result.kind === 'passed' ? paint.green('PASSED') : paint.red('SLOW');
  return [
    `${head} incident ${result.incidentId}, objective ${result.objectiveMs} ms`,
    `  detected ${detectMs} ms, tripped ${tripMs} ms, verified at the flag ${verifiedMs} ms, reset ${resetMs} ms`,
  ];
}

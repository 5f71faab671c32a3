/** `breakwater doctor`: what is wrong, and what to do about it. */

import type { Command } from 'commander';
import * as z from 'zod/mini';
import { ask } from '../ask.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { clean } from '../render/text.ts';
import type { Run, Session } from '../session.ts';

const DIAGNOSIS = z.object({
  atMs: z.number(),
  findings: z.array(
    z.object({
      check: z.string(),
      state: z.enum(['ok', 'wrong', 'unknown']),
      what: z.string(),
      todo: z.optional(z.string()),
    }),
  ),
});
type Finding = z.output<typeof DIAGNOSIS>['findings'][number];

/** How far this machine's clock may be from the stack's, the way of the answer included, ms. */
const CLOCKS_MAX_MS = 10_000;

/** Adds the command. */
export function addDoctor(program: Command, run: Run): void {
  program
    .command('doctor')
    .summary('what is wrong, and what to do about it')
    .description(
      'Looks at permissions, clocks, policy, leases, queues, the stream, breakers, keys and the age of prices. Changes nothing. Ends with code 5 unless all is well.',
    )
    .action((_options: unknown, command: Command) => run(command, doctor));
}

async function doctor(session: Session): Promise<ExitCode | undefined> {
  const transport = await session.connect();
  const { value, raw } = await ask(transport, { command: 'doctor' }, DIAGNOSIS);
  const findings = [...value.findings, ...ownClock(session, transport.target, value.atMs)];
  const isWell = findings.every(({ state }) => state === 'ok');
  if (session.json) session.printJson(raw);
  else session.print(findings.flatMap((finding) => lines(session, finding)));
  return isWell ? undefined : EXIT.notEnabled;
}

/** An embedded runtime may run on a time of its own; a stack does not. */
function ownClock({ io }: Session, target: string, atMs: number): readonly Finding[] {
  const apartMs = Math.abs(io.nowMs() - atMs);
  if (!target.startsWith('stack ') || apartMs <= CLOCKS_MAX_MS) return [];
  const what = `this machine is ${Math.round(apartMs / 1_000)} s from the stack`;
  return [{ check: 'clock', state: 'wrong', what, todo: 'Set the time of this machine (NTP).' }];
}

function lines({ paint }: Session, { check, state, what, todo }: Finding): readonly string[] {
  const mark = state === 'ok' ? paint.green('ok     ') : paint.red(state.padEnd(7));
  const head = `${mark} ${check.padEnd(11)} ${clean(what)}`;
  return todo === undefined ? [head] : [head, `        do: ${clean(todo)}`];
}

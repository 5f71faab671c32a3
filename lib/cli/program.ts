/** The command line: names, options, help, and how a run ends. */

import { Command, CommanderError, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { addAudit } from './commands/audit.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDrill } from './commands/drill.ts';
import { addFlag } from './commands/flag.ts';
import { addIncidents } from './commands/incidents.ts';
import { addLimits } from './commands/limits.ts';
import { addLocal } from './commands/local.ts';
import { addMovement } from './commands/movement.ts';
import { addPanic } from './commands/panic.ts';
import { addPause } from './commands/pause.ts';
import { addPolicy } from './commands/policy.ts';
import { addProposal } from './commands/proposal.ts';
import { addAllowance, addMaintenance } from './commands/propose.ts';
import { addRebuild } from './commands/rebuild.ts';
import { addReplay } from './commands/replay.ts';
import { addResume } from './commands/resume.ts';
import { addSend } from './commands/send.ts';
import { addStatus } from './commands/status.ts';
import { addWatch } from './commands/watch.ts';
import { addWithdrawal } from './commands/withdrawal.ts';
import { DEFAULT_URL } from './connect.ts';
import { EXIT, type ExitCode, StoppedError } from './exit-code.ts';
import { columnsOf, type Io, messageColumnsOf } from './io.ts';
import { paintFor } from './render/paint.ts';
import { message } from './render/text.ts';
import { type GlobalOptions, openSession, type Run } from './session.ts';

const EPILOG = `
Which Breakwater: --url or --stack; else BREAKWATER_URL or BREAKWATER_STACK;
else the runtime of this folder (.breakwater/runtime.json); else
${DEFAULT_URL}.

Exit codes: 0 ok, 1 unexpected, 2 usage or bad input, 3 refused,
            4 not reachable, 5 not enabled (flag, status --check)

First things at three in the morning:
  breakwater status
  breakwater incident ID
  breakwater pause global --reason "…"
  breakwater resume status`;

/**
 * Runs one command line and gives its exit code. Never throws: what went wrong is on standard error,
 * with what to do next.
 *
 * @param argv the arguments after the program's name.
 */
export async function runProgram(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const run: Run = async (command, work) => {
    const session = openSession(io, command.optsWithGlobals<GlobalOptions>());
    try {
      exitCode = (await work(session)) ?? EXIT.ok;
    } catch (error) {
      const answer = error instanceof StoppedError ? error.answer : undefined;
      if (session.json && answer !== undefined) session.printJson(answer);
      throw error;
    }
  };
  try {
    await createProgram(io, run).parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, io);
  }
}

/** Adds every command. */
function createProgram(io: Io, run: Run): Command {
  const program = new Command('breakwater');
  configure(program, io);
  program.commandsGroup('Try:');
  addDemo(program, run);
  addReplay(program, run);
  addLocal(program, run);
  program.commandsGroup('Look:');
  addStatus(program, run);
  addLimits(program, run);
  addIncidents(program, run);
  addAudit(program, run);
  addFlag(program, run);
  addWatch(program, run);
  addDoctor(program, run);
  addRebuild(program, run);
  program.commandsGroup('Act:');
  addPause(program, run);
  addPanic(program, run);
  addResume(program, run);
  addDrill(program, run);
  addSend(program, run);
  addWithdrawal(program, run);
  addMovement(program, run);
  addPolicy(program, run);
  program.commandsGroup('Together:');
  addProposal(program, run);
  addAllowance(program, run);
  addMaintenance(program, run);
  return program;
}

/** Settings come before commands, which inherit them. */
function configure(program: Command, io: Io): void {
  program
    .description('A circuit-breaker for crypto withdrawals.')
    .version(manifest.version)
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => columnsOf(io.stdout),
      getErrHelpWidth: () => columnsOf(io.stderr),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .option('--json', 'machine output: JSON on standard output, messages on standard error')
    .addOption(new Option('--url <url>', 'the embedded runtime to talk to'))
    .addOption(new Option('--stack <name>', 'the CloudFormation stack to talk to'))
    .addOption(new Option('--profile <name>', 'AWS profile for --stack'))
    .addOption(new Option('--region <name>', 'AWS region for --stack'))
    .addHelpText('after', EPILOG);
}

function report(error: unknown, io: Io): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { stderr } = io;
  const columns = messageColumnsOf(stderr);
  const paint = paintFor(stderr, io.env);
  const write = (text: string) => stderr.write(`${text}\n`);
  if (error instanceof StoppedError) {
    write(paint.red(message(error.message, columns)));
    if (error.hint !== undefined) write(message(error.hint, columns));
    return error.exitCode;
  }
  const { name, message: text, stack } = error instanceof Error ? error : new Error(String(error));
  write(paint.red(message(`Unexpected: ${name}: ${text}`, columns)));
  write(message('What was done is not known; look first: breakwater status', columns));
  if (io.env.BREAKWATER_DEBUG && stack !== undefined) write(message(stack, columns));
  return EXIT.unexpected;
}

/** `breakwater local`: the embedded runtime, until Ctrl-C. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Message } from '../../domain/page.ts';
import type { Runtime, Options as RuntimeOptions } from '../../local/runtime.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { interruptible } from '../interrupt.ts';
import { readPolicyFile } from '../policy-source.ts';
import { clean, fact } from '../render/text.ts';
import { utc } from '../render/time.ts';
import type { Run, Session } from '../session.ts';

type Options = {
  readonly folder?: string;
  readonly port?: number;
  readonly policy?: string;
  readonly clock: 'real' | 'virtual';
  readonly speed?: number;
};

/** A heartbeat at least this often by the wall clock. */
const TICK_MS = 5_000;
/** A heartbeat at least this often by the runtime's clock: a third of the usual lease. */
const TICK_VIRTUAL_MS = 60_000;
const SPEED_DEFAULT = 60;
/** Beyond this a heartbeat would be due before the last one has come through. */
const SPEED_MAX = 240;
/** Errors that other settings would have avoided. */
const AVOIDABLE = /^(HttpServer\.PortError|FolderLock\.|Engine\.NotInstalledError)/;

/** Adds the command. */
export function addLocal(program: Command, run: Run): void {
  program
    .command('local')
    .summary('run Breakwater on this machine, until Ctrl-C')
    .description(
      'Runs the embedded Breakwater: the functions as they are deployed, over a DynamoDB engine of its own, on 127.0.0.1 only. The other commands, started in the same folder, find it by themselves.',
    )
    .option('--folder <dir>', 'keep the state here; without it, it is gone at the end')
    .option('--port <number>', 'listen here (default: 4780, or a free port)', readNumber(1, 65_535))
    .option('--policy <file>', 'put this policy in force first')
    .addOption(
      new Option('--clock <kind>', 'virtual: time runs faster')
        .choices(['real', 'virtual'])
        .default('real'),
    )
    .option(
      '--speed <times>',
      `of a virtual clock (default: ${SPEED_DEFAULT})`,
      readNumber(1, SPEED_MAX),
    )
    .action((options: Options, command: Command) =>
      run(command, (session) => local(session, options)),
    );
}

function readNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

async function local(session: Session, options: Options): Promise<undefined> {
  if (options.speed !== undefined && options.clock === 'real') {
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: 'Real time has no speed.',
      hint: 'Add --clock virtual, or leave --speed out.',
    });
  }
  const policy =
    options.policy === undefined ? undefined : await readPolicyFile(session, options.policy);
  await interruptible(async (signal) => {
    const runtime = await start(session, settingsFor(options, policy?.source));
    try {
      announce(session, runtime, options);
      await endOf(signal);
    } finally {
      session.io.stderr.write('Stopping.\n');
      await runtime.stop();
    }
  });
}

function settingsFor(options: Options, policySource: string | undefined): RuntimeOptions {
  const speed = options.clock === 'real' ? 1 : (options.speed ?? SPEED_DEFAULT);
  return {
    folder: options.folder,
    port: options.port,
    clock: options.clock === 'real' ? undefined : { startMs: Date.now(), speed },
    policySource,
    tickEveryMs: Math.min(TICK_MS, TICK_VIRTUAL_MS / speed),
  };
}

async function start(session: Session, settings: RuntimeOptions): Promise<Runtime> {
  // Loaded only here: every other command would wait for it.
  const { startRuntime } = await import('../../local/runtime.ts');
  try {
    return await startRuntime({ ...settings, onPage: (message) => tell(session, message) });
  } catch (cause) {
    if (!(cause instanceof Error) || !AVOIDABLE.test(cause.name)) throw cause;
    throw new StoppedError({ exitCode: EXIT.usage, message: cause.message, cause });
  }
}

function announce(session: Session, runtime: Runtime, options: Options): void {
  const { url, folder } = runtime;
  if (session.json) {
    session.io.stdout.write(
      `${JSON.stringify({ kind: 'listening', url, folder, pid: process.pid })}\n`,
    );
    return;
  }
  const { paint, columns } = session;
  const kept = options.folder === undefined ? `${folder} (removed at the end)` : folder;
  session.print([
    `${paint.green('LISTENING')} ${url}`,
    ...fact('State', clean(kept), { columns }),
    ...fact('Events', `POST ${url}/events, or breakwater send FILE`, { columns }),
    ...fact('Flag', `GET ${url}/flag?wallet=…&chain=…&asset=…`, { columns }),
    ...fact('Look', `breakwater status --url ${url}`, { columns }),
    ...fact('End', 'Ctrl-C', { columns }),
    '',
  ]);
}

/** What an operator would receive, as it goes out. */
function tell(session: Session, message: Message): void {
  if (session.json) {
    session.io.stdout.write(`${JSON.stringify({ kind: 'message', ...message })}\n`);
    return;
  }
  const { paint, io, columns } = session;
  const colour = message.severity === 'page' ? paint.red : paint.yellow;
  session.print([utc(io.nowMs()), ...fact('', clean(message.subject), { columns }).map(colour)]);
}

function endOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** `breakwater send`: report events from a file or from standard input. */

import type { Command } from 'commander';
import { EXIT, type ExitCode, StoppedError } from '../exit-code.ts';
import { type Invalid, readEvents } from '../read-events.ts';
import { readInput } from '../read-input.ts';
import { clean, plural } from '../render/text.ts';
import type { Run, Session } from '../session.ts';
import type { EventToSend, Transport } from '../transport.ts';

/** Invalid events that are shown one by one. */
const SHOWN_MAX = 20;

type Options = { readonly skipInvalid?: boolean };

/** Adds the command. */
export function addSend(program: Command, run: Run): void {
  program
    .command('send')
    .argument('[file]', 'a file, or - for standard input', '-')
    .summary('report events from a file or stdin')
    .description(
      'Sends events: JSON lines, a JSON array or one object, each a full EventBridge envelope or just {"detail-type": …, "detail": …}. All are read before the first is sent; if one is invalid, none is sent and each is named with line, field and reason. Sending the same events again is safe: an event counts once.',
    )
    .option('--skip-invalid', 'send the valid ones nevertheless (still ends with code 2)')
    .action((file: string, options: Options, command: Command) =>
      run(command, (session) => send(session, file, options)),
    );
}

async function send(
  session: Session,
  file: string,
  options: Options,
): Promise<ExitCode | undefined> {
  if (file === '-' && session.io.isInteractive) {
    session.warn('Reading events from the terminal; Ctrl-D ends them.');
  }
  const { valid, invalid } = readEvents(await readInput(session.io, file));
  tellInvalid(session, invalid);
  if (valid.length === 0 && invalid.length === 0) throw empty(file);
  const isHeld = invalid.length > 0 && !options.skipInvalid;
  if (isHeld) {
    session.warn(
      `Nothing was sent. Correct ${plural(invalid.length, 'event')}, or use --skip-invalid.`,
    );
    if (session.json) session.printJson({ accepted: 0, invalid });
    return EXIT.usage;
  }
  const transport = await session.connect();
  await sendAll(session, transport, valid);
  if (session.json) session.printJson({ accepted: valid.length, invalid });
  else session.print([`${plural(valid.length, 'event')} accepted by ${clean(transport.target)}`]);
  return invalid.length > 0 ? EXIT.usage : undefined;
}

async function sendAll(
  session: Session,
  transport: Transport,
  events: readonly EventToSend[],
): Promise<void> {
  const { stderr } = session.io;
  const showsProgress = stderr.isTerminal && events.length > transport.eventsMax;
  const eraseProgress = () => showsProgress && stderr.write('\r\u001b[K');
  for (let sent = 0; sent < events.length; sent += transport.eventsMax) {
    if (showsProgress) stderr.write(`\rsent ${sent} of ${events.length}`);
    try {
      await transport.send(events.slice(sent, sent + transport.eventsMax));
    } catch (error) {
      eraseProgress();
      if (sent > 0) {
        session.warn(`${sent} of ${events.length} events were accepted before this.`);
      }
      throw error;
    }
  }
  eraseProgress();
}

function tellInvalid(session: Session, invalid: readonly Invalid[]): void {
  for (const { place, problems } of invalid.slice(0, SHOWN_MAX)) {
    for (const problem of problems) session.warn(`${place}: ${problem}`);
  }
  if (invalid.length > SHOWN_MAX) {
    session.warn(`and ${invalid.length - SHOWN_MAX} more invalid events`);
  }
}

function empty(file: string): StoppedError {
  return new StoppedError({
    exitCode: EXIT.usage,
    message: `There are no events in ${file === '-' ? 'the input' : file}.`,
    hint: 'Give one JSON object a line; see breakwater send --help.',
  });
}

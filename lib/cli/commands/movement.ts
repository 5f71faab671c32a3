/** `breakwater movement`: what the exchange itself is about to move, declared beforehand. */

import type { Command } from 'commander';
import { ChecksumError, parseAccount, parseAsset } from '../../adapters/wire/identifier.ts';
import { type AccountId, type AssetId, InvalidIdError } from '../../domain/caip.ts';
import { DECLARED } from '../answers.ts';
import { ask } from '../ask.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { clean, fact } from '../render/text.ts';
import { moment } from '../render/time.ts';
import type { Run, Session } from '../session.ts';
import { instantMs, spanMs } from '../time-argument.ts';

type Options = {
  readonly wallet: string;
  readonly asset: string;
  readonly to: string;
  readonly memo?: string;
  readonly max: string;
  readonly until?: string;
  readonly for?: string;
  readonly reason: string;
};

/** A declaration as it is sent, without its id. */
type Declared = {
  readonly wallet: AccountId;
  readonly asset: AssetId;
  readonly destination: AccountId;
  readonly memo?: string;
  readonly max: string;
  readonly until: string;
  readonly reason: string;
};

/** Adds the command with its subcommand. */
export function addMovement(program: Command, run: Run): void {
  program
    .command('movement')
    .summary('declare what the exchange itself is about to move')
    .helpCommand(false)
    .command('declare')
    .summary('declare a movement before it is made')
    .description(
      'Declares a movement of the exchange’s own: a sweep, a consolidation, gas for another address, a call of a contract. What moves on this way, up to the maximum in all and until the end, is approved: it counts like any other money, limits act on it as ever, and it trips nothing for want of an approval. Money for addresses on the policy’s list of own addresses, and for its other wallets, needs no declaration.',
    )
    .requiredOption('--wallet <account>', 'the address that pays, such as eip155:1:0x…')
    .requiredOption('--asset <asset>', 'what moves, such as eip155:1/slip44:60')
    .requiredOption('--to <account>', 'the address that is paid, or the contract that is called')
    .option('--memo <text>', 'the memo or tag, on chains that have one')
    .requiredOption(
      '--max <units>',
      'how much in all, in base units (wei, satoshi); 0 for calls and allowances, which move nothing',
    )
    .option('--until <time>', 'its end, such as 2026-01-31T18:00:00Z; at most 7 days ahead')
    .option('--for <span>', 'its end, counted from now: 30m, 2h, 7d')
    .requiredOption('--reason <text>', 'why; kept with the declaration and your identity')
    .action((options: Options, command: Command) =>
      run(command, (session) => declare(session, options)),
    );
}

async function declare(session: Session, options: Options): Promise<undefined> {
  const nowMs = session.io.nowMs();
  const declared = read(options, nowMs);
  const transport = await session.connect();
  const commandId = session.io.commandId();
  const request = { command: 'movement.declare' as const, commandId, ...declared };
  const { value, raw } = await ask(transport, request, DECLARED);
  if (session.json) return session.printJson(raw) as undefined;
  if (value.kind === 'duplicate') {
    return session.print([
      'This movement is declared already; nothing more was done.',
    ]) as undefined;
  }
  const { paint, columns } = session;
  const { wallet, asset, destination, memo, max } = declared;
  session.print([
    `${paint.green('DECLARED')} ${paint.bold(clean(value.movementId))} on ${clean(transport.target)}`,
    ...fact('From', wallet, { columns }),
    ...fact('To', destination, { columns }),
    ...(memo === undefined ? [] : fact('Memo', clean(memo), { columns })),
    ...fact('Asset', asset, { columns }),
    ...fact('Up to', `${max} base units in all`, { columns }),
    ...fact('Until', moment(value.untilMs, nowMs), { columns }),
    'What moves is counted as ever; limits still act on it.',
  ]);
}

/** @throws {StoppedError} `usage`, before anything was sent. */
function read(options: Options, nowMs: number): Declared {
  const { memo, max, reason } = options;
  return {
    wallet: identifier('--wallet', options.wallet, parseAccount),
    asset: identifier('--asset', options.asset, parseAsset),
    destination: identifier('--to', options.to, parseAccount),
    ...(memo === undefined ? {} : { memo }),
    max,
    until: new Date(endMs(options, nowMs)).toISOString(),
    reason,
  };
}

function identifier<Id>(option: string, text: string, parse: (text: string) => Id): Id {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof InvalidIdError || error instanceof ChecksumError)) throw error;
    throw usage(`${option}: ${error.message}.`, error);
  }
}

function endMs({ until, for: span }: Options, nowMs: number): number {
  if ((until === undefined) === (span === undefined)) {
    throw usage('A movement has one end: give --until or --for.');
  }
  if (until !== undefined) {
    const atMs = instantMs(until);
    if (atMs !== undefined) return atMs;
    throw usage(`--until: ${clean(until)} is not a time with its zone.`);
  }
  const lengthMs = spanMs(span ?? '');
  if (lengthMs === undefined) throw usage(`--for: ${clean(span ?? '')} is not a time such as 2h.`);
  return nowMs + lengthMs;
}

function usage(message: string, cause?: unknown): StoppedError {
  const hint = 'See breakwater movement declare --help.';
  return new StoppedError({ exitCode: EXIT.usage, message, hint, cause });
}

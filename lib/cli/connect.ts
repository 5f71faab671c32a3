/** Which Breakwater a command is for. It is never guessed between two: a pause must not go astray. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { EXIT, StoppedError } from './exit-code.ts';
import type { Io } from './io.ts';
import { createLocalTransport } from './local-transport.ts';
import type { Transport } from './transport.ts';

/** Options by which a person names a Breakwater. */
export type ConnectOptions = {
  readonly url?: string | undefined;
  readonly stack?: string | undefined;
  readonly profile?: string | undefined;
  readonly region?: string | undefined;
};

type Place =
  | { readonly kind: 'local'; readonly url: string }
  | { readonly kind: 'stack'; readonly stack: string }
  | {
      readonly kind: 'names';
      readonly commandUrl: string;
      readonly eventBus?: string | undefined;
    };

/** Where the embedded runtime listens unless it is told otherwise. */
export const DEFAULT_URL = 'http://127.0.0.1:4780';
/** What the embedded runtime writes into its folder. */
const RUNTIME_FILE = join('.breakwater', 'runtime.json');
const RUNTIME = z.object({ url: z.string(), pid: z.number() });
const START_HINT =
  'Start one with `breakwater local`, or name another with --url URL or --stack NAME.';

/**
 * Finds the way: options first, then the environment, then the runtime of the current folder, then
 * {@link DEFAULT_URL}.
 *
 * @throws {StoppedError} `usage` where two are named at once, or a URL is none.
 */
export async function connect(options: ConnectOptions, io: Io): Promise<Transport> {
  const place = placeOf(options, io.env);
  if (place === undefined || place.kind === 'local') refuseAccount(options);
  if (place === undefined) return connectHere(io);
  if (place.kind === 'local') {
    return createLocalTransport({ url: readUrl(place.url), hint: START_HINT });
  }
  // Loaded only here: the SDK would double the start of every local command.
  const { connectAws } = await import('./aws-transport.ts');
  if (place.kind === 'names') readUrl(place.commandUrl);
  return connectAws(place, { profile: options.profile, region: options.region }, io.sleep);
}

function placeOf(options: ConnectOptions, env: Io['env']): Place | undefined {
  return (
    onlyOne([
      ['--url', local(options.url)],
      ['--stack', stack(options.stack)],
    ]) ??
    onlyOne([
      ['BREAKWATER_URL', local(env.BREAKWATER_URL)],
      ['BREAKWATER_STACK', stack(env.BREAKWATER_STACK)],
      ['BREAKWATER_COMMAND_URL', names(env)],
    ])
  );
}

/** A profile without a stack was meant for AWS; the command must not reach a local runtime instead. */
function refuseAccount({ profile, region }: ConnectOptions): void {
  if (profile === undefined && region === undefined) return;
  throw new StoppedError({
    exitCode: EXIT.usage,
    message: '--profile and --region belong to a stack, and none is named.',
    hint: 'Add --stack NAME, or set BREAKWATER_STACK.',
  });
}

function local(url: string | undefined): Place | undefined {
  return url ? { kind: 'local', url } : undefined;
}

function stack(name: string | undefined): Place | undefined {
  return name ? { kind: 'stack', stack: name } : undefined;
}

function names(env: Io['env']): Place | undefined {
  const commandUrl = env.BREAKWATER_COMMAND_URL;
  return commandUrl ? { kind: 'names', commandUrl, eventBus: env.BREAKWATER_EVENT_BUS } : undefined;
}

function onlyOne(named: readonly (readonly [string, Place | undefined])[]): Place | undefined {
  const given = named.filter(([, place]) => place !== undefined);
  if (given.length > 1) {
    throw new StoppedError({
      exitCode: EXIT.usage,
      message: `${given.map(([name]) => name).join(' and ')} name different places.`,
      hint: 'Give one of them, so that it is clear where the command goes.',
    });
  }
  return given[0]?.[1];
}

async function connectHere(io: Io): Promise<Transport> {
  const runtime = await readRuntime(join(io.cwd, RUNTIME_FILE));
  const hint =
    runtime && !isAlive(runtime.pid)
      ? `The runtime of this folder (process ${runtime.pid}) has ended. ${START_HINT}`
      : START_HINT;
  return createLocalTransport({ url: readUrl(runtime?.url ?? DEFAULT_URL), hint });
}

/** A file that is missing or half written names nothing: the default is asked then. */
async function readRuntime(file: string): Promise<z.output<typeof RUNTIME> | undefined> {
  try {
    return RUNTIME.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Credentials in a URL would end up in shell histories and messages, so it is refused, unnamed. */
function readUrl(text: string): URL {
  const url = URL.parse(text);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url && isHttp && url.username === '' && url.password === '') return url;
  throw new StoppedError({
    exitCode: EXIT.usage,
    message: 'The URL must be a plain http or https address such as http://127.0.0.1:4780.',
  });
}

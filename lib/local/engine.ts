/** The DynamoDB-compatible engine of the embedded runtime, as a child process on loopback. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENV } from '../runtime/environment.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { freePort } from './free-port.ts';

/** A running engine. `pid` is `undefined` if it was named by `DYNAMODB_ENDPOINT` and not started here. */
export type Engine = {
  readonly endpoint: string;
  readonly pid: number | undefined;
  /** Ends the process and frees the folder; resolves when it is gone. Can be called again. */
  readonly stop: () => Promise<void>;
};

/** How to start: without `folder` everything is kept in memory, without `port` a free one is taken. */
export type EngineParameters = {
  readonly folder?: string | undefined;
  readonly port?: number | undefined;
  /** Told once if the engine ends although nobody stopped it. */
  readonly onExit?: ((error: ExitedError) => void) | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
};

const STARTS_MAX = 3;
const READY_MAX_MS = 10_000;
const READY_POLL_MS = 10;
const STOP_MAX_MS = 2_000;
const ERRORS_MAX_CHARS = 2_000;

/**
 * A script of the shell, which becomes the program of its arguments by `exec`, so the child's pid is
 * that program's. Beside it stays a reader of file 3, a pipe from this process: it closes when this
 * process is gone, however it went, SIGKILL included, and the reader then kills the program.
 */
export const UNDER_WATCH =
  '{ read -r word <&3; [ "$word" = stopped ] || kill -KILL $$; } >/dev/null 2>&1 & exec "$@" 3<&-';

/**
 * Starts the engine and waits until it answers, or takes the one that `DYNAMODB_ENDPOINT` names. It
 * never outlives this process. Given a folder, its data survive a restart and the folder is locked.
 *
 * @throws {NotInstalledError} where there is no binary for this platform.
 * @throws {ExitedError} if it ended before it answered.
 * @throws {SilentError} if it did not answer in time.
 * @throws {FolderLock.InUseError} while another runtime works on the folder.
 */
export async function startEngine(parameters: EngineParameters = {}): Promise<Engine> {
  const { folder, environment = process.env } = parameters;
  const lock = folder === undefined ? undefined : await lockFolder(folder);
  try {
    const external = environment[ENV.dynamodbEndpoint];
    if (external) return { endpoint: external, pid: undefined, stop: async () => lock?.release() };
    const binary = await findBinary();
    if (binary === undefined) throw new NotInstalledError();
    const running = await startOnPort(binary, parameters);
    return supervise(running, { lock, onExit: parameters.onExit });
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

type Running = {
  readonly child: ChildProcess;
  readonly endpoint: string;
  /** The last words on the engine's error output. */
  readonly words: () => string;
};

async function findBinary(): Promise<string | undefined> {
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `@dynoxide/${process.platform}-${process.arch}/package.json`,
    );
    const binary = join(dirname(manifest), 'dynoxide');
    await access(binary);
    return binary;
  } catch {
    return undefined;
  }
}

async function startOnPort(binary: string, parameters: EngineParameters): Promise<Running> {
  for (let start = 1; ; start++) {
    const running = launch(binary, {
      port: parameters.port ?? (await freePort()),
      folder: parameters.folder,
    });
    try {
      await ready(running);
      return running;
    } catch (error) {
      await end(running.child);
      // A free port can be taken by somebody else before the engine gets it.
      const taken = running.words().includes('already in use');
      if (!taken || parameters.port !== undefined || start >= STARTS_MAX) throw error;
    }
  }
}

function launch(
  binary: string,
  place: { readonly port: number; readonly folder: string | undefined },
): Running {
  const database = place.folder === undefined ? [] : ['--db-path', join(place.folder, 'engine.db')];
  const command = [binary, 'serve', '--port', String(place.port), ...database];
  // In a group of its own, so that Ctrl-C reaches the runtime only, which ends the engine last.
  const child = spawn('/bin/sh', ['-c', UNDER_WATCH, 'engine', ...command], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: {},
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = `${words}${text}`.slice(-ERRORS_MAX_CHARS);
  });
  const watch = child.stdio[3];
  watch?.on('error', () => {});
  child.once('exit', () => {
    if (watch && 'end' in watch) watch.end('stopped\n');
  });
  child.on('error', (error) => {
    words = `${words}${error.message}`;
  });
  return { child, endpoint: `http://127.0.0.1:${place.port}`, words: () => words };
}

/** Its own word first, since on a port taken by another engine that other one would answer. */
async function ready(running: Running): Promise<void> {
  const deadlineMs = performance.now() + READY_MAX_MS;
  while (performance.now() < deadlineMs) {
    if (isGone(running.child)) throw exited(running);
    if (running.words().includes('listening on') && (await answers(running.endpoint))) return;
    await sleep(READY_POLL_MS);
  }
  throw new SilentError({ endpoint: running.endpoint, words: running.words() });
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(STOP_MAX_MS) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

function supervise(
  running: Running,
  parameters: {
    readonly lock: FolderLock | undefined;
    readonly onExit: ((error: ExitedError) => void) | undefined;
  },
): Engine {
  const { child, endpoint } = running;
  let stopping: Promise<void> | undefined;
  const report = () => {
    if (!stopping) parameters.onExit?.(exited(running));
  };
  if (isGone(child)) queueMicrotask(report);
  else child.once('exit', report);
  const stop = async () => {
    await end(child);
    await parameters.lock?.release();
  };
  return {
    endpoint,
    pid: child.pid,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (isGone(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
  await gone;
  clearTimeout(killing);
}

function isGone(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

function exited(running: Running): ExitedError {
  const { exitCode, signalCode } = running.child;
  return new ExitedError({ exit: `${signalCode ?? exitCode ?? 'start'}`, words: running.words() });
}

/** There is no engine for this platform. */
export class NotInstalledError extends Error {
  override readonly name = 'Engine.NotInstalledError';
  constructor() {
    super(
      `no embedded DynamoDB engine is installed for ${process.platform}-${process.arch}. ` +
        `On linux-x64 install again without --omit=optional. Elsewhere start any DynamoDB-compatible ` +
        `engine that has transactions and streams, and set ${ENV.dynamodbEndpoint} to its address, ` +
        `for example ${ENV.dynamodbEndpoint}=http://127.0.0.1:8000`,
    );
  }
}

/** The engine ended by itself. */
export class ExitedError extends Error {
  override readonly name = 'Engine.ExitedError';
  constructor(details: { readonly exit: string; readonly words: string }) {
    super(`the DynamoDB engine ended by itself (${details.exit}): ${details.words.trim()}`);
  }
}

/** The engine runs but does not answer. */
export class SilentError extends Error {
  override readonly name = 'Engine.SilentError';
  constructor(details: { readonly endpoint: string; readonly words: string }) {
    super(
      `the DynamoDB engine at ${details.endpoint} did not answer within ${READY_MAX_MS} ms: ${details.words.trim()}`,
    );
  }
}

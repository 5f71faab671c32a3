/** Runs the embedded runtime in real time and shows what it decides. */

import { once } from 'node:events';
import { resolve } from 'node:path';
import { stringify } from '../../adapters/wire/json.ts';
import { type Runtime, startRuntime } from '../../local/runtime.ts';
import { DEFAULT_URL } from '../connect.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { interruptible } from '../interrupt.ts';
import { readPolicyFile } from '../policy-source.ts';
import { type Entry, endpointLines, logLine } from '../render/local.ts';
import { clean, wrap } from '../render/text.ts';
import type { Session } from '../session.ts';

/** How often a chain is looked at that showed nothing new, ms. */
const WATCH_EVERY_MS = 1_000;
/** Columns of the time and the blanks after it. */
const LOG_INDENT = 10;

/** Options of `local`. */
export type LocalOptions = {
  readonly folder: string;
  readonly port?: number;
  readonly policy?: string;
  /** File with the secrets of webhooks. */
  readonly webhooks?: string;
  /** File with the nodes of each chain. */
  readonly rpc?: string;
  /** How often health is proven, ms. */
  readonly tick: number;
};

/** Runs until it is interrupted. @throws {StoppedError} the policy is none, the port or the folder is taken. */
export async function serveLocal(session: Session, options: LocalOptions): Promise<undefined> {
  const { policy, port, folder, webhooks, rpc, tick: tickEveryMs } = options;
  const sourced = policy === undefined ? undefined : await readPolicyFile(session, policy);
  const show = shower(session);
  await interruptible(async (signal) => {
    const runtime = await startRuntime({
      folder: resolve(session.io.cwd, folder),
      port,
      tickEveryMs,
      policySource: sourced?.source,
      webhookSecrets: webhooks === undefined ? undefined : resolve(session.io.cwd, webhooks),
      rpc: rpc === undefined ? undefined : resolve(session.io.cwd, rpc),
      watchEveryMs: WATCH_EVERY_MS,
      log: {
        info: (message, fields) => show({ level: 'info', message, fields }),
        error: (message, fields) => show({ level: 'error', message, fields }),
      },
      onPage: ({ severity, subject }) =>
        show({ level: 'info', message: 'message', fields: { severity, subject } }),
    }).catch((error: unknown) => {
      throw startFailure(error);
    });
    try {
      await introduce(session, runtime, port);
      show.begin();
      if (!signal.aborted) await once(signal, 'abort');
    } finally {
      await runtime.stop();
    }
  });
}

type Show = ((entry: Entry) => void) & { readonly begin: () => void };

/** Shows entries a line each; those that come before the beginning wait for it. */
function shower(session: Session): Show {
  const waiting: Entry[] = [];
  let hasBegun = false;
  const show = (entry: Entry) => {
    if (hasBegun) write(session, entry);
    else waiting.push(entry);
  };
  const begin = () => {
    hasBegun = true;
    for (const entry of waiting.splice(0)) write(session, entry);
  };
  return Object.assign(show, { begin });
}

/** On a terminal a long line is broken between words; elsewhere a line stays one. */
function write({ io, json, paint, print, columns }: Session, entry: Entry): void {
  const atMs = io.nowMs();
  const { level, message, fields } = entry;
  const at = new Date(atMs).toISOString();
  if (json) io.stdout.write(`${stringify({ at, level, message, ...fields })}\n`);
  else {
    const line = logLine(entry, { atMs, paint });
    const indent = ' '.repeat(LOG_INDENT);
    const [first = '', ...more] = io.stdout.isTerminal ? wrap(line, columns - LOG_INDENT) : [line];
    print([first, ...more.map((part) => `${indent}${part}`)]);
  }
}

async function introduce(
  session: Session,
  runtime: Runtime,
  port: number | undefined,
): Promise<void> {
  const { policy, version } = await runtime.world.decision.policy.refresh();
  const { url, folder } = runtime;
  if (session.json) {
    session.io.stdout.write(
      `${stringify({ url, folder, policy: { name: policy.name, version } })}\n`,
    );
    return;
  }
  const isElsewhere = port === undefined && url !== DEFAULT_URL;
  const taken = isElsewhere ? { portTaken: Number(new URL(DEFAULT_URL).port) } : {};
  session.print(endpointLines({ url, folder, policy, version, ...taken }, session));
}

/** Names in words what a person can change. */
function startFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (isNoFolder(error)) return noFolder(error);
  if (error.name === 'LocalWebhooks.SecretsFileError') {
    return new StoppedError({
      exitCode: EXIT.usage,
      message: clean(error.message),
      hint: 'docs/webhooks.md shows what the file of --webhooks holds.',
      cause: error,
    });
  }
  if (error.name === 'Watching.RpcFileError') {
    return new StoppedError({
      exitCode: EXIT.usage,
      message: clean(error.message),
      hint: 'docs/watching.md shows what the file of --rpc holds.',
      cause: error,
    });
  }
  const isPlace = /^(HttpServer\.PortError|FolderLock\.InUseError|Engine\.NotInstalledError)$/.test(
    error.name,
  );
  if (!isPlace) return error;
  return new StoppedError({
    exitCode: EXIT.usage,
    message: clean(error.message),
    hint: 'Choose another --port or --folder, or end what uses it.',
    cause: error,
  });
}

type FolderError = Error & { readonly code: string; readonly path?: string };

function isNoFolder(error: Error): error is FolderError {
  const codes = ['EEXIST', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS'];
  return (
    'syscall' in error && error.syscall === 'mkdir' && codes.includes(Reflect.get(error, 'code'))
  );
}

function noFolder(error: FolderError): StoppedError {
  return new StoppedError({
    exitCode: EXIT.usage,
    message: `${clean(error.path ?? 'The folder')} cannot be used as a folder: ${error.code}.`,
    hint: 'Choose another --folder.',
    cause: error,
  });
}

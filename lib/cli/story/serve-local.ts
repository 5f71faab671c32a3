/** Runs the embedded runtime in real time and shows what it decides. */

import { once } from 'node:events';
import { resolve } from 'node:path';
import { stringify } from '../../adapters/wire/json.ts';
import { type Runtime, startRuntime } from '../../local/runtime.ts';
import { EXIT, StoppedError } from '../exit-code.ts';
import { interruptible } from '../interrupt.ts';
import { readPolicyFile } from '../policy-source.ts';
import { type Entry, endpointLines, logLine } from '../render/local.ts';
import { clean } from '../render/text.ts';
import type { Session } from '../session.ts';

/** Options of `local`. */
export type LocalOptions = {
  readonly folder: string;
  readonly port?: number;
  readonly policy?: string;
  /** How often health is proven, ms. */
  readonly tick: number;
};

/** Runs until it is interrupted. @throws {StoppedError} the policy is none, the port or the folder is taken. */
export async function serveLocal(session: Session, options: LocalOptions): Promise<undefined> {
  const { policy, port, folder, tick: tickEveryMs } = options;
  const sourced = policy === undefined ? undefined : await readPolicyFile(session, policy);
  const show = shower(session);
  await interruptible(async (signal) => {
    const runtime = await startRuntime({
      folder: resolve(session.io.cwd, folder),
      port,
      tickEveryMs,
      policySource: sourced?.source,
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
      await introduce(session, runtime);
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

function write({ io, json, paint, print }: Session, entry: Entry): void {
  const atMs = io.nowMs();
  const { level, message, fields } = entry;
  const at = new Date(atMs).toISOString();
  if (json) io.stdout.write(`${stringify({ at, level, message, ...fields })}\n`);
  else print([logLine(entry, { atMs, paint })]);
}

async function introduce(session: Session, runtime: Runtime): Promise<void> {
  const { policy, version } = await runtime.world.decision.policy.refresh();
  const { url, folder } = runtime;
  if (session.json) {
    session.io.stdout.write(
      `${stringify({ url, folder, policy: { name: policy.name, version } })}\n`,
    );
    return;
  }
  session.print(endpointLines({ url, folder, policy, version }, session));
}

/** Names in words what a person can change. */
function startFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
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

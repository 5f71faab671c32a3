/** A runtime that ticks, in a process of its own over an engine of its own, and ways to break it. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, startEngine } from '../lib/local/engine.ts';
import type { Clock } from '../lib/ports.ts';
import { ENV } from '../lib/runtime/environment.ts';
import { systemClock } from '../lib/runtime/system.ts';

/** What a child runs: rounds of its tick on its own clock, ms, and how fast that clock is. */
export type Task = {
  readonly folder: string;
  readonly policySource: string;
  readonly everyMs: number;
  readonly speed: number;
};

/** Where a child listens, and what its clock said at a time of day. */
export type Started = { readonly url: string; readonly nowMs: number; readonly wallMs: number };

/** What a child can be told to stop. */
export type Part = 'tick' | 'ingest';

/** What can break: a part stops, or a process is killed by SIGKILL. */
export type Fault = Part | 'engine' | 'runtime';

/** A runtime with its engine. */
export type LeaseStage = {
  readonly url: string;
  readonly engineEndpoint: string;
  /** The runtime's clock, on this side. */
  readonly clock: Clock;
  /** Resolves when it is broken. */
  readonly break: (fault: Fault) => Promise<void>;
};

/** Runs something on a stage of its own, and ends all of it whatever happens. */
export async function onLeaseStage<T>(
  task: Omit<Task, 'folder'>,
  run: (stage: LeaseStage) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const engine = await startEngine();
  try {
    const child = forkRuntime({ ...task, folder }, engine);
    try {
      return await run(await stageOf(child, { engine, speed: task.speed }));
    } finally {
      await kill(child);
    }
  } finally {
    await engine.stop();
    process.off('exit', remove);
    remove();
  }
}

function forkRuntime(task: Task, engine: Engine): ChildProcess {
  return fork(join(import.meta.dirname, 'lease-child.ts'), [JSON.stringify(task)], {
    // It writes where it listens into its folder.
    cwd: task.folder,
    env: { ...process.env, [ENV.dynamodbEndpoint]: engine.endpoint },
  });
}

async function stageOf(
  child: ChildProcess,
  given: { readonly engine: Engine; readonly speed: number },
): Promise<LeaseStage> {
  const { engine, speed } = given;
  const ended = once(child, 'exit').then(() => {
    throw new NotStartedError();
  });
  // Its own words, over a pipe that nobody else writes to.
  const [started]: Started[] = await Promise.race([once(child, 'message'), ended]);
  if (started === undefined) throw new NotStartedError();
  // From here on it ends when it is killed, and nobody waits for that.
  ended.catch(() => undefined);
  const { url, nowMs, wallMs } = started;
  return {
    url,
    engineEndpoint: engine.endpoint,
    clock: { nowMs: () => nowMs + (systemClock.nowMs() - wallMs) * speed },
    break: (fault) => breakOne(fault, { child, engine }),
  };
}

async function breakOne(
  fault: Fault,
  on: { readonly child: ChildProcess; readonly engine: Engine },
): Promise<void> {
  const { child, engine } = on;
  switch (fault) {
    case 'tick':
    case 'ingest': {
      const stopped = once(child, 'message');
      child.send(fault);
      await stopped;
      return;
    }
    case 'runtime':
      return kill(child);
    case 'engine':
      if (engine.pid === undefined) throw new NotStartedError();
      process.kill(engine.pid, 'SIGKILL');
      return;
    default:
      fault satisfies never;
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** The runtime's process ended before it listened, or there is no process to kill. */
export class NotStartedError extends Error {
  override readonly name = 'LeaseStage.NotStartedError';
  constructor() {
    super('the runtime ended before it listened, or its engine is not ours to kill');
  }
}

import type { Worker } from 'node:worker_threads';
import { ThreadsPoolWorker } from 'vitest/node';

const RUNS_OF_A_WORKER_MAX = 40;

type Inside = { _thread?: Worker | undefined; isAsked?: boolean };
type Message = { readonly type?: string };

let kept: { readonly thread: Worker; readonly runs: number } | undefined;

/**
 * Lets one worker thread judge many mutants. Vitest starts a thread for each run, and a run is one
 * mutant: loading every module again takes longer than the tests.
 *
 * @returns nothing; from here on threads of this process are kept between runs, up to a maximum
 */
export function keepWorker(): void {
  const { start, stop, send } = ThreadsPoolWorker.prototype;
  const runsOf = new WeakMap<Worker, number>();

  ThreadsPoolWorker.prototype.start = async function (this: ThreadsPoolWorker) {
    const inside = this as unknown as Inside;
    if (kept !== undefined) {
      inside._thread = kept.thread;
      runsOf.set(kept.thread, kept.runs);
      kept = undefined;
    }
    await start.call(this);
  };

  ThreadsPoolWorker.prototype.send = function (this: ThreadsPoolWorker, message) {
    const inside = this as unknown as Inside;
    const runs = inside._thread === undefined ? 0 : (runsOf.get(inside._thread) ?? 0);
    if ((message as Message).type !== 'stop' || runs >= RUNS_OF_A_WORKER_MAX) {
      send.call(this, message);
      return;
    }
    // The thread hears nothing of it; vitest waits for this answer.
    inside.isAsked = true;
    inside._thread?.emit('message', { __vitest_worker_response__: true, type: 'stopped' });
  };

  ThreadsPoolWorker.prototype.stop = async function (this: ThreadsPoolWorker) {
    const inside = this as unknown as Inside;
    const thread = inside._thread;
    if (inside.isAsked !== true || thread === undefined || kept !== undefined) {
      await stop.call(this);
      return;
    }
    thread.removeAllListeners('message');
    thread.stdout.unpipe();
    thread.stderr.unpipe();
    kept = { thread, runs: (runsOf.get(thread) ?? 0) + 1 };
    inside._thread = undefined;
  };
}

/** Ctrl-C for commands that run until somebody ends them: everything started is stopped first. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE'] as const;

/**
 * Runs work that can be ended from outside. The first signal aborts; once the work has cleaned up,
 * the process ends by that very signal, which a shell shows as 128 and its number (130 for Ctrl-C).
 * A second signal does not wait for the cleaning.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const received: NodeJS.Signals[] = [];
  const receive = (signal: NodeJS.Signals) => {
    received.push(signal);
    // Every further write to a reader that has gone away says so again: that is no second wish.
    if (received.length > 1 && signal !== 'SIGPIPE') endBy(signal);
    abort.abort();
  };
  const end = () => {
    for (const signal of SIGNALS) process.off(signal, receive);
    if (received[0] !== undefined) endBy(received[0]);
  };
  const endBy = (signal: NodeJS.Signals) => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, receive);
  try {
    return await work(abort.signal);
  } finally {
    end();
  }
}

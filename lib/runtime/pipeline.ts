/** The one middleware stack of every function. */

import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Log } from './world.ts';

/** Time kept before Lambda's own time-out for the early answer to go out, ms. */
const EARLY_MS = 500;

/** How a function is wrapped. */
export type Options<Result> = {
  readonly name: string;
  readonly log: Log;
  /** The answer when time runs out. It must be the closed one: nothing decided, everything to be asked again. */
  readonly onTimeout: () => Result;
};

/** Wraps a handler: errors are logged once with the request's id, time-outs are answered early and closed. */
export function pipeline<Event, Result>(
  handle: (event: Event) => Promise<Result>,
  options: Options<Result>,
) {
  const { name, log, onTimeout } = options;
  return middy<Event, Result>({ timeoutEarlyInMillis: EARLY_MS, timeoutEarlyResponse: onTimeout })
    .use(errorLog(name, log))
    .handler((event: Event, _context: Context) => handle(event));
}

function errorLog(name: string, log: Log) {
  return {
    onError: ({ error, context }: { error: Error | null | undefined; context: Context }) => {
      log.error('function failed', {
        function: name,
        requestId: context.awsRequestId,
        error: error?.name,
        reason: error?.message,
      });
    },
  };
}

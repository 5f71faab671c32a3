/** The context that Lambda hands to a handler, for handlers invoked in this process. */

import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { localArn } from './local-account.ts';

/** A context whose time runs out after `timeoutMs` of the wall clock. */
export function localContext(functionName: string, timeoutMs: number): Context {
  const endsAtMs = performance.now() + timeoutMs;
  const none = () => undefined;
  return {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: localArn('lambda', `function:${functionName}`),
    memoryLimitInMB: '512',
    awsRequestId: randomUUID(),
    logGroupName: functionName,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, endsAtMs - performance.now()),
    done: none,
    fail: none,
    succeed: none,
  };
}

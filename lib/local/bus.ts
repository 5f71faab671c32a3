/** EventBridge in this process: wraps what producers put into envelopes, and routes by detail-type. */

import type { Clock } from '../ports.ts';
import { LOCAL_ACCOUNT, LOCAL_REGION, localArn } from './local-account.ts';

/** What a producer puts. `detail` is JSON text of an object; without `atMs` the clock's time is taken. */
export type BusEntry = {
  readonly source: string;
  readonly detailType: string;
  readonly detail: string;
  readonly resources?: readonly string[] | undefined;
  readonly atMs?: number | undefined;
};

/** Where events of some detail-types go, as the JSON text of their envelope. Without detail-types, all. */
export type BusRule = {
  readonly detailTypes?: readonly string[];
  readonly target: (envelope: string) => Promise<unknown>;
};

/** An entry's outcome: taken by every target, or not taken and to be put again. */
export type BusResult =
  | { readonly eventId: string }
  | { readonly errorCode: string; readonly errorMessage: string };

/** A bus. */
export type Bus = {
  readonly name: string;
  readonly arn: string;
  /** One result for each entry, in their order. An event that no rule wants is taken and dropped. */
  readonly putEvents: (entries: readonly BusEntry[]) => Promise<readonly BusResult[]>;
};

/** How the bus behaves. */
export type BusParameters = {
  readonly name: string;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly rules: readonly BusRule[];
};

/**
 * A bus without a store of its own: an event is acknowledged when its targets have it, which with a
 * journaled queue means that it is kept.
 */
export function createBus(parameters: BusParameters): Bus {
  return {
    name: parameters.name,
    arn: localArn('events', `event-bus/${parameters.name}`),
    putEvents: (entries) => Promise.all(entries.map((entry) => put(parameters, entry))),
  };
}

async function put(parameters: BusParameters, entry: BusEntry): Promise<BusResult> {
  const detail = objectOf(entry.detail);
  if (!detail) {
    return {
      errorCode: 'MalformedDetail',
      errorMessage: 'Detail is malformed: not a JSON object.',
    };
  }
  if (entry.source === '' || entry.detailType === '') {
    const errorMessage = 'Parameter Source or DetailType is not valid. Reason: it is empty.';
    return { errorCode: 'InvalidArgument', errorMessage };
  }
  const eventId = parameters.newId();
  const envelope = JSON.stringify({
    version: '0',
    id: eventId,
    'detail-type': entry.detailType,
    source: entry.source,
    account: LOCAL_ACCOUNT,
    time: toSeconds(entry.atMs ?? parameters.clock.nowMs()),
    region: LOCAL_REGION,
    resources: entry.resources ?? [],
    detail,
  });
  const rules = parameters.rules.filter(
    ({ detailTypes }) => detailTypes?.includes(entry.detailType) ?? true,
  );
  try {
    await Promise.all(rules.map(({ target }) => target(envelope)));
    return { eventId };
  } catch (error) {
    const errorMessage = error instanceof Error ? error.message : 'a target failed';
    return { errorCode: 'InternalFailure', errorMessage };
  }
}

/** ISO-8601 in whole seconds, as EventBridge writes it. */
function toSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function objectOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What a withdrawal service imports: the flag `withdrawals-enabled`, read strongly from the ledger.
 *
 * ```ts
 * const flag = createFlagReader({ ledgerTable, controlTable, region });
 * const { enabled, text } = await flag.read({ wallet, chain, asset, destination, actor });
 * if (!enabled) refuse(text);
 * ```
 *
 * A breaker of an asset, a destination or an actor is looked at only if the question names it.
 */

import { createPolicyInForce } from '../actions/policy-in-force.ts';
import { type Question, readFlag } from '../actions/read-flag.ts';
import { fromCompiled } from '../adapters/compiled-policy.ts';
import { createDynamoClient } from '../adapters/dynamodb/client.ts';
import { createDynamoReader } from '../adapters/dynamodb/reader.ts';
import type { Flag } from '../domain/flag.ts';
import type { Clock } from '../ports.ts';
import { wallClock } from './time.ts';

/** Where to read. `endpoint` names another engine than DynamoDB; `clock` is the host's unless given. */
export type Options = {
  readonly ledgerTable: string;
  readonly controlTable: string;
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly clock?: Clock | undefined;
};

/** Reads the flag. */
export type FlagReader = {
  /** Never throws. Fail direction: closed, unknown, stale and unreachable are `enabled: false` with the reason. */
  readonly read: (question: Question) => Promise<Flag>;
};

/** A reader with its own DynamoDB client; it needs `dynamodb:BatchGetItem` and `GetItem` on both tables and nothing else. */
export function createFlagReader(options: Options): FlagReader {
  const { ledgerTable: ledger, controlTable: control, endpoint, region } = options;
  const client = createDynamoClient({ endpoint, region });
  const { decisions, policies, health } = createDynamoReader({
    client,
    tables: { ledger, control },
    wallClock,
  });
  const policy = createPolicyInForce({ decisions, policies, parse: fromCompiled });
  const clock = options.clock ?? wallClock;
  return { read: (question) => readFlag({ decisions, health, policy, clock }, question) };
}

/** Logs that concern watched wallets: of one block by its hash, or of a range that shrinks when refused. */

import type { Rpc } from './rpc.ts';
import * as Errors from './rpc.ts';
import { BY_FIRST, BY_SECOND, CONTROL } from './topics.ts';
import { topicOf, type Watch } from './watch.ts';
import { type RawLog, readRawLogs } from './wire.ts';

/** How many blocks one question spans: what worked last, remembered between ranges. */
export type Span = { blocks: number };

/** First span, blocks. Many nodes refuse more than 500 to 10 000. */
export const SPAN_FIRST = 2_000;
const SPAN_MAX = 10_000;
/** A span that worked grows by a quarter: one refusal is soon forgotten, and soon met again. */
const GROWTH_DIVISOR = 4;
/** Times that one question is halved: from the longest span down to one block. */
const HALVINGS_MAX = 14;

/** The logs of one block. @throws {InconsistentError} a log of another block. */
export async function readBlockLogs(
  rpc: Rpc,
  scope: Watch,
  block: { readonly hash: string },
): Promise<readonly RawLog[]> {
  const logs = await ask(rpc, scope, { blockHash: block.hash });
  for (const log of logs) {
    if (log.blockHash !== block.hash) {
      throw new Errors.InconsistentError({ name: rpc.name, why: 'a log is of another block' });
    }
  }
  return logs;
}

/**
 * The logs of a range, both ends included. A question that the node refuses, or is too slow for, is
 * asked again over half as many blocks; the span grows back slowly.
 *
 * @throws {RefusedError} @throws {UnreachableError} it fails for a single block too.
 */
export async function readRangeLogs(
  rpc: Rpc,
  scope: Watch,
  range: { readonly from: number; readonly to: number; readonly span: Span },
): Promise<readonly RawLog[]> {
  const { span } = range;
  const found: RawLog[] = [];
  let halvings = 0;
  for (let from = range.from; from <= range.to; ) {
    const to = Math.min(range.to, from + span.blocks - 1);
    try {
      found.push(...(await ask(rpc, scope, { fromBlock: toHex(from), toBlock: toHex(to) })));
      from = to + 1;
      halvings = 0;
      span.blocks = Math.min(SPAN_MAX, span.blocks + Math.ceil(span.blocks / GROWTH_DIVISOR));
    } catch (error) {
      const isTooLong =
        error instanceof Errors.RefusedError ||
        (error instanceof Errors.UnreachableError && error.isSlow);
      halvings += 1;
      if (!isTooLong || from === to || halvings > HALVINGS_MAX) throw error;
      span.blocks = Math.max(1, Math.floor((to - from + 1) / 2));
    }
  }
  return found;
}

/** Three questions: the wallet as first and as second indexed parameter, and what it says itself. */
async function ask(
  rpc: Rpc,
  scope: Watch,
  where: Readonly<Record<string, string>>,
): Promise<readonly RawLog[]> {
  const wallets = [...scope.addresses].map(topicOf);
  const address = [...scope.addresses];
  const answers = await Promise.all(
    [
      { ...where, topics: [BY_FIRST, wallets] },
      { ...where, topics: [BY_SECOND, null, wallets] },
      { ...where, address, topics: [[...CONTROL.keys()]] },
    ].map((filter) => rpc.call('eth_getLogs', filter)),
  );
  return answers.flatMap((value) => readRawLogs(value, { name: rpc.name, what: 'logs' }));
}

/** A number as JSON-RPC has it. */
export function toHex(value: number): string {
  return `0x${value.toString(16)}`;
}

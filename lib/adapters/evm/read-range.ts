/** Many blocks as one endpoint shows them: to fill a gap without reading each block whole. */

import type * as Block from '../../domain/block.ts';
import { headerOf, type Reading, readAllDelegations, readRaw, readWhole } from './read-block.ts';
import { readChanged } from './read-control.ts';
import { readRangeLogs, type Span } from './read-logs.ts';
import { readHasCode, readNonce } from './read-state.ts';
import { mayName } from './receipts.ts';
import { InconsistentError, type Rpc } from './rpc.ts';
import { accountAt, type Watch } from './watch.ts';
import type * as Wire from './wire.ts';

/** Blocks that are asked for at once. */
const AT_ONCE_MAX = 50;

/** A range, both ends included, with the span of its questions for logs. */
export type Range = { readonly from: number; readonly to: number; readonly span: Span };

/**
 * Reads every block of a range that the node has, each the parent of the next. Transactions from and delegations of
 * wallets are found in the blocks themselves, logs by questions over the range; only the blocks that
 * hold one, or may hold a log of one by the filter in their header, are read whole, or all of them while code stands at the address of a wallet, since then
 * native coins can leave in anybody's transaction. Nonces prove that no transaction was left out.
 *
 * @throws {InconsistentError} the blocks do not follow each other, or a log is of none of them.
 * @throws {RefusedError} @throws {UnreachableError}
 */
export async function readRange(
  rpc: Rpc,
  scope: Watch,
  range: Range,
): Promise<{ readonly blocks: readonly Block.Block[]; readonly doubts: readonly Block.Doubt[] }> {
  const raws = await readRaws(rpc, range);
  const last = raws.at(-1);
  if (!last) return { blocks: [], doubts: [] };
  const reached = { from: range.from, to: last.number, span: range.span };
  const logs = await readRangeLogs(rpc, scope, reached);
  const byNumber = new Map(raws.map((raw) => [raw.number, raw]));
  for (const log of logs) {
    if (byNumber.get(log.blockNumber)?.hash === log.blockHash) continue;
    throw new InconsistentError({ name: rpc.name, why: `a log is of no block of the range` });
  }
  const whole = new Set(logs.map((log) => log.blockNumber));
  const delegated: Block.Delegation[] = [];
  const withCode = await codeAround(rpc, scope, reached);
  const mayRunCode = withCode.length > 0;
  for (const raw of raws) {
    const isOwn = raw.transactions.some(({ from }) => scope.addresses.has(from));
    const delegations = await readAllDelegations(scope, raw);
    delegated.push(...[...delegations.values()].flat());
    // The header's filter speaks where an answer without logs would be silent.
    if (mayRunCode || isOwn || delegations.size > 0 || mayName(scope, raw)) whole.add(raw.number);
  }
  const readings: Reading[] = [];
  for (const raw of raws) {
    readings.push(
      whole.has(raw.number)
        ? await readWhole(rpc, scope, raw)
        : { block: { header: headerOf(raw), transactions: [], unexplained: [] }, doubts: [] },
    );
  }
  const doubts = readings.flatMap((reading) => reading.doubts);
  const unproven = await checkNonces(rpc, scope, { range: reached, raws, delegated });
  const blocks = readings.map(({ block }) => block);
  const told = await withChanges(rpc, scope, { blocks, withCode, before: range.from - 1 });
  return { blocks: told, doubts: [...doubts, ...unproven] };
}

/** What no log tells of contract wallets is of the last block: where in between it changed nobody asks. */
async function withChanges(
  rpc: Rpc,
  scope: Watch,
  read: {
    readonly blocks: readonly Block.Block[];
    readonly withCode: readonly Wire.Hex[];
    readonly before: number;
  },
): Promise<readonly Block.Block[]> {
  const { blocks, withCode, before } = read;
  const last = blocks.at(-1);
  if (!last || withCode.length === 0 || before < 0) return blocks;
  const events = blocks.flatMap((block) => block.transactions.flatMap((one) => one.events));
  const changed = await readChanged(rpc, scope, {
    addresses: withCode,
    before,
    after: last.header.number,
    logged: events.filter((event) => event.kind === 'control'),
  });
  return changed.length === 0 ? blocks : [...blocks.slice(0, -1), { ...last, changed }];
}

async function readRaws(rpc: Rpc, range: Range): Promise<readonly Wire.RawBlock[]> {
  const raws: Wire.RawBlock[] = [];
  for (let from = range.from; from <= range.to; from += AT_ONCE_MAX) {
    const count = Math.min(AT_ONCE_MAX, range.to - from + 1);
    const numbers = Array.from({ length: count }, (_, at) => from + at);
    for (const raw of await Promise.all(numbers.map((number) => readRaw(rpc, number)))) {
      if (!raw) return raws;
      const parent = raws.at(-1);
      if (parent && raw.parentHash !== parent.hash) {
        const why = `blocks ${range.from} to ${range.to} do not follow each other`;
        throw new InconsistentError({ name: rpc.name, why });
      }
      raws.push(raw);
    }
  }
  return raws;
}

/** Wallets at whose address code stands before or after the range. */
async function codeAround(rpc: Rpc, scope: Watch, range: Range): Promise<readonly Wire.Hex[]> {
  const found = await Promise.all(
    [...scope.addresses].map(async (address) => {
      const around = await Promise.all([
        readHasCode(rpc, address, Math.max(0, range.from - 1)),
        readHasCode(rpc, address, range.to),
      ]);
      return around.includes(true) ? [address] : [];
    }),
  );
  return found.flat();
}

/** A wallet's nonce counts its transactions: more of them than were found means that some were left out. */
async function checkNonces(
  rpc: Rpc,
  scope: Watch,
  read: {
    readonly range: Range;
    readonly raws: readonly Wire.RawBlock[];
    readonly delegated: readonly Block.Delegation[];
  },
): Promise<readonly Block.Doubt[]> {
  const { range, raws, delegated } = read;
  const doubts = await Promise.all(
    [...scope.addresses].map(async (address): Promise<readonly Block.Doubt[]> => {
      const [before, after, hasCode] = await Promise.all([
        readNonce(rpc, address, Math.max(0, range.from - 1)),
        readNonce(rpc, address, range.to),
        readHasCode(rpc, address, range.to),
      ]);
      // The nonce of a contract counts what it created.
      if (hasCode) return [];
      const where = `between blocks ${range.from} and ${range.to}`;
      if (before === undefined || after === undefined) {
        return [doubt(rpc, 'unverified', `does not keep the nonces ${where}`)];
      }
      const all = raws.flatMap((raw) => raw.transactions);
      const found = all.filter(({ from }) => from === address).length;
      // Its delegations use up nonces too, and are no transactions of its own; strangers' use up none.
      const account = accountAt(scope, address);
      const own = delegated.filter((one) => one.account === account && !one.isVoid).length;
      if (after - before <= BigInt(found + own)) return [];
      const sent = `${after - before} transactions of ${address} ${where}`;
      return [doubt(rpc, 'missing', `counts ${sent}, and shows ${found}`)];
    }),
  );
  return doubts.flat();
}

function doubt(rpc: Rpc, kind: Block.DoubtKind, said: string): Block.Doubt {
  return { kind, endpoint: rpc.name, text: `${rpc.name} ${said}` };
}

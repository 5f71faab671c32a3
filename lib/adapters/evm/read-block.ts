/** One block as one endpoint shows it. */

import type * as Block from '../../domain/block.ts';
import type { AccountId } from '../../domain/caip.ts';
import { unexplainedOf } from './balance.ts';
import { markSpent, readDelegations } from './delegations.ts';
import { readBlockLogs, toHex } from './read-logs.ts';
import { readNonce, readStates, type State } from './read-state.ts';
import { type Call, readCalls } from './read-traces.ts';
import { type Draft, eventsOf, feeOf, readReceipts, searchByBloom } from './receipts.ts';
import { InconsistentError, type Rpc } from './rpc.ts';
import { accountAt, addressOf, type Watch } from './watch.ts';
import * as Wire from './wire.ts';

/** What one endpoint showed, and why it may not be all. */
export type Reading = { readonly block: Block.Block; readonly doubts: readonly Block.Doubt[] };

/**
 * Reads a block and everything in it that concerns watched wallets; absent if the node does not have
 * it. Transactions from a wallet are read with their receipts, so that a node whose index of logs is
 * behind hides nothing of them; logs in other people's transactions are looked for with the block's
 * bloom filter, and native coins that left with balances and traces.
 *
 * @throws {InconsistentError} the answers are of different blocks: a reorg came between them.
 * @throws {RefusedError} @throws {UnreachableError}
 */
export async function readBlock(
  rpc: Rpc,
  scope: Watch,
  number: number,
): Promise<Reading | undefined> {
  const raw = await readRaw(rpc, number);
  return raw && readWhole(rpc, scope, raw);
}

/** The block at a height with its transactions, as the node has it. */
export async function readRaw(rpc: Rpc, number: number): Promise<Wire.RawBlock | undefined> {
  const value = await rpc.call('eth_getBlockByNumber', toHex(number), true);
  const raw = Wire.readRawBlock(value, { name: rpc.name, what: `block ${number}` });
  if (raw && raw.number !== number) {
    throw new InconsistentError({ name: rpc.name, why: `asked for ${number}, got ${raw.number}` });
  }
  return raw;
}

/** The rest of a block whose transactions are known. */
export async function readWhole(rpc: Rpc, scope: Watch, raw: Wire.RawBlock): Promise<Reading> {
  const [logs, states, delegations] = await Promise.all([
    readBlockLogs(rpc, scope, raw),
    readStates(rpc, scope, raw),
    readLiveDelegations(rpc, scope, raw),
  ]);
  const draft: Draft = { rpc, scope, raw, delegations, receipts: new Map(), doubts: [] };
  await readReceipts(draft, [
    ...logs.map((log) => log.transactionHash),
    ...raw.transactions.filter(({ from }) => scope.addresses.has(from)).map(({ hash }) => hash),
    ...delegations.keys(),
  ]);
  await searchByBloom(draft);
  const { calls, unexplained } = await explain(draft, states);
  const outgoing = calls.filter(({ from, path }) => path !== '' && scope.addresses.has(from));
  await readReceipts(
    draft,
    outgoing.map(({ transaction }) => transaction),
  );
  return {
    block: {
      header: headerOf(raw),
      transactions: raw.transactions.flatMap((one) => describe(draft, one, outgoing)),
      unexplained,
    },
    doubts: draft.doubts,
  };
}

/** Header of a raw block. */
export function headerOf(raw: Wire.RawHeader): Block.Header {
  const { number, hash, parentHash, timestamp } = raw;
  return { number, hash, parentHash, timestampMs: timestamp * 1_000 };
}

/** Delegations of watched wallets, by the transaction that carries them. */
export async function readAllDelegations(
  scope: Watch,
  raw: Wire.RawBlock,
): Promise<ReadonlyMap<Wire.Hex, readonly Block.Delegation[]>> {
  const found = new Map<Wire.Hex, readonly Block.Delegation[]>();
  for (const transaction of raw.transactions) {
    const delegations = await readDelegations(scope, transaction);
    if (delegations.length > 0) found.set(transaction.hash, delegations);
  }
  return found;
}

async function readLiveDelegations(
  rpc: Rpc,
  scope: Watch,
  raw: Wire.RawBlock,
): Promise<ReadonlyMap<Wire.Hex, readonly Block.Delegation[]>> {
  const all = await readAllDelegations(scope, raw);
  const nonceOf = (account: AccountId) =>
    readNonce(rpc, addressOf(account), Math.max(0, raw.number - 1));
  const marked = [...all].map(
    async ([hash, delegations]) => [hash, await markSpent(delegations, nonceOf)] as const,
  );
  return new Map(await Promise.all(marked));
}

/**
 * Traces are asked for where native coins can leave without a transaction of the wallet's own: code
 * stands at its address, or its balance fell by more than is known.
 */
async function explain(
  draft: Draft,
  states: ReadonlyMap<Wire.Hex, State> | undefined,
): Promise<{
  readonly calls: readonly Call[];
  readonly unexplained: readonly Block.Unexplained[];
}> {
  const { rpc, scope, raw, delegations, doubts } = draft;
  if (!states) doubts.push(unverified(rpc, `balances at block ${raw.number}`));
  const hasCode = !states || [...states.values()].some((state) => state.hasCode);
  const incoming = raw.transactions.filter(
    ({ to, value }) => value > 0n && to && scope.addresses.has(to),
  );
  const losses = (calls: readonly Call[]) =>
    states ? unexplainedOf({ ...draft, states, calls }) : [];
  if (!hasCode && delegations.size === 0 && losses([]).length === 0) {
    return { calls: [], unexplained: [] };
  }
  // A deposit that was reverted brought nothing: until its receipt is read it is taken to have come.
  await readReceipts(
    draft,
    incoming.map(({ hash }) => hash),
  );
  const isSure = states !== undefined && !hasCode && delegations.size === 0;
  if (isSure && losses([]).length === 0) return { calls: [], unexplained: [] };
  const calls = await readCalls(rpc, raw);
  if (calls === undefined && states) doubts.push(unverified(rpc, 'traces of contract wallets'));
  const hashes = new Set(raw.transactions.map(({ hash }) => hash));
  if (calls?.some(({ transaction }) => !hashes.has(transaction))) {
    throw new InconsistentError({ name: rpc.name, why: 'a trace is of another block' });
  }
  return { calls: calls ?? [], unexplained: losses(calls ?? []) };
}

function unverified(rpc: Rpc, what: string): Block.Doubt {
  const text = `${rpc.name} does not offer ${what}: native coins that a contract moves may go unseen`;
  return { kind: 'unverified', endpoint: rpc.name, text };
}

/** The transaction, if it concerns a watched wallet: what it says there, with what the sender paid. */
function describe(
  draft: Draft,
  raw: Wire.RawTransaction,
  outgoing: readonly Call[],
): readonly Block.Transaction[] {
  const { scope } = draft;
  const receipt = draft.receipts.get(raw.hash);
  if (!receipt) return [];
  const calls = outgoing.filter(({ transaction }) => transaction === raw.hash);
  const events = eventsOf(scope, receipt);
  const delegations = draft.delegations.get(raw.hash) ?? [];
  const isOwn = scope.addresses.has(raw.from);
  if (!isOwn && events.length + delegations.length + calls.length === 0) return [];
  const transaction: Block.Transaction = {
    hash: raw.hash,
    index: draft.raw.transactions.indexOf(raw),
    ...partiesOf(scope, raw),
    ...(receipt.contractAddress ? { created: accountAt(scope, receipt.contractAddress) } : {}),
    isReverted: receipt.status === 0,
    fee: feeOf(receipt),
    delegations,
    events,
    internal: calls
      .filter(({ value }) => value > 0n)
      .map(({ path, from, to, value }) => ({
        path,
        from: accountAt(scope, from),
        to: accountAt(scope, to),
        amount: value,
      })),
    calls: calls.map(({ from, to }) => ({
      from: accountAt(scope, from),
      to: accountAt(scope, to),
    })),
  };
  return [transaction];
}

/** What a transaction says of itself, mined or not. */
export function partiesOf(
  scope: Watch,
  raw: Wire.RawTransaction,
): Pick<Block.Transaction, 'from' | 'nonce' | 'to' | 'native' | 'value' | 'selector' | 'type'> {
  return {
    from: accountAt(scope, raw.from),
    nonce: raw.nonce,
    ...(raw.to ? { to: accountAt(scope, raw.to) } : {}),
    native: scope.native,
    value: raw.value,
    ...(raw.input.length >= 10 ? { selector: raw.input.slice(0, 10) } : {}),
    type: raw.type,
  };
}

/**
 * What one log says about watched wallets. A log is a contract's word: who that contract is, and
 * whether its word counts, is for the domain to judge.
 */

import type * as Block from '../../domain/block.ts';
import * as Topics from './topics.ts';
import { accountAt, addressIn, assetAt, type Watch } from './watch.ts';
import type { Hex, RawLog } from './wire.ts';

/** Ids in one batch that are read, at most; a longer batch is malformed. */
const BATCH_MAX = 10_000;
const WORD_DIGITS = 64;

type Decoder = (scope: Watch, log: RawLog, place: number) => Block.Event | undefined;

const DECODERS: ReadonlyMap<Hex, Decoder> = new Map<Hex, Decoder>([
  [Topics.TRANSFER, decodeTransfer],
  [Topics.APPROVAL, decodeApproval],
  [Topics.APPROVAL_FOR_ALL, decodeApprovalForAll],
  [Topics.TRANSFER_SINGLE, decodeItems],
  [Topics.TRANSFER_BATCH, decodeItems],
  [Topics.PERMIT2_APPROVAL, decodePermit2],
  [Topics.PERMIT2_PERMIT, decodePermit2],
]);

/**
 * The event in a log; absent if it concerns no watched wallet. `place` is the log's index within its
 * transaction. A known signature with a content that no standard has is `malformed`, never dropped.
 */
export function decodeLog(scope: Watch, log: RawLog, place: number): Block.Event | undefined {
  const [topic] = log.topics;
  if (topic === undefined) return undefined;
  return DECODERS.get(topic)?.(scope, log, place) ?? decodeControl(scope, log, place);
}

function decodeTransfer(scope: Watch, log: RawLog, place: number): Block.Event | undefined {
  const [, from, to, id] = log.topics;
  // Tokens from before ERC-20 was settled index nothing.
  const [first, second, third] = from === undefined ? wordsOf(log.data) : [from, to, id];
  const sender = first === undefined ? undefined : addressIn(first);
  if (sender === undefined || !scope.addresses.has(sender)) return undefined;
  const isToken721 = log.topics.length === 4;
  const amount = from === undefined ? third : wordsOf(log.data)[0];
  if (second === undefined || (amount === undefined && !isToken721)) {
    return malformed(scope, log, { place, account: sender });
  }
  const standard = isToken721 ? 'erc721' : 'erc20';
  return {
    kind: 'transfer',
    log: place,
    standard,
    asset: assetAt(scope, standard, log.address),
    from: accountAt(scope, sender),
    to: accountAt(scope, addressIn(second)),
    amount: isToken721 ? 1n : BigInt(amount ?? 0),
    tokenIds: isToken721 && id !== undefined ? [BigInt(id)] : [],
  };
}

function decodeApproval(scope: Watch, log: RawLog, place: number): Block.Event | undefined {
  const [, owner, spender, id] = log.topics;
  const sender = owner === undefined ? undefined : addressIn(owner);
  if (sender === undefined || !scope.addresses.has(sender)) return undefined;
  const [amount] = wordsOf(log.data);
  if (spender === undefined || (amount === undefined && id === undefined)) {
    return malformed(scope, log, { place, account: sender });
  }
  const to = addressIn(spender);
  const isNobody = /^0x0+$/.test(to);
  return {
    kind: 'approval',
    log: place,
    asset: assetAt(scope, id === undefined ? 'erc20' : 'erc721', log.address),
    contract: accountAt(scope, log.address),
    owner: accountAt(scope, sender),
    spender: accountAt(scope, to),
    // ERC-721 takes an approval back by approving nobody.
    amount: id === undefined ? BigInt(amount ?? 0) : isNobody ? 0n : 1n,
  };
}

function decodeApprovalForAll(scope: Watch, log: RawLog, place: number): Block.Event | undefined {
  const [, owner, operator] = log.topics;
  const sender = owner === undefined ? undefined : addressIn(owner);
  if (sender === undefined || !scope.addresses.has(sender)) return undefined;
  const [approved] = wordsOf(log.data);
  if (operator === undefined || approved === undefined) {
    return malformed(scope, log, { place, account: sender });
  }
  return {
    kind: 'approval',
    log: place,
    // ERC-721 and ERC-1155 share this event, and nothing in it tells which one the contract is.
    asset: assetAt(scope, 'erc721', log.address),
    contract: accountAt(scope, log.address),
    owner: accountAt(scope, sender),
    spender: accountAt(scope, addressIn(operator)),
    amount: BigInt(approved) === 0n ? 0n : 'everything',
  };
}

function decodePermit2(scope: Watch, log: RawLog, place: number): Block.Event | undefined {
  // Anybody can emit this event about any token: only Permit2 knows.
  if (log.address !== Topics.PERMIT2) return undefined;
  const [, owner, token, spender] = log.topics;
  const sender = owner === undefined ? undefined : addressIn(owner);
  if (sender === undefined || !scope.addresses.has(sender)) return undefined;
  const [amount] = wordsOf(log.data);
  if (token === undefined || spender === undefined || amount === undefined) {
    return malformed(scope, log, { place, account: sender });
  }
  return {
    kind: 'approval',
    log: place,
    asset: assetAt(scope, 'erc20', addressIn(token)),
    contract: accountAt(scope, log.address),
    owner: accountAt(scope, sender),
    spender: accountAt(scope, addressIn(spender)),
    amount: BigInt(amount),
  };
}

function decodeItems(scope: Watch, log: RawLog, place: number): Block.Event | undefined {
  const [topic, , from, to] = log.topics;
  const sender = from === undefined ? undefined : addressIn(from);
  if (sender === undefined || !scope.addresses.has(sender)) return undefined;
  const words = wordsOf(log.data);
  const items = topic === Topics.TRANSFER_SINGLE ? singleOf(words) : batchOf(words);
  if (to === undefined || !items) return malformed(scope, log, { place, account: sender });
  return {
    kind: 'transfer',
    log: place,
    standard: 'erc1155',
    asset: assetAt(scope, 'erc1155', log.address),
    from: accountAt(scope, sender),
    to: accountAt(scope, addressIn(to)),
    amount: items.values.reduce((sum, value) => sum + value, 0n),
    tokenIds: items.ids,
  };
}

type Items = { readonly ids: readonly bigint[]; readonly values: readonly bigint[] };

function singleOf([id, value]: readonly Hex[]): Items | undefined {
  return id === undefined || value === undefined
    ? undefined
    : { ids: [BigInt(id)], values: [BigInt(value)] };
}

/** Two dynamic arrays, each at its own offset. */
function batchOf(words: readonly Hex[]): Items | undefined {
  const ids = arrayAt(words, words[0]);
  const values = arrayAt(words, words[1]);
  return ids && values && ids.length === values.length ? { ids, values } : undefined;
}

function arrayAt(words: readonly Hex[], offset: Hex | undefined): readonly bigint[] | undefined {
  const start = offset === undefined ? -1 : Number(BigInt(offset)) / 32;
  const length = words[start] === undefined ? -1 : Number(BigInt(words[start]));
  if (length < 0 || length > BATCH_MAX || start + 1 + length > words.length) return undefined;
  return words.slice(start + 1, start + 1 + length).map(BigInt);
}

function decodeControl(scope: Watch, log: RawLog, place: number): Block.Event | undefined {
  const [topic, ...indexed] = log.topics;
  const known = topic === undefined ? undefined : Topics.CONTROL.get(topic);
  if (!known || !scope.addresses.has(log.address)) return undefined;
  const word =
    known.word === undefined ? undefined : [...indexed, ...wordsOf(log.data)][known.word];
  return {
    kind: 'control',
    log: place,
    account: accountAt(scope, log.address),
    change: known.change,
    ...(word === undefined ? {} : { about: accountAt(scope, addressIn(word)) }),
  };
}

function malformed(
  scope: Watch,
  log: RawLog,
  at: { readonly place: number; readonly account: Hex },
): Block.Event {
  return {
    kind: 'malformed',
    log: at.place,
    contract: accountAt(scope, log.address),
    account: accountAt(scope, at.account),
  };
}

/** The whole words in data; a rest that fills none is left out. */
export function wordsOf(data: Hex): readonly Hex[] {
  const count = Math.floor((data.length - 2) / WORD_DIGITS);
  return Array.from({ length: count }, (_, at): Hex => {
    const start = 2 + at * WORD_DIGITS;
    return `0x${data.slice(start, start + WORD_DIGITS)}`;
  });
}

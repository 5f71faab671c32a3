/** The node of one schedule, which may be down or behind, and the real watcher that reads it. */

import { createDoubtTeller, type TellDoubts } from '../../lib/actions/tell-doubts.ts';
import { watchChain } from '../../lib/actions/watch-chain.ts';
import { UnavailableError } from '../../lib/adapters/evm/chain-reader.ts';
import type * as Block from '../../lib/domain/block.ts';
import type { ChainReader } from '../../lib/ports.ts';
import { CHAIN } from '../support/builders.ts';
import type { Chain } from './chain.ts';
import type { Host, Process } from './host.ts';
import type { World } from './world.ts';

/** Between two blocks. */
const BLOCK_MS = 10_000;
/** Times that a block is looked for by a second watcher at once, which another host has started. */
const TWICE_SHARE = 0.15;
const BEHIND_MAX = 3;

/** One step of the watcher, on any host unless told on which. */
export type Look = (host?: Host) => void;

/** A watcher of the chain, whose hosts remember what they have doubted. */
export function createLook(world: World, chain: Chain): Look {
  const { random, hosts } = world;
  const tellers = new WeakMap<Process, TellDoubts>();
  return (host = random.pick(hosts)) => {
    const { deps, store, process } = world.invoke(host);
    const { watches, health, alerts } = store;
    const teller = tellers.get(process) ?? createDoubtTeller({ alerts, clock: deps.clock }, CHAIN);
    tellers.set(process, teller);
    const reader = createReader(world, chain, process);
    const watched = { chain: CHAIN, reader, tellDoubts: teller };
    watchChain({ ...deps, watches, health, alerts }, watched).catch(() => undefined);
  };
}

/** Mines until the end, and looks at each block. */
export function startWatching(
  world: World,
  chain: Chain,
  to: {
    readonly look: Look;
    readonly untilMs: number;
    readonly isQuiet: (atMs: number) => boolean;
  },
): void {
  const { scheduler, random } = world;
  const { look, untilMs, isQuiet } = to;
  for (let atMs = world.plan.startMs; atMs < untilMs; atMs += BLOCK_MS) {
    if (isQuiet(atMs)) continue;
    scheduler.at(atMs, () => {
      chain.mine();
      const nowMs = scheduler.nowMs();
      scheduler.at(nowMs + random.int(3_000), () => look());
      if (random.chance(TWICE_SHARE)) scheduler.at(nowMs + random.int(3_000), () => look());
    });
  }
}

/** The chain as one host reads it: each answer is of the instant at which the node gave it. */
function createReader(world: World, chain: Chain, process: Process): ChainReader {
  const { scheduler, random, rates, plan } = world;
  const isDown = () =>
    random.chance(rates().node) ||
    plan.outages.some(
      ({ fromMs, toMs }) => scheduler.nowMs() >= fromMs && scheduler.nowMs() < toMs,
    );
  const ask = async <T>(answer: () => T): Promise<T & { readonly doubts: [] }> => {
    await process.wait(1 + random.int(40));
    if (isDown()) throw new UnavailableError({ reasons: ['it is down'] });
    const given = { ...answer(), doubts: [] as [] };
    await process.wait(1 + random.int(40));
    return given;
  };
  // The newest block that this step knows of: what it reads again lies deeper.
  let newest = chain.head(Number.POSITIVE_INFINITY);
  return {
    head: () => {
      const behind = random.chance(rates().behind) ? 1 + random.int(BEHIND_MAX) : 0;
      return ask(() => ({ head: chain.head(behind) }));
    },
    header: async (number) => (await ask(() => ({ header: chain.block(number)?.header }))).header,
    block: (number) => ask(() => ({ block: chain.block(number) })),
    blocks: async ({ from, to }) => {
      const numbers = Array.from({ length: to - from + 1 }, (_, at) => from + at);
      const given = await ask(() => ({
        blocks: numbers.flatMap((number) => chain.block(number) ?? []),
      }));
      for (const { header } of given.blocks) if (header.number > newest.number) newest = header;
      noteLags(world, given.blocks, { newest, nowMs: process.nowMs() });
      return given;
    },
    pending: () => ask(() => ({ pending: [] })),
  };
}

/**
 * How long each outflow has waited when the watcher judges it, which it does as soon as it has these
 * blocks: the age of the newest block that it knows of, and how far its block lies behind the last one
 * that counts with it.
 */
function noteLags(
  { witness }: World,
  blocks: readonly Block.Block[],
  { newest, nowMs }: { readonly newest: Block.Header; readonly nowMs: number },
): void {
  const { chains = [] } = witness.policies.get(witness.books.policyVersion) ?? {};
  const confirmations = chains.find(({ pattern }) => pattern === CHAIN)?.watch?.confirmations ?? 0;
  const deep = blocks.filter(({ header }) => header.number <= newest.number - confirmations);
  const last = deep.at(-1)?.header ?? newest;
  for (const { header, transactions } of deep) {
    const lagMs = nowMs - newest.timestampMs + last.timestampMs - header.timestampMs;
    for (const { nonce } of transactions) {
      witness.lagsMs.set(nonce, Math.max(lagMs, witness.lagsMs.get(nonce) ?? 0));
    }
  }
}

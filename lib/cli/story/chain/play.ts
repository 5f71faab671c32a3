/** The theft, played: approved withdrawals, then a thief with the key, on a chain whose blocks do not wait. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Address, Hex } from 'viem';
import { createReserveClient, type ReserveClient } from '../../../client/reserve-client.ts';
import type { Incident } from '../../../domain/breaker.ts';
import type { Flag } from '../../../domain/flag.ts';
import type { ChainStage, HotWallet, Payment } from './stage.ts';

/** A payment in a block. `atMs`: `performance.now()` when the node first showed it. */
export type Mined = { readonly payment: Payment; readonly block: bigint; readonly atMs: number };

/** The trip, as the theft's block and the first refusal of the flag place it. */
export type Trip = {
  readonly incident: Incident;
  /** The theft's block. */
  readonly block: bigint;
  /** From the block's appearance to the commit of the trip, and to a flag that says no. */
  readonly toTripMs: number;
  readonly toFlagMs: number;
  /** Blocks that had followed the theft's when the flag said no. */
  readonly blocksAfter: bigint;
};

/** A withdrawal that was refused after the trip. */
export type Refused = {
  readonly from: HotWallet;
  readonly payment: Payment;
  readonly text: string;
};

/** What is told as it happens. */
export type Telling = {
  readonly approved: (mined: readonly Mined[]) => void;
  readonly stolen: (mined: Mined) => void;
  readonly tripped: (trip: Trip) => void;
  readonly refused: (refused: Refused) => void;
};

const CUSTOMER: Address = '0x90f79bf6eb2c4f870365e785982e1f101e93b906';
/** Where CoinEx's ETH and tokens went on 12 September 2023. */
const THIEF: Address = '0x8bf8cd7f001d0584f98f53a3d82ed0ba498cc3de';
const APPROVED: readonly Payment[] = [
  { symbol: 'ETH', whole: 12n, to: CUSTOMER },
  { symbol: 'DAI', whole: 2_500n, to: CUSTOMER },
];
const FIRST: Payment = { symbol: 'ETH', whole: 4_947n, to: THIEF };
const FURTHER: readonly Payment[] = [
  { symbol: 'DAI', whole: 408_741n, to: THIEF },
  { symbol: 'GRT', whole: 2_700_000n, to: THIEF },
  { symbol: 'UNI', whole: 29_158n, to: THIEF },
];
const UNIT = 10n ** 18n;
/** Most that one transfer burns, wei. */
const FEE_MAX_WEI = UNIT / 100n;
const LOOK_EVERY_MS = 4;
const LOOKS_MAX = 2_500;

type Deps = {
  readonly stage: ChainStage;
  readonly telling: Telling;
  readonly signal: AbortSignal;
};

/** Plays all of it. @throws {TooLateError} @throws an `AbortError` once it is interrupted. */
export async function playTheft(deps: Deps): Promise<void> {
  const { stage, telling, signal } = deps;
  const client = createReserveClient({ url: `${stage.runtime.url}/reserve`, waitMs: 0 });
  try {
    await until('an enabled flag', signal, async () => (await flagOf(stage, 'hot-1')).enabled);
    await payApproved(deps, client);
    await steal(deps);
    const payment: Payment = { symbol: 'ETH', whole: 1n, to: CUSTOMER };
    const verdict = await reserve(stage, client, { id: 'w-3', from: 'hot-2', payment });
    if (verdict.verdict === 'allow') throw new TooLateError({ what: 'a refused withdrawal' });
    telling.refused({ from: 'hot-2', payment, text: verdict.text });
  } finally {
    await client.close();
  }
}

async function payApproved(deps: Deps, client: ReserveClient): Promise<void> {
  const { stage, telling, signal } = deps;
  const mined: Mined[] = [];
  const hashes: Hex[] = [];
  for (const [position, payment] of APPROVED.entries()) {
    const id = `w-${position + 1}`;
    const verdict = await reserve(stage, client, { id, from: 'hot-1', payment });
    if (verdict.verdict !== 'allow')
      throw new TooLateError({ what: `an approval: ${verdict.text}` });
    hashes.push(await stage.signAndSend('hot-1', payment));
  }
  for (const [position, payment] of APPROVED.entries()) {
    mined.push(await seen(deps, payment, hashes[position] as Hex));
  }
  const matched = () => stage.decided().filter((result) => result === 'matched-outflow').length;
  await until('the match of what left', signal, async () => matched() >= APPROVED.length);
  telling.approved(mined);
}

/** The thief sends one transfer for each block; whether anybody notices is nothing that he waits for. */
async function steal(deps: Deps): Promise<void> {
  const { stage, telling } = deps;
  const first = await seen(deps, FIRST, await stage.signAndSend('hot-1', FIRST));
  telling.stolen(first);
  const noticed = notice(deps, first);
  // What stops the thief's part below is thrown from there; this one is waited for in any case.
  noticed.catch(() => undefined);
  const [next, ...rest] = FURTHER;
  const hash = await stage.signAndSend('hot-1', next as Payment);
  telling.tripped(await noticed);
  telling.stolen(await seen(deps, next as Payment, hash));
  for (const payment of rest) {
    telling.stolen(await seen(deps, payment, await stage.signAndSend('hot-1', payment)));
  }
}

async function notice({ stage, signal }: Deps, { block, atMs }: Mined): Promise<Trip> {
  let incidentId: string | undefined;
  await until('a trip', signal, async () => {
    incidentId = (await flagOf(stage, 'hot-1')).incidentId;
    return incidentId !== undefined;
  });
  const toldAtMs = performance.now();
  const trippedAtMs = stage.runtime.lastTripAtMs() ?? toldAtMs;
  const blocksAfter = (await stage.head()) - block;
  const { incidents } = stage.runtime.world.store;
  const shown = await incidents.get(incidentId ?? '');
  // The wallet was stopped along with it; the theft's own incident says why.
  const incident = shown?.quarantinedBy ? await incidents.get(shown.quarantinedBy) : shown;
  if (!incident) throw new TooLateError({ what: 'an incident' });
  // The watcher may see a block before the node's answer about the receipt has arrived here.
  const toTripMs = Math.max(0, Math.min(trippedAtMs, toldAtMs) - atMs);
  return { incident, block, toTripMs, toFlagMs: toldAtMs - atMs, blocksAfter };
}

async function seen({ stage, signal }: Deps, payment: Payment, hash: Hex): Promise<Mined> {
  let block: bigint | undefined;
  await until('a block', signal, async () => {
    block = await stage.blockOf(hash);
    return block !== undefined;
  });
  return { payment, block: block ?? 0n, atMs: performance.now() };
}

function reserve(
  stage: ChainStage,
  client: ReserveClient,
  {
    id,
    from,
    payment,
  }: { readonly id: string; readonly from: HotWallet; readonly payment: Payment },
) {
  return client.reserve({
    withdrawalId: id,
    wallet: stage.accountId(stage.wallet(from)),
    asset: stage.assetId(payment.symbol),
    destination: stage.accountId(payment.to),
    amount: payment.whole * UNIT,
    fee: { asset: stage.assetId('ETH'), amount: FEE_MAX_WEI },
  });
}

async function flagOf({ runtime }: ChainStage, wallet: HotWallet): Promise<Flag> {
  const answer = await fetch(`${runtime.url}/flag?${new URLSearchParams({ wallet })}`);
  return (await answer.json()) as Flag;
}

async function until(
  what: string,
  signal: AbortSignal,
  look: () => Promise<boolean>,
): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    signal.throwIfAborted();
    if (await look()) return;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
  throw new TooLateError({ what });
}

/** Something that the story needs did not come. */
export class TooLateError extends Error {
  override readonly name = 'ChainTheft.TooLateError';
  constructor(details: { readonly what: string }) {
    super(`the chain's story waited in vain for ${details.what}`);
  }
}

/** The lines of the theft on a chain of this machine. */

import type { Incident } from '../../domain/breaker.ts';
import type { Paint } from './paint.ts';
import { addressOf, milliseconds } from './replay/words.ts';
import { clean, fact, padEnd, plural, wrap } from './text.ts';

/** What the lines are shown with. */
export type ChainView = { readonly paint: Paint; readonly columns: number };

/** A transfer; `block` is absent for one that was never signed. */
export type ShownTransfer = {
  readonly block?: bigint;
  readonly whole: bigint;
  readonly symbol: string;
  readonly from: string;
  readonly to: string;
};

/** A trip with its times from the moment at which the theft's block was there. */
export type ShownTrip = {
  readonly incident: Incident;
  readonly block: bigint;
  readonly blocksAfter: bigint;
  readonly toTripMs: number;
  readonly toFlagMs: number;
};

const BLOCK_COLUMNS = 10;
const SIZE_COLUMNS = 15;
const WALLETS = 2;

/** What is about to be seen. */
export function chainLines(
  { blockTimeS, watchEveryMs }: { readonly blockTimeS: number; readonly watchEveryMs: number },
  { paint, columns }: ChainView,
): readonly string[] {
  const text = `Hot wallets hot-1 and hot-2 share a key domain. Their keys are test keys that everybody knows. Breakwater asks the node for new blocks every ${watchEveryMs} ms.`;
  return [
    `${paint.bold('BREAKWATER')}  first a theft on a real chain: anvil, a block every ${blockTimeS} s`,
    '',
    ...wrap(text, columns),
    '',
  ];
}

/** A withdrawal that was approved, signed, seen on chain and matched. */
export function approvedLine(transfer: ShownTransfer, { paint }: ChainView): string {
  return `${transferText(transfer)}  ${paint.green('APPROVED')}, seen, matched`;
}

/** Stands before what the thief does. */
export function leakLines({ columns }: ChainView): readonly string[] {
  const text = 'The key leaks. The thief signs what left CoinEx in 2023, and asks nobody:';
  return ['', ...wrap(text, columns)];
}

/** A transfer of the thief. */
export function stolenLine(transfer: ShownTransfer, { paint }: ChainView): string {
  return `${transferText(transfer)}  ${paint.red('TAKEN')}`;
}

/** The trip, with its times. */
export function chainTripLines(trip: ShownTrip, { paint, columns }: ChainView): readonly string[] {
  const { incident, block, blocksAfter, toTripMs, toFlagMs } = trip;
  const later = `${plural(Number(blocksAfter), 'block')} later`;
  const times = `block ${block} → trip ${milliseconds(toTripMs)}; block ${block} → flag says no ${milliseconds(toFlagMs)}; ${later}`;
  const { kind, text } = incident.first;
  return [
    `${paint.red('TRIPPED')}  ${paint.bold(clean(incident.scope))}  (${plural(WALLETS, 'wallet')} stop)`,
    ...fact('Cause', `${kind}: ${clean(text)}`, { indent: 2, columns }),
    ...fact('Time', times, { indent: 2, columns }),
  ];
}

/** What the withdrawal service is told when it asks next. */
export function chainRefusedLines(
  transfer: ShownTransfer,
  text: string,
  { paint, columns }: ChainView,
): readonly string[] {
  const pause = 'A pause stops the service, not the thief: with the key gone, move what is left.';
  return [
    `${transferText(transfer)}  ${paint.green('REFUSED')}, not signed`,
    ...fact('Because', clean(text), { indent: 2, columns }),
    ...wrap(pause, columns),
    '',
  ];
}

/** Why there is nothing to see. */
export function leftOutLines(why: string, { columns }: ChainView): readonly string[] {
  return [...wrap(`The theft on a real chain is left out: ${clean(why)}.`, columns), ''];
}

function transferText({ block, whole, symbol, from, to }: ShownTransfer): string {
  const place = padEnd(block === undefined ? 'no block' : `block ${block}`, BLOCK_COLUMNS);
  const size = padEnd(`${whole.toLocaleString('en-US')} ${symbol}`, SIZE_COLUMNS);
  return `  ${place}${size}${clean(from)} → ${addressOf(to)}`;
}

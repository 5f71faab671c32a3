/** Single events of a replay: what the thief moved, and what was refused. */

import type * as Policy from '../../../domain/policy.ts';
import type { TimelineItem } from '../../../local/replay/timeline.ts';
import type { Paint } from '../paint.ts';
import { clean, padEnd, shorten, wrap } from '../text.ts';
import { addressOf, clockTime, sizeOf, walletOf } from './words.ts';

/** What a line of the replay is shown with. */
export type EventView = {
  readonly policy: Policy.Policy;
  readonly paint: Paint;
  readonly columns: number;
};

const SIZE_COLUMNS = 32;
const WALLET_COLUMNS = 16;

/** `13:20:59Z`, with a star where no source states the time. */
export function timeOf(item: TimelineItem): string {
  const isSynthetic = item.outflow?.synthetic.includes('time') ?? false;
  return `${clockTime(item.atMs)}${isSynthetic ? '*' : ' '}`;
}

/** The first theft, in full. */
export function firstTheftLines(item: TimelineItem, view: EventView): readonly string[] {
  const { policy, paint, columns } = view;
  const { wallet, destination } = item.detail;
  const size = paint.bold(sizeOf(policy, item));
  const way =
    item.detailType === 'outflow.observed'
      ? `Seen on chain. It names no approved withdrawal${note(item)}.`
      : `Asked of the service's own way out, and it looks approved${note(item)}.`;
  return [
    `${timeOf(item)} ${size}  ${walletOf(policy, wallet)} → ${addressOf(destination)}`,
    ...wrap(way, columns - 11).map((line) => `           ${line}`),
  ];
}

/** A further transfer of the thief on one line. */
export function theftLine(item: TimelineItem, view: EventView): string {
  const { policy, paint } = view;
  const { wallet, destination } = item.detail;
  const size = padEnd(shorten(sizeOf(policy, item), SIZE_COLUMNS), SIZE_COLUMNS);
  const from = padEnd(shorten(walletOf(policy, wallet), WALLET_COLUMNS), WALLET_COLUMNS);
  const total = item.outflow?.aggregate ? ' total' : '';
  return `${timeOf(item)} ${size} ${from} → ${addressOf(destination)}${paint.dim(total)}`;
}

/** A withdrawal that the flag refused, on one line. */
export function refusedLine(item: TimelineItem, view: EventView): string {
  const { policy, paint } = view;
  const { wallet } = item.detail;
  const actor = item.detailType === 'withdrawal.reported' ? item.detail.actor : undefined;
  const size = padEnd(shorten(sizeOf(policy, item), SIZE_COLUMNS), SIZE_COLUMNS);
  const from = padEnd(shorten(walletOf(policy, wallet), WALLET_COLUMNS), WALLET_COLUMNS);
  const who = actor === undefined ? '' : ` to ${shorten(clean(actor), 14)}`;
  return `${timeOf(item)} ${size} ${from} ${paint.green('REFUSED')}${who}`;
}

/** What of the first theft is no fact. */
function note(item: TimelineItem): string {
  const { outflow } = item;
  if (!outflow) return '';
  const invented = outflow.synthetic.filter((field) => field !== 'place');
  const stated = outflow.precision === 'exact' ? '' : ` (${clean(outflow.precision)} amount)`;
  return invented.length === 0 ? stated : `${stated}; its ${invented.join(', ')} is a stand-in`;
}

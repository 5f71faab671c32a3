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

const SIZE_COLUMNS = 29;
const WALLET_COLUMNS = 15;
const ACTOR_COLUMNS = 12;
/** Stands beside a total of many transfers. */
export const TOTAL_MARK = 'Σ';

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
  const taken = `${view.paint.red('TAKEN')} → ${addressOf(item.detail.destination)}`;
  return `${eventText(item, view.policy)} ${taken}`;
}

/** A withdrawal that the flag refused, on one line. */
export function refusedLine(item: TimelineItem, view: EventView): string {
  const actor = item.detailType === 'withdrawal.reported' ? item.detail.actor : undefined;
  const who = actor === undefined ? '' : ` ${shorten(clean(actor), ACTOR_COLUMNS)}`;
  return `${eventText(item, view.policy)} ${view.paint.green('REFUSED')}${who}`;
}

/** Time, size and paying wallet in columns. */
function eventText(item: TimelineItem, policy: Policy.Policy): string {
  const size = padEnd(shorten(sizeOf(policy, item), SIZE_COLUMNS), SIZE_COLUMNS);
  const wallet = shorten(walletOf(policy, item.detail.wallet), WALLET_COLUMNS);
  const total = item.outflow?.aggregate ? TOTAL_MARK : ' ';
  return `${timeOf(item)}${total} ${size} ${padEnd(wallet, WALLET_COLUMNS)}`;
}

/** What of the first theft is no fact. */
function note(item: TimelineItem): string {
  const { outflow } = item;
  if (!outflow) return '';
  const invented = outflow.synthetic.filter((field) => field !== 'place');
  const stated = outflow.precision === 'exact' ? '' : ` (${clean(outflow.precision)} amount)`;
  return invented.length === 0 ? stated : `${stated}; its ${invented.join(', ')} is a stand-in`;
}

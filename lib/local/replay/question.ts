/** What a withdrawal service asks the flag before it sends. */

import type { Question } from '../../actions/read-flag.ts';
import type { TimelineItem } from './timeline.ts';

/** The question about one event of a timeline. */
export function questionOf(item: TimelineItem): Question {
  const { wallet, asset, destination } = item.detail;
  const actor = item.detailType === 'withdrawal.reported' ? item.detail.actor : undefined;
  return { wallet, asset, destination, actor };
}

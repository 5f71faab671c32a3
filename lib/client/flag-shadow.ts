/** The flag for the first days of a roll-out, when nothing may be stopped. */

import type { Flag } from '../domain/flag.ts';

/** Enabled, with what it would have been beside it. Fail direction: open, by intent. */
export function inShadow(flag: Flag): Flag {
  if (flag.enabled && flag.wouldBe !== undefined) return flag;
  const text = `shadow mode: enabled; enforced it would be: ${flag.text}`;
  return { ...flag, enabled: true, wouldBe: flag.enabled, text };
}

/** What was stopped along with an incident, for those who resume it. */

import { STATUS } from './answers.ts';
import { ask } from './ask.ts';
import type { Transport } from './transport.ts';

/** Wallets that one resume can name beside its incident. */
const NAMED_MAX = 20;

/**
 * Incidents of the wallets that were stopped along with one: what a person who has looked at them
 * resumes together. Suspect destinations are never among them; each has to be named.
 *
 * @throws {StoppedError} the status cannot be read.
 */
export async function walletsAlong(
  transport: Transport,
  incidentId: string,
): Promise<readonly string[]> {
  const { value } = await ask(transport, { command: 'status' }, STATUS);
  return value.open
    .filter((one) => one.quarantinedBy === incidentId && one.scope.startsWith('wallet:'))
    .map((one) => one.incidentId)
    .slice(0, NAMED_MAX);
}

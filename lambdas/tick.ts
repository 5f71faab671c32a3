/** The clock → heartbeats through the ingress, leases of the flag. */

import { awsWorld, tickEveryMs } from '../lib/runtime/aws-world.ts';
import { tick } from '../lib/runtime/tick.ts';

export const handler = tick(awsWorld(), { everyMs: tickEveryMs() });

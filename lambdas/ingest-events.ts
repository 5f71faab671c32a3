/** Events queue → ledger, meters, breakers. */

import { awsWorld } from '../lib/runtime/aws-world.ts';
import { ingestEvents } from '../lib/runtime/ingest-events.ts';

export const handler = ingestEvents(awsWorld());

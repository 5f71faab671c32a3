/** Deliveries of custodians and node providers → events on the bus. */

import { awsWebhooks } from '../lib/runtime/aws-webhooks.ts';
import { awsWorld } from '../lib/runtime/aws-world.ts';
import { receiveWebhook } from '../lib/runtime/receive-webhook.ts';

export const handler = receiveWebhook(awsWorld(), awsWebhooks());

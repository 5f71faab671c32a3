/** Commands and questions by function URL and control topic → breakers, policy, answers. */

import { awsWorld } from '../lib/runtime/aws-world.ts';
import { operateBreaker } from '../lib/runtime/operate-breaker.ts';

export const handler = operateBreaker(awsWorld());

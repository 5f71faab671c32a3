/** Commands and questions by function URL and control topic → breakers, policy, answers. */

import { compilePolicy } from '../lib/adapters/policy-file/compile.ts';
import { awsWorld } from '../lib/runtime/aws-world.ts';
import { operateBreaker } from '../lib/runtime/operate-breaker.ts';

export const handler = operateBreaker({ ...awsWorld(), compilePolicy });

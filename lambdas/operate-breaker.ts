/** Commands and questions by function URL and control topic → breakers, policy, answers. */

import { compilePolicy } from '../lib/adapters/policy-file/compile.ts';
import { typedSignatures } from '../lib/adapters/typed-signature.ts';
import { awsWorld } from '../lib/runtime/aws-world.ts';
import { operateBreaker } from '../lib/runtime/operate-breaker.ts';
import { operatedBy } from '../lib/runtime/world.ts';

export const handler = operateBreaker(
  operatedBy(awsWorld(), { compilePolicy, signatures: typedSignatures }),
);

/** The clock → a canary outflow, its pause read back, its reset. */

import { awsDrill } from '../lib/runtime/aws-drill.ts';
import { drill } from '../lib/runtime/drill.ts';

export const handler = drill(awsDrill());

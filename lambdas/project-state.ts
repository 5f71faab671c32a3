/** Control table's stream → alerts, mirror of the flag. */

import { awsWorld } from '../lib/runtime/aws-world.ts';
import { projectState } from '../lib/runtime/project-state.ts';

export const handler = projectState(awsWorld());

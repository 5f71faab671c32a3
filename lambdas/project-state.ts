/** Control table's stream → alerts, mirror of the flag, audit chain. */

import { awsAudit } from '../lib/runtime/aws-audit.ts';
import { awsWorld } from '../lib/runtime/aws-world.ts';
import { projectState } from '../lib/runtime/project-state.ts';

export const handler = projectState(awsWorld(), awsAudit());

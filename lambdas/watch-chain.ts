/** The clock → outflows that a chain shows. */

import { awsWatcher } from '../lib/runtime/aws-watcher.ts';
import { watchChains } from '../lib/runtime/watch-chain.ts';

const { world, options } = awsWatcher();

export const handler = watchChains(world, options);

/** Control stream → messages and mirrors. */

import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { projectState as project } from '../actions/project-state.ts';
import { parseControlRecord } from '../adapters/dynamodb/control-record.ts';
import { pipeline } from './pipeline.ts';
import { measureRecord } from './record-metrics.ts';
import type { World } from './world.ts';

/**
 * The function behind the Control table's stream. Records are worked off in order; the first that
 * fails is reported, and delivery goes on from there.
 */
export function projectState(world: World) {
  return pipeline((event: DynamoDBStreamEvent) => projectBatch(world, event), {
    name: 'project-state',
    log: world.log,
    onTimeout: (): DynamoDBBatchResponse => {
      throw new Error('time ran out before the batch was projected');
    },
  });
}

async function projectBatch(
  world: World,
  event: DynamoDBStreamEvent,
): Promise<DynamoDBBatchResponse> {
  const { incidents, projections } = world.store;
  const deps = { incidents, projections, notifier: world.notifier, clock: world.clock };
  for (const record of event.Records) {
    try {
      const change = parseControlRecord(record);
      await project(deps, change);
      measureRecord(world.metrics, change);
    } catch (error) {
      const itemIdentifier = record.dynamodb?.SequenceNumber ?? '';
      const reason = error instanceof Error ? error.message : 'unknown';
      world.log.error('record not projected', { itemIdentifier, reason });
      return { batchItemFailures: [{ itemIdentifier }] };
    }
  }
  return { batchItemFailures: [] };
}

/** Control stream → messages, mirrors and the audit chain. */

import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { appendAudit } from '../actions/append-audit.ts';
import { projectState as project, tellOfAudit } from '../actions/project-state.ts';
import { parseControlRecord } from '../adapters/dynamodb/control-record.ts';
import type { AuditCopy, AuditSigner, ControlRecord } from '../ports.ts';
import { pipeline } from './pipeline.ts';
import { measureRecord } from './record-metrics.ts';
import type { World } from './world.ts';

/** Who signs the audit chain, and where its copy goes: only this function has them. */
export type Auditing = { readonly signer: AuditSigner; readonly copy: AuditCopy };

/**
 * The function behind the Control table's stream. Records are worked off in order; the first that
 * fails is reported, and delivery goes on from there. Pages go first: what the audit chain cannot take
 * now is kept for later, and holds up none of them.
 */
export function projectState(world: World, auditing: Auditing) {
  return pipeline((event: DynamoDBStreamEvent) => projectBatch(world, auditing, event), {
    name: 'project-state',
    log: world.log,
    onTimeout: (): DynamoDBBatchResponse => {
      throw new Error('time ran out before the batch was projected');
    },
  });
}

async function projectBatch(
  world: World,
  auditing: Auditing,
  event: DynamoDBStreamEvent,
): Promise<DynamoDBBatchResponse> {
  const { incidents, projections } = world.store;
  const deps = { incidents, projections, notifier: world.notifier, clock: world.clock };
  const read: ControlRecord[] = [];
  for (const record of event.Records) {
    try {
      const parsed = parseControlRecord(record);
      read.push(parsed);
      await project(deps, parsed);
      measureRecord(world.metrics, parsed);
    } catch (error) {
      const itemIdentifier = record.dynamodb?.SequenceNumber ?? '';
      const reason = error instanceof Error ? error.message : 'unknown';
      world.log.error('record not projected', { itemIdentifier, reason });
      await audit(world, auditing, read).catch(() => undefined);
      return { batchItemFailures: [{ itemIdentifier }] };
    }
  }
  if (await audit(world, auditing, read)) return { batchItemFailures: [] };
  const itemIdentifier = event.Records[0]?.dynamodb?.SequenceNumber ?? '';
  return { batchItemFailures: [{ itemIdentifier }] };
}

/** Whether everything that was read is in the chain or kept for it; else the batch has to come again. */
async function audit(
  world: World,
  auditing: Auditing,
  records: readonly ControlRecord[],
): Promise<boolean> {
  const { store, clock, digest, sleep, random, log } = world;
  const deps = { audit: store.audit, ...auditing, clock, digest, sleep, random };
  try {
    const problems = await appendAudit(deps, records);
    if (problems.length === 0) return true;
    const reasons = problems.map(({ message }) => message);
    log.error('audit chain behind', { reasons });
    await tellOfAudit({ ...world, ...store }, reasons).catch(() => undefined);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    log.error('audit chain not written', { reason });
    return false;
  }
}

/** Records of the Control table's stream, as Lambda delivers them, in the domain's words. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { ControlRecord } from '../../ports.ts';
import type { Attributes } from './attributes.ts';
import * as AuditCodec from './audit-codec.ts';
import * as Codec from './control-codec.ts';
import { CAUSE_PREFIX, CONTROL_PK } from './keys.ts';
import { fromPolicy } from './policy-codec.ts';
import { fromProposal } from './proposal-codec.ts';

/** Attributes in the stream's own type. */
type Image = NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>;

const IGNORED: ControlRecord = { type: 'ignored' };

/**
 * Reads one record. An engine may report a change that changed nothing, and the projections' own
 * rows come along too: both are `ignored`, as is a deletion.
 *
 * @throws {Store.UnreadableError} a row of ours that is not as we write it; the caller reports it as failed.
 */
export function parseControlRecord(record: DynamoDBRecord): ControlRecord {
  const image = record.dynamodb?.NewImage;
  if (!image) return IGNORED;
  if (record.eventName === 'INSERT') return inserted(toAttributes(image));
  if (record.eventName === 'MODIFY') {
    return modified(toAttributes(image), toAttributes(record.dynamodb?.OldImage ?? {}));
  }
  return IGNORED;
}

function inserted(image: Attributes): ControlRecord {
  const pk = image.pk?.S ?? '';
  if (pk.startsWith(CAUSE_PREFIX)) return { type: 'cause-added', ...Codec.fromCause(image) };
  switch (pk) {
    case CONTROL_PK.incident:
      return { type: 'incident-opened', incident: Codec.fromIncident(image) };
    case CONTROL_PK.alert:
      return { type: 'alert-raised', alert: Codec.fromAlert(image) };
    case CONTROL_PK.policy:
      return { type: 'policy-applied', policy: fromPolicy(image) };
    case CONTROL_PK.proposal:
      return { type: 'proposal-changed', proposal: fromProposal(image) };
    case CONTROL_PK.entry:
      return { type: 'entry-added', entry: AuditCodec.fromEntry(image) };
    default:
      return IGNORED;
  }
}

function modified(image: Attributes, before: Attributes): ControlRecord {
  if (image.pk?.S === CONTROL_PK.proposal && image.b?.S !== before.b?.S) {
    return { type: 'proposal-changed', proposal: fromProposal(image) };
  }
  if (image.pk?.S !== CONTROL_PK.incident || image.b?.S === before.b?.S) return IGNORED;
  const isClosed = image.st?.S === 'closed' && before.st?.S !== 'closed';
  const incident = Codec.fromIncident(image);
  if (isClosed) return { type: 'incident-closed', incident };
  const known = before.b ? Codec.fromIncident(before).resuming : undefined;
  const isNew = incident.resuming !== undefined && incident.resuming.epoch !== known?.epoch;
  return { type: isNew ? 'incident-resuming' : 'incident-changed', incident };
}

/** This table's attributes are texts; anything else in a record is not ours and is left out. */
function toAttributes(image: Image): Attributes {
  return Object.fromEntries(
    Object.entries(image).flatMap(([name, { S }]): [string, AttributeValue][] =>
      S === undefined ? [] : [[name, { S }]],
    ),
  );
}

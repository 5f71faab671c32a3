/**
 * Fireblocks' webhooks v2: what a custodian says of the transactions it signs, on any of its chains.
 * `COMPLETED` is an outflow; what was refused or failed before it was signed ends its withdrawal.
 */

import * as Caip from '../../domain/caip.ts';
import {
  type Delivery,
  mustBeTaken,
  type Outgoing,
  type Reading,
  readBody,
  readPart,
} from './delivery.ts';
import { endOf } from './fireblocks-end.ts';
import { type FireblocksDeps, legsOf } from './fireblocks-legs.ts';
import type { FireblocksSettings } from './fireblocks-settings.ts';
import {
  given,
  notificationShape,
  type Transaction,
  transactionShape,
} from './fireblocks-transaction.ts';
import { UnmappedError, UnsignedError } from './refusals.ts';

/** Longest body that is read, bytes. */
export const FIREBLOCKS_BODY_MAX_BYTES = 262_144;

const READ_TYPES: ReadonlySet<string> = new Set([
  'transaction.created',
  'transaction.status.updated',
]);

/**
 * The events of a notification that Fireblocks signed.
 * Fail direction: closed, a vault account, an asset or an amount that is not understood is refused
 * with its name, and Fireblocks sends it again.
 *
 * @throws {UnsignedError} it is about the workspace of somebody else.
 * @throws {MalformedError} {@link UnmappedError} {@link LaterError}
 */
export async function readFireblocks(deps: FireblocksDeps, delivery: Delivery): Promise<Reading> {
  const notification = readBody(notificationShape, delivery.body);
  if (notification.workspaceId !== deps.settings.workspaceId) {
    throw new UnsignedError({ why: 'it is about another workspace' });
  }
  if (!READ_TYPES.has(notification.eventType)) {
    return without(notification.eventType, 'this type of event is not read');
  }
  const transaction = readPart(transactionShape, notification.data, 'data');
  const why = notOurs(deps.settings, transaction);
  if (why !== undefined) return without(transaction.id, why);
  const read = await readTransaction(deps, transaction);
  return 'left' in read ? read : { events: mustBeTaken(read), left: [] };
}

/** Why a transaction is no concern of ours. @throws {UnmappedError} nobody said whose vault account it is. */
function notOurs(settings: FireblocksSettings, { source }: Transaction): string | undefined {
  if (source?.type !== 'VAULT_ACCOUNT') return 'it does not leave a vault account';
  const vault = given(source.id);
  if (vault !== undefined && settings.ignoredVaults.has(vault))
    return 'its vault account is ignored';
  if (vault !== undefined && settings.vaults.has(vault)) return undefined;
  throw new UnmappedError({
    problems: [
      `data.source.id: vault account "${vault}" is neither in vaults nor in ignoredVaults`,
    ],
  });
}

async function readTransaction(
  deps: FireblocksDeps,
  transaction: Transaction,
): Promise<readonly Outgoing[] | Reading> {
  switch (transaction.status) {
    case 'COMPLETED':
      return completed(deps, transaction);
    case 'FAILED':
    case 'CANCELLED':
    case 'REJECTED':
    case 'BLOCKED': {
      const end = endOf(transaction);
      return 'why' in end ? without(transaction.id, end.why) : [end];
    }
    default:
      return without(transaction.id, `${transaction.status} is not the end of it`);
  }
}

async function completed(
  deps: FireblocksDeps,
  transaction: Transaction,
): Promise<readonly Outgoing[] | Reading> {
  const mapped = deps.settings.assets.get(transaction.assetId ?? '');
  if (!mapped) {
    throw new UnmappedError({
      problems: [`data.assetId: "${transaction.assetId}" is not in assets`],
    });
  }
  const chain = Caip.chainOf(mapped.asset);
  if (chain.startsWith('eip155:') && !deps.settings.counted[chain]) {
    return without(transaction.id, 'the watcher of its chain counts it');
  }
  return legsOf(deps, { transaction, mapped, chain });
}

function without(what: string, why: string): Reading {
  return { events: [], left: [{ what, why }] };
}

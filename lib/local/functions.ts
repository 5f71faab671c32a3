/** The deployed functions, connected to the in-process services as event source mappings connect them. */

import { join } from 'node:path';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type CloseEvent, closeWithdrawal } from '../runtime/close-withdrawal.ts';
import { ingestEvents } from '../runtime/ingest-events.ts';
import { operateBreaker, type UrlEvent } from '../runtime/operate-breaker.ts';
import { projectState } from '../runtime/project-state.ts';
import { receiveWebhook, type WebhookEvent } from '../runtime/receive-webhook.ts';
import { type ReserveEvent, reserveWithdrawal } from '../runtime/reserve-withdrawal.ts';
import { fileCheckpoint } from './checkpoint.ts';
import { localContext } from './context.ts';
import { localAudit } from './local-audit.ts';
import { localWebhooks } from './local-webhooks.ts';
import type { Local } from './local-world.ts';
import { createStreamPoller } from './stream-poller.ts';

/** Time-outs, as the constructs set them, ms. */
const TIMEOUT_MS = {
  ingest: 15_000,
  project: 30_000,
  operate: 20_000,
  reserve: 8_000,
  close: 8_000,
  receive: 20_000,
};
/** Who may accept admissions of requests that name nobody, as the constructs set it. */
const AUDIENCE = 'signer';
/** Rows that are nobody's news do not wake `project-state`: the event source mapping's filter. */
const OWN_ROWS: ReadonlySet<string> = new Set([
  'flag',
  'page',
  'watch',
  'closed',
  'audit',
  'audit-entry',
  'audit-head',
  'audit-wait',
]);

/** The functions, running. */
export type Functions = {
  readonly operate: (event: UrlEvent) => Promise<APIGatewayProxyStructuredResultV2 | undefined>;
  readonly reserve: (event: ReserveEvent) => Promise<APIGatewayProxyStructuredResultV2>;
  readonly close: (event: CloseEvent) => Promise<APIGatewayProxyStructuredResultV2>;
  readonly receive: (event: WebhookEvent) => Promise<APIGatewayProxyStructuredResultV2>;
  /** Resolves when the queue is empty and the stream is projected. */
  readonly idle: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Starts to deliver. */
export async function connectFunctions(
  local: Local,
  at: { readonly folder: string; readonly webhookSecrets?: string | undefined },
): Promise<Functions> {
  const { world, services } = local;
  const receive = receiveWebhook(world, await localWebhooks(world, at.webhookSecrets));
  const ingest = ingestEvents(world);
  const project = projectState(world, await localAudit(at.folder));
  const command = operateBreaker(world);
  const reserve = reserveWithdrawal(world, { audience: AUDIENCE });
  const close = closeWithdrawal(world);
  services.events.consume({
    handler: (event) => ingest(event, localContext('ingest-events', TIMEOUT_MS.ingest)),
  });
  services.control.subscribe({
    kind: 'lambda',
    name: 'operate-breaker',
    handler: (event) => command(event, localContext('operate-breaker', TIMEOUT_MS.operate)),
  });
  const poller = createStreamPoller({
    client: local.streams,
    streamArn: local.controlStreamArn,
    checkpoint: fileCheckpoint(join(at.folder, 'checkpoints'), local.controlStreamArn),
    handler: (event) => project(event, localContext('project-state', TIMEOUT_MS.project)),
    filter: (record) => !OWN_ROWS.has(record.dynamodb?.Keys?.pk?.S ?? ''),
    onFailure: (_record, reason) =>
      world.log.error('projection given up', { reason: String(reason) }),
    onError: (error) => {
      const reason = error instanceof Error ? error.message : 'unknown';
      world.log.error('local runtime', { where: 'control stream', reason });
    },
  });
  return {
    operate: (event) => command(event, localContext('operate-breaker', TIMEOUT_MS.operate)),
    reserve: (event) => reserve(event, localContext('reserve-withdrawal', TIMEOUT_MS.reserve)),
    close: (event) => close(event, localContext('close-withdrawal', TIMEOUT_MS.close)),
    receive: (event) => receive(event, localContext('receive-webhook', TIMEOUT_MS.receive)),
    idle: async () => {
      await services.events.idle();
      await poller.idle();
      await services.alerts.idle();
    },
    stop: () => poller.stop(),
  };
}

/** Sends events through the bus, as any producer does. */

import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { EventSender } from '../../ports.ts';

/** A sender over a bus. Throws when the bus does not take the event. */
export function createEventBridgeSender(
  client: EventBridgeClient,
  bus: { readonly name: string; readonly source: string },
): EventSender {
  return {
    send: async ({ detailType, detail }) => {
      const answer = await client.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: bus.name,
              Source: bus.source,
              DetailType: detailType,
              Detail: JSON.stringify(detail),
            },
          ],
        }),
      );
      if (answer.FailedEntryCount) throw new RefusedError({ code: answer.Entries?.[0]?.ErrorCode });
    },
  };
}

/** The bus did not take an event. */
export class RefusedError extends Error {
  override readonly name = 'EventBridgeSender.RefusedError';
  constructor(details: { readonly code: string | undefined }) {
    super(`the event bus refused the event: ${details.code ?? 'no code given'}`);
  }
}

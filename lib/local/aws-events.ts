/** The call of EventBridge that the product makes, over in-process buses (JSON 1.1 protocol). */

import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import type { Bus, BusEntry, BusResult } from './bus.ts';

/** EventBridge takes no more at once. */
const ENTRIES_MAX = 10;
const DEFAULT_BUS = 'default';

const putSchema = z.object({
  Entries: z
    .array(
      z.object({
        Source: z.string().default(''),
        DetailType: z.string().default(''),
        Detail: z.string().default(''),
        Resources: z.array(z.string()).optional(),
        EventBusName: z.string().default(DEFAULT_BUS),
        Time: z.number().optional(),
      }),
    )
    .min(1)
    .max(ENTRIES_MAX),
});

type Entry = z.infer<typeof putSchema>['Entries'][number];

/**
 * Answers one call.
 *
 * @throws {AwsError} for an unknown operation or bus, and for input that EventBridge would refuse.
 */
export async function callEvents(
  buses: readonly Bus[],
  call: { readonly operation: string; readonly input: unknown },
): Promise<object> {
  if (call.operation !== 'PutEvents') {
    throw new AwsError({
      code: 'UnknownOperationException',
      message: `the embedded runtime does not know ${call.operation}`,
    });
  }
  const parsed = putSchema.safeParse(call.input);
  if (!parsed.success) {
    throw new AwsError({ code: 'ValidationException', message: z.prettifyError(parsed.error) });
  }
  const routed = parsed.data.Entries.map((entry) => ({ entry, bus: busOf(buses, entry) }));
  const results = await Promise.all(
    routed.map(async ({ entry, bus }) => (await bus.putEvents([toBusEntry(entry)])).map(toWire)),
  );
  const Entries = results.flat();
  return { FailedEntryCount: Entries.filter((entry) => 'ErrorCode' in entry).length, Entries };
}

function busOf(buses: readonly Bus[], entry: Entry): Bus {
  const bus = buses.find(({ name, arn }) => [name, arn].includes(entry.EventBusName));
  if (bus) return bus;
  throw new AwsError({
    code: 'ResourceNotFoundException',
    message: `Event bus ${entry.EventBusName} does not exist.`,
  });
}

function toBusEntry(entry: Entry): BusEntry {
  return {
    source: entry.Source,
    detailType: entry.DetailType,
    detail: entry.Detail,
    resources: entry.Resources,
    atMs: entry.Time === undefined ? undefined : entry.Time * 1_000,
  };
}

function toWire(result: BusResult): object {
  return 'eventId' in result
    ? { EventId: result.eventId }
    : { ErrorCode: result.errorCode, ErrorMessage: result.errorMessage };
}

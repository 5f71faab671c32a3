/** A message of the in-process queue: as Lambda receives it, and as the journal keeps it. */

import { createHash } from 'node:crypto';
import type { SQSMessageAttributes, SQSRecord } from 'aws-lambda';
import { z } from 'zod';
import { LOCAL_ACCOUNT, LOCAL_REGION } from './local-account.ts';

const messageSchema = z.object({
  messageId: z.string().min(1),
  body: z.string(),
  attributes: z.record(
    z.string(),
    z.object({
      dataType: z.string(),
      stringValue: z.string().optional(),
      binaryValue: z.string().optional(),
    }),
  ),
  sentAtMs: z.number(),
  receiveCount: z.number().int().nonnegative(),
  firstReceivedAtMs: z.number().optional(),
});

const entrySchema = z.discriminatedUnion('op', [
  z.object({ op: z.literal('send'), message: messageSchema }),
  z.object({
    op: z.literal('receive'),
    messageId: z.string(),
    receiveCount: z.number(),
    firstReceivedAtMs: z.number().optional(),
  }),
  z.object({ op: z.literal('delete'), messageId: z.string() }),
]);

/** A message as it was sent, and how often it has been handed out since. Times in ms. */
export type Message = {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: SQSMessageAttributes;
  readonly sentAtMs: number;
  readonly receiveCount: number;
  readonly firstReceivedAtMs?: number | undefined;
};

type Receipts = Pick<Message, 'receiveCount' | 'firstReceivedAtMs'>;

/** What happened to a message. */
export type JournalEntry =
  | { readonly op: 'send'; readonly message: Message }
  | ({ readonly op: 'receive'; readonly messageId: string } & Receipts)
  | { readonly op: 'delete'; readonly messageId: string };

/** The message after it was handed out once more. */
export function received(message: Message, atMs: number): Message {
  return {
    ...message,
    receiveCount: message.receiveCount + 1,
    firstReceivedAtMs: message.firstReceivedAtMs ?? atMs,
  };
}

/** How often the message was handed out, and when first. */
export function receiptsOf({ receiveCount, firstReceivedAtMs }: Receipts): Receipts {
  return { receiveCount, firstReceivedAtMs };
}

/** MD5 of the body in hex; the SDK compares it to find corruption. */
export function md5Of(body: string): string {
  return createHash('md5').update(body).digest('hex');
}

/** The message as a record of Lambda's `SQSEvent`. */
export function toSqsRecord(
  message: Message,
  delivery: { readonly receiptHandle: string; readonly arn: string },
): SQSRecord {
  return {
    messageId: message.messageId,
    receiptHandle: delivery.receiptHandle,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receiveCount),
      SentTimestamp: String(message.sentAtMs),
      SenderId: LOCAL_ACCOUNT,
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedAtMs ?? message.sentAtMs),
    },
    messageAttributes: message.attributes,
    md5OfBody: md5Of(message.body),
    eventSource: 'aws:sqs',
    eventSourceARN: delivery.arn,
    awsRegion: LOCAL_REGION,
  };
}

/** One line of the journal. */
export function toLine(entry: JournalEntry): string {
  return JSON.stringify(entry);
}

/**
 * The messages that are still there after these lines, by id, in the order sent. A line about a
 * message that is unknown or known already changes nothing.
 *
 * @throws {CorruptError} on a line that is none: going on without it could lose a message.
 */
export function fromLines(lines: readonly string[]): Map<string, Message> {
  const messages = new Map<string, Message>();
  for (const [index, line] of lines.entries()) {
    const entry = fromLine(line);
    if (!entry) throw new CorruptError({ lineNumber: index + 1 });
    apply(messages, entry);
  }
  return messages;
}

function fromLine(line: string): JournalEntry | undefined {
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function apply(messages: Map<string, Message>, entry: JournalEntry): void {
  switch (entry.op) {
    case 'send':
      if (!messages.has(entry.message.messageId)) {
        messages.set(entry.message.messageId, entry.message);
      }
      return;
    case 'receive': {
      const known = messages.get(entry.messageId);
      if (known && known.receiveCount < entry.receiveCount) {
        messages.set(entry.messageId, { ...known, ...receiptsOf(entry) });
      }
      return;
    }
    case 'delete':
      messages.delete(entry.messageId);
      return;
    default:
      entry satisfies never;
  }
}

/** A line of the journal cannot be read. */
export class CorruptError extends Error {
  override readonly name = 'QueueMessage.CorruptError';
  constructor(details: { readonly lineNumber: number }) {
    super(
      `line ${details.lineNumber} of the journal cannot be read; repair or remove that line, or give another folder`,
    );
  }
}

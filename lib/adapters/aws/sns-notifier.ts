/** Sends messages to people through an SNS topic. */

import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Notifier } from '../../ports.ts';

/** SNS takes subjects of less than 100 characters; the first line of the body carries the whole one. */
const SNS_SUBJECT_MAX = 99;

/** A notifier over a topic. Throws when SNS does not take the message; the caller delivers again. */
export function createSnsNotifier(client: SNSClient, topicArn: string): Notifier {
  return {
    send: async ({ subject, body, severity }) => {
      await client.send(
        new PublishCommand({
          TopicArn: topicArn,
          Subject: toSubject(subject),
          // The SDK cannot encode half a character, and a page must not be lost for one.
          Message: `${subject}\n\n${body}`.toWellFormed(),
          MessageAttributes: { severity: { DataType: 'String', StringValue: severity } },
        }),
      );
    },
  };
}

/** SNS subjects are ASCII without line breaks. */
function toSubject(subject: string): string {
  const ascii = subject.replaceAll('…', '...').replaceAll(/[^\x20-\x7e]/g, '?');
  return ascii.length <= SNS_SUBJECT_MAX ? ascii : `${ascii.slice(0, SNS_SUBJECT_MAX - 3)}...`;
}

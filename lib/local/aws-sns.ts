/** The call of SNS that the product makes, over in-process topics (query protocol, XML answers). */

import type { SNSMessageAttributes } from 'aws-lambda';
import { AwsError } from './aws-error.ts';
import type { Topic } from './topic.ts';

/** SNS takes no more. */
const MESSAGE_MAX_BYTES = 262_144;
const SUBJECT_MAX_CHARS = 100;
const ATTRIBUTES_MAX = 10;
const CONTROL_CHARACTER = /\p{Cc}/u;
const NAMESPACE = 'http://sns.amazonaws.com/doc/2010-03-31/';

/**
 * Answers one call with XML.
 *
 * @param form the call's form fields.
 * @throws {AwsError} for an unknown action or topic, and for input that SNS would refuse.
 */
export async function callSns(topics: readonly Topic[], form: URLSearchParams): Promise<string> {
  const action = form.get('Action');
  if (action !== 'Publish') {
    throw new AwsError({
      code: 'InvalidAction',
      message: `the embedded runtime does not know ${action}`,
    });
  }
  const topic = topics.find(({ arn }) => arn === form.get('TopicArn'));
  if (!topic)
    throw new AwsError({ code: 'NotFound', message: 'Topic does not exist', status: 404 });
  const message = form.get('Message') ?? '';
  const subject = form.get('Subject') ?? undefined;
  refuseInvalid({ message, subject });
  const messageId = await topic.publish({ message, subject, attributes: attributesOf(form) });
  return (
    `<PublishResponse xmlns="${NAMESPACE}"><PublishResult><MessageId>${escapeXml(messageId)}</MessageId></PublishResult>` +
    `<ResponseMetadata><RequestId>${escapeXml(messageId)}</RequestId></ResponseMetadata></PublishResponse>`
  );
}

/** The error as SNS answers it. */
export function toSnsError(error: AwsError): string {
  const type = error.status < 500 ? 'Sender' : 'Receiver';
  return (
    `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>${type}</Type><Code>${escapeXml(error.code)}</Code>` +
    `<Message>${escapeXml(error.message)}</Message></Error><RequestId>local</RequestId></ErrorResponse>`
  );
}

function refuseInvalid(publication: {
  readonly message: string;
  readonly subject: string | undefined;
}): void {
  const { message, subject } = publication;
  if (message === '') {
    throw new AwsError({ code: 'InvalidParameter', message: 'Invalid parameter: Empty message' });
  }
  if (Buffer.byteLength(message) > MESSAGE_MAX_BYTES) {
    throw new AwsError({
      code: 'InvalidParameter',
      message: 'Invalid parameter: Message too long',
    });
  }
  if (subject === undefined) return;
  if (subject === '' || subject.length > SUBJECT_MAX_CHARS || CONTROL_CHARACTER.test(subject)) {
    throw new AwsError({ code: 'InvalidParameter', message: 'Invalid parameter: Subject' });
  }
}

function attributesOf(form: URLSearchParams): SNSMessageAttributes {
  const attributes: SNSMessageAttributes = {};
  for (let place = 1; place <= ATTRIBUTES_MAX; place++) {
    const entry = `MessageAttributes.entry.${place}`;
    const name = form.get(`${entry}.Name`);
    if (name === null) break;
    attributes[name] = {
      Type: form.get(`${entry}.Value.DataType`) ?? 'String',
      Value: form.get(`${entry}.Value.StringValue`) ?? form.get(`${entry}.Value.BinaryValue`) ?? '',
    };
  }
  return attributes;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

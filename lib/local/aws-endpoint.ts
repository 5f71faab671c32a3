/**
 * One address for the SDK clients of SNS, SQS and EventBridge: enough of the real protocols that the
 * deployed code runs unchanged over the in-process services.
 */

import { AwsError } from './aws-error.ts';
import { callEvents } from './aws-events.ts';
import { callSns, toSnsError } from './aws-sns.ts';
import { callSqs } from './aws-sqs.ts';
import type { Bus } from './bus.ts';
import { type HttpRequest, type HttpResponse, startHttpServer } from './http-server.ts';
import { LOCAL_ACCOUNT } from './local-account.ts';
import type { Queue } from './queue.ts';
import type { Topic } from './topic.ts';

/** What is behind the address. */
export type AwsEndpointParameters = {
  readonly queues: readonly Queue[];
  readonly topics: readonly Topic[];
  readonly buses: readonly Bus[];
  readonly port?: number;
  /** Told what failed inside; the client gets an error that it may try again. */
  readonly onError?: (error: unknown) => void;
};

/** A running address. */
export type AwsEndpoint = {
  readonly endpoint: string;
  readonly queueUrl: (name: string) => string;
  readonly stop: () => Promise<void>;
};

/** Form encoding makes a message of the largest size up to three times as long. */
const BODY_MAX_BYTES = 1024 * 1024;

/**
 * Starts the address on loopback. Calls that it does not know get an AWS error that says so.
 *
 * @throws {HttpServer.PortError} if the port cannot be had.
 */
export async function startAwsEndpoint(parameters: AwsEndpointParameters): Promise<AwsEndpoint> {
  const handle = (request: HttpRequest) => {
    const [service, operation] = `${request.headers['x-amz-target'] ?? ''}`.split('.', 2);
    return service
      ? json(parameters, { request, service, operation: operation ?? '' })
      : query(parameters, request);
  };
  const server = await startHttpServer({
    routes: [{ method: 'POST', path: '/', handle }],
    port: parameters.port,
    bodyMaxBytes: BODY_MAX_BYTES,
    onError: parameters.onError ?? (() => {}),
  });
  return {
    endpoint: server.endpoint,
    queueUrl: (name) => `${server.endpoint}/${LOCAL_ACCOUNT}/${name}`,
    stop: server.stop,
  };
}

async function json(
  parameters: AwsEndpointParameters,
  call: { readonly request: HttpRequest; readonly service: string; readonly operation: string },
): Promise<HttpResponse> {
  const { request, service, operation } = call;
  const headers = {
    'content-type': request.headers['content-type'] ?? 'application/x-amz-json-1.0',
  };
  try {
    const input = request.json();
    return {
      status: 200,
      headers,
      body: await callJson(parameters, { service, operation, input }),
    };
  } catch (error) {
    const { status, code, message } = toAwsError(parameters, error);
    return { status, headers, body: { __type: code, message } };
  }
}

async function callJson(
  parameters: AwsEndpointParameters,
  call: { readonly service: string; readonly operation: string; readonly input: unknown },
): Promise<object> {
  if (call.service === 'AmazonSQS') return callSqs(parameters.queues, call);
  if (call.service === 'AWSEvents') return callEvents(parameters.buses, call);
  const message = `the embedded runtime does not know ${call.service}`;
  throw new AwsError({ code: 'UnknownOperationException', message });
}

async function query(
  parameters: AwsEndpointParameters,
  request: HttpRequest,
): Promise<HttpResponse> {
  const headers = { 'content-type': 'text/xml' };
  try {
    const body = await callSns(parameters.topics, new URLSearchParams(request.text));
    return { status: 200, headers, body };
  } catch (error) {
    const refused = toAwsError(parameters, error);
    return { status: refused.status, headers, body: toSnsError(refused) };
  }
}

/** What is no fault of the request is one that the SDK tries again. */
function toAwsError(parameters: AwsEndpointParameters, error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  parameters.onError?.(error);
  return new AwsError({
    code: 'InternalFailure',
    message: 'the request failed inside',
    status: 500,
  });
}

import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a caller signs with. */
export const KEYS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI',
  sessionToken: 'token-1',
};

/** One call as it arrived. */
export type Call = {
  readonly service: 'cloudformation' | 'events' | 'lambda';
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** CloudFormation, EventBridge and a function URL on one port; a call with a wrong signature gets 403. */
export type FakeAws = {
  readonly url: string;
  readonly calls: Call[];
  /** Answers of the function URL, used up in order; the last one stays. */
  lambda: { readonly status: number; readonly body: unknown }[];
  /** Entries that the bus refuses at first. */
  throttled: number;
  outputs: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
};

/** Starts it. It checks every signature with an implementation of its own. */
export async function startFakeAws(): Promise<FakeAws> {
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const service = serviceOf(request.headers);
    fake.calls.push({ service, headers: request.headers, body });
    const answer = isSigned(request, body, service)
      ? answerOf(fake, service, body)
      : { status: 403, body: { Message: 'signature does not match' } };
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fake: FakeAws = {
    url,
    calls: [],
    lambda: [],
    throttled: 0,
    outputs: { OperateUrl: `${url}/`, EventBusName: 'Breakwater-events' },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

type Answer = { readonly status: number; readonly body: unknown };

function answerOf(fake: FakeAws, service: Call['service'], body: string): Answer {
  switch (service) {
    case 'cloudformation':
      return stacks(fake, new URLSearchParams(body).get('StackName'));
    case 'events': {
      const { Entries } = JSON.parse(body) as { readonly Entries: readonly unknown[] };
      const refused = Math.min(fake.throttled, Entries.length);
      fake.throttled -= refused;
      const results = Entries.map((_, position) =>
        position < refused ? { ErrorCode: 'ThrottlingException' } : { EventId: `e-${position}` },
      );
      return { status: 200, body: { FailedEntryCount: refused, Entries: results } };
    }
    case 'lambda':
      return (
        (fake.lambda.length > 1 ? fake.lambda.shift() : fake.lambda[0]) ?? { status: 500, body: '' }
      );
    default:
      return service satisfies never;
  }
}

function stacks(fake: FakeAws, name: string | null): Answer {
  if (name !== 'Breakwater') {
    const error = `<Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message>`;
    return { status: 400, body: `<ErrorResponse><Error>${error}</Error></ErrorResponse>` };
  }
  const outputs = Object.entries(fake.outputs).map(
    ([key, value]) =>
      `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  const stack = `<member><StackName>Breakwater</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>${outputs.join('')}</Outputs></member>`;
  return {
    status: 200,
    body: `<DescribeStacksResponse><DescribeStacksResult><Stacks>${stack}</Stacks></DescribeStacksResult></DescribeStacksResponse>`,
  };
}

function serviceOf(headers: IncomingHttpHeaders): Call['service'] {
  const service = /Credential=[^/]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(
    headers.authorization ?? '',
  )?.[1];
  return service === 'cloudformation' || service === 'events' ? service : 'lambda';
}

/** Signature version 4, as https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html tells it. */
function isSigned(request: IncomingMessage, body: string, service: Call['service']): boolean {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (!given) return false;
  const [, key, day = '', region = '', signedFor, names = '', signature] = given;
  const headers = names
    .split(';')
    .map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const hash = (value: string) => createHash('sha256').update(value).digest('hex');
  const canonical = ['POST', request.url, '', headers.join(''), names, hash(body)].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, hash(canonical)].join(
    '\n',
  );
  const hmac = (secret: string | Buffer, value: string) =>
    createHmac('sha256', secret).update(value).digest();
  const signingKey = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${KEYS.secretAccessKey}`,
  );
  const isRight = createHmac('sha256', signingKey).update(toSign).digest('hex') === signature;
  const hasToken = request.headers['x-amz-security-token'] === KEYS.sessionToken;
  return (
    isRight &&
    hasToken &&
    key === KEYS.accessKeyId &&
    signedFor === service &&
    names.includes('host')
  );
}

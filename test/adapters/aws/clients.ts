/** SDK clients over a loopback address that answers whatever a test wants. */

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the SDK asked. */
export type Asked = {
  /** Action or target, for example `AmazonSQS.SendMessage`. */
  readonly action: string;
  readonly body: string;
};

/** A loopback address. */
export type Loopback = {
  readonly config: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly maxAttempts: number;
  };
  readonly asked: Asked[];
  readonly stop: () => Promise<void>;
};

/** Starts one that gives every request the same answer. */
export async function startLoopback(answer: {
  readonly status?: number;
  readonly body: string;
}): Promise<Loopback> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const body = await read(request);
    const target = request.headers['x-amz-target'];
    const action = typeof target === 'string' ? target : new URLSearchParams(body).get('Action');
    asked.push({ action: action ?? '', body });
    const type = request.headers['content-type'] ?? '';
    response.writeHead(answer.status ?? 200, {
      'content-type': type.includes('json') ? type : 'text/xml',
    });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    config: {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test } from 'vitest';
import { createS3AuditCopy } from '../../../lib/adapters/aws/s3-audit-copy.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

async function start(status: number) {
  const asked: {
    readonly method: string;
    readonly path: string;
    readonly body: string;
    readonly checksum: unknown;
  }[] = [];
  server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = await text(request);
    const checksum = headers['x-amz-checksum-sha256'] ?? headers['x-amz-trailer'];
    asked.push({ method, path: url, body, checksum });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    forcePathStyle: true,
    maxAttempts: 1,
  });
  return { asked, copy: createS3AuditCopy(client, 'bucket') };
}

describe('createS3AuditCopy', () => {
  test('default: one object for a part, named by its links, with the checksum that locks ask for', async () => {
    const { asked, copy } = await start(200);
    await copy.put({ first: 1, last: 12, text: '{"ü":1}\n' });
    expect(asked).toMatchObject([
      {
        method: 'PUT',
        path: expect.stringMatching(
          /^\/bucket\/audit\/0000000000000001-0000000000000012\.jsonl(\?|$)/,
        ),
        body: expect.stringContaining('{"ü":1}\n'),
        checksum: expect.any(String),
      },
    ]);
  });

  test('error: what S3 does not take throws', async () => {
    const { copy } = await start(403);
    await expect(copy.put({ first: 1, last: 1, text: 'x' })).rejects.toThrow();
  });
});

import { createServer } from 'node:http';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { createDynamoClient } from '../../../lib/adapters/dynamodb/client.ts';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const get = () => new GetItemCommand({ TableName: 't', Key: { pk: { S: 'a' } } });

describe('createDynamoClient', () => {
  test('behavior: an engine that never answers is given up on in time, and asked once', async () => {
    let requests = 0;
    const server = createServer(() => {
      requests += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const endpoint = `http://127.0.0.1:${port}`;
    const client = createDynamoClient({ region: 'eu-west-1', endpoint, credentials });
    const startedAtMs = performance.now();
    await expect(client.send(get())).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - startedAtMs).toBeLessThan(4_000);
    expect(requests).toBe(1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('error: nobody listens', async () => {
    const endpoint = 'http://127.0.0.1:1';
    const client = createDynamoClient({ region: 'eu-west-1', endpoint, credentials });
    await expect(client.send(get())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

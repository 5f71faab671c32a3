import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, test } from 'vitest';
import { createSecretReader, UnreadableError } from '../../../lib/adapters/aws/secrets-manager.ts';
import { type HttpServer, startHttpServer } from '../../../lib/local/http-server.ts';

const MADE_S = 1_700_000_000;
const DAY_MS = 86_400_000;
let server: HttpServer | undefined;
let client: SecretsManagerClient | undefined;
afterEach(async () => {
  client?.destroy();
  await server?.stop();
});

/** Secrets Manager as far as `GetSecretValue` goes: versions by staging label. */
async function start(versions: Readonly<Record<string, Readonly<Record<string, unknown>>>>) {
  const asked: string[] = [];
  const handle = async (request: { readonly json: () => unknown }) => {
    const { SecretId, VersionStage } = request.json() as Record<string, string>;
    asked.push(`${SecretId} ${VersionStage}`);
    const version = versions[VersionStage ?? ''];
    const headers = { 'content-type': 'application/x-amz-json-1.1' };
    if (version) return { status: 200, headers, body: version };
    return { status: 400, headers, body: { __type: 'ResourceNotFoundException', message: 'none' } };
  };
  server = await startHttpServer({ routes: [{ method: 'POST', path: '/', handle }] });
  client = new SecretsManagerClient({
    endpoint: server.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  return { asked, client };
}

function reader(of: SecretsManagerClient, ageMs: number) {
  return createSecretReader(of, { clock: { nowMs: () => MADE_S * 1_000 + ageMs } });
}

const BOTH = {
  AWSCURRENT: { SecretString: 'new', CreatedDate: MADE_S },
  AWSPREVIOUS: { SecretString: 'old', CreatedDate: MADE_S - 1 },
};

describe('createSecretReader', () => {
  test('default: the current one, and for a day after a rotation the one before', async () => {
    const { asked, client: to } = await start(BOTH);
    expect(await reader(to, DAY_MS - 1)('breakwater/alchemy')).toEqual({
      current: 'new',
      previous: 'old',
    });
    expect(await reader(to, DAY_MS)('breakwater/alchemy')).toEqual({ current: 'new' });
    expect(asked).toEqual([
      'breakwater/alchemy AWSCURRENT',
      'breakwater/alchemy AWSPREVIOUS',
      'breakwater/alchemy AWSCURRENT',
    ]);
  });

  test('behavior: one that was never rotated has none before', async () => {
    const { client: to } = await start({ AWSCURRENT: BOTH.AWSCURRENT });
    expect(await reader(to, 0)('a')).toEqual({ current: 'new' });
  });

  test('behavior: without the date of its making nothing before it is believed', async () => {
    const { client: to } = await start({ ...BOTH, AWSCURRENT: { SecretString: 'new' } });
    expect(await reader(to, 0)('a')).toEqual({ current: 'new' });
  });

  test('error: bytes instead of text, or no such secret', async () => {
    const { client: to } = await start({ AWSCURRENT: { SecretBinary: 'AAAA' } });
    await expect(reader(to, 0)('a')).rejects.toBeInstanceOf(UnreadableError);
    const none = createSecretReader(to, { clock: { nowMs: () => 0 } });
    await expect(none('b')).rejects.toThrow();
  });
});

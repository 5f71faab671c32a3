import { KMSClient } from '@aws-sdk/client-kms';
import { afterEach, describe, expect, test } from 'vitest';
import { nodeTools } from '../../../lib/adapters/audit-jws.ts';
import { createKmsAuditSigner } from '../../../lib/adapters/aws/kms-audit-signer.ts';
import { nodeDigest } from '../../../lib/adapters/node-digest.ts';
import * as Audit from '../../../lib/domain/audit.ts';
import * as Export from '../../../lib/domain/audit-export.ts';
import { entry, exported } from '../../support/audit.ts';
import { T0_MS } from '../../support/builders.ts';
import { type Kms, startKms } from '../../support/kms.ts';

let kms: Kms | undefined;
let client: KMSClient | undefined;
afterEach(async () => {
  client?.destroy();
  await kms?.stop();
});

async function start() {
  kms = await startKms();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new KMSClient({
    endpoint: kms.endpoint,
    region: 'eu-west-1',
    credentials,
    maxAttempts: 1,
  });
  return createKmsAuditSigner(client, { keyId: kms.keyArn, issuer: 'breakwater:test' });
}

describe('createKmsAuditSigner', () => {
  test('default: heads that verify, signed by the one key', async () => {
    const signer = await start();
    for (let round = 0; round < 10; round += 1) {
      const text = await exported([entry(`a${round}`)], signer);
      expect(Export.verify(Buffer.from(text), nodeTools)).toMatchObject({
        kind: 'whole',
        issuer: 'breakwater:test',
        signedAtS: Math.floor(T0_MS / 1_000),
      });
    }
    expect(kms?.asked.filter((asked) => asked.startsWith('GetPublicKey')).length).toBe(1);
  });

  test('error: what KMS does not sign throws, and is asked for again', async () => {
    const signer = await start();
    const [link] = Audit.extend(Audit.GENESIS, [entry('a')], nodeDigest.hash);
    const head = Audit.headAfter(Audit.GENESIS, link ? [link] : []);
    if (kms) kms.broken = { code: 'AccessDeniedException', status: 400 };
    await expect(signer.seal(head, T0_MS)).rejects.toThrow('KMS does not sign');
    if (kms) kms.broken = undefined;
    expect((await signer.seal(head, T0_MS)).sequence).toBe(1);
  });
});

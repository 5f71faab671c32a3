/** The deployed signer over a KMS that can sign with another key, or sign nothing that was asked. */

import { KMSClient } from '@aws-sdk/client-kms';
import { createKmsSigner } from '../../lib/adapters/aws/kms-signer.ts';
import type { AdmissionSigner } from '../../lib/ports.ts';
import { startKms } from '../support/kms.ts';
import { ISSUER } from '../support/signer.ts';
import type { Fault, Switch } from './faults.ts';

const OTHER_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/0b5a4c1e-0000-4000-8000-000000000002';

/** Starts one. `stale`: it signs with a key that nobody published; `lying`: something that nobody asked for. */
export async function brokenKms(
  fault: Fault,
  when: Switch,
): Promise<{ readonly signer: AdmissionSigner; readonly stop: () => Promise<void> }> {
  const kms = await startKms();
  const client = new KMSClient({
    endpoint: kms.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  client.middlewareStack.add(
    (next) => (call) => {
      const input = call.input as { KeyId?: string; Message?: Uint8Array };
      if (!when.isOn || !input.Message) return next(call);
      const wrong = fault === 'stale' ? { KeyId: OTHER_ARN } : { Message: new Uint8Array(32) };
      const isWrong = fault === 'stale' || fault === 'lying';
      return next(isWrong ? { ...call, input: { ...call.input, ...wrong } } : call);
    },
    { step: 'initialize' },
  );
  const keys = { keyId: kms.keyArn, alsoPublished: [], issuer: ISSUER };
  return {
    signer: createKmsSigner(client, keys),
    stop: async () => {
      client.destroy();
      await kms.stop();
    },
  };
}

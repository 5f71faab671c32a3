/** What a deployed `project-state` needs beyond the world of every function. */

import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { createKmsAuditSigner } from '../adapters/aws/kms-audit-signer.ts';
import { createS3AuditCopy } from '../adapters/aws/s3-audit-copy.ts';
import { BOUNDED } from './aws-world.ts';
import { ENV } from './environment.ts';
import type { Auditing } from './project-state.ts';

/** Composes it from `process.env`. What is not set fails when it is first used, and holds up no page. */
export function awsAudit(): Auditing {
  const issuer = env(ENV.auditIssuer);
  return {
    signer: createKmsAuditSigner(new KMSClient(BOUNDED), { keyId: env(ENV.auditKeyId), issuer }),
    copy: createS3AuditCopy(new S3Client(BOUNDED), env(ENV.auditBucket)),
  };
}

function env(name: string): string {
  return process.env[name] ?? `${name} is not set`;
}

/** Copies of the audit chain in a bucket whose objects nobody can change or delete for years. */

import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { AuditCopy } from '../../ports.ts';

/** Where the objects lie in the bucket. */
const PREFIX = 'audit/';
/** Digits of a sequence number, so that names sort as the chain does. */
const DIGITS = 16;

/**
 * A copy in a bucket with Object Lock: the bucket's own rule locks each object, so that whoever puts
 * needs no right over locks. The same part put again is another version of the object; the first stays.
 * Throws when S3 does not take it; the caller puts it again.
 */
export function createS3AuditCopy(client: S3Client, bucket: string): AuditCopy {
  return {
    put: async ({ first, last, text }) => {
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: `${PREFIX}${digits(first)}-${digits(last)}.jsonl`,
          Body: text,
          ContentType: 'application/jsonl; charset=utf-8',
          ChecksumAlgorithm: 'SHA256',
        }),
      );
    },
  };
}

function digits(sequence: number): string {
  return sequence.toString().padStart(DIGITS, '0');
}

/** A policy of the Control table at rest: `b` as JSON. Apart from everything else there, for those who only read policies. */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { AccountId, AssetId } from '../../domain/caip.ts';
import type * as Ledger from '../../domain/ledger.ts';
import type { Retired } from '../../domain/policy.ts';
import * as Attributes from './attributes.ts';
import * as Keys from './keys.ts';

const accountId = z.custom<AccountId>((value) => typeof value === 'string');
const assetId = z.custom<AssetId>((value) => typeof value === 'string');
const StoredRetired: z.ZodMiniType<Retired> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('address'),
    address: accountId,
    wallet: z.string(),
    keyDomain: z.string(),
    lastNamedMs: z.int(),
  }),
  z.object({
    kind: z.literal('asset'),
    pattern: z.string(),
    decimals: z.int(),
    floorPricePicoUsd: z.exactOptional(Attributes.Units),
    sameAs: z.exactOptional(z.object({ asset: assetId, decimals: z.int() })),
    lastNamedMs: z.int(),
  }),
]);

const StoredPolicy: z.ZodMiniType<Ledger.StoredPolicy> = z.object({
  version: z.int(),
  hash: z.string(),
  source: z.string(),
  compiled: z.exactOptional(z.string()),
  appliedAtMs: z.int(),
  actor: z.string(),
  reason: z.exactOptional(z.string()),
  beforeHash: z.exactOptional(z.string()),
  quorum: z.exactOptional(z.int()),
  judged: z.exactOptional(
    z.object({ tightens: z.int(), loosens: z.int(), revokes: z.int(), neutral: z.int() }),
  ),
  retired: z.exactOptional(z.array(StoredRetired)),
});

/** Writes a policy. */
export function toPolicy(policy: Ledger.StoredPolicy): Record<string, AttributeValue> {
  const { pk, sk } = Keys.policyKey(policy.version);
  return { pk: { S: pk }, sk: { S: sk }, b: Attributes.toJson(policy) };
}

/** Reads a policy. @throws {Store.UnreadableError} */
export function fromPolicy(attributes: Attributes.Attributes): Ledger.StoredPolicy {
  return Attributes.jsonOf(attributes, 'b', StoredPolicy);
}

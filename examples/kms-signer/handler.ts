/**
 * The Lambda in front of the key: the only role that `key-policy.json` lets sign. Invoke it directly
 * (`lambda:InvokeFunction` for the withdrawal service alone); it needs no URL.
 *
 * | name | what |
 * |---|---|
 * | `KEY_ID` | ARN of the signing key |
 * | `NATIVE_ASSET` | CAIP-19 of the chain's coin, `eip155:1/slip44:60`: it also says which chain is signed for |
 * | `FEE_MAX_WEI` | most that one transaction may burn on gas |
 * | `ADMISSION_AUDIENCE`, `ADMISSION_ISSUER` | for whom and by whom admissions are given |
 * | `ADMISSION_JWKS` | the public keys of admissions, as JSON: verified offline |
 * | `REPLAY_TABLE` | the table of used admissions |
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { createAdmissionVerifier } from 'breakwater/client/admission';
import * as z from 'zod/mini';
import { kmsAccount } from './kms-account.ts';
import { createReplayTable } from './replay-table.ts';
import { createWithdrawalSigner, type Signed } from './sign-withdrawal.ts';

type Signer = ReturnType<typeof createWithdrawalSigner>;

const hex = z.templateLiteral(['0x', z.string().check(z.regex(/^[0-9a-fA-F]*$/))]);
const units = z.pipe(
  z.string().check(z.regex(/^\d{1,78}$/)),
  z.transform((text) => BigInt(text)),
);
const whole = z.number().check(z.refine((value) => Number.isSafeInteger(value) && value >= 0));

/** Strict: a field that nobody looks at must not be there. */
const requestShape = z.strictObject({
  withdrawalId: z.string().check(z.minLength(1)),
  admission: z.string(),
  transaction: z.strictObject({
    chainId: whole,
    nonce: whole,
    to: hex,
    value: units,
    data: hex,
    gas: units,
    maxFeePerGas: units,
    maxPriorityFeePerGas: units,
  }),
});

let signer: Promise<Signer> | undefined;

/**
 * Signs one withdrawal. A request that cannot be read is refused as `transaction`.
 * Fail direction: closed. Throws if a setting is missing or KMS does not answer; nothing is signed then.
 */
export async function handler(event: unknown): Promise<Signed> {
  const reading = z.safeParse(requestShape, event);
  if (!reading.success) {
    return { ok: false, reason: 'transaction', text: z.prettifyError(reading.error) };
  }
  signer ??= createSigner().catch((error: unknown) => {
    signer = undefined;
    throw error;
  });
  return (await signer)(reading.data);
}

async function createSigner(): Promise<Signer> {
  const verifier = createAdmissionVerifier({
    jwks: JSON.parse(setting('ADMISSION_JWKS')),
    audience: setting('ADMISSION_AUDIENCE'),
    issuer: setting('ADMISSION_ISSUER'),
    replayStore: createReplayTable(new DynamoDBClient(), setting('REPLAY_TABLE')),
  });
  return createWithdrawalSigner({
    account: await kmsAccount(new KMSClient(), setting('KEY_ID')),
    verifier,
    nativeAsset: setting('NATIVE_ASSET'),
    feeMaxWei: BigInt(setting('FEE_MAX_WEI')),
  });
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new MissingSettingError({ name });
  return value;
}

/** The function was deployed without a setting that it cannot do without. */
export class MissingSettingError extends Error {
  override readonly name = 'Handler.MissingSettingError';
  constructor(details: { readonly name: string }) {
    super(`${details.name} is not set`);
  }
}

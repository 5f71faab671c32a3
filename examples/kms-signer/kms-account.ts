/**
 * An Ethereum account whose key never leaves KMS (`ECC_SECG_P256K1`, `SIGN_VERIFY`).
 *
 * KMS signs digests: for this curve it offers `ECDSA_SHA_256` alone, and with `MessageType: DIGEST` it
 * signs the 32 bytes as they are, so that they may be a Keccak-256
 * (https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html).
 */

import { createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { type Address, type Hex, hexToBytes, keccak256, serializeTransaction } from 'viem';
import { type LocalAccount, publicKeyToAddress, toAccount } from 'viem/accounts';
import { toEthereumSignature } from './ethereum-signature.ts';

const ALGORITHM = 'ECDSA_SHA_256';

/**
 * Reads the public key and makes an account that signs transactions, and nothing else: a signed
 * message or a signed permit (EIP-2612) can move tokens, too, and no admission stands for it.
 *
 * @param keyId id, ARN or alias; the ARN that KMS answers is used from then on, so that an alias that
 * is moved changes nothing.
 * @throws {UnfitKeyError} the key is of another curve or for another use.
 */
export async function kmsAccount(client: KMSClient, keyId: string): Promise<LocalAccount> {
  const described = await client.send(new GetPublicKeyCommand({ KeyId: keyId }));
  const { KeyId: arn, PublicKey: spki, KeySpec: spec, KeyUsage: usage } = described;
  if (!arn || !spki || spec !== 'ECC_SECG_P256K1' || usage !== 'SIGN_VERIFY') {
    throw new UnfitKeyError({ keyId, spec, usage });
  }
  const address = addressOf(spki);
  return toAccount({
    address,
    signTransaction: async (transaction, options) => {
      const serialize = options?.serializer ?? serializeTransaction;
      const hash = keccak256(await serialize(transaction));
      const der = await signDigest(client, { arn, hash });
      return serialize(transaction, await toEthereumSignature(der, { hash, address }));
    },
    signMessage: refuse,
    signTypedData: refuse,
  });
}

/** The address of a public key: the last 20 bytes of the Keccak-256 of its point (Yellow Paper, appendix F). */
function addressOf(spki: Uint8Array): Address {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = [x, y].map((half) => Buffer.from(half, 'base64url').toString('hex')).join('');
  return publicKeyToAddress(`0x04${point}`);
}

async function signDigest(
  client: KMSClient,
  wanted: { readonly arn: string; readonly hash: Hex },
): Promise<Uint8Array> {
  const { Signature } = await client.send(
    new SignCommand({
      KeyId: wanted.arn,
      Message: hexToBytes(wanted.hash),
      MessageType: 'DIGEST',
      SigningAlgorithm: ALGORITHM,
    }),
  );
  return Signature ?? new Uint8Array();
}

async function refuse(): Promise<never> {
  throw new OnlyTransactionsError();
}

/** The key cannot sign for Ethereum. */
export class UnfitKeyError extends Error {
  override readonly name = 'KmsAccount.UnfitKeyError';
  constructor(details: {
    readonly keyId: string;
    readonly spec: string | undefined;
    readonly usage: string | undefined;
  }) {
    const { keyId, spec, usage } = details;
    super(`${keyId} is a key ${spec} for ${usage}, not ECC_SECG_P256K1 for SIGN_VERIFY`);
  }
}

/** Somebody asked for a signature that is no transaction. */
export class OnlyTransactionsError extends Error {
  override readonly name = 'KmsAccount.OnlyTransactionsError';
  constructor() {
    super('this account signs transactions only');
  }
}

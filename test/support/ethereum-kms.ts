/** KMS with a key for Ethereum, on loopback: secp256k1 behind the JSON 1.1 protocol, DER answers. */

import { createPublicKey } from 'node:crypto';
import { hexToBytes } from 'viem';
import { generatePrivateKey, privateKeyToAccount, sign } from 'viem/accounts';
import { type HttpRequest, startHttpServer } from '../../lib/local/http-server.ts';
import { toDer } from './kms.ts';

/** A running KMS and the address of its key. */
export type EthereumKms = {
  readonly endpoint: string;
  readonly keyArn: string;
  readonly address: `0x${string}`;
  /** What was asked, in order. */
  readonly asked: string[];
  readonly stop: () => Promise<void>;
};

/** Order of secp256k1 (SEC 2, section 2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const KEY_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/0d9d1d6c-2e3b-4a3f-8a54-9e0e8d5d7a11';

/**
 * Starts one. Every second signature has its s in the upper half, as half of those of KMS have.
 * `described` replaces fields of what GetPublicKey is answered.
 */
export async function startEthereumKms(
  described: Readonly<Record<string, unknown>> = {},
): Promise<EthereumKms> {
  const privateKey = generatePrivateKey();
  const account = privateKeyToAccount(privateKey);
  const asked: string[] = [];
  const publicKey = {
    PublicKey: toSpki(account.publicKey),
    KeySpec: 'ECC_SECG_P256K1',
    KeyUsage: 'SIGN_VERIFY',
    SigningAlgorithms: ['ECDSA_SHA_256'],
    ...described,
  };
  const handle = async (request: HttpRequest) => {
    const operation = String(request.headers['x-amz-target']).replace('TrentService.', '');
    const input = request.json() as Readonly<Record<string, string>>;
    asked.push(operation);
    const isHigh = asked.filter((each) => each === 'Sign').length % 2 === 0;
    const fields =
      operation === 'Sign' ? await answerSign(privateKey, { input, isHigh }) : publicKey;
    const headers = { 'content-type': 'application/x-amz-json-1.1' };
    return { status: 200, headers, body: { KeyId: KEY_ARN, ...fields } };
  };
  const server = await startHttpServer({ routes: [{ method: 'POST', path: '/', handle }] });
  const { endpoint, stop } = server;
  return { endpoint, keyArn: KEY_ARN, address: account.address, asked, stop };
}

async function answerSign(
  privateKey: `0x${string}`,
  asked: { readonly input: Readonly<Record<string, string>>; readonly isHigh: boolean },
): Promise<Readonly<Record<string, unknown>>> {
  const { Message = '', MessageType, SigningAlgorithm } = asked.input;
  const digest = Buffer.from(Message, 'base64');
  if (MessageType !== 'DIGEST' || SigningAlgorithm !== 'ECDSA_SHA_256' || digest.length !== 32) {
    throw new Error(`cannot sign ${MessageType} of ${digest.length} bytes`);
  }
  const { r, s } = await sign({ hash: `0x${digest.toString('hex')}`, privateKey });
  const low = BigInt(s);
  const der = toDer({ r: BigInt(r), s: asked.isHigh ? ORDER - low : low });
  return { Signature: der.toString('base64'), SigningAlgorithm };
}

function toSpki(point: `0x${string}`): string {
  const bytes = Buffer.from(hexToBytes(point));
  const [x, y] = [bytes.subarray(1, 33), bytes.subarray(33)].map((half) =>
    half.toString('base64url'),
  );
  const key = createPublicKey({ key: { kty: 'EC', crv: 'secp256k1', x, y }, format: 'jwk' });
  return key.export({ format: 'der', type: 'spki' }).toString('base64');
}

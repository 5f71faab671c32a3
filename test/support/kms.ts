/**
 * KMS as far as signing goes, on loopback: a real P-256 key behind the JSON 1.1 protocol, which is
 * given a digest and answers a DER signature as the service does. Each ARN that is asked for is a
 * key of its own; every alias names the first.
 */

import { createECDH, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import {
  type HttpRequest,
  type HttpResponse,
  startHttpServer,
} from '../../lib/local/http-server.ts';

/** A running KMS. */
export type Kms = {
  readonly endpoint: string;
  readonly keyArn: string;
  /** What was asked, in order: `GetPublicKey <key>`, `Sign <key>`. */
  readonly asked: string[];
  /** Error code and status that every call gets while it is set. */
  broken: { readonly code: string; readonly status: number } | undefined;
  readonly stop: () => Promise<void>;
};

/** Order of P-256 (FIPS 186-4, D.1.2.3). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const KEY_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/6a7e8feb-b491-4cf7-a9f1-bf3703467718';

/** Starts one. `answers` replaces fields of what a call is answered. */
export async function startKms(
  answers: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {},
): Promise<Kms> {
  const pairs = new Map<string, ReturnType<typeof newPair>>();
  const pairOf = (keyArn: string) => {
    const pair = pairs.get(keyArn) ?? newPair();
    pairs.set(keyArn, pair);
    return pair;
  };
  const handle = async (request: HttpRequest): Promise<HttpResponse> => {
    const operation = String(request.headers['x-amz-target']).replace('TrentService.', '');
    const input = request.json() as Readonly<Record<string, string>>;
    kms.asked.push(`${operation} ${input.KeyId}`);
    const headers = { 'content-type': 'application/x-amz-json-1.1' };
    const { broken } = kms;
    if (broken)
      return { status: broken.status, headers, body: { __type: broken.code, message: '' } };
    const keyArn = input.KeyId?.startsWith('arn:') ? input.KeyId : KEY_ARN;
    const pair = pairOf(keyArn);
    const fields = operation === 'Sign' ? sign(pair.privateKey, input) : described(pair.publicKey);
    return { status: 200, headers, body: { KeyId: keyArn, ...fields, ...answers[operation] } };
  };
  const server = await startHttpServer({ routes: [{ method: 'POST', path: '/', handle }] });
  const kms: Kms = {
    endpoint: server.endpoint,
    keyArn: KEY_ARN,
    asked: [],
    broken: undefined,
    stop: server.stop,
  };
  return kms;
}

function newPair() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function described(key: KeyObject): Readonly<Record<string, unknown>> {
  const spki = key.export({ format: 'der', type: 'spki' }).toString('base64');
  const algorithms = { SigningAlgorithms: ['ECDSA_SHA_256'] };
  return { PublicKey: spki, KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', ...algorithms };
}

function sign(key: KeyObject, input: Readonly<Record<string, string>>) {
  const digest = Buffer.from(input.Message ?? '', 'base64');
  const { MessageType, SigningAlgorithm } = input;
  if (MessageType !== 'DIGEST' || SigningAlgorithm !== 'ECDSA_SHA_256' || digest.length !== 32) {
    throw new Error(
      `cannot sign ${MessageType} of ${digest.length} bytes with ${SigningAlgorithm}`,
    );
  }
  return { Signature: toDer(signDigest(key, digest)).toString('base64'), SigningAlgorithm };
}

/** ECDSA over what is a digest already, which Node would hash once more. */
function signDigest(key: KeyObject, digest: Buffer): { readonly r: bigint; readonly s: bigint } {
  const secret = toNumber(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  const nonce = randomBytes(32);
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(nonce);
  const r = toNumber(curve.getPublicKey().subarray(1, 33)) % ORDER;
  const s = (inverse(toNumber(nonce)) * (toNumber(digest) + r * secret)) % ORDER;
  return { r, s };
}

/** By Fermat: the order is prime. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let base = value % ORDER;
  for (let exponent = ORDER - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % ORDER;
    base = (base * base) % ORDER;
  }
  return result;
}

/** A signature in DER: each number with as few bytes as hold it and its sign. */
export function toDer({ r, s }: { readonly r: bigint; readonly s: bigint }): Buffer {
  const content = Buffer.concat([toInteger(r), toInteger(s)]);
  return Buffer.concat([Buffer.from([0x30, content.length]), content]);
}

function toInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const bytes = Buffer.from(
    Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even,
    'hex',
  );
  return Buffer.concat([Buffer.from([0x02, bytes.length]), bytes]);
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
